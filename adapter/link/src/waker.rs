//! Waking the thread that polls.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::standard::above_standard;

/// An eventfd: any thread wakes, the polling thread drains.
#[derive(Debug)]
pub struct Waker(EventFd);

impl Waker {
    /// A waker that nobody has woken yet; close-on-exec.
    ///
    /// # Errors
    /// `EMFILE` or `ENFILE` where no descriptor is free.
    pub fn new() -> Result<Self, Errno> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let fd = above_standard(EventFd::from_value_and_flags(0, flags)?.into())?;
        // SAFETY: it is the eventfd that was just made, perhaps under another number.
        Ok(Self(unsafe { EventFd::from_owned_fd(fd) }))
    }

    /// That of another process, which passed its eventfd on.
    #[must_use]
    pub fn inherited(fd: OwnedFd) -> Self {
        // SAFETY: nothing is taken for granted of what it is: eight bytes are written to it and read, and
        // what becomes of that is not looked at.
        Self(unsafe { EventFd::from_owned_fd(fd) })
    }

    /// Makes the descriptor readable.
    pub fn wake(&self) {
        // It fails only with EAGAIN, at 2^64 - 2 wakes that nobody drained: it is readable then.
        let _ = self.0.write(1);
    }

    /// Takes all wakes so far.
    pub fn drain(&self) {
        // EAGAIN: nobody woke.
        let _ = self.0.read();
    }

    /// The descriptor, to poll it.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
