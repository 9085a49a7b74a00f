//! Waiting on several descriptors.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::time::TimeSpec;

use crate::restrict::system_calls_are_restricted;
use crate::{Deadline, epoll};

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

/// The most descriptors that one [`wait`] takes.
pub const MAX_WAIT: usize = 8;

/// Waits until something happens or `deadline` passes (`None`: for ever); returns how many
/// descriptors have events. A signal does not end the wait.
///
/// `ppoll`, so descriptors above 1023 are fine; or, where system calls are restricted
/// ([`crate::restrict_system_calls`]), an epoll descriptor for the time of the call.
///
/// # Errors
/// `EINVAL` for more than [`MAX_WAIT`] descriptors; otherwise what the kernel says.
pub fn wait(
    fds: &mut [(BorrowedFd<'_>, Interest, Event)],
    deadline: Option<Deadline>,
) -> Result<usize, Errno> {
    if fds.len() > MAX_WAIT {
        return Err(Errno::EINVAL);
    }
    if system_calls_are_restricted() {
        return epoll::wait_once(fds, deadline);
    }
    // Not nix's PollFd: it has no name for POLLRDHUP and hides all events of a descriptor with it.
    let mut polled = [libc::pollfd { fd: -1, events: 0, revents: 0 }; MAX_WAIT];
    for (slot, (fd, interest, event)) in polled.iter_mut().zip(fds.iter_mut()) {
        *event = Event::default();
        slot.events = match interest {
            // The kernel skips negative numbers.
            Interest::None => continue,
            Interest::HangUp => libc::POLLRDHUP,
            Interest::Message => libc::POLLIN,
            Interest::RoomToSend => libc::POLLOUT,
            Interest::MessageOrRoom => libc::POLLIN | libc::POLLOUT,
        };
        slot.fd = fd.as_raw_fd();
    }
    let ready = loop {
        let left = deadline.map(|deadline| TimeSpec::from_duration(deadline.remaining()));
        let timeout = left.as_ref().map_or(ptr::null(), |left| ptr::from_ref(left.as_ref()));
        let count = fds.len() as libc::nfds_t;
        // SAFETY: `polled` holds at least `count` entries; `timeout` is null or points into
        // `left`; a null signal mask changes no mask.
        let ready = unsafe { libc::ppoll(polled.as_mut_ptr(), count, timeout, ptr::null()) };
        match usize::try_from(ready) {
            Ok(ready) => break ready,
            Err(_) if Errno::last() == Errno::EINTR => {}
            Err(_) => return Err(Errno::last()),
        }
    };
    for ((_, _, event), slot) in fds.iter_mut().zip(&polled) {
        let happened = |events| slot.revents & events != 0;
        event.readable = happened(libc::POLLIN);
        event.writable = happened(libc::POLLOUT);
        event.hung_up = happened(libc::POLLHUP | libc::POLLERR | libc::POLLNVAL | libc::POLLRDHUP);
    }
    Ok(ready)
}
