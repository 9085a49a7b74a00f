//! Receiving one message.

use std::cmp::Ordering;
use std::io::IoSliceMut;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

use crate::control_data::{Arrived, receive_message};
use crate::framing::{FRAME_HEADER_BYTES, FrameHeader, MESSAGE_HEADER_BYTES};
use crate::{
    Deadline, Event, Fds, Framing, Inbox, Interest, Link, Malformed, ReceiveError, Received, wait,
};

impl Link {
    /// Waits for one message until `deadline` (`None`: for ever).
    ///
    /// A message that arrived before the peer's end is delivered before [`ReceiveError::Closed`].
    /// After [`ReceiveError::TimedOut`] nothing is lost: what came of a message stays in `inbox`.
    ///
    /// # Errors
    /// [`ReceiveError::Malformed`] closes the descriptors that came with the message. On a packet
    /// link the next message can still be received; so it can on a datagram pair, though one more may
    /// be lost until header and message are told apart again. On a stream the framing is lost and the
    /// link should end.
    pub fn receive<'a>(
        &self,
        inbox: &'a mut Inbox,
        deadline: Option<Deadline>,
    ) -> Result<Received<'a>, ReceiveError> {
        let (len, fds, fds_lost) = match self.framing {
            Framing::OnePacket => self.receive_packet(inbox, deadline)?,
            Framing::TwoDatagrams => self.receive_datagrams(inbox, deadline)?,
            Framing::TwoWrites => self.receive_stream(inbox, deadline)?,
        };
        let message =
            inbox.buffer.get(..len).ok_or(ReceiveError::Malformed(Malformed::TooLarge))?;
        let Some((header, body)) = message.split_first_chunk::<MESSAGE_HEADER_BYTES>() else {
            return Err(ReceiveError::Malformed(Malformed::TooShort));
        };
        let [a, b, c, d, e, f, g, h] = *header;
        if fds.len() > inbox.max_fds {
            return Err(ReceiveError::Malformed(Malformed::UnexpectedFds));
        }
        Ok(Received {
            command: u32::from_le_bytes([a, b, c, d]),
            cookie: u32::from_le_bytes([e, f, g, h]),
            body,
            fds,
            fds_lost,
            stamp: inbox.stamp,
        })
    }

    fn receive_packet(
        &self,
        inbox: &mut Inbox,
        deadline: Option<Deadline>,
    ) -> Result<(usize, Fds, bool), ReceiveError> {
        let arrived = self.receive_some(&mut inbox.buffer, deadline)?;
        if arrived.bytes == 0 && is_at_end(self.as_fd()) {
            return Err(ReceiveError::Closed);
        }
        inbox.stamp = arrived.stamp;
        whole(arrived)
    }

    fn receive_datagrams(
        &self,
        inbox: &mut Inbox,
        deadline: Option<Deadline>,
    ) -> Result<(usize, Fds, bool), ReceiveError> {
        let frame = match inbox.frame {
            Some(frame) => frame,
            None => {
                // One byte more than a header, so that a longer datagram shows.
                let mut bytes = [0; FRAME_HEADER_BYTES + 1];
                let arrived = self.receive_some(&mut bytes, deadline)?;
                inbox.stamp = arrived.stamp;
                let (len, fds, fds_lost) = whole(arrived)?;
                if !fds.is_empty() || fds_lost {
                    return Err(ReceiveError::Malformed(Malformed::UnexpectedFds));
                }
                let frame = frame_header(bytes.get(..len).unwrap_or_default())?;
                inbox.frame = Some(frame);
                frame
            }
        };
        let arrived = self.receive_some(&mut inbox.buffer, deadline)?;
        let stamp = arrived.stamp;
        inbox.frame = None;
        let (len, fds, fds_lost) = whole(arrived)?;
        if len != frame.data_len && fds.is_empty() && !fds_lost {
            // The message is lost, and this is the next one's frame header: libcamera drops the
            // second datagram where its socket is full (spec/libcamera-ipa.md, section 5, number 9).
            inbox.frame = frame_header(inbox.buffer.get(..len).unwrap_or_default()).ok();
            inbox.stamp = stamp;
        }
        match len.cmp(&frame.data_len) {
            Ordering::Less => return Err(ReceiveError::Malformed(Malformed::TooShort)),
            Ordering::Greater => return Err(ReceiveError::Malformed(Malformed::TooLarge)),
            Ordering::Equal => {}
        }
        check_count(frame, fds.len(), fds_lost)?;
        Ok((len, fds, fds_lost))
    }

    fn receive_stream(
        &self,
        inbox: &mut Inbox,
        deadline: Option<Deadline>,
    ) -> Result<(usize, Fds, bool), ReceiveError> {
        let result = loop {
            match self.receive_part(inbox, deadline) {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(error) => break error,
            }
        };
        if result != ReceiveError::TimedOut {
            inbox.forget_partial();
        }
        Err(result)
    }

    /// One read of a stream; the message, if it is complete with it.
    fn receive_part(
        &self,
        inbox: &mut Inbox,
        deadline: Option<Deadline>,
    ) -> Result<Option<(usize, Fds, bool)>, ReceiveError> {
        // A read never crosses from the frame header into the message: it would take along the
        // descriptors that come with the message's first byte.
        let wanted = inbox.frame.map_or(FRAME_HEADER_BYTES, |frame| frame.data_len);
        let target = inbox
            .buffer
            .get_mut(inbox.filled..wanted)
            .ok_or(ReceiveError::Malformed(Malformed::TooLarge))?;
        let arrived = self.receive_some(target, deadline)?;
        if arrived.bytes == 0 {
            return Err(ReceiveError::Closed);
        }
        if arrived.foreign {
            return Err(ReceiveError::Malformed(Malformed::ForeignControlData));
        }
        inbox.filled += arrived.bytes;
        inbox.partial_fds_lost |= arrived.fds_lost;
        if inbox.partial_fds.len() + arrived.fds.len() > inbox.max_fds {
            return Err(ReceiveError::Malformed(Malformed::UnexpectedFds));
        }
        inbox.partial_fds.append(arrived.fds);
        if inbox.filled < wanted {
            return Ok(None);
        }
        inbox.filled = 0;
        if let Some(frame) = inbox.frame.take() {
            let fds = std::mem::take(&mut inbox.partial_fds);
            let fds_lost = std::mem::take(&mut inbox.partial_fds_lost);
            check_count(frame, fds.len(), fds_lost)?;
            return Ok(Some((wanted, fds, fds_lost)));
        }
        if !inbox.partial_fds.is_empty() || inbox.partial_fds_lost {
            return Err(ReceiveError::Malformed(Malformed::UnexpectedFds));
        }
        inbox.frame = Some(frame_header(inbox.buffer.get(..wanted).unwrap_or_default())?);
        Ok(None)
    }

    /// One `recvmsg`, after a wait if nothing is there.
    fn receive_some(
        &self,
        buffer: &mut [u8],
        deadline: Option<Deadline>,
    ) -> Result<Arrived, ReceiveError> {
        // The socket blocks: without a deadline the call itself is the wait, but for a datagram
        // pair, which does not end it when the peer is gone.
        let flags = match (self.framing, deadline) {
            (Framing::OnePacket | Framing::TwoWrites, None) => 0,
            _ => libc::MSG_DONTWAIT,
        };
        let mut reset_seen = false;
        let mut hung_up = false;
        loop {
            match receive_message(self.as_fd(), &mut [IoSliceMut::new(buffer)], flags) {
                Ok(arrived) => return Ok(arrived),
                Err(Errno::EINTR) => {}
                // A peer that died with unread messages resets the connection. The error comes
                // once: for packets before what the peer had sent (linux net/core/datagram.c looks
                // at sock_error before the queue), for a stream after it. So the queue is looked
                // at again.
                Err(Errno::ECONNRESET) if !reset_seen => reset_seen = true,
                Err(Errno::ECONNRESET | Errno::ENOTCONN) => return Err(ReceiveError::Closed),
                // Nothing can come any more. The other types read 0 bytes then; a datagram socket
                // that was shut down at this end only says EAGAIN, for ever.
                Err(Errno::EAGAIN) if hung_up || self.is_over() => {
                    return Err(ReceiveError::Closed);
                }
                Err(Errno::EAGAIN) => {
                    if deadline.is_some_and(Deadline::has_passed) {
                        return Err(ReceiveError::TimedOut);
                    }
                    let mut polled = [(self.as_fd(), Interest::Message, Event::default())];
                    wait(&mut polled, deadline).map_err(ReceiveError::Os)?;
                    let [(.., event)] = polled;
                    hung_up = event.hung_up;
                }
                Err(errno) => return Err(ReceiveError::Os(errno)),
            }
        }
    }
}

