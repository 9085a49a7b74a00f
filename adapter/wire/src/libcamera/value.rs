//! Values by themselves, as arguments, as struct fields and as elements of containers.
//!
//! Source: libcamera `src/libcamera/ipa_data_serializer.cpp` and
//! `include/libcamera/internal/ipa_data_serializer.h`.

use super::Dialect;
use crate::WireError;
use crate::arguments::check_fds;
use crate::reader::{Reader, text};
use crate::writer::{Writer, announced};

/// A value that libcamera can serialise.
///
/// A value's bytes do not tell where they end; whoever contains it announces their size.
pub trait Value: Sized {
    /// Whether the type can hold file descriptors, so that containers announce their number.
    const HOLDS_FDS: bool = false;

    /// Appends the value's bytes.
    ///
    /// # Errors
    /// [`WireError::ControlType`] or [`WireError::ControlValue`] if the dialect cannot express the
    /// value; `out` then holds a part of it.
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError>;

    /// Reads a value from exactly `bytes`.
    ///
    /// # Errors
    /// Any [`WireError`].
    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError>;

    /// File descriptors that travel beside the value. They are ordered as the values are.
    fn fds(&self) -> u32 {
        0
    }
}

/// Appends a struct field that announces itself: `u32 size`, `u32 nfds` if the type can hold file
/// descriptors, the bytes.
pub(super) fn put_field<T: Value>(
    value: &T,
    dialect: Dialect,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    put_sized(value, T::HOLDS_FDS, dialect, out)
}

/// Reads what [`put_field`] writes.
pub(super) fn get_field<T: Value>(
    reader: &mut Reader<'_>,
    dialect: Dialect,
) -> Result<T, WireError> {
    get_sized(reader, T::HOLDS_FDS, dialect)
}

fn put_sized<T: Value>(
    value: &T,
    with_fds: bool,
    dialect: Dialect,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let size_at = out.len();
    Writer::new(out).u32(0);
    if with_fds {
        Writer::new(out).u32(value.fds());
    }
    let start = out.len();
    value.encode(dialect, out)?;
    let size = announced(out.len().saturating_sub(start));
    if let Some(slot) = out.get_mut(size_at..size_at.saturating_add(4)) {
        slot.copy_from_slice(&size.to_le_bytes());
    }
    Ok(())
}

fn get_sized<T: Value>(
    reader: &mut Reader<'_>,
    with_fds: bool,
    dialect: Dialect,
) -> Result<T, WireError> {
    let size = reader.size()?;
    let fds = if with_fds { reader.u32()? } else { 0 };
    let value = T::decode(reader.bytes(size)?, dialect)?;
    check_fds(value.fds(), fds)?;
    Ok(value)
}

/// The bytes of a value.
pub(super) fn bytes_of<T: Value>(value: &T, dialect: Dialect) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    value.encode(dialect, &mut bytes)?;
    Ok(bytes)
}

/// Reads the body of a message without arguments.
pub(super) const fn decode_empty(body: &[u8]) -> Result<(), WireError> {
    Reader::new(body).finish()
}

/// Implements [`Value`] for a type of fixed size in native (little-endian) order.
macro_rules! plain_value {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
                out.extend_from_slice(&self.to_le_bytes());
                Ok(())
            }

            fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
                let mut reader = Reader::new(bytes);
                let value = Self::from_le_bytes(reader.array()?);
                reader.finish()?;
                Ok(value)
            }
        }
    )*};
}

plain_value!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

/// One byte, 0 or 1.
impl Value for bool {
    fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.push(u8::from(*self));
        Ok(())
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        match u8::decode(bytes, dialect)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(WireError::BadFlag(u32::from(other))),
        }
    }
}

/// Raw bytes, neither length nor terminator; see [`text`] for bytes that are not UTF-8.
impl Value for String {
    fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(self.as_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
        Ok(text(bytes))
    }
}

/// `u32 count`, then the elements, each with its size and its number of file descriptors.
impl<T: Value> Value for Vec<T> {
    const HOLDS_FDS: bool = T::HOLDS_FDS;

    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        Writer::new(out).size(self.len());
        self.iter().try_for_each(|element| put_sized(element, true, dialect, out))
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        elements(bytes, |reader| get_sized(reader, true, dialect))
    }

    fn fds(&self) -> u32 {
        self.iter().fold(0, |sum, element| sum.saturating_add(element.fds()))
    }
}

/// A C++ `map`, in the order of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map<K, V>(pub Vec<(K, V)>);

/// `u32 count`, then key and value of each pair, both as elements.
impl<K: Value, V: Value> Value for Map<K, V> {
    const HOLDS_FDS: bool = K::HOLDS_FDS || V::HOLDS_FDS;

    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        Writer::new(out).size(self.0.len());
        self.0.iter().try_for_each(|(key, value)| {
            put_sized(key, true, dialect, out)?;
            put_sized(value, true, dialect, out)
        })
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        elements(bytes, |reader| {
            Ok((get_sized(reader, true, dialect)?, get_sized(reader, true, dialect)?))
        })
        .map(Self)
    }

    fn fds(&self) -> u32 {
        self.0
            .iter()
            .fold(0, |sum, (key, value)| sum.saturating_add(key.fds()).saturating_add(value.fds()))
    }
}

/// Reads a counted sequence. The vector grows with the elements that are really there, each of
/// which has eight bytes of announcement at least.
fn elements<T>(
    bytes: &[u8],
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    let mut reader = Reader::new(bytes);
    let count = reader.size()?;
    if count > reader.remaining() / 8 {
        return Err(WireError::BadCount(announced(count)));
    }
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(read(&mut reader)?);
    }
    reader.finish()?;
    Ok(elements)
}
