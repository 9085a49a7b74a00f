//! Starting the vendor process.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::{ChildStderr, ChildStdout, Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};

use super::trace::Tracer;
use crate::module::Module;
use cami_config::Config;
use cami_vendor::activity::ActivityFile;

/// The first argument of our own re-execution as the vendor process.
pub const VENDOR_ROLE: &str = "--vendor-process";

/// The vendor process, as the monitor sees it.
#[derive(Debug)]
pub struct VendorProcess {
    /// Its number; it is ours until the tracer has reaped it.
    pub pid: i32,
    /// Its death, and what it died of.
    pub tracer: Tracer,
    /// The library's standard output.
    pub stdout: ChildStdout,
    /// The library's standard error.
    pub stderr: ChildStderr,
    /// Our own lines.
    pub log: File,
}

/// Executes this program again in the role of the vendor process: with its own address space
/// layout, nothing of the configuration in memory, and no environment but what is configured. The
/// monitor's copy of the link is closed on return, so that the vendor process's end is the link's.
///
/// # Errors
/// What `pipe` and `posix_spawn` say.
pub fn spawn(
    module: &Module,
    config: &Config,
    link: OwnedFd,
    activity: &ActivityFile,
) -> io::Result<VendorProcess> {
    let (log_reader, log_writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let (go_reader, go_writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    // A library that logs through us must not wait for a monitor that is stopped.
    fcntl(&log_writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let inherited = [link.as_fd(), activity.as_fd(), log_writer.as_fd(), go_reader.as_fd()];
    for fd in inherited {
        // Between here and the spawn nothing else is started: the monitor has one thread.
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    let [link_number, activity_number, log_number, go_number] = inherited.map(number);
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(VENDOR_ROLE)
        .args([link_number, activity_number, log_number, go_number])
        .arg(std::process::id().to_string())
        .arg(if config.profile.needs_st_size { "st-size" } else { "any-size" })
        .arg(&module.path)
        .env_clear()
        .envs(config.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !config.library_path.is_empty() {
        let path = std::env::join_paths(&config.library_path).map_err(io::Error::other)?;
        command.env("LD_LIBRARY_PATH", path);
    }
    let mut child = command.spawn()?;
    drop((link, log_writer, go_reader));
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("the pipes of the vendor process are missing"));
    };
    let log = File::from(log_reader);
    for pipe in [stdout.as_fd(), stderr.as_fd(), log.as_fd()] {
        fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let pid = child.id().cast_signed();
    let tracer = Tracer::seize(pid);
    // It waits for this before anything of the vendor's runs.
    File::from(go_writer).write_all(&[1])?;
    Ok(VendorProcess { pid, tracer, stdout, stderr, log })
}

fn number(fd: BorrowedFd<'_>) -> String {
    fd.as_raw_fd().to_string()
}
