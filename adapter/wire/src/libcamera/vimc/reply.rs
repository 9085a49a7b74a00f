//! What the IPA answers.

use super::super::value::decode_empty;
use super::super::{Dialect, Value};
use super::command;
use crate::WireError;
use crate::message::Header;
use crate::reader::Reader;

/// The answer to a [`super::Call`] that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To `init`.
    Init {
        /// 0, or a negative errno.
        ret: i32,
        /// `TestFlag` bits.
        out_flags: u32,
    },
    /// To `configure`.
    Configure {
        /// 0, or a negative errno.
        ret: i32,
    },
    /// To `start`.
    Start {
        /// 0, or a negative errno.
        ret: i32,
    },
    /// To `stop`.
    Stop,
    /// To `mapBuffers`.
    MapBuffers,
    /// To `unmapBuffers`.
    UnmapBuffers,
}

impl Reply {
    /// Number of the command that this answers.
    #[must_use]
    pub const fn command(&self) -> u32 {
        match self {
            Self::Init { .. } => command::INIT,
            Self::Configure { .. } => command::CONFIGURE,
            Self::Start { .. } => command::START,
            Self::Stop => command::STOP,
            Self::MapBuffers => command::MAP_BUFFERS,
            Self::UnmapBuffers => command::UNMAP_BUFFERS,
        }
    }

    /// The whole message; `cookie` is the call's.
    #[must_use]
    pub fn encode(&self, cookie: u32) -> Vec<u8> {
        let mut out = Header { command: self.command(), cookie }.encode().to_vec();
        match self {
            Self::Init { ret, out_flags } => {
                out.extend_from_slice(&ret.to_le_bytes());
                out.extend_from_slice(&out_flags.to_le_bytes());
            }
            Self::Configure { ret } | Self::Start { ret } => {
                out.extend_from_slice(&ret.to_le_bytes());
            }
            Self::Stop | Self::MapBuffers | Self::UnmapBuffers => {}
        }
        out
    }

    /// The body of the answer to the command with that number.
    ///
    /// # Errors
    /// Any [`WireError`].
    pub fn decode(command: u32, body: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        match command {
            command::INIT => {
                let mut reader = Reader::new(body);
                let reply = Self::Init { ret: reader.i32()?, out_flags: reader.u32()? };
                reader.finish()?;
                Ok(reply)
            }
            command::CONFIGURE => Ok(Self::Configure { ret: Value::decode(body, dialect)? }),
            command::START => Ok(Self::Start { ret: Value::decode(body, dialect)? }),
            command::STOP => decode_empty(body).map(|()| Self::Stop),
            command::MAP_BUFFERS => decode_empty(body).map(|()| Self::MapBuffers),
            command::UNMAP_BUFFERS => decode_empty(body).map(|()| Self::UnmapBuffers),
            other => Err(WireError::UnknownCommand(other)),
        }
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}
