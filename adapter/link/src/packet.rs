//! Packets as they are, for whoever sits between two ends and passes them on.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

use crate::Fds;
use crate::control_data::{Arrived, receive_message, send_message};
use crate::receive::is_at_end;

/// One packet of a `SOCK_SEQPACKET` socket; its bytes are in the caller's buffer.
#[derive(Debug)]
pub struct Packet {
    /// How many bytes. Of one that is larger than the buffer the rest is lost.
    pub bytes: usize,
    /// The descriptors, as far as this process had free slots.
    pub fds: Fds,
    /// Whether it had more that found none.
    pub fds_lost: bool,
}

/// The next packet, without waiting and without looking at what is in it; `None` at the end, once all
/// that had been sent before has been received.
///
/// # Errors
/// `EAGAIN` where nothing is there, and what the kernel says.
pub fn receive_packet(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Option<Packet>, Errno> {
    let mut reset_seen = false;
    loop {
        match receive_message(socket, &mut [IoSliceMut::new(buffer)], libc::MSG_DONTWAIT) {
            Ok(arrived) if arrived.bytes == 0 && is_at_end(socket) => return Ok(None),
            Ok(Arrived { bytes, fds, fds_lost, .. }) => {
                return Ok(Some(Packet { bytes, fds, fds_lost }));
            }
            Err(Errno::EINTR) => {}
            // Of a peer that ended with unread packets; once, and before what it had sent.
            Err(Errno::ECONNRESET) if !reset_seen => reset_seen = true,
            Err(Errno::ECONNRESET | Errno::ENOTCONN) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    }
}

/// Sends one packet, without waiting.
///
/// # Errors
/// `EAGAIN` where there is no room, `EPIPE` or `ECONNRESET` where the peer is gone, and what else the
/// kernel says.
pub fn send_packet(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    fds: &[BorrowedFd<'_>],
) -> Result<(), Errno> {
    send_message(socket, &[IoSlice::new(bytes)], fds).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::seqpacket_pair;

    #[test]
    fn packets_come_as_they_were_sent_and_then_the_end() {
        let (near, far) = seqpacket_pair().unwrap();
        let mut buffer = [0; 16];
        assert_eq!(receive_packet(far.as_fd(), &mut buffer).unwrap_err(), Errno::EAGAIN);
        send_packet(near.as_fd(), b"abc", &[near.as_fd()]).unwrap();
        send_packet(near.as_fd(), b"", &[]).unwrap();
        send_packet(near.as_fd(), b"d", &[]).unwrap();
        let first = receive_packet(far.as_fd(), &mut buffer).unwrap().unwrap();
        assert_eq!((buffer.get(..first.bytes), first.fds.len()), (Some(&b"abc"[..]), 1));
        drop(first);
        assert_eq!(receive_packet(far.as_fd(), &mut buffer).unwrap().unwrap().bytes, 0);
        drop(near);
        assert_eq!(receive_packet(far.as_fd(), &mut buffer).unwrap().unwrap().bytes, 1);
        assert!(receive_packet(far.as_fd(), &mut buffer).unwrap().is_none());
        assert_eq!(send_packet(far.as_fd(), b"x", &[]), Err(Errno::EPIPE));
    }

    #[test]
    fn what_was_sent_before_the_end_comes_though_the_sender_had_not_read() {
        let (near, far) = seqpacket_pair().unwrap();
        send_packet(far.as_fd(), b"unread", &[]).unwrap();
        send_packet(near.as_fd(), b"last", &[]).unwrap();
        drop(near);
        let mut buffer = [0; 16];
        assert_eq!(receive_packet(far.as_fd(), &mut buffer).unwrap().unwrap().bytes, 4);
        assert!(receive_packet(far.as_fd(), &mut buffer).unwrap().is_none());
    }
}
