//! What can be wrong with a recording.

use std::fmt;
use std::io;

use cami_wire::WireError;

/// Why a recording cannot be read.
#[derive(Debug)]
pub enum RecordingError {
    /// The file cannot be read.
    Io(io::Error),
    /// It does not begin as a recording does.
    NotARecording,
    /// It is of a version that this release does not know.
    Version {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// A block's payload is not what its kind has.
    Block {
        /// Where the block stands in the file, in bytes.
        at: u64,
        /// Its kind.
        kind: u32,
        /// What is wrong.
        error: WireError,
    },
    /// Pages do not unpack to what they announce.
    Pages {
        /// Where their block stands in the file, in bytes.
        at: u64,
    },
    /// A content, or a page of one, that the file does not have.
    Missing {
        /// Its number.
        number: u64,
    },
    /// A content that is larger than any buffer.
    TooLarge {
        /// Its bytes.
        bytes: u64,
    },
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::NotARecording => {
                f.write_str("is no recording of cami-ipa (it does not begin with CAMR)")
            }
            Self::Version { major, minor } => write!(
                f,
                "is a recording of version {major}.{minor}; this release reads version {}: use a \
                 newer cami-ipa",
                crate::MAJOR
            ),
            Self::Block { at, kind, error } => {
                write!(f, "block of kind {kind} at byte {at} is damaged: {error}")
            }
            Self::Pages { at } => write!(f, "the pages at byte {at} do not unpack"),
            Self::Missing { number } => write!(f, "content or page {number} is missing"),
            Self::TooLarge { bytes } => write!(f, "a content of {bytes} bytes is too large"),
        }
    }
}

impl std::error::Error for RecordingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Block { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for RecordingError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
