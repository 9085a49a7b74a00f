//! What a payload struct is made of, told by the struct itself.

use super::Kind;

/// What a type is made of.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A number.
    Number(Kind),
    /// Elements one behind the other.
    Array {
        /// What each is.
        element: &'static Shape,
        /// How many.
        count: usize,
        /// Bytes from one to the next.
        stride: usize,
    },
    /// Named members; padding is none of them.
    Struct {
        /// In the order of the struct.
        members: &'static [Member],
    },
}

/// A member of a struct.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Bytes from the struct's start.
    pub offset: usize,
    /// What it is.
    pub shape: Shape,
}

/// A type that says what it is made of.
pub trait Described {
    /// What it is made of.
    const SHAPE: Shape;
}

/// The shape of a member; the function only names it.
pub const fn shape_of<S, F: Described>(_member: fn(&S) -> &F) -> Shape {
    F::SHAPE
}

macro_rules! numbers {
    ($($type:ident $kind:ident)+) => {$(
        impl Described for $type {
            const SHAPE: Shape = Shape::Number(Kind::$kind);
        }
    )+};
}

// A word of 8 bytes without a sign is an address, but for those that `fields::words` names.
numbers!(u8 U8 i8 I8 u16 U16 i16 I16 u32 U32 i32 I32 u64 U64 i64 I64 f32 F32);

impl<T: Described, const N: usize> Described for [T; N] {
    const SHAPE: Shape = Shape::Array { element: &T::SHAPE, count: N, stride: size_of::<T>() };
}
