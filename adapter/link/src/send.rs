//! Sending one message.

use std::io::IoSlice;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::errno::Errno;

use crate::backlog::Backlog;
use crate::control_data::send_message;
use crate::framing::{FRAME_HEADER_BYTES, FrameHeader, MESSAGE_HEADER_BYTES};
use crate::{Deadline, Event, Framing, Interest, Link, MAX_FDS, SendError, wait};

/// The most slices that one `sendmsg` takes (linux `include/uapi/linux/uio.h`, `UIO_MAXIOV`).
const MAX_PARTS: usize = 1024;

/// What became of an accepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is in the socket.
    Now,
    /// It waits in the backlog: wake the polling thread, so that it calls [`Link::flush`].
    Queued,
}

/// What one call of `send` is about.
#[derive(Clone, Copy)]
struct Message<'a> {
    parts: &'a [IoSlice<'a>],
    bytes: usize,
    fds: &'a [BorrowedFd<'a>],
}

impl Message<'_> {
    /// The bytes from `skip` on, in one piece.
    fn gather(&self, skip: usize) -> Vec<u8> {
        let mut joined = Vec::with_capacity(self.bytes.saturating_sub(skip));
        let mut skip = skip;
        for part in self.parts {
            joined.extend_from_slice(part.get(skip..).unwrap_or_default());
            skip = skip.saturating_sub(part.len());
        }
        joined
    }

    /// Duplicates of the descriptors, for the time in the backlog.
    fn keep_fds(&self) -> Result<Vec<OwnedFd>, SendError> {
        let duplicate = |fd: &BorrowedFd<'_>| fd.try_clone_to_owned();
        self.fds.iter().map(duplicate).collect::<Result<_, _>>().map_err(|error| {
            SendError::Os(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
        })
    }
}

impl Link {
    /// Sends one message made of `parts`, the message header included.
    ///
    /// Order is kept per thread: a message goes behind those that the same thread had accepted
    /// before. It does not block while the backlog has room; when that is full too it waits at
    /// most `patience` for the peer to read.
    ///
    /// The descriptors stay the caller's. The two-part framings duplicate them for the duration
    /// of the call, so they need free slots; a packet needs none unless it is queued.
    ///
    /// # Errors
    /// Nothing of the message was sent then. One exception ends the link (see [`Link::shutdown`]),
    /// so that the peer is never out of step: a two-part message whose header is out, and whose
    /// rest the kernel then refuses.
    ///
    /// [`SendError::TooLarge`]: more than [`MAX_FDS`] descriptors, more than 1024 parts, or more
    /// bytes than the socket's `SO_SNDBUF` lets one packet have. `Os(EINVAL)`: fewer bytes than a
    /// message header.
    pub fn send(
        &self,
        parts: &[IoSlice<'_>],
        fds: &[BorrowedFd<'_>],
        patience: Duration,
    ) -> Result<Sent, SendError> {
        let message = Message { parts, bytes: parts.iter().map(|part| part.len()).sum(), fds };
        if fds.len() > MAX_FDS || parts.len() > MAX_PARTS || message.bytes > self.largest_message {
            return Err(SendError::TooLarge);
        }
        if message.bytes < MESSAGE_HEADER_BYTES {
            // An empty packet would look like an end of file.
            return Err(SendError::Os(Errno::EINVAL));
        }
        if self.is_over() {
            return Err(SendError::Closed);
        }
        if self.framing == Framing::OnePacket && !self.has_backlog() {
            // A packet is atomic: threads need no lock between them.
            match send_message(self.as_fd(), parts, fds) {
                Ok(_) => return Ok(Sent::Now),
                Err(Errno::EAGAIN) => {}
                Err(errno) => return Err(SendError::from_errno(errno)),
            }
        }
        match self.send_in_order(message) {
            Err(SendError::Full) if !patience.is_zero() => {}
            result => return result,
        }
        let deadline = Deadline::after(patience);
        loop {
            wait(&mut [(self.as_fd(), Interest::RoomToSend, Event::default())], Some(deadline))
                .map_err(SendError::Os)?;
            match self.send_in_order(message) {
                Err(SendError::Full) if !deadline.has_passed() => {}
                result => return result,
            }
        }
    }

    /// Sends behind the backlog, or queues at its end.
    fn send_in_order(&self, message: Message<'_>) -> Result<Sent, SendError> {
        let mut backlog = self.backlog.lock();
        // Room that came meanwhile goes to those who waited.
        let result = match self.flush_locked(&mut backlog) {
            Ok(()) if self.framing == Framing::OnePacket => self.send_packet(&mut backlog, message),
            Ok(()) => self.send_two_parts(&mut backlog, message),
            Err(error) => Err(error),
        };
        self.has_backlog.store(!backlog.is_empty(), Ordering::Release);
        result
    }

    fn send_packet(&self, backlog: &mut Backlog, message: Message<'_>) -> Result<Sent, SendError> {
        if backlog.is_empty() {
            match send_message(self.as_fd(), message.parts, message.fds) {
                Ok(_) => return Ok(Sent::Now),
                Err(Errno::EAGAIN) => {}
                Err(errno) => return Err(SendError::from_errno(errno)),
            }
        }
        if !backlog.has_room_for(message.bytes) {
            return Err(SendError::Full);
        }
        let fds = message.keep_fds()?;
        backlog.push_rest(message.gather(0), fds);
        Ok(Sent::Queued)
    }

    fn send_two_parts(
        &self,
        backlog: &mut Backlog,
        message: Message<'_>,
    ) -> Result<Sent, SendError> {
        let head = FrameHeader { data_len: message.bytes, fds: message.fds.len() }
            .encode()
            .ok_or(SendError::TooLarge)?;
        let waits = !backlog.is_empty();
        if waits && !backlog.has_room_for(FRAME_HEADER_BYTES + message.bytes) {
            return Err(SendError::Full);
        }
        // Before the header is out: afterwards it would be too late to find that no slot is free
        // or that a number is no descriptor.
        let fds = message.keep_fds()?;
        let head_sent = if waits {
            0
        } else {
            match send_message(self.as_fd(), &[IoSlice::new(&head)], &[]) {
                Ok(taken) if taken >= FRAME_HEADER_BYTES => {
                    return self.send_second_part(backlog, message, fds);
                }
                Ok(taken) => taken,
                Err(Errno::EAGAIN) => 0,
                Err(errno) => return Err(SendError::from_errno(errno)),
            }
        };
        if head_sent == 0 && !backlog.has_room_for(FRAME_HEADER_BYTES + message.bytes) {
            return Err(SendError::Full);
        }
        backlog.push_head(head.get(head_sent..).unwrap_or_default());
        backlog.push_rest(message.gather(0), fds);
        Ok(Sent::Queued)
    }

    /// The frame header is out: what the socket does not take of the rest is queued whatever the
    /// bounds say.
    fn send_second_part(
        &self,
        backlog: &mut Backlog,
        message: Message<'_>,
        fds: Vec<OwnedFd>,
    ) -> Result<Sent, SendError> {
        match send_message(self.as_fd(), message.parts, message.fds) {
            Ok(taken) if self.framing == Framing::TwoDatagrams || taken >= message.bytes => {
                return Ok(Sent::Now);
            }
            // The first bytes took the descriptors along.
            Ok(taken) => backlog.push_rest(message.gather(taken), Vec::new()),
            Err(Errno::EAGAIN) => backlog.push_rest(message.gather(0), fds),
            Err(errno) => {
                self.shutdown();
                return Err(SendError::from_errno(errno));
            }
        }
        Ok(Sent::Queued)
    }
}
