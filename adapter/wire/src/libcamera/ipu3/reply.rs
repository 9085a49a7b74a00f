//! What the IPA answers.

use super::super::value::decode_empty;
use super::super::{Dialect, InfoMapPacket, Value};
use super::command;
use crate::WireError;
use crate::message::Header;
use crate::reader::Reader;

/// The answer to a [`super::Call`] that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To `init`.
    Init {
        /// 0, or a negative errno.
        ret: i32,
        /// The libcamera controls that the camera shall offer; present whatever `ret` is.
        ipa_controls: Option<InfoMapPacket>,
    },
    /// To `start`.
    Start {
        /// 0, or a negative errno.
        ret: i32,
    },
    /// To `stop`.
    Stop,
    /// To `configure`.
    Configure {
        /// 0, or a negative errno.
        ret: i32,
        /// Replaces what `init` answered; present whatever `ret` is.
        ipa_controls: Option<InfoMapPacket>,
    },
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
            Self::Start { .. } => command::START,
            Self::Stop => command::STOP,
            Self::Configure { .. } => command::CONFIGURE,
            Self::MapBuffers => command::MAP_BUFFERS,
            Self::UnmapBuffers => command::UNMAP_BUFFERS,
        }
    }

    /// The whole message; `cookie` is the call's.
    ///
    /// # Errors
    /// Those of [`Value::encode`].
    pub fn encode(&self, cookie: u32, dialect: Dialect) -> Result<Vec<u8>, WireError> {
        let mut out = Header { command: self.command(), cookie }.encode().to_vec();
        match self {
            Self::Stop | Self::MapBuffers | Self::UnmapBuffers => {}
            Self::Start { ret } => ret.encode(dialect, &mut out)?,
            Self::Init { ret, ipa_controls } | Self::Configure { ret, ipa_controls } => {
                ret.encode(dialect, &mut out)?;
                ipa_controls.encode(dialect, &mut out)?;
            }
        }
        Ok(out)
    }

    /// The body of the answer to the command with that number.
    ///
    /// # Errors
    /// Any [`WireError`].
    pub fn decode(command: u32, body: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        match command {
            command::INIT => {
                let (ret, ipa_controls) = ret_and_controls(body, dialect)?;
                Ok(Self::Init { ret, ipa_controls })
            }
            command::START => Ok(Self::Start { ret: Value::decode(body, dialect)? }),
            command::STOP => decode_empty(body).map(|()| Self::Stop),
            command::CONFIGURE => {
                let (ret, ipa_controls) = ret_and_controls(body, dialect)?;
                Ok(Self::Configure { ret, ipa_controls })
            }
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

/// The return value stands bare before the single remaining output, which stands bare too.
fn ret_and_controls(
    body: &[u8],
    dialect: Dialect,
) -> Result<(i32, Option<InfoMapPacket>), WireError> {
    let mut reader = Reader::new(body);
    let ret = reader.i32()?;
    Ok((ret, Value::decode(reader.rest(), dialect)?))
}
