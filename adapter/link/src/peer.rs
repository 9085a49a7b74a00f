//! Who is at the other end of a connection.

use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{getsockopt, sockopt};

use crate::{Deadline, Event, Interest, ProcessFd, wait};

/// The process that connected, as the kernel knew it at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its number; 0 where it is in a PID namespace that cannot be seen from here.
    pub pid: i32,
    /// Its effective user; the overflow user (65534) where ours has no name for it.
    pub uid: u32,
}

impl Peer {
    /// `SO_PEERCRED`.
    ///
    /// # Errors
    /// What `getsockopt` says.
    pub fn of(connection: BorrowedFd<'_>) -> Result<Self, Errno> {
        let credentials = getsockopt(&connection, sockopt::PeerCredentials)?;
        Ok(Self { pid: credentials.pid(), uid: credentials.uid() })
    }

    /// The process itself, to see its end also while others keep copies of its socket. `None`
    /// where it cannot be had: it has ended, or it is in another PID namespace.
    #[must_use]
    pub fn process(self, connection: BorrowedFd<'_>) -> Option<ProcessFd> {
        if self.pid <= 0 {
            return None;
        }
        if let Some(fd) = peer_pidfd(connection) {
            return ProcessFd::adopt(fd, self.pid).ok();
        }
        // Before Linux 6.5: by the number, which is still its own while the connection is up, but
        // for a peer that has left its socket to a child.
        let process = ProcessFd::open(self.pid).ok()?;
        let mut polled = [(connection, Interest::HangUp, Event::default())];
        wait(&mut polled, Some(Deadline::now())).ok()?;
        polled.iter().all(|(.., event)| !event.hung_up).then_some(process)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}, user {}", self.pid, self.uid)
    }
}

/// `SO_PEERPIDFD` (linux 6.5 `include/uapi/asm-generic/socket.h`).
fn peer_pidfd(connection: BorrowedFd<'_>) -> Option<OwnedFd> {
    const SO_PEERPIDFD: libc::c_int = 77;
    let mut fd: RawFd = -1;
    let mut length = libc::socklen_t::try_from(size_of::<RawFd>()).ok()?;
    // SAFETY: `fd` has room for the `length` bytes that the kernel may write.
    let result = unsafe {
        libc::getsockopt(
            connection.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PEERPIDFD,
            (&raw mut fd).cast(),
            &raw mut length,
        )
    };
    // SAFETY: the kernel just opened it for this process.
    (result == 0 && fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}
