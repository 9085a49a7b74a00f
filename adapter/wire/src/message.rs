//! The message layer: every message starts with a command number and a cookie.
//!
//! Source: libcamera `src/libcamera/ipc_pipe.cpp` (`IPCMessage::Header`).

use crate::WireError;
use crate::reader::Reader;

/// Command number with which a client ends the peer. It has no body and no answer.
pub const EXIT: u32 = 0;

/// Cookie of every event. A client therefore starts its own cookies at 1 and can tell an event
/// from an answer by the cookie alone.
pub const EVENT_COOKIE: u32 = 0;

/// Size in bytes of an encoded [`Header`].
pub const HEADER_BYTES: usize = 8;

/// The first eight bytes of every message: two native (little-endian) `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number of the command or event. Both number spaces start at 1 and are told apart by the
    /// direction and the cookie, not by the value.
    pub command: u32,
    /// Chosen by the caller, copied by the answer; [`EVENT_COOKIE`] for events.
    pub cookie: u32,
}

impl Header {
    /// The encoded header; a message without arguments consists of nothing else.
    #[must_use]
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        crate::writer::words([self.command, self.cookie])
    }

    /// Splits a message into its header and its body.
    ///
    /// # Errors
    /// [`WireError::Truncated`] for fewer than eight bytes.
    pub fn decode(message: &[u8]) -> Result<(Self, &[u8]), WireError> {
        let mut reader = Reader::new(message);
        let header = Self { command: reader.u32()?, cookie: reader.u32()? };
        Ok((header, reader.rest()))
    }
}
