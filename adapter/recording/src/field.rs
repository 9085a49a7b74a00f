//! How the fields of a block's payload are written and read.

use cami_wire::WireError;
use cami_wire::reader::Reader;

/// A value in a payload.
pub trait Field: Sized + Default {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads it.
    ///
    /// # Errors
    /// [`WireError::Truncated`] where the payload ends inside it, [`WireError::BadCount`].
    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError>;

    /// Reads it, or has its default where an older, shorter payload ends before it.
    ///
    /// # Errors
    /// As [`Field::take`].
    fn take_or_default(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        if reader.remaining() == 0 { Ok(Self::default()) } else { Self::take(reader) }
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {$(
        impl Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                reader.array().map(Self::from_le_bytes)
            }
        }
    )*};
}

numbers!(u8 u32 u64 i32);

impl Field for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.string()
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        self.iter().for_each(|element| element.put(out));
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = reader.size()?;
        // Every element has a byte at least, so a count beyond that is a lie; and what is set aside
        // before the elements are seen stays small, whatever an element weighs in memory.
        if count > reader.remaining() {
            return Err(WireError::BadCount(u32::try_from(count).unwrap_or(u32::MAX)));
        }
        let mut elements = Self::with_capacity(count.min(4096));
        for _ in 0..count {
            elements.push(T::take(reader)?);
        }
        Ok(elements)
    }
}

/// Bytes as a field: as a list of `u8`, but read in one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

impl Field for Bytes {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.0.len(), out);
        out.extend_from_slice(&self.0);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = reader.size()?;
        Ok(Self(reader.bytes(count)?.to_vec()))
    }
}

/// A list's count. What is longer than the format can say is cut by the writer of blocks long
/// before (`writer.rs`), so this never saturates.
fn put_count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}
