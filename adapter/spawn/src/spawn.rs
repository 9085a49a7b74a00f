//! Starting the host's process.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

/// What the host gets.
#[derive(Debug)]
pub struct Command<'a> {
    /// Path of the executable.
    pub host: &'a Path,
    /// Path of the shim, or its file name alone.
    pub module: &'a Path,
    /// The host's end of the link.
    pub link: BorrowedFd<'a>,
    /// The host's end of the control socket.
    pub control: BorrowedFd<'a>,
    /// Its environment, as [`environment`] makes it.
    pub environment: &'a [CString],
}

/// Starts `[host, MODULE, FD, --control, FD]` with posix_spawn: the HAL's memory is not copied
/// (fork stalls a HAL of 1 GiB for 11 ms, spec/anchors.md 2.3) and no code runs in between.
///
/// The two descriptors keep their numbers, and lose close-on-exec by being duplicated onto
/// themselves. Signals start out default and unblocked, whatever this thread has.
///
/// The host starts in the HAL's process group, so that a signal to the group in these first moments
/// reaches it too; it makes a group of its own once its configuration is read.
///
/// # Errors
/// What `posix_spawn` says; `EINVAL` for a path with a NUL byte.
pub fn spawn(command: &Command<'_>) -> Result<Pid, Errno> {
    let mut actions = PosixSpawnFileActions::init()?;
    // Or what the host opens first would take their numbers.
    let closed: Vec<RawFd> = cami_link::closed_standard_streams().collect();
    let null = if closed.is_empty() { None } else { Some(open_null()?) };
    for (number, null) in closed.iter().zip(null.iter().cycle()) {
        actions.add_dup2(null.as_raw_fd(), *number)?;
    }
    for fd in [command.link, command.control] {
        actions.add_dup2(fd.as_raw_fd(), fd.as_raw_fd())?;
    }
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(
        PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK,
    )?;
    attributes.set_sigdefault(&SigSet::all())?;
    attributes.set_sigmask(&SigSet::empty())?;
    let arguments = [
        c_string(command.host.as_os_str())?,
        c_string(command.module.as_os_str())?,
        c_string(OsStr::new(&command.link.as_raw_fd().to_string()))?,
        c_string(OsStr::new("--control"))?,
        c_string(OsStr::new(&command.control.as_raw_fd().to_string()))?,
    ];
    posix_spawn(command.host, &actions, &attributes, &arguments, command.environment)
}

fn open_null() -> Result<File, Errno> {
    let file = File::options().read(true).write(true).open("/dev/null");
    file.map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}

fn c_string(text: &OsStr) -> Result<CString, Errno> {
    CString::new(text.as_bytes()).map_err(|_| Errno::EINVAL)
}

/// The environment of this process for a host; our own variables only where they are trusted. A HAL that gained privileges must not let its caller configure the host,
/// which may not see that it was started with privileges.
#[must_use]
pub fn environment(trusted: bool) -> Vec<CString> {
    std::env::vars_os()
        .filter(|(name, _)| trusted || !name.as_bytes().starts_with(b"CAMI_IPA_"))
        .filter_map(|(name, value)| {
            let mut entry: OsString = name;
            entry.push("=");
            entry.push(value);
            CString::new(entry.into_vec()).ok()
        })
        .collect()
}
