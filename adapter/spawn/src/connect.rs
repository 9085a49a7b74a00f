//! Getting a host that the service keeps.
//!
//! The service (`cami-ipa serve`) listens on a named `SOCK_SEQPACKET` socket. The client says who it
//! is, gets its end of the link as the first message, and the connection becomes the control
//! socket. The host is the service's child: there is no process of ours to watch, kill or reap.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cami_link::{Deadline, Framing, Inbox, Link, ReceiveError, connect_seqpacket};
use cami_wire::control::{Hello, MAX_MODULE_BYTES, Refused, from_monitor};
use cami_wire::cros::PROTOCOL_VERSION;
use nix::errno::Errno;

use crate::{NoHost, Patience};

/// Names the service's socket, in place of starting a host.
pub const SOCKET_VARIABLE: &str = "CAMI_IPA_SOCKET";
/// Largest message of the service: a refusal with two paths of 4096 bytes and a sentence.
const CONTROL_BYTES: usize = 16 << 10;
/// Between two attempts: a service that starts late is met soon, at the cost of one `connect`.
const STEP: Duration = Duration::from_millis(20);
/// Backlog of the link: that of a link that we make ourselves (`Link::from_fd`).
const BACKLOG_MESSAGES: usize = 4096;
/// The same in bytes.
const BACKLOG_BYTES: usize = 8 << 20;

/// The service's socket, if `CAMI_IPA_SOCKET` names one in an environment that may be trusted.
#[must_use]
pub fn service_socket(environment_trusted: bool) -> Option<PathBuf> {
    let named = environment_trusted.then(|| std::env::var_os(SOCKET_VARIABLE)).flatten();
    named.filter(|named| !named.is_empty()).map(PathBuf::from)
}

/// What a client gets from the service.
#[derive(Debug)]
pub struct Connected {
    /// Its end of the link.
    pub link: Link,
    /// The connection: the control socket of its monitor.
    pub control: Link,
}

/// Connects with this patience, which is how long a service may take to be started. `module` is the
/// file that the client was loaded from.
///
/// # Errors
/// A negative errno and a line that says what to do. Those of `connect` where nobody listens or may
/// not be connected to, the service's own where it refused, `EPROTO` for what is no service.
pub fn connect(socket: &Path, module: &Path, patience: &Patience<'_>) -> Result<Connected, NoHost> {
    loop {
        let failure = match attempt(socket, module, patience) {
            Ok(connected) => return Ok(connected),
            Err(failure) => failure,
        };
        match failure {
            Attempt::Failed(error) => return Err(error),
            Attempt::NotYet(errno) if patience.deadline().remaining() < STEP => {
                return Err(NoHost::new(errno, not_there(socket, errno)));
            }
            // Nothing to wait for but the time.
            Attempt::NotYet(_) => drop(patience.wait_for(None, STEP)),
        }
    }
}

/// Why an attempt came to nothing.
enum Attempt {
    /// Another may succeed: there is no service yet, or it has just ended.
    NotYet(Errno),
    /// It would not.
    Failed(NoHost),
}

fn attempt(socket: &Path, module: &Path, patience: &Patience<'_>) -> Result<Connected, Attempt> {
    let connection = connect_seqpacket(socket).map_err(|errno| match errno {
        Errno::ENOENT | Errno::ECONNREFUSED | Errno::EAGAIN => Attempt::NotYet(errno),
        _ => Attempt::Failed(NoHost::new(errno, not_there(socket, errno))),
    })?;
    let control = link(connection, 0, 0)?;
    let name = module.file_name().unwrap_or_default().to_string_lossy();
    let end = name.floor_char_boundary(MAX_MODULE_BYTES);
    let module = name.get(..end).unwrap_or_default().to_owned();
    let hello = Hello { protocol: PROTOCOL_VERSION, module }.encode();
    // A service that refuses before it has heard us closes its end: why stands in what it sent.
    let _ = control.send(&[IoSlice::new(&hello)], &[], Duration::ZERO);
    let mut inbox = Inbox::new(CONTROL_BYTES, 1);
    // What is there by then, or nothing.
    let _ = patience.wait_for(Some(control.as_fd()), Duration::MAX);
    match control.receive(&mut inbox, Some(Deadline::now())) {
        Ok(message) if message.command == from_monitor::LINK => {
            let lost = message.fds_lost;
            let Some(fd) = message.fds.take_one() else {
                let errno = if lost { Errno::EMFILE } else { Errno::EPROTO };
                return Err(Attempt::Failed(NoHost::new(
                    errno,
                    format!("the link that the service sent did not arrive: {}", errno.desc()),
                )));
            };
            let link = link(fd, BACKLOG_MESSAGES, BACKLOG_BYTES)?;
            Ok(Connected { link, control })
        }
        Ok(message) if message.command == from_monitor::REFUSED => {
            match Refused::decode(message.body) {
                Ok(refused) => Err(Attempt::Failed(NoHost {
                    code: if refused.errno < 0 { refused.errno } else { -(Errno::EINVAL as i32) },
                    line: format!("the service refused: {}", refused.reason),
                })),
                Err(_) => Err(Attempt::Failed(stranger(socket))),
            }
        }
        Ok(_) | Err(ReceiveError::Malformed(_)) => Err(Attempt::Failed(stranger(socket))),
        Err(ReceiveError::Closed) => Err(Attempt::NotYet(Errno::ECONNRESET)),
        Err(ReceiveError::TimedOut) => Err(Attempt::Failed(NoHost::new(
            Errno::ETIMEDOUT,
            format!("the service on {} accepted and said nothing", socket.display()),
        ))),
        Err(ReceiveError::Os(errno)) => {
            Err(Attempt::Failed(NoHost::new(errno, not_there(socket, errno))))
        }
    }
}

fn link(fd: std::os::fd::OwnedFd, messages: usize, bytes: usize) -> Result<Link, Attempt> {
    Link::of_known_type(fd, Framing::OnePacket, messages, bytes).map_err(|error| {
        Attempt::Failed(NoHost::new(Errno::EPROTO, format!("no link can be made: {error}")))
    })
}

fn not_there(socket: &Path, errno: Errno) -> String {
    let remedy = match errno {
        Errno::EACCES | Errno::EPERM => "; its --mode, its folder or a security module forbids it",
        Errno::EPROTOTYPE => "; that is a socket of another type, not that of `cami-ipa serve`",
        Errno::EMFILE => "; close descriptors or raise RLIMIT_NOFILE",
        Errno::ENAMETOOLONG => "; a socket's path has at most 107 bytes",
        _ => "; start `cami-ipa serve`, or unset the variable to have a host started here",
    };
    format!(
        "no connection to the service on {} ({SOCKET_VARIABLE}): {}{remedy}",
        socket.display(),
        errno.desc()
    )
}

fn stranger(socket: &Path) -> NoHost {
    NoHost::new(
        Errno::EPROTO,
        format!("what listens on {} is not `cami-ipa serve` of this release", socket.display()),
    )
}