/// After nothing was read: whether that was the end, or a hostile peer's empty packet.
pub(crate) fn is_at_end(socket: BorrowedFd<'_>) -> bool {
    let mut polled = [(socket, Interest::HangUp, Event::default())];
    let result = wait(&mut polled, Some(Deadline::now()));
    let [(.., event)] = polled;
    result.is_err() || event.hung_up
}

/// The checks that every framing makes of what came.
fn whole(arrived: Arrived) -> Result<(usize, Fds, bool), ReceiveError> {
    if arrived.bytes_lost {
        return Err(ReceiveError::Malformed(Malformed::TooLarge));
    }
    if arrived.foreign {
        return Err(ReceiveError::Malformed(Malformed::ForeignControlData));
    }
    Ok((arrived.bytes, arrived.fds, arrived.fds_lost))
}

fn frame_header(bytes: &[u8]) -> Result<FrameHeader, ReceiveError> {
    let bytes: [u8; FRAME_HEADER_BYTES] =
        bytes.try_into().map_err(|_| ReceiveError::Malformed(Malformed::TooShort))?;
    let frame = FrameHeader::decode(bytes);
    if frame.data_len < MESSAGE_HEADER_BYTES {
        return Err(ReceiveError::Malformed(Malformed::TooShort));
    }
    Ok(frame)
}

/// libcamera trusts the claim, and adopts descriptor 0 for each that did not come
/// (spec/anchors.md, 2.1).
fn check_count(frame: FrameHeader, received: usize, fds_lost: bool) -> Result<(), ReceiveError> {
    // Those that found no slot are not counted.
    if frame.fds == received || (fds_lost && received < frame.fds) {
        return Ok(());
    }
    Err(ReceiveError::Malformed(Malformed::FdCount { claimed: frame.fds, received }))
}
