//! A bounds-checked little-endian reader.

use crate::WireError;

/// Reads values off the front of a byte slice. A read either consumes exactly its bytes or fails
/// with [`WireError::Truncated`] and consumes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Everything not yet read.
    #[must_use]
    pub const fn rest(self) -> &'a [u8] {
        self.bytes
    }

    /// Declares the value complete.
    ///
    /// # Errors
    /// [`WireError::TrailingBytes`] if bytes are left.
    pub const fn finish(self) -> Result<(), WireError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(WireError::TrailingBytes) }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if fewer are left.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (head, tail) = self.bytes.split_at_checked(count).ok_or(WireError::Truncated)?;
        self.bytes = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, tail) = self.bytes.split_first_chunk::<N>().ok_or(WireError::Truncated)?;
        self.bytes = tail;
        Ok(*head)
    }

    /// A `u8`.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u8(&mut self) -> Result<u8, WireError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// A `u16`.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// A `u32`.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A `u32` that announces a size or a count, as `usize`.
    ///
    /// # Errors
    /// [`WireError::Truncated`], also where `usize` could not hold it.
    pub fn size(&mut self) -> Result<usize, WireError> {
        usize::try_from(self.u32()?).map_err(|_| WireError::Truncated)
    }

    /// An `i32`.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn i32(&mut self) -> Result<i32, WireError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// A `u64`.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A `u32` that must be 0 or 1.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::BadFlag`].
    pub fn flag(&mut self) -> Result<bool, WireError> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(WireError::BadFlag(other)),
        }
    }

    /// A `u32` that must have exactly the value `expected`: the announced size of a value whose
    /// type leaves no choice.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::SizeMismatch`].
    pub fn exact_size(&mut self, expected: u32) -> Result<(), WireError> {
        let announced = self.u32()?;
        if announced == expected {
            Ok(())
        } else {
            Err(WireError::SizeMismatch { expected, announced })
        }
    }

    /// A string field of a struct: `u32 length`, then the bytes. See [`text`].
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn string(&mut self) -> Result<String, WireError> {
        let length = self.size()?;
        Ok(text(self.bytes(length)?))
    }
}

/// A peer's string as text. The wire carries raw bytes; what is not UTF-8 in them is replaced by
/// U+FFFD, because such strings are shown to people and one stray byte in a reason must not cost
/// the reason.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
