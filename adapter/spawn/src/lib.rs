//! Getting a host: by starting its executable, `cros_ipa_proxy`, or from the service
//! (`cami-ipa serve`). For the client in the HAL's process, the service, and the service's door.
#![forbid(unsafe_code)]

mod connect;
mod locate;
mod patience;
mod spawn;

pub use connect::{Connected, SOCKET_VARIABLE, connect, service_socket};
pub use locate::{HOST, locate};
pub use patience::Patience;
pub use spawn::{Command, environment, spawn};

use nix::errno::Errno;

/// There is no host to be had.
#[derive(Debug)]
pub struct NoHost {
    /// Why, for a return code: a negative errno.
    pub code: i32,
    /// Cause and remedy in one line.
    pub line: String,
}

impl NoHost {
    fn new(errno: Errno, line: String) -> Self {
        Self { code: -(errno as i32), line }
    }
}
