//! Keeping away from descriptors 0, 1 and 2.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

/// The first number that is not a standard stream's.
const FIRST: RawFd = 3;

/// The same open file above the standard streams, close-on-exec.
///
/// A HAL that has closed those gets their numbers for what it opens next; a socket there would
/// receive whatever some library prints.
pub(crate) fn above_standard(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() >= FIRST {
        return Ok(fd);
    }
    let copy = fcntl(fd.as_fd(), FcntlArg::F_DUPFD_CLOEXEC(FIRST))?;
    // SAFETY: fcntl just opened it for this process, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Which of the standard streams this process has closed.
pub fn closed_standard_streams() -> impl Iterator<Item = RawFd> {
    // SAFETY: F_GETFD looks at the descriptor's flags only.
    (0..FIRST).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } < 0)
}
