//! A receiving thread's buffer.

use std::time::Duration;

use crate::Fds;
use crate::framing::{FrameHeader, MESSAGE_HEADER_BYTES};

/// The buffer into which one thread receives, and what it has of a message so far.
///
/// It is allocated once; receiving does not allocate, but for the list of descriptors of a message
/// that carries some.
#[derive(Debug)]
pub struct Inbox {
    pub(crate) buffer: Box<[u8]>,
    pub(crate) max_fds: usize,
    /// Two-part framings: the frame header is here, its message not yet, or not all of it.
    pub(crate) frame: Option<FrameHeader>,
    /// When the first part of the message got into the socket.
    pub(crate) stamp: Option<Duration>,
    /// Streams: bytes of the part that is being read.
    pub(crate) filled: usize,
    /// Streams: descriptors that came with those bytes.
    pub(crate) partial_fds: Fds,
    pub(crate) partial_fds_lost: bool,
}

impl Inbox {
    /// A buffer for messages of at most `max_body_bytes` after the message header, with at most
    /// `max_fds` descriptors each.
    #[must_use]
    pub fn new(max_body_bytes: usize, max_fds: usize) -> Self {
        Self {
            buffer: vec![0; max_body_bytes.saturating_add(MESSAGE_HEADER_BYTES)].into_boxed_slice(),
            max_fds: max_fds.min(crate::MAX_FDS),
            frame: None,
            stamp: None,
            filled: 0,
            partial_fds: Fds::new(),
            partial_fds_lost: false,
        }
    }

    /// Drops what came of a message so far, and closes its descriptors.
    pub(crate) fn forget_partial(&mut self) {
        self.frame = None;
        self.filled = 0;
        self.partial_fds = Fds::new();
        self.partial_fds_lost = false;
    }
}

/// One message, its bytes still in the [`Inbox`].
#[derive(Debug)]
pub struct Received<'a> {
    /// Command or event number.
    pub command: u32,
    /// Cookie of the call.
    pub cookie: u32,
    /// The packed arguments.
    pub body: &'a [u8],
    /// The descriptors.
    pub fds: Fds,
    /// Descriptors were sent that this process had no free slot for (`RLIMIT_NOFILE`): the call
    /// fails with `EMFILE`, the link goes on.
    pub fds_lost: bool,
    /// When its first part got into the socket, by the system's clock, since 1970: where
    /// [`Link::ask_for_times`](crate::Link::ask_for_times) was called, and not on a stream.
    pub stamp: Option<Duration>,
}
