//! One end of a link.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, UnixAddr, connect, sendto, shutdown,
    socket, socketpair, sockopt,
};

use crate::backlog::Backlog;
use crate::restrict::system_calls_are_restricted;
use crate::standard::above_standard;
use crate::sync::Mutex;
use crate::{Framing, LinkError, SendError};

/// Messages that may wait in a backlog unless [`Link::with_backlog`] says otherwise.
const DEFAULT_BACKLOG_MESSAGES: usize = 4096;
/// Bytes that may wait in a backlog unless [`Link::with_backlog`] says otherwise.
const DEFAULT_BACKLOG_BYTES: usize = 8 << 20;
/// Bytes of a packet on a socket whose `SO_SNDBUF` was not asked for: more than any message of the
/// `cros` interface, less than the kernel's default lets through (`Framing::largest_message`).
const PACKET_BYTES: usize = 128 << 10;

/// A connected pair of `SOCK_SEQPACKET` sockets, both close-on-exec and above the standard streams.
///
/// # Errors
/// `EMFILE` or `ENFILE` where no descriptor is free.
pub fn seqpacket_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (one, other) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    for end in [&one, &other] {
        // The default takes 93 messages of 1 KiB before EAGAIN; this asks for the most that an
        // unprivileged process may have (net.core.wmem_max). Failure only means less room.
        let _ = nix::sys::socket::setsockopt(end, sockopt::SndBuf, &(1 << 20));
    }
    Ok((above_standard(one)?, above_standard(other)?))
}

/// A connection to the `SOCK_SEQPACKET` socket at `path`, close-on-exec. Does not wait: `EAGAIN`
/// says that the listener has as many as it takes at once.
///
/// # Errors
/// `ENOENT` and `ECONNREFUSED` where nobody listens (yet), `EACCES` where the file's mode forbids
/// it, `EPROTOTYPE` for a socket of another type, `ENAMETOOLONG` for more than 107 bytes.
pub fn connect_seqpacket(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
    connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    above_standard(socket)
}

/// Sends a datagram to the socket at `path`, as the system log takes them, without waiting.
///
/// # Errors
/// `EAGAIN` where it is full, and what the kernel says.
pub fn send_datagram(path: &Path, bytes: &[u8]) -> Result<(), Errno> {
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    sendto(socket.as_raw_fd(), bytes, &UnixAddr::new(path)?, flags).map(drop)
}

/// One end of a link: a socket, its framing, and the backlog of what it did not take at once.
///
/// `send` may be called from any thread at any time; `receive` belongs to one thread at a time,
/// the one that holds the [`crate::Inbox`].
///
/// Lock order: the backlog's lock is a leaf; it is held over `sendmsg` calls that do not block.
#[derive(Debug)]
pub struct Link {
    pub(crate) socket: OwnedFd,
    pub(crate) framing: Framing,
    /// The most bytes of one message, its header included.
    pub(crate) largest_message: usize,
    pub(crate) backlog: Mutex<Backlog>,
    /// Whether the backlog holds anything: lets a send on an idle link skip the lock.
    pub(crate) has_backlog: AtomicBool,
    /// After [`Link::shutdown`].
    over: AtomicBool,
}

impl Link {
    /// Takes a connected Unix socket; `SO_TYPE` decides the framing.
    ///
    /// The descriptor becomes close-on-exec: what a vendor library executes must not hold the link
    /// open. `SO_SNDBUF`, which bounds the size of a packet, is read here and not again.
    ///
    /// # Errors
    /// Where it is no such socket.
    pub fn from_fd(socket: OwnedFd) -> Result<Self, LinkError> {
        Self::with_backlog(socket, DEFAULT_BACKLOG_MESSAGES, DEFAULT_BACKLOG_BYTES)
    }

