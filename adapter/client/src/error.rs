//! Why something failed, as an errno for the HAL and a line for the log.

use std::fmt;

use nix::errno::Errno;

/// Why no session came up.
#[derive(Debug)]
pub(crate) struct StartError {
    /// What `initialize` returns: a negative errno, or the vendor's own negative code.
    pub(crate) code: i32,
    /// Cause and remedy in one line.
    pub(crate) line: String,
    /// The configuration is wrong: another try would end the same way.
    pub(crate) hopeless: bool,
}

impl StartError {
    pub(crate) fn new(errno: Errno, line: String) -> Self {
        Self { code: negative(errno), line, hopeless: false }
    }
}

/// Why a call on a session did not get its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The host is dead, or was never there.
    Dead,
    /// The deadline passed.
    TimedOut,
    /// It passed before the link had room.
    NotSent,
    /// The message could not be sent.
    Os(Errno),
}

impl CallError {
    /// The errnos of platform2 `common/camera_algorithm_bridge_impl.cc`, 103-116: `-ECONNRESET`
    /// where there is no connection, `-ETIMEDOUT` at the deadline.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Dead => negative(Errno::ECONNRESET),
            Self::TimedOut | Self::NotSent => negative(Errno::ETIMEDOUT),
            Self::Os(errno) => negative(errno),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dead => f.write_str("the host is gone"),
            Self::TimedOut => f.write_str("the deadline passed"),
            Self::NotSent => f.write_str("the link is full"),
            Self::Os(errno) => write!(f, "{errno}"),
        }
    }
}

/// The return code for an errno.
pub(crate) fn negative(errno: Errno) -> i32 {
    // Errno's numbers are small and positive.
    #[allow(clippy::as_conversions, reason = "a fieldless enum's number")]
    let number = errno as i32;
    -number
}
