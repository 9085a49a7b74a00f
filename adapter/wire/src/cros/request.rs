//! `request` and its answer `returned`: once per 3A task, several times per frame.

use super::{check_header, command, event};
use crate::WireError;
use crate::arguments::{split, word};
use crate::message::EVENT_COOKIE;
use crate::writer::{announced, words};

/// `request(reqId, header, bufferHandle)`. All three are opaque and reach the library unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The HAL's request number.
    pub req_id: u32,
    /// The request header, at most [`super::MAX_HEADER_BYTES`]; empty is legal.
    pub header: &'a [u8],
    /// The library's buffer handle; -1 and unknown ones are legal.
    pub buffer_handle: i32,
}

/// What stands before and behind the header bytes of an encoded [`Request`]: with three buffers for
/// one `sendmsg` the header is never copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestParts<'a> {
    /// Message header, three argument sizes, `reqId`.
    pub head: [u8; 24],
    /// The request header, untouched.
    pub header: &'a [u8],
    /// `bufferHandle`.
    pub tail: [u8; 4],
}

impl<'a> Request<'a> {
    /// The encoded message in three parts. A header longer than [`super::MAX_HEADER_BYTES`] is
    /// encoded all the same and refused by [`Request::decode`]; the caller refuses it earlier.
    #[must_use]
    pub fn parts(&self, cookie: u32) -> RequestParts<'a> {
        RequestParts {
            head: words([
                command::REQUEST,
                cookie,
                4,
                announced(self.header.len()),
                4,
                self.req_id,
            ]),
            header: self.header,
            tail: self.buffer_handle.to_le_bytes(),
        }
    }

    /// The message's body; the header is borrowed from it.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size; [`WireError::TooLong`] for the header.
    pub fn decode(body: &'a [u8]) -> Result<Self, WireError> {
        let [req_id, header, buffer_handle] = split(body, [false; 3])?.bytes;
        Ok(Self {
            req_id: u32::from_le_bytes(word(req_id)?),
            header: check_header(header)?,
            buffer_handle: i32::from_le_bytes(word(buffer_handle)?),
        })
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}

/// Event `returned(reqId, status, bufferHandle)`: the library called `return_callback`. Opaque, and
/// not tied to a request: unsolicited, doubled and missing ones are all legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The request number that the library named.
    pub req_id: u32,
    /// The library's own status.
    pub status: u32,
    /// The buffer handle that the library named.
    pub buffer_handle: i32,
}

impl Returned {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> [u8; 32] {
        words([
            event::RETURNED,
            EVENT_COOKIE,
            4,
            4,
            4,
            self.req_id,
            self.status,
            self.buffer_handle.cast_unsigned(),
        ])
    }

    /// The message's body.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let [req_id, status, buffer_handle] = split(body, [false; 3])?.bytes;
        Ok(Self {
            req_id: u32::from_le_bytes(word(req_id)?),
            status: u32::from_le_bytes(word(status)?),
            buffer_handle: i32::from_le_bytes(word(buffer_handle)?),
        })
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}