    /// The same with bounds of its own for the backlog.
    ///
    /// # Errors
    /// Where it is no such socket.
    pub fn with_backlog(
        socket: OwnedFd,
        max_messages: usize,
        max_bytes: usize,
    ) -> Result<Self, LinkError> {
        let framing = Framing::of(socket.as_fd())?;
        let largest_message = framing.largest_message(socket.as_fd())?;
        Self::new(socket, framing, largest_message, Backlog::new(max_messages, max_bytes))
    }

    /// The same for a socket that the caller knows to be of the type of `framing`: asks the kernel
    /// nothing, for processes that may not ([`crate::restrict_system_calls`]).
    ///
    /// # Errors
    /// `EBADF` where it is no descriptor.
    pub fn of_known_type(
        socket: OwnedFd,
        framing: Framing,
        max_messages: usize,
        max_bytes: usize,
    ) -> Result<Self, LinkError> {
        let largest_message = match framing {
            Framing::OnePacket | Framing::TwoDatagrams => PACKET_BYTES,
            Framing::TwoWrites => usize::MAX,
        };
        Self::new(socket, framing, largest_message, Backlog::new(max_messages, max_bytes))
    }

    fn new(
        socket: OwnedFd,
        framing: Framing,
        largest_message: usize,
        backlog: Backlog,
    ) -> Result<Self, LinkError> {
        fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(LinkError::Os)?;
        Ok(Self {
            socket,
            framing,
            largest_message,
            backlog: Mutex::new(backlog),
            has_backlog: AtomicBool::new(false),
            over: AtomicBool::new(false),
        })
    }

    /// The socket, to poll it.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Asks the kernel to say of each message when it got into the socket
    /// ([`crate::Received::stamp`]). False where it does not: on a stream, which has no times, and
    /// on a kernel that refuses.
    ///
    /// A packet or datagram that was in the socket before gets the time at which it is received
    /// (linux `net/unix/af_unix.c`, `unix_dgram_sendmsg`; `include/net/sock.h`,
    /// `sock_recv_timestamp`).
    pub fn ask_for_times(&self) -> bool {
        self.framing != Framing::TwoWrites
            && nix::sys::socket::setsockopt(&self.socket, sockopt::ReceiveTimestampns, &true)
                .is_ok()
    }

    /// The framing in use.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether accepted messages still wait: the polling thread then also waits for room
    /// ([`crate::Interest::RoomToSend`]) and calls [`Link::flush`].
    #[must_use]
    pub fn has_backlog(&self) -> bool {
        self.has_backlog.load(Ordering::Acquire)
    }

    /// Messages that wait.
    #[must_use]
    pub fn backlog_messages(&self) -> usize {
        self.backlog.lock().messages()
    }

    /// Sends what waits, as far as the socket has room. Never blocks.
    ///
    /// # Errors
    /// [`SendError::Closed`] once the peer is gone, or what the kernel said to a message that had
    /// been accepted. Either way what waited is dropped and the link is over, as after
    /// [`Link::shutdown`].
    pub fn flush(&self) -> Result<(), SendError> {
        let mut backlog = self.backlog.lock();
        let result = self.flush_locked(&mut backlog);
        self.has_backlog.store(!backlog.is_empty(), Ordering::Release);
        result
    }

    pub(crate) fn flush_locked(&self, backlog: &mut Backlog) -> Result<(), SendError> {
        let result = backlog.flush(self.socket.as_fd(), self.framing);
        if result.is_err() {
            backlog.clear();
            // Messages are missing now, perhaps half of one: nothing may follow.
            self.shutdown();
        }
        result
    }

    /// Ends the connection in both directions: a thread that waits in `receive`, here or at the
    /// peer, gets what had been sent before and then end of file. (A datagram pair's peer does not
    /// see it.) Every later `send` says [`SendError::Closed`].
    ///
    /// Where system calls are restricted the peer sees it when the link is dropped.
    pub fn shutdown(&self) {
        self.over.store(true, Ordering::Release);
        if !system_calls_are_restricted() {
            // An error only says that it is down already.
            let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
        }
    }

    /// Whether [`Link::shutdown`] was called at this end.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}
