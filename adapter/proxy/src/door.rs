//! From the socket to what serves it.

use std::convert::Infallible;
use std::ffi::c_int;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use cami_config::{Config, Environment, LogTarget};
use cami_guest::Target;
use cami_link::Deadline;
use cami_spawn::Patience;
use cami_vendor::activity::Activity;
use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::first::{self, Interface};
use crate::{libcamera, library, pump};

/// How long the service may take to have a host for us: ChromeOS's total for `Initialize` (platform2
/// `camera/common/camera_algorithm_bridge_impl.cc`, 59).
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// Why a client is not served.
#[derive(Debug)]
pub struct Refusal {
    /// What `ipaRun` returns: a negative errno.
    pub code: c_int,
    /// One line for the log.
    pub line: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(errno: Errno, line: impl Into<String>) -> Self {
        Self { code: -(errno as c_int), line: line.into() }
    }
}

/// Serves the client until it leaves, which ends the process.
///
/// # Errors
/// Only before anything was received.
pub fn run(fd: c_int) -> Result<Infallible, Refusal> {
    cami_link::restrict_system_calls();
    // Until the configuration says otherwise.
    let stream = adopt(fd);
    let name = cami_guest::module_name();
    let config = Config::read(&Environment::of_process(), Some(&name));
    match &config {
        Ok(config) => cami_guest::install(Some(config.log_level), Some(target(&config.log_target))),
        Err(_) => cami_guest::install(None, None),
    }
    let stream = stream?;
    let config = config.map_err(|error| Refusal::new(Errno::EINVAL, error.to_string()))?;
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    reset_child_signal();
    serve(stream, config, &name)
}

/// What a client speaks shows in its first message. That there is no library shows before.
fn serve(stream: OwnedFd, config: Config, name: &str) -> Result<Infallible, Refusal> {
    let library = match &config.socket {
        None => Some(library::find(&config)?),
        Some(_) => None,
    };
    match (first::interface(stream.as_fd())?, library, &config.socket) {
        (Interface::Ipu3, library, _) => libcamera::serve(stream, config, library),
        (Interface::Cros, Some(library), _) => in_this_process(stream, &config, &library),
        (Interface::Cros, None, Some(socket)) => {
            let patience = Patience::until(Deadline::after(CONNECT_LIMIT));
            let host = cami_spawn::connect(socket, Path::new(name), &patience)
                .map_err(|none| Refusal { code: none.code, line: none.line })?;
            pump::run(stream, host)
        }
        (Interface::Cros, None, None) => Err(Refusal::new(Errno::ENOENT, "there is no library")),
    }
}

fn in_this_process(
    stream: OwnedFd,
    config: &Config,
    library: &Path,
) -> Result<Infallible, Refusal> {
    log::info!("serving {}, profile {}", library.display(), config.profile.name);
    let activity = Activity::unwatched()
        .map_err(|errno| Refusal::new(errno, format!("no memory for a page: {errno}")))?;
    cami_vendor::serve_stream(stream, activity, library, config.profile.needs_st_size)
        .map_err(|error| Refusal::new(Errno::EAGAIN, error.to_string()))
}

fn adopt(fd: c_int) -> Result<OwnedFd, Refusal> {
    // SAFETY: F_GETFD looks at the descriptor's flags only, and takes any number.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(Refusal::new(Errno::EBADF, format!("ipaRun: descriptor {fd} is not open")));
    }
    // SAFETY: it is open, and the caller gives it away with the call.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn target(configured: &LogTarget) -> Target {
    match configured {
        LogTarget::Automatic => Target::default(),
        LogTarget::Stderr => Target::Stderr,
        LogTarget::Syslog => Target::Syslog,
        LogTarget::File(path) => Target::File(path.clone()),
    }
}

/// `cros_camera_algo` ignores SIGCHLD, and with it a library's own `waitpid` and `system` fail
/// (spec/cami-abi.md, 2.1).
fn reset_child_signal() {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code.
    if let Err(errno) = unsafe { sigaction(Signal::SIGCHLD, &default) } {
        log::warn!("SIGCHLD stays ignored: {errno}");
    }
}
