//! What can go wrong on a link.

use std::fmt;

use nix::errno::Errno;

/// A socket cannot become a [`crate::Link`].
#[derive(Debug)]
pub enum LinkError {
    /// Not a Unix domain socket.
    NotUnixSocket,
    /// A Unix domain socket of a type that carries no messages of ours.
    UnknownSocketType(i32),
    /// A system call failed.
    Os(Errno),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnixSocket => write!(f, "the descriptor is not a Unix domain socket"),
            Self::UnknownSocketType(kind) => {
                write!(f, "socket type {kind} is none of SEQPACKET, DGRAM and STREAM")
            }
            Self::Os(errno) => write!(f, "{errno}"),
        }
    }
}

impl std::error::Error for LinkError {}

/// A message was not accepted for sending. Nothing of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The socket is full and so is the backlog.
    Full,
    /// The peer is gone.
    Closed,
    /// More bytes or descriptors than one message can carry.
    TooLarge,
    /// A system call failed.
    Os(Errno),
}

impl SendError {
    /// What an errno of `sendmsg` says. EAGAIN is not among them: it is no error.
    pub(crate) fn from_errno(errno: Errno) -> Self {
        match errno {
            Errno::EPIPE | Errno::ECONNRESET | Errno::ECONNREFUSED | Errno::ENOTCONN => {
                Self::Closed
            }
            Errno::EMSGSIZE => Self::TooLarge,
            other => Self::Os(other),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(f, "the peer does not read: socket and backlog are full"),
            Self::Closed => write!(f, "the peer is gone"),
            Self::TooLarge => write!(f, "the message is larger than the link can carry"),
            Self::Os(errno) => write!(f, "{errno}"),
        }
    }
}

impl std::error::Error for SendError {}

/// No message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// The deadline passed first.
    TimedOut,
    /// End of file: the peer is gone, possibly in the middle of a message of which the rest is
    /// dropped. (A datagram pair never says so; it is seen there only after [`crate::Link::shutdown`]
    /// at this end.)
    Closed,
    /// The peer broke the protocol; the descriptors that came with it are closed.
    Malformed(Malformed),
    /// A system call failed.
    Os(Errno),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => write!(f, "the deadline passed"),
            Self::Closed => write!(f, "the peer is gone"),
            Self::Malformed(what) => write!(f, "malformed message: {what}"),
            Self::Os(errno) => write!(f, "{errno}"),
        }
    }
}

impl std::error::Error for ReceiveError {}

/// How a peer broke the framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Larger than the receiver's buffer, or than its own claim.
    TooLarge,
    /// Shorter than a message header, or than its own claim.
    TooShort,
    /// Another number of descriptors than claimed.
    FdCount {
        /// What the frame said.
        claimed: usize,
        /// What came.
        received: usize,
    },
    /// Ancillary data other than descriptors.
    ForeignControlData,
    /// Descriptors where none can be.
    UnexpectedFds,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "larger than the receiver accepts"),
            Self::TooShort => write!(f, "shorter than its header or its claim"),
            Self::FdCount { claimed, received } => {
                write!(f, "claims {claimed} descriptors and carries {received}")
            }
            Self::ForeignControlData => write!(f, "ancillary data other than descriptors"),
            Self::UnexpectedFds => write!(f, "descriptors where none can be"),
        }
    }
}
