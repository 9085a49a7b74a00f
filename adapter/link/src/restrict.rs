//! Keeping to the system calls that ChromeOS's camera services may make.
//!
//! Where this library is loaded into a process that is confined by somebody else's filter, as the
//! camera services of ChromeOS are (spec/cami-abi.md, 3.2, default KILL), `ppoll`, `shutdown` and
//! `getsockopt` end the process on amd64. Such a process says so once, and waiting goes through
//! epoll from then on. Everywhere else the request path keeps its one `ppoll`.

use std::sync::atomic::{AtomicBool, Ordering};

static RESTRICTED: AtomicBool = AtomicBool::new(false);

/// From now on this crate makes no system call in this process that those filters forbid, as long
/// as links are made by [`crate::Link::of_known_type`] and no [`crate::ProcessFd`] is opened.
pub fn restrict_system_calls() {
    RESTRICTED.store(true, Ordering::Relaxed);
}

/// Whether [`restrict_system_calls`] was called.
#[must_use]
pub fn system_calls_are_restricted() -> bool {
    RESTRICTED.load(Ordering::Relaxed)
}
