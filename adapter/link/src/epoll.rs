//! Waiting without `poll`: epoll.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::restrict::system_calls_are_restricted;
use crate::standard::above_standard;
use crate::{Deadline, Event, Interest, MAX_WAIT, wait};

/// What one thread waits with, again and again.
///
/// It is [`wait`], and where system calls are restricted an epoll descriptor that is kept, so that
/// a process without a free descriptor can still wait, and that an unchanged set costs one call.
#[derive(Debug)]
pub struct Waiter {
    epoll: Option<Epoll>,
    /// What the kernel knows of: number and events, by the place in the last set.
    watched: [Option<(RawFd, EpollFlags)>; MAX_WAIT],
}

impl Waiter {
    /// A waiter; it has a descriptor where system calls are restricted.
    ///
    /// # Errors
    /// `EMFILE` or `ENFILE` where no descriptor is free.
    pub fn new() -> Result<Self, Errno> {
        let epoll = if system_calls_are_restricted() { Some(new_epoll()?) } else { None };
        Ok(Self { epoll, watched: [None; MAX_WAIT] })
    }

    /// As [`wait`]. While descriptors of the last set are closed [`Waiter::forget`] must have been
    /// called before: the kernel may go on reporting what a forked process still has open.
    ///
    /// # Errors
    /// As [`wait`]; `EEXIST` for a descriptor that is there twice.
    pub fn wait(
        &mut self,
        fds: &mut [(BorrowedFd<'_>, Interest, Event)],
        deadline: Option<Deadline>,
    ) -> Result<usize, Errno> {
        if fds.len() > MAX_WAIT {
            return Err(Errno::EINVAL);
        }
        if self.epoll.is_none() {
            return wait(fds, deadline);
        }
        let ready = self.watch(fds)?;
        // A descriptor that cannot be watched is ready: nothing is waited for.
        let deadline = if ready > 0 { Some(Deadline::now()) } else { deadline };
        Ok(ready + self.collect(fds, deadline)?)
    }

    /// Lets go of all descriptors.
    pub fn forget(&mut self) {
        for slot in &mut self.watched {
            if let (Some(epoll), Some((fd, _))) = (&self.epoll, slot.take()) {
                remove(epoll, fd);
            }
        }
    }

    /// Makes the kernel's set that of `fds`; returns how many are ready for being files, which
    /// never block and which epoll refuses.
    fn watch(&mut self, fds: &mut [(BorrowedFd<'_>, Interest, Event)]) -> Result<usize, Errno> {
        let Some(epoll) = &self.epoll else { return Ok(0) };
        // What goes first: a descriptor may have another place now.
        for (place, slot) in self.watched.iter_mut().enumerate() {
            let wanted = fds.get(place).filter(|(_, interest, _)| *interest != Interest::None);
            let number = wanted.map(|(fd, ..)| fd.as_raw_fd());
            if let Some((fd, _)) = *slot
                && number != Some(fd)
            {
                remove(epoll, fd);
                *slot = None;
            }
        }
        let mut ready = 0;
        for (place, (slot, (fd, interest, event))) in self.watched.iter_mut().zip(fds).enumerate() {
            *event = Event::default();
            let Some(flags) = events_of(*interest) else { continue };
            if *slot == Some((fd.as_raw_fd(), flags)) {
                continue;
            }
            let mut entry = EpollEvent::new(flags, u64::try_from(place).unwrap_or(u64::MAX));
            let done =
                if slot.is_some() { epoll.modify(*fd, &mut entry) } else { epoll.add(*fd, entry) };
            match done {
                Ok(()) => *slot = Some((fd.as_raw_fd(), flags)),
                Err(Errno::EPERM) => {
                    ready += 1;
                    event.readable = flags.contains(EpollFlags::EPOLLIN);
                    event.writable = flags.contains(EpollFlags::EPOLLOUT);
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(ready)
    }

    fn collect(
        &self,
        fds: &mut [(BorrowedFd<'_>, Interest, Event)],
        deadline: Option<Deadline>,
    ) -> Result<usize, Errno> {
        let Some(epoll) = &self.epoll else { return Ok(0) };
        let mut happened = [EpollEvent::empty(); MAX_WAIT];
        loop {
            let count = match epoll.wait(&mut happened, timeout(deadline)) {
                Ok(count) => count,
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno),
            };
            let mut ready = 0;
            for entry in happened.iter().take(count) {
                let place = usize::try_from(entry.data()).unwrap_or(usize::MAX);
                let Some((.., event)) = fds.get_mut(place) else { continue };
                let flags = entry.events();
                let ended = EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR | EpollFlags::EPOLLRDHUP;
                event.readable = flags.contains(EpollFlags::EPOLLIN);
                event.writable = flags.contains(EpollFlags::EPOLLOUT);
                event.hung_up = flags.intersects(ended);
                ready += 1;
            }
            if ready > 0 || deadline.is_some_and(Deadline::has_passed) {
                return Ok(ready);
            }
        }
    }
}

/// One wait with a descriptor of its own, for those who have no [`Waiter`].
pub(crate) fn wait_once(
    fds: &mut [(BorrowedFd<'_>, Interest, Event)],
    deadline: Option<Deadline>,
) -> Result<usize, Errno> {
    Waiter { epoll: Some(new_epoll()?), watched: [None; MAX_WAIT] }.wait(fds, deadline)
}

fn new_epoll() -> Result<Epoll, Errno> {
    let Epoll(fd) = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let fd: OwnedFd = above_standard(fd)?;
    Ok(Epoll(fd))
}

fn events_of(interest: Interest) -> Option<EpollFlags> {
    match interest {
        Interest::None => None,
        Interest::HangUp => Some(EpollFlags::EPOLLRDHUP),
        Interest::Message => Some(EpollFlags::EPOLLIN),
        Interest::RoomToSend => Some(EpollFlags::EPOLLOUT),
        Interest::MessageOrRoom => Some(EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT),
    }
}

/// Rounded up to a whole millisecond: what is due is looked at after its time and not before.
fn timeout(deadline: Option<Deadline>) -> EpollTimeout {
    let Some(deadline) = deadline else { return EpollTimeout::NONE };
    let left = deadline.remaining() + Duration::from_micros(999);
    EpollTimeout::try_from(left).unwrap_or(EpollTimeout::MAX)
}

/// Takes a number out of the kernel's set; one that is closed is gone already.
fn remove(epoll: &Epoll, fd: RawFd) {
    // SAFETY: EPOLL_CTL_DEL reads no event, and any number may be named.
    unsafe {
        libc::epoll_ctl(epoll.0.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut());
    }
}
