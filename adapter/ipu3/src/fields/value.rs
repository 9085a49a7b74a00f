//! Kinds of number, and values.

use std::fmt;

/// What a field's bytes are. Little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One byte; also a flag, or a byte of data.
    U8,
    /// One byte with a sign.
    I8,
    /// Two bytes.
    U16,
    /// Two bytes with a sign.
    I16,
    /// Four bytes.
    U32,
    /// Four bytes with a sign; also an enumeration.
    I32,
    /// Eight bytes.
    U64,
    /// Eight bytes with a sign.
    I64,
    /// IEEE 754, four bytes.
    F32,
    /// Eight bytes: an address of which only counts whether it is 0.
    Address,
    /// Eight bytes: the name of something in the vendor process, given by one command and taken by
    /// others.
    Handle,
}

impl Kind {
    /// Bytes of one value.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::Address | Self::Handle => 8,
        }
    }

    /// Whether its value is one of the process that wrote it, and differs from run to run.
    #[must_use]
    pub const fn is_address(self) -> bool {
        matches!(self, Self::Address | Self::Handle)
    }

    /// The value at the start of some bytes; `None` where they are too few.
    #[must_use]
    pub fn read(self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            Self::U8 => Value::Unsigned(u8::from_le_bytes(first(bytes)?).into()),
            Self::U16 => Value::Unsigned(u16::from_le_bytes(first(bytes)?).into()),
            Self::U32 => Value::Unsigned(u32::from_le_bytes(first(bytes)?).into()),
            Self::U64 | Self::Handle => Value::Unsigned(u64::from_le_bytes(first(bytes)?)),
            Self::I8 => Value::Signed(i8::from_le_bytes(first(bytes)?).into()),
            Self::I16 => Value::Signed(i16::from_le_bytes(first(bytes)?).into()),
            Self::I32 => Value::Signed(i32::from_le_bytes(first(bytes)?).into()),
            Self::I64 => Value::Signed(i64::from_le_bytes(first(bytes)?)),
            Self::F32 => Value::Float(f32::from_le_bytes(first(bytes)?)),
            Self::Address => Value::Unsigned(u64::from_le_bytes(first(bytes)?)),
        })
    }
}

fn first<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk::<N>().copied()
}

/// A value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Without a sign.
    Unsigned(u64),
    /// With a sign.
    Signed(i64),
    /// Any bits: also not a number.
    Float(f32),
}

impl Value {
    /// As a number to draw and to reckon with; large integers lose their last digits.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "said above")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(value) => value as f64,
            Self::Signed(value) => value as f64,
            Self::Float(value) => value.into(),
        }
    }

    /// Whether the bits are the same: two that are not numbers are the same where their bits are, and
    /// 0 and -0 are not.
    #[must_use]
    pub fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Float(one), Self::Float(other)) => one.to_bits() == other.to_bits(),
            (one, other) => one == other,
        }
    }
}

/// The shortest text that tells the value apart from all others of its kind.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
        }
    }
}
