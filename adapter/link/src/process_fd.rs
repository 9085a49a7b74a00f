//! A process that cannot be mistaken for another: pidfd.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::standard::above_standard;

/// A pidfd: readable once the process has ended, whoever reaps it.
#[derive(Debug)]
pub struct ProcessFd {
    fd: OwnedFd,
    pid: i32,
}

impl ProcessFd {
    /// Opens the process `pid`. The caller knows that `pid` is still the one it means: a child
    /// that nobody has reaped, or a parent that is asked for again afterwards.
    ///
    /// # Errors
    /// `ESRCH` where there is no such process, `EMFILE` where no descriptor is free, `ENOSYS` on
    /// kernels before 5.3 and under filters that refuse it.
    pub fn open(pid: i32) -> Result<Self, Errno> {
        // SAFETY: pidfd_open takes a pid and flags and touches no memory.
        let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let raw = RawFd::try_from(result).map_err(|_| Errno::EBADF)?;
        if raw < 0 {
            return Err(Errno::last());
        }
        // SAFETY: the kernel just opened it (close-on-exec, as pidfds are) for this process.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Self { fd: above_standard(fd)?, pid })
    }

    /// Takes over a pidfd that is there already, of the process `pid`.
    ///
    /// # Errors
    /// `EMFILE` where no descriptor is free.
    pub(crate) fn adopt(fd: OwnedFd, pid: i32) -> Result<Self, Errno> {
        Ok(Self { fd: above_standard(fd)?, pid })
    }

    /// Takes over a pidfd of the process `pid` that somebody has sent, with whatever number it came.
    #[must_use]
    pub fn from_fd(fd: OwnedFd, pid: i32) -> Self {
        Self { fd, pid }
    }

    /// The process's number, for messages.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The descriptor, to poll it.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Sends SIGKILL. A process that has ended already is no error.
    pub fn kill(&self) {
        // SAFETY: pidfd_send_signal reads its siginfo pointer only if it is not null.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.fd.as_raw_fd(),
                libc::SIGKILL,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
    }

    /// Reaps the process if it is our child and has ended. That somebody else has reaped it (a HAL
    /// that ignores SIGCHLD, or waits for all children) is no error.
    pub fn reap(&self) {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let Ok(id) = libc::id_t::try_from(self.fd.as_raw_fd()) else { return };
        loop {
            // SAFETY: `info` is writable and of the right type.
            let result = unsafe {
                libc::waitid(libc::P_PIDFD, id, info.as_mut_ptr(), libc::WEXITED | libc::WNOHANG)
            };
            if result == 0 || Errno::last() != Errno::EINTR {
                return;
            }
        }
    }
}
