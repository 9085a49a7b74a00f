//! Waiting on several descriptors.

use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use crate::Deadline;

/// What is waited for. Hang-up and error are always reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Only hang-up (also of a peer that ended only its sending) and error.
    HangUp,
    /// Something to read.
    Message,
    /// Room to send.
    RoomToSend,
    /// Something to read, or room to send.
    MessageOrRoom,
    /// Nothing: the entry is skipped.
    None,
}

/// What happened on one descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// There is something to read (or end of file).
    pub readable: bool,
    /// There is room to send.
    pub writable: bool,
    /// The peer is gone, or the descriptor is in error.
    pub hung_up: bool,
}

/// `POLLRDHUP`: the peer sends nothing more. nix has no name for it.
const RDHUP: PollFlags = PollFlags::from_bits_retain(libc::POLLRDHUP);

/// The most descriptors that one [`wait`] takes.
pub const MAX_WAIT: usize = 8;

/// Waits until something happens or `deadline` passes (`None`: for ever); returns how many
/// descriptors have events. A signal does not end the wait.
///
/// `ppoll`, so descriptors above 1023 are fine.
///
/// # Errors
/// `EINVAL` for more than [`MAX_WAIT`] descriptors; otherwise what `ppoll` says.
pub fn wait(
    fds: &mut [(BorrowedFd<'_>, Interest, Event)],
    deadline: Option<Deadline>,
) -> Result<usize, Errno> {
    if fds.len() > MAX_WAIT {
        return Err(Errno::EINVAL);
    }
    let Some(&(first, ..)) = fds.first() else { return Ok(0) };
    let mut polled: [PollFd<'_>; MAX_WAIT] =
        std::array::from_fn(|_| PollFd::new(first, PollFlags::empty()));
    let mut count = 0;
    for (fd, interest, event) in fds.iter_mut() {
        *event = Event::default();
        let flags = match interest {
            Interest::None => continue,
            Interest::HangUp => RDHUP,
            Interest::Message => PollFlags::POLLIN,
            Interest::RoomToSend => PollFlags::POLLOUT,
            Interest::MessageOrRoom => PollFlags::POLLIN | PollFlags::POLLOUT,
        };
        if let Some(slot) = polled.get_mut(count) {
            *slot = PollFd::new(*fd, flags);
            count += 1;
        }
    }
    let active = polled.get_mut(..count).unwrap_or_default();
    let ready = loop {
        let timeout = deadline.map(|deadline| TimeSpec::from_duration(deadline.remaining()));
        match ppoll(active, timeout, None) {
            Err(Errno::EINTR) => {}
            result => break result?,
        }
    };
    let mut results = active.iter();
    for (_, interest, event) in fds.iter_mut() {
        if *interest == Interest::None {
            continue;
        }
        let Some(flags) = results.next().and_then(PollFd::revents) else { continue };
        event.readable = flags.contains(PollFlags::POLLIN);
        event.writable = flags.contains(PollFlags::POLLOUT);
        event.hung_up =
            flags.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL | RDHUP);
    }
    Ok(usize::try_from(ready).unwrap_or(0))
}
