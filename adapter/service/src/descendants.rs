//! What a library left running when its monitor was killed.
//!
//! A monitor ends what its library has started. One that is killed cannot: those processes become
//! ours, because the service is their subreaper.

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// Makes this process the parent of what its descendants leave.
pub fn adopt() {
    if let Err(errno) = nix::sys::prctl::set_child_subreaper(true) {
        log::warn!("cannot become a subreaper: what a library leaves running may stay: {errno}");
    }
}

/// Kills and reaps every child but those in `ours`; true while some have not ended yet. The service
/// has one thread, so the children of that thread are all it has.
pub fn end_all_but(ours: &[i32]) -> bool {
    let Ok(thread) = std::fs::read_link("/proc/thread-self") else { return false };
    let list = std::path::Path::new("/proc").join(thread).join("children");
    let Ok(children) = std::fs::read_to_string(list) else { return false };
    let strangers = children
        .split_whitespace()
        .filter_map(|pid| pid.parse::<i32>().ok())
        .filter(|pid| !ours.contains(pid));
    let mut left = false;
    for pid in strangers.map(Pid::from_raw) {
        // It is a child that nobody has reaped: the number is its own.
        let _ = kill(pid, Signal::SIGKILL);
        let ended = waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL));
        left |= !matches!(ended, Ok(status) if status.pid().is_some());
    }
    left
}
