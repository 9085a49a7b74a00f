//! The standard streams of a worker.

use std::os::fd::AsFd;

use cami_config::{Config, LogTarget};
use cami_guest::Target;
use nix::sys::stat::fstat;

/// Opens those that are closed on `/dev/null`, before anything else gets their numbers: libcamera up
/// to 0.5.0 closes all three (spec/libcamera-ipa.md, section 5, number 19), and whatever is opened
/// next would receive what a library prints.
///
/// Rust's runtime has done so already where it could; this does not rely on it.
pub fn open_closed() {
    for stream in cami_link::closed_standard_streams().collect::<Vec<_>>() {
        // SAFETY: a C string and flags; without O_CREAT there is no third argument.
        let fd = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
        if fd >= 0 && fd != stream {
            // SAFETY: two numbers; `stream` is closed, so nothing of anybody's is replaced.
            unsafe { libc::dup2(fd, stream) };
            // SAFETY: just opened, and nobody else's.
            unsafe { libc::close(fd) };
        }
    }
}

/// Installs the log. Without a target in the configuration it is standard error, unless that is
/// `/dev/null`, as it is when it was closed: then the system log.
pub fn log_to(config: Option<&Config>) {
    let target = match config.map(|config| &config.log_target) {
        None | Some(LogTarget::Automatic) if is_null(std::io::stderr()) => Target::Syslog,
        None | Some(LogTarget::Automatic) => Target::default(),
        Some(LogTarget::Stderr) => Target::Stderr,
        Some(LogTarget::Syslog) => Target::Syslog,
        Some(LogTarget::File(path)) => Target::File(path.clone()),
    };
    cami_guest::install(config.map(|config| config.log_level), Some(target));
}

/// Whether a descriptor is `/dev/null` (linux `Documentation/admin-guide/devices.txt`: 1, 3).
fn is_null(fd: impl AsFd) -> bool {
    fstat(fd).is_ok_and(|status| {
        status.st_mode & libc::S_IFMT == libc::S_IFCHR && status.st_rdev == libc::makedev(1, 3)
    })
}
