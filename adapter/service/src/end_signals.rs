//! The signals that end the service in order.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::ServeError;

/// SIGTERM and SIGINT, which end the service in order from the moment on in which this is made.
#[derive(Debug)]
pub struct EndSignals(SignalFd);

impl EndSignals {
    /// To be made before the socket is, whose file would stay otherwise, and by the only thread: the
    /// signals stay blocked in it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new() -> Result<Self, ServeError> {
        let mut ends = SigSet::empty();
        ends.add(Signal::SIGTERM);
        ends.add(Signal::SIGINT);
        ends.thread_block().map_err(ServeError::of("blocking SIGTERM"))?;
        SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map(Self)
            .map_err(ServeError::of("signalfd"))
    }

    /// The descriptor, to poll it.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The name of one that has come.
    pub(crate) fn take(&self) -> Option<&'static str> {
        let signal = self.0.read_signal().ok()??;
        let number = i32::try_from(signal.ssi_signo).ok()?;
        Some(Signal::try_from(number).map_or("a signal", Signal::as_str))
    }
}
