//! A little-endian writer.

/// Appends values to a byte vector.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A `u8`.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&value.to_le_bytes());
    }

    /// A `u16`.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    /// A `u32`.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// The size of something in memory, as the `u32` that announces it.
    pub fn size(&mut self, value: usize) {
        self.u32(announced(value));
    }

    /// An `i32`.
    pub fn i32(&mut self, value: i32) {
        self.bytes(&value.to_le_bytes());
    }

    /// A `u64`.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// A presence flag: a `u32` of 0 or 1.
    pub fn flag(&mut self, value: bool) {
        self.u32(u32::from(value));
    }

    /// A string field of a struct: `u32 length`, then the bytes.
    pub fn string(&mut self, value: &str) {
        self.size(value.len());
        self.bytes(value.as_bytes());
    }
}

/// A size as the wire announces it. Sizes of 4 GiB and more do not fit any transport (a datagram
/// carries at most 212,960 bytes); they saturate, and every decoder refuses the result.
#[must_use]
pub(crate) fn announced(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// `WORDS` little-endian words as an array, for messages of fixed size that must not allocate.
#[must_use]
pub(crate) fn words<const WORDS: usize, const BYTES: usize>(values: [u32; WORDS]) -> [u8; BYTES] {
    const { assert!(BYTES == WORDS * 4) };
    let mut bytes = [0; BYTES];
    for (slot, value) in bytes.chunks_exact_mut(4).zip(values) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    bytes
}
