//! File descriptors that cross a C interface as numbers.

use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// Takes ownership of `fd` if it is the number of an open file.
pub(crate) fn adopt(fd: RawFd) -> Option<OwnedFd> {
    if !is_open(fd) {
        return None;
    }
    // SAFETY: it is open, and the ABI says that the caller gives it away with this call.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Gives up ownership: the number, or -1 for none.
pub(crate) fn surrender(fd: Option<OwnedFd>) -> RawFd {
    fd.map_or(-1, IntoRawFd::into_raw_fd)
}

fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD reads one flag and takes any number.
    fd >= 0 && unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0
}
