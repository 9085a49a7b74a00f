//! `registerBuffer` and `deregisterBuffers`.

use super::command;
use crate::WireError;
use crate::message::Header;
use crate::reader::Reader;
use crate::writer::{Writer, words};

/// `registerBuffer(fd)`: a single argument, so a bare presence flag. The file descriptor travels
/// beside the message and belongs to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterBuffer {
    /// Whether one file descriptor accompanies the message.
    pub has_fd: bool,
}

impl RegisterBuffer {
    /// The whole message.
    #[must_use]
    pub fn encode(&self, cookie: u32) -> [u8; 12] {
        words([command::REGISTER_BUFFER, cookie, u32::from(self.has_fd)])
    }

    /// The message's body.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`], [`WireError::BadFlag`].
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let has_fd = reader.flag()?;
        reader.finish()?;
        Ok(Self { has_fd })
    }

    /// File descriptors that the message carries.
    #[must_use]
    pub fn expected_fds(&self) -> usize {
        usize::from(self.has_fd)
    }
}

/// Bytes of one element of a `vector<int32>`: its size, its file descriptors, itself.
const ELEMENT_BYTES: usize = 12;

/// `deregisterBuffers(bufferHandles)`: a single argument, so a bare vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeregisterBuffers {
    /// The library's buffer handles, in the HAL's order; unknown and doubled ones are legal.
    pub handles: Vec<i32>,
}

impl DeregisterBuffers {
    /// The whole message for `handles`.
    #[must_use]
    pub fn encode(handles: &[i32], cookie: u32) -> Vec<u8> {
        let mut message = Vec::with_capacity(12 + handles.len().saturating_mul(ELEMENT_BYTES));
        let mut writer = Writer::new(&mut message);
        writer.bytes(&Header { command: command::DEREGISTER_BUFFERS, cookie }.encode());
        writer.size(handles.len());
        for &handle in handles {
            writer.u32(4);
            writer.u32(0);
            writer.i32(handle);
        }
        message
    }

    /// The message's body. Memory is reserved for the elements that the body really has.
    ///
    /// # Errors
    /// [`WireError::BadCount`] if the count does not agree with the body's length, and any
    /// [`WireError`] that names a wrong size or number of file descriptors.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let count = reader.u32()?;
        let present = reader.remaining() / ELEMENT_BYTES;
        if usize::try_from(count).ok() != Some(present) {
            return Err(WireError::BadCount(count));
        }
        let mut handles = Vec::with_capacity(present);
        for _ in 0..present {
            reader.exact_size(4)?;
            crate::arguments::check_fds(0, reader.u32()?)?;
            handles.push(reader.i32()?);
        }
        reader.finish()?;
        Ok(Self { handles })
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}
