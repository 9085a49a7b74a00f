//! `ipu3_ipa_proxy MODULE FD`: the worker that libcamera starts for an isolated IPU3 module.
//!
//! libcamera finds it by its name in `LIBCAMERA_IPA_PROXY_PATH`, or in `ipa.proxy_paths` of its
//! configuration, before its own. Where `MODULE` is ours it serves the interface (`cami-door`), with a
//! vendor library behind it that runs in a process of its own (`cami-client`). Any other module it
//! leaves to libcamera's own worker, which takes its place.
//!
//! libcamera has put this process into namespaces of its own for users and networks (0.0.3 to master),
//! closed its standard streams (up to 0.5.0), and will not hear of its end. So it never ends for a
//! reason that an answer can tell: a configuration that cannot be read is an error of `init`.

#[path = "../ipa.rs"]
mod ipa;
mod own_worker;
mod streams;

use std::ffi::OsString;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::process::ExitCode;

use cami_config::{Config, ConfigError, Environment};
use cami_door::limits::Limits;
use cami_door::{Door, End, Parent, serve};
use cami_libcamera::MODULE_NAME;
use cami_link::Link;

use crate::ipa::Behind;

const USAGE: &str = "\
Usage: ipu3_ipa_proxy MODULE FD

The worker that libcamera starts for an isolated IPU3 module; it is of little use
by hand. If MODULE is ipa_cami_ipu3.so it serves libcamera on the connected Unix
socket FD, with the configured vendor_library in a process of its own. Any other
MODULE is left to libcamera's own worker.

  --help        this text
  --version     the version

The configuration is $CAMI_IPA_CONFIG or /etc/cami-ipa.toml, its section
[\"ipa_cami_ipu3.so\"], and the environment; `cami-ipa doctor` checks it.
Exit status: 0 libcamera has ended it or is gone, 1 it cannot be served.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [help] if help == "--help" || help == "-h" => print(USAGE),
        [version] if version == "--version" || version == "-V" => {
            print(concat!("ipu3_ipa_proxy ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        [module, fd] => worker(Path::new(module), fd.to_str().and_then(|fd| fd.parse().ok())),
        _ => {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), USAGE.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn worker(module: &Path, fd: Option<RawFd>) -> ExitCode {
    streams::open_closed();
    let config = Config::read(&Environment::of_process(), Some(MODULE_NAME));
    streams::log_to(config.as_ref().ok());
    let unserved = if cami_libcamera::is_ours(module) {
        None
    } else {
        // Returns only if there is none.
        Some(own_worker::become_it(module, config.as_ref().ok()))
    };
    let Some(socket) = fd.and_then(adopt) else {
        log::error!("libcamera's socket is not open");
        return ExitCode::FAILURE;
    };
    // As libcamera's workers do: what is typed at the application's terminal is not meant for us.
    let _ = nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(0));
    let parent = Parent::of(socket.as_fd());
    let link = match Link::from_fd(socket) {
        Ok(link) => link,
        Err(error) => {
            log::error!("libcamera's socket: {error}");
            return ExitCode::FAILURE;
        }
    };
    let behind = match unserved {
        Some(reason) => Behind::Nothing { errno: -libc::ENOEXEC, reason },
        None => behind(config),
    };
    let end = serve(Door {
        link,
        parent: Some(parent),
        ipa: ipa::maker(behind),
        limits: Limits::PROMISED,
    });
    log::debug!("it is over: {end:?}");
    let code = i32::from(matches!(end, End::Broken(_)));
    // The other threads may be anywhere. What they hold, the kernel gives back, and the host ends as
    // soon as it sees its sockets closed.
    // SAFETY: _exit has no preconditions; nothing of ours needs an orderly end.
    unsafe { libc::_exit(code) }
}

/// What is behind the door, by the configuration.
fn behind(config: Result<Config, ConfigError>) -> Behind {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            return Behind::Nothing { errno: -libc::EINVAL, reason: error.to_string() };
        }
    };
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    Behind::Host(Box::new(config))
}

fn adopt(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: F_GETFD looks at the descriptor's flags only, and takes any number.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: it is open, and libcamera has given it to this process by its command line.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}
