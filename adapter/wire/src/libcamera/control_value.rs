//! The values that controls take.
//!
//! Source: libcamera `include/libcamera/controls.h` (`ControlType`) and `src/libcamera/controls.cpp`
//! (element sizes). Type numbers are those of the tag that [`Dialect`] names.

use super::{Dialect, Point, Rectangle, Size, Value};
use crate::WireError;

/// The type of a control value's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlType {
    /// No value.
    None,
    /// `bool`.
    Bool,
    /// `u8`.
    Byte,
    /// `u16`; since 0.4.0.
    Unsigned16,
    /// `u32`; since 0.4.0.
    Unsigned32,
    /// `i32`.
    Integer32,
    /// `i64`.
    Integer64,
    /// `f32`.
    Float,
    /// One byte of a string. Strings are arrays of these.
    String,
    /// [`Rectangle`].
    Rectangle,
    /// [`Size`].
    Size,
    /// [`Point`]; since 0.4.0.
    Point,
}

/// `ControlType` numbers up to 0.3.x.
const TYPES_V0_0: [ControlType; 9] = [
    ControlType::None,
    ControlType::Bool,
    ControlType::Byte,
    ControlType::Integer32,
    ControlType::Integer64,
    ControlType::Float,
    ControlType::String,
    ControlType::Rectangle,
    ControlType::Size,
];

/// `ControlType` numbers since 0.4.0.
const TYPES_V0_4: [ControlType; 12] = [
    ControlType::None,
    ControlType::Bool,
    ControlType::Byte,
    ControlType::Unsigned16,
    ControlType::Unsigned32,
    ControlType::Integer32,
    ControlType::Integer64,
    ControlType::Float,
    ControlType::String,
    ControlType::Rectangle,
    ControlType::Size,
    ControlType::Point,
];

impl ControlType {
    /// Bytes of one element.
    #[must_use]
    pub const fn element_bytes(self) -> usize {
        match self {
            Self::None => 0,
            Self::Bool | Self::Byte | Self::String => 1,
            Self::Unsigned16 => 2,
            Self::Unsigned32 | Self::Integer32 | Self::Float => 4,
            Self::Integer64 | Self::Size | Self::Point => 8,
            Self::Rectangle => 16,
        }
    }

    const fn table(dialect: Dialect) -> &'static [Self] {
        match dialect {
            Dialect::V0_0 | Dialect::V0_1 => &TYPES_V0_0,
            Dialect::V0_4 | Dialect::V0_6 | Dialect::V0_7_1 => &TYPES_V0_4,
        }
    }

    /// The type with that number.
    ///
    /// # Errors
    /// [`WireError::ControlType`].
    pub fn from_number(number: u32, dialect: Dialect) -> Result<Self, WireError> {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::table(dialect).get(index).copied())
            .ok_or(WireError::ControlType(number))
    }

    /// The type's number.
    ///
    /// # Errors
    /// [`WireError::ControlValue`] if the dialect has no such type.
    pub fn number(self, dialect: Dialect) -> Result<u8, WireError> {
        Self::table(dialect)
            .iter()
            .zip(0u8..)
            .find_map(|(&candidate, number)| (candidate == self).then_some(number))
            .ok_or(WireError::ControlValue)
    }
}

/// A Rust type that a control value can be made of.
pub trait ControlElement: Value {
    /// Its control type.
    const TYPE: ControlType;
}

macro_rules! control_element {
    ($($type:ty => $kind:ident),*) => {
        $(impl ControlElement for $type { const TYPE: ControlType = ControlType::$kind; })*
    };
}

control_element!(
    bool => Bool, u8 => Byte, u16 => Unsigned16, u32 => Unsigned32, i32 => Integer32,
    i64 => Integer64, f32 => Float, Rectangle => Rectangle, Size => Size, Point => Point
);

