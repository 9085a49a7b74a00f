//! `updated`, by which the library asks its host for something, and the answer `updateReturn`.

use super::{check_header, command, event};
use crate::WireError;
use crate::arguments::{check_fds, split, word};
use crate::message::EVENT_COOKIE;
use crate::reader::Reader;
use crate::writer::{announced, words};

/// Reads an optional file descriptor argument: a presence flag that agrees with the announced
/// number of file descriptors.
fn optional_fd(bytes: &[u8], announced_fds: u32) -> Result<bool, WireError> {
    let has_fd = Reader::new(&word(bytes)?).flag()?;
    check_fds(u32::from(has_fd), announced_fds)?;
    Ok(has_fd)
}

/// Event `updated(updId, header, fd)`: the library called `update`. The file descriptor travels
/// beside the message and belongs to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated<'a> {
    /// The library's update number.
    pub upd_id: u32,
    /// The update header, at most [`super::MAX_HEADER_BYTES`].
    pub header: &'a [u8],
    /// Whether one file descriptor accompanies the message.
    pub has_fd: bool,
}

/// What stands before and behind the header bytes of an encoded [`Updated`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdatedParts<'a> {
    /// Message header, three argument sizes, the announced file descriptors, `updId`.
    pub head: [u8; 28],
    /// The update header, untouched.
    pub header: &'a [u8],
    /// The presence flag of the file descriptor.
    pub tail: [u8; 4],
}

impl<'a> Updated<'a> {
    /// The encoded message in three parts; see [`super::Request::parts`] for overlong headers.
    #[must_use]
    pub fn parts(&self) -> UpdatedParts<'a> {
        let fds = u32::from(self.has_fd);
        UpdatedParts {
            head: words([
                event::UPDATED,
                EVENT_COOKIE,
                4,
                announced(self.header.len()),
                4,
                fds,
                self.upd_id,
            ]),
            header: self.header,
            tail: fds.to_le_bytes(),
        }
    }

    /// The message's body; the header is borrowed from it.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size, flag or number of file descriptors;
    /// [`WireError::TooLong`] for the header.
    pub fn decode(body: &'a [u8]) -> Result<Self, WireError> {
        let arguments = split(body, [false, false, true])?;
        let [upd_id, header, fd] = arguments.bytes;
        let [_, _, fds] = arguments.fds;
        Ok(Self {
            upd_id: u32::from_le_bytes(word(upd_id)?),
            header: check_header(header)?,
            has_fd: optional_fd(fd, fds)?,
        })
    }

    /// File descriptors that the message carries.
    #[must_use]
    pub fn expected_fds(&self) -> usize {
        usize::from(self.has_fd)
    }
}

/// `updateReturn(updId, status, fd)`: the host's answer to `update`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateReturn {
    /// The library's update number.
    pub upd_id: u32,
    /// The host's status.
    pub status: u32,
    /// Whether one file descriptor accompanies the message.
    pub has_fd: bool,
}

impl UpdateReturn {
    /// The whole message.
    #[must_use]
    pub fn encode(&self, cookie: u32) -> [u8; 36] {
        let fds = u32::from(self.has_fd);
        words([command::UPDATE_RETURN, cookie, 4, 4, 4, fds, self.upd_id, self.status, fds])
    }

    /// The message's body.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size, flag or number of file descriptors.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let arguments = split(body, [false, false, true])?;
        let [upd_id, status, fd] = arguments.bytes;
        let [_, _, fds] = arguments.fds;
        Ok(Self {
            upd_id: u32::from_le_bytes(word(upd_id)?),
            status: u32::from_le_bytes(word(status)?),
            has_fd: optional_fd(fd, fds)?,
        })
    }

    /// File descriptors that the message carries.
    #[must_use]
    pub fn expected_fds(&self) -> usize {
        usize::from(self.has_fd)
    }
}
