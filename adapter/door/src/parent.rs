//! The process that libcamera runs in.
//!
//! A datagram pair has no end of file, and libcamera sets no parent-death signal: the workers that
//! it starts outlive it (spec/libcamera-ipa.md, section 5, number 15). A pidfd tells.

use std::os::fd::BorrowedFd;
use std::os::unix::process::parent_id;
use std::time::Duration;

use cami_link::{Peer, ProcessFd};
use nix::errno::Errno;

/// Where there is no pidfd, how often the parent is asked for.
const LOOK: Duration = Duration::from_millis(100);

/// The process at the other end, to see its end.
#[derive(Debug)]
pub struct Parent {
    /// The parent when we looked.
    pid: u32,
    process: Option<ProcessFd>,
    /// It had ended before we looked.
    gone: bool,
}

impl Parent {
    /// The process that made `socket`, which is the parent of a worker that libcamera started.
    ///
    /// Where it is not the parent any more, it may have ended before we could look; its number is
    /// asked for then.
    #[must_use]
    pub fn of(socket: BorrowedFd<'_>) -> Self {
        let pid = parent_id();
        let maker = Peer::of(socket).ok().and_then(|peer| u32::try_from(peer.pid).ok());
        // 0 is a process of another PID namespace.
        let watched = maker.filter(|maker| *maker != 0).unwrap_or(pid);
        let opened = i32::try_from(watched).map(ProcessFd::open);
        let (process, gone) = match opened {
            Ok(Ok(process)) => (Some(process), false),
            Ok(Err(Errno::ESRCH)) => (None, true),
            Ok(Err(errno)) => {
                log::debug!("no pidfd of process {watched}, the parent is asked for: {errno}");
                (None, false)
            }
            Err(_) => (None, false),
        };
        Self { pid, process, gone }
    }

    /// Whether it is gone: another process has become the parent, or always was.
    pub(crate) fn has_ended(&self) -> bool {
        self.gone || parent_id() != self.pid
    }

    /// The descriptor that becomes readable at its end.
    pub(crate) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.process.as_ref().map(ProcessFd::as_fd)
    }

    /// How long may be waited before [`Parent::has_ended`] is to be asked.
    pub(crate) fn look_within(&self) -> Option<Duration> {
        self.process.is_none().then_some(LOOK)
    }
}
