//! The first process of the PID namespace.
//!
//! The vendor process cannot be the first itself: the kernel withholds from it all signals that it
//! has no handler for, so that `abort` would not end it. The first process of ours waits for the
//! second, tells the monitor how it ended, and ends: the kernel kills then what the library has
//! left behind.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, fork};

/// Which of the three processes this is after [`split`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The second process of the namespace: the vendor process goes on.
    Vendor,
    /// The process that was, outside of the namespace: it has nothing left to do and must `_exit`.
    Outside,
}

/// Makes the first and the second process of the PID namespace that was entered before. The first
/// is a child of this process's parent, and does not return from here.
///
/// `monitor` is a socket to the parent: the end of the vendor process is told on it, as the four
/// bytes of its wait status, in native order. The caller has one thread.
///
/// # Errors
/// What `clone` says.
pub fn split(monitor: BorrowedFd<'_>) -> Result<Split, Errno> {
    let flags = libc::c_long::from(libc::CLONE_PARENT | libc::SIGCHLD);
    const ZERO: libc::c_long = 0;
    // SAFETY: as fork: a copy of this process, which has one thread. What glibc keeps of its thread
    // number is stale in the first process, which uses none of it, and right again in the second,
    // which glibc's fork makes.
    let first = unsafe { libc::syscall(libc::SYS_clone, flags, ZERO, ZERO, ZERO, ZERO) };
    match Errno::result(first)? {
        0 => match first_process(monitor) {
            Ok(()) => Ok(Split::Vendor),
            Err(_) => end(1),
        },
        _ => Ok(Split::Outside),
    }
}

/// Returns in the second process only.
fn first_process(monitor: BorrowedFd<'_>) -> Result<(), Errno> {
    // The monitor is our parent: CLONE_PARENT. It may have ended before we asked.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    if has_hung_up(monitor) {
        return Err(Errno::ESRCH);
    }
    // SAFETY: this process has one thread.
    let ForkResult::Parent { child } = (unsafe { fork() })? else {
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
        return Ok(());
    };
    // The second process sees the first; it shall not look into it.
    let _ = nix::sys::prctl::set_dumpable(false);
    let _ = nix::sys::prctl::set_name(c"cami-init");
    let _ = nix::sys::prctl::set_no_new_privs();
    let _ = crate::capabilities::drop_all();
    close_all_but(monitor.as_raw_fd());
    let status = wait_for(child.as_raw());
    let _ = nix::unistd::write(monitor, &status.to_ne_bytes());
    end(0)
}

/// The status of `child`; others that have become our children are reaped on the way.
fn wait_for(child: i32) -> i32 {
    loop {
        let mut status = 0;
        // SAFETY: `status` is writable.
        let ended = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
        if ended == child || (ended < 0 && Errno::last() != Errno::EINTR) {
            return status;
        }
    }
}

fn has_hung_up(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::empty())];
    let waited = poll(&mut fds, PollTimeout::ZERO);
    let [found] = fds;
    waited.is_err() || found.revents().is_some_and(|events| events.contains(PollFlags::POLLHUP))
}

/// The link among them: its end of file is the end of the vendor process, not ours.
fn close_all_but(kept: i32) {
    let kept = kept.cast_unsigned();
    for (first, last) in [(0, kept.saturating_sub(1)), (kept.saturating_add(1), u32::MAX)] {
        // SAFETY: what this process inherited belongs to the vendor process; nothing here uses it.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    }
}

fn end(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}
