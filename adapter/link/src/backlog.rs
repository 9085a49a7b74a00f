//! What a socket did not take at once.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use crate::control_data::send_message;
use crate::{Framing, SendError};

/// A frame header and the rest.
const PIECES_PER_MESSAGE: usize = 2;
/// Messages for which room is made at once: the bound of all links but those of tests.
const MOST_RESERVED: usize = 4096;

/// One piece that goes out with one `sendmsg`: a packet, a datagram, or a run of stream bytes.
#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    /// Stream bytes already sent.
    sent: usize,
    fds: Vec<OwnedFd>,
    /// Whether a message ends with it.
    ends_message: bool,
}

/// A bounded queue of messages in the order in which they were accepted.
///
/// It also keeps the two-part framings whole: once a frame header is out, the rest of its message
/// is here until it is out too, so that the two never part (libcamera drops the second datagram of
/// a full socket and is out of step for ever: spec/libcamera-ipa.md, section 5, number 9).
#[derive(Debug)]
pub(crate) struct Backlog {
    pieces: VecDeque<Piece>,
    messages: usize,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl Backlog {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { pieces: VecDeque::new(), messages: 0, bytes: 0, max_messages, max_bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// Whether one more message of `bytes` is within the bounds.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.messages < self.max_messages && self.bytes.saturating_add(bytes) <= self.max_bytes
    }

    /// Appends a frame header; the rest of its message must follow.
    pub(crate) fn push_head(&mut self, head: &[u8]) {
        self.push(head.to_vec(), Vec::new(), false);
    }

    /// Appends the rest of a message, or a message without a head. The bounds are the caller's: a
    /// message that is partly out has to be taken.
    pub(crate) fn push_rest(&mut self, bytes: Vec<u8>, fds: Vec<OwnedFd>) {
        self.push(bytes, fds, true);
    }

    fn push(&mut self, bytes: Vec<u8>, fds: Vec<OwnedFd>, ends_message: bool) {
        if self.pieces.capacity() == 0 {
            // All of it, once: growing it would end in `mremap`, which ChromeOS's filters forbid
            // (spec/cami-abi.md, 3.2). What is not used is never touched.
            let most = self.max_messages.min(MOST_RESERVED);
            self.pieces.reserve_exact(most.saturating_mul(PIECES_PER_MESSAGE));
        }
        self.bytes += bytes.len();
        self.messages += usize::from(ends_message);
        self.pieces.push_back(Piece { bytes, sent: 0, fds, ends_message });
    }

    /// Sends until the socket is full or nothing is left.
    ///
    /// Any other error is for good: a message that was accepted, and may be half out, cannot go.
    pub(crate) fn flush(
        &mut self,
        socket: BorrowedFd<'_>,
        framing: Framing,
    ) -> Result<(), SendError> {
        while let Some(piece) = self.pieces.front_mut() {
            let rest = piece.bytes.get(piece.sent..).unwrap_or_default();
            let fds: Vec<BorrowedFd<'_>> = piece.fds.iter().map(AsFd::as_fd).collect();
            let taken = match send_message(socket, &[IoSlice::new(rest)], &fds) {
                Ok(taken) => taken,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(errno) => return Err(SendError::from_errno(errno)),
            };
            if framing == Framing::TwoWrites && taken < rest.len() {
                piece.sent += taken;
                // The first bytes took the descriptors along.
                piece.fds.clear();
            } else if let Some(piece) = self.pieces.pop_front() {
                self.bytes = self.bytes.saturating_sub(piece.bytes.len());
                self.messages = self.messages.saturating_sub(usize::from(piece.ends_message));
            }
        }
        Ok(())
    }

    /// Drops all that waits, with its descriptors.
    pub(crate) fn clear(&mut self) {
        self.pieces.clear();
        self.messages = 0;
        self.bytes = 0;
    }
}
