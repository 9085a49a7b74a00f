//! The file's header, and what stands around every block.

use cami_wire::reader::Reader;

use crate::RecordingError;

/// Major version: readers of another one refuse the file.
pub const MAJOR: u16 = 1;
/// Minor version: counted up when a kind of block, or a field, is added.
/// 1: `Counted`, and `Died::by_host`.
pub const MINOR: u16 = 1;
/// Bytes of the file's header.
pub const HEADER_BYTES: u64 = 32;
/// Bytes of a page of a buffer's contents.
pub const PAGE_BYTES: usize = 4096;

const FOURCC: &[u8; 4] = b"CAMR";
/// The most that a header of any version may have.
const MAX_HEADER_BYTES: u32 = 4096;

/// Bytes in front of a block's payload.
pub const BLOCK_BYTES: u64 = 16;

/// The file's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Minor version of whoever began the file.
    pub minor: u16,
    /// Where the first block stands.
    pub bytes: u64,
    /// When it was begun, in nanoseconds since 1970.
    pub begun_ns: u64,
}

/// The header of a file that is begun now.
pub fn encode_header(begun_ns: u64) -> Vec<u8> {
    let mut out = FOURCC.to_vec();
    out.extend_from_slice(&MAJOR.to_le_bytes());
    out.extend_from_slice(&MINOR.to_le_bytes());
    out.extend_from_slice(&32_u32.to_le_bytes());
    out.extend_from_slice(&4096_u32.to_le_bytes());
    out.extend_from_slice(&begun_ns.to_le_bytes());
    out.extend_from_slice(&0_u64.to_le_bytes());
    out
}

/// Reads the header from the first [`HEADER_BYTES`] bytes of a file.
pub fn decode_header(bytes: &[u8]) -> Result<FileHeader, RecordingError> {
    let short = |_| RecordingError::NotARecording;
    let mut reader = Reader::new(bytes);
    if reader.array::<4>().map_err(short)? != *FOURCC {
        return Err(RecordingError::NotARecording);
    }
    let major = reader.u16().map_err(short)?;
    let minor = reader.u16().map_err(short)?;
    let header = reader.u32().map_err(short)?;
    let page = reader.u32().map_err(short)?;
    let begun_ns = reader.u64().map_err(short)?;
    if major != MAJOR || page != 4096 {
        return Err(RecordingError::Version { major, minor });
    }
    if !(32..=MAX_HEADER_BYTES).contains(&header) || !header.is_multiple_of(8) {
        return Err(RecordingError::NotARecording);
    }
    Ok(FileHeader { minor, bytes: u64::from(header), begun_ns })
}

/// What stands in front of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// Bytes of the payload.
    pub bytes: u64,
    /// Its kind.
    pub kind: u32,
    /// See the crate's documentation.
    pub crc: u32,
}

impl BlockHeader {
    /// The header of a payload.
    pub fn of(kind: u32, payload: &[u8]) -> Self {
        let bytes = payload.len() as u64;
        Self { bytes, kind, crc: crc(bytes, kind, payload) }
    }

    /// Its bytes.
    pub fn encode(self) -> [u8; 16] {
        let mut out = [0; 16];
        let parts = [
            self.bytes.to_le_bytes().as_slice(),
            &self.kind.to_le_bytes(),
            &self.crc.to_le_bytes(),
        ]
        .concat();
        out.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        out
    }

    /// Reads it; `None` for fewer than 16 bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self { bytes: reader.u64().ok()?, kind: reader.u32().ok()?, crc: reader.u32().ok()? })
    }

    /// Whether this payload is the one that was written.
    pub fn fits(self, payload: &[u8]) -> bool {
        payload.len() as u64 == self.bytes && crc(self.bytes, self.kind, payload) == self.crc
    }
}

/// Zeros behind a payload of so many bytes.
pub const fn padding(bytes: u64) -> u64 {
    bytes.wrapping_neg() & 7
}

fn crc(bytes: u64, kind: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes.to_le_bytes());
    hasher.update(&kind.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}