/// A control's value: nothing, one element, or an array of elements. It keeps the bytes of the
/// wire, so that what this crate does not know the meaning of passes through unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlValue {
    kind: ControlType,
    is_array: bool,
    count: u16,
    data: Vec<u8>,
}

impl ControlValue {
    /// No value.
    #[must_use]
    pub const fn none() -> Self {
        Self { kind: ControlType::None, is_array: false, count: 0, data: Vec::new() }
    }

    /// One element.
    #[must_use]
    pub fn scalar<T: ControlElement>(value: &T) -> Self {
        Self { kind: T::TYPE, is_array: false, count: 1, data: element_bytes(value) }
    }

    /// An array of elements.
    ///
    /// # Errors
    /// [`WireError::ControlValue`] for more than 65,535 elements.
    pub fn array<T: ControlElement>(values: &[T]) -> Result<Self, WireError> {
        Ok(Self {
            kind: T::TYPE,
            is_array: true,
            count: u16::try_from(values.len()).map_err(|_| WireError::ControlValue)?,
            data: values.iter().flat_map(element_bytes).collect(),
        })
    }

    /// A string.
    ///
    /// # Errors
    /// [`WireError::ControlValue`] for more than 65,535 bytes.
    pub fn string(value: &str) -> Result<Self, WireError> {
        Ok(Self {
            kind: ControlType::String,
            is_array: true,
            count: u16::try_from(value.len()).map_err(|_| WireError::ControlValue)?,
            data: value.as_bytes().to_vec(),
        })
    }

    /// A value from its description and its bytes, as the wire has them.
    ///
    /// # Errors
    /// [`WireError::ControlValue`] if the bytes are not those of `count` elements, or if something
    /// other than an array has several. (Nothing counts as none or one: libcamera's default value
    /// has 0 elements, a copy of it 1.)
    pub fn from_parts(
        kind: ControlType,
        is_array: bool,
        count: u16,
        data: &[u8],
    ) -> Result<Self, WireError> {
        let count_fits = is_array || count == 1 || (count == 0 && kind == ControlType::None);
        if count_fits && data.len() == Self::byte_length(kind, count) {
            Ok(Self { kind, is_array, count, data: data.to_vec() })
        } else {
            Err(WireError::ControlValue)
        }
    }

    /// Bytes of `count` elements.
    pub(super) fn byte_length(kind: ControlType, count: u16) -> usize {
        kind.element_bytes().saturating_mul(usize::from(count))
    }

    /// Type of the elements.
    #[must_use]
    pub const fn kind(&self) -> ControlType {
        self.kind
    }

    /// Whether the value is an array. An array of one element is not the same as that element.
    #[must_use]
    pub const fn is_array(&self) -> bool {
        self.is_array
    }

    /// Number of elements; of a string, of its bytes.
    #[must_use]
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// The elements' bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The element, if the value is one `T`.
    #[must_use]
    pub fn get<T: ControlElement>(&self) -> Option<T> {
        if self.kind == T::TYPE && !self.is_array { decode_element(&self.data) } else { None }
    }

    /// The elements, if the value is an array of `T`.
    #[must_use]
    pub fn elements<T: ControlElement>(&self) -> Option<Vec<T>> {
        if self.kind == T::TYPE && self.is_array {
            self.data.chunks_exact(T::TYPE.element_bytes()).map(decode_element).collect()
        } else {
            None
        }
    }

    /// The string, if the value is one and is UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if self.kind == ControlType::String && self.is_array {
            core::str::from_utf8(&self.data).ok()
        } else {
            None
        }
    }
}

/// The bytes of a control element, which are the same in every dialect and always expressible.
fn element_bytes<T: ControlElement>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(T::TYPE.element_bytes());
    let encoded = value.encode(Dialect::V0_7_1, &mut bytes);
    debug_assert!(encoded.is_ok(), "control elements have no dialects");
    bytes
}

fn decode_element<T: ControlElement>(bytes: &[u8]) -> Option<T> {
    T::decode(bytes, Dialect::V0_7_1).ok()
}
