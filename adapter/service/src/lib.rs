//! The service: clients connect to a named socket, and each gets a host of its own.
//!
//! A host is what the client of the HAL's door otherwise starts itself: `cros_ipa_proxy`, the
//! monitor, and its vendor process. Here it is the service's child, so the HAL needs no right to
//! start anything, and the sandbox is that of the service's user and namespaces.
//!
//! A connection says [`Hello`](cami_wire::control::Hello), gets its end of a new link as the first
//! message, and becomes the control socket of its monitor. The service keeps a copy of it, to see the
//! client leave and to have the last word when a monitor dies without one.
//!
//! # One thread, one loop
//!
//! It waits by epoll and never for a single client: connections are read without blocking, what a
//! client does not take at once is not sent, and a client that has not said who it is within
//! [`HELLO_LIMIT`] is let go. The only thing done at once is starting a process.
//!
//! # Who ends whom
//!
//! | what ends | what follows |
//! |---|---|
//! | client, its process or its connection | its monitor sees the hang-up and ends; SIGKILL after [`LEAVING_LIMIT`] |
//! | monitor | the client is told what of, if by a signal; what its library left running is killed |
//! | service, by SIGTERM or SIGINT | clients are told, hosts killed, the socket's file removed |
//! | service, by SIGKILL | monitors see it by pidfd and end, with their vendor processes; clients see end of file, and the next service serves them anew |
#![forbid(unsafe_code)]

mod client;
mod descendants;
mod end_signals;
mod hello;
mod refusals;
mod service;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use cami_config::Service as Settings;
use nix::errno::Errno;

pub use cami_link::{ListenError, Listener};
pub use end_signals::EndSignals;
pub use service::serve;

/// How long a client may take to say who it is. It says so right after connecting; ChromeOS gives
/// all of `Initialize` 3000 ms (platform2 `camera/common/camera_algorithm_bridge_impl.cc`, 59).
pub const HELLO_LIMIT: Duration = Duration::from_secs(1);
/// How long a monitor may take to end after its client left. It kills the vendor process at once;
/// all of it is promised within 100 ms.
pub const LEAVING_LIMIT: Duration = Duration::from_millis(60);
/// Connections at the same time, those that have not said who they are included. A HAL has one or
/// two; each costs up to five descriptors here and two processes.
pub const MAX_CONNECTIONS: usize = 64;

/// What the service has to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Path of `cros_ipa_proxy`.
    pub host: PathBuf,
    /// `service.*`.
    pub settings: Settings,
}

/// The service cannot go on.
#[derive(Debug)]
pub struct ServeError {
    what: &'static str,
    errno: Errno,
}

impl ServeError {
    fn of(what: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self { what, errno }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.errno.desc())
    }
}

impl std::error::Error for ServeError {}
