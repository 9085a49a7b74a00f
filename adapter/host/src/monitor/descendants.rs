//! The end of what the library has left behind.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use cami_link::{Deadline, Event, Interest, wait};
use nix::errno::Errno;
use nix::sys::signalfd::SignalFd;

use super::trace;

/// How long it may take; a fork bomb outside of a PID namespace is left to its owner then.
const PATIENCE: Duration = Duration::from_secs(1);

/// Kills all that has become our child when its parent ended, the first process of the PID namespace
/// among it, until nobody is left. That one ends only when all processes in its namespace have, and
/// those that we trace wait for us: all ends are taken as they come. `spared` is a child of our own.
pub fn end(children: &SignalFd, spared: Option<i32>) {
    let Ok(own) = std::fs::read_link("/proc/thread-self") else { return };
    let list = Path::new("/proc").join(own).join("children");
    let deadline = Deadline::after(PATIENCE);
    let strangers = || -> Vec<i32> {
        let there = std::fs::read_to_string(&list).unwrap_or_default();
        let there = there.split_whitespace().filter_map(|pid| pid.parse().ok());
        there.filter(|&pid| Some(pid) != spared).collect()
    };
    while !deadline.has_passed() {
        for pid in strangers() {
            // SAFETY: kill touches no memory; `pid` is a child of ours that nobody has reaped.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        if take_ends() == Err(Errno::ECHILD) || spared.is_some() && strangers().is_empty() {
            return;
        }
        let mut fds = [(children.as_fd(), Interest::Message, Event::default())];
        let _ = wait(&mut fds, Some(deadline));
        while let Ok(Some(_)) = children.read_signal() {}
    }
}

/// Reaps what has ended and lets go on what has stopped; `ECHILD` if no child is left.
fn take_ends() -> Result<(), Errno> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is writable.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::__WALL) };
        match pid {
            0 => return Ok(()),
            -1 => match Errno::last() {
                Errno::EINTR => {}
                errno => return Err(errno),
            },
            _ if libc::WIFSTOPPED(status) => {
                // Each thread of what is traced stops once more on its way out.
                let _ = trace::go_on(pid);
            }
            _ => {}
        }
    }
}
