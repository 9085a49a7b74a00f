//! What the IPA says unasked.

use super::super::{Dialect, Value};
use super::event;
use crate::WireError;
use crate::arguments::{Argument, join, split};
use crate::message::{EVENT_COOKIE, Header};

/// The only event: parameters are in their buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The buffer.
    pub buffer_id: u32,
    /// `TestFlag` bits.
    pub flags: u32,
}

impl Event {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let header = Header { command: event::PARAMS_COMPUTED, cookie: EVENT_COOKIE };
        let mut out = header.encode().to_vec();
        join(
            &[
                Argument::plain(&self.buffer_id.to_le_bytes()),
                Argument::plain(&self.flags.to_le_bytes()),
            ],
            &mut out,
        );
        out
    }

    /// The body of an event with that number.
    ///
    /// # Errors
    /// Any [`WireError`].
    pub fn decode(number: u32, body: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        if number != event::PARAMS_COMPUTED {
            return Err(WireError::UnknownCommand(number));
        }
        let [buffer_id, flags] = split(body, [false; 2])?.bytes;
        Ok(Self {
            buffer_id: Value::decode(buffer_id, dialect)?,
            flags: Value::decode(flags, dialect)?,
        })
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}
