//! Starting the vendor process.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::descendants;
use super::output::printable;
use super::trace::Tracer;
use crate::module::Module;
use crate::setup_line::{self, Heard};
use cami_config::Config;
use cami_link::{Deadline, Event, Interest, wait};
use cami_sandbox::{Layer, Outcomes, Plan, Report};
use cami_vendor::activity::ActivityFile;

/// Building the sandbox takes some milliseconds; a machine in trouble gets more.
const SETUP_PATIENCE: Duration = Duration::from_secs(10);

/// The first argument of our own re-execution as the vendor process.
pub const VENDOR_ROLE: &str = "--vendor-process";

/// The vendor process, as the monitor sees it.
#[derive(Debug)]
pub struct VendorProcess {
    /// Its number; it is ours until the tracer has reaped it.
    pub pid: i32,
    /// Its death, and what it died of.
    pub tracer: Tracer,
    /// SIGCHLD by descriptor: it comes for every end and every stop of what is traced.
    pub children: SignalFd,
    /// The library's standard output.
    pub stdout: ChildStdout,
    /// The library's standard error.
    pub stderr: ChildStderr,
    /// Our own lines.
    pub log: File,
    /// What really engaged, looked at before anything of the vendor's ran.
    pub sandbox: Report,
}

/// What it takes to start one.
#[derive(Debug)]
pub struct Start<'a> {
    /// The library.
    pub module: &'a Module,
    /// Its configuration.
    pub config: &'a Config,
    /// The link. The caller closes its copy, so that the vendor process's end is the link's.
    pub link: &'a OwnedFd,
    /// The activity page.
    pub activity: &'a ActivityFile,
    /// The sandbox to build: all of it, or the process ends and is no more.
    pub plan: &'a Plan,
    /// What is expected to stand, and why the rest does not.
    pub report: Report,
}

/// Executes this program again in the role of the vendor process: with its own address space
/// layout, nothing of the configuration in memory, and no environment but what is configured. It
/// stands in its sandbox on return, was looked at, and serves the link.
///
/// # Errors
/// What `pipe` and `posix_spawn` say, why the sandbox could not be built after all, or which
/// required layer does not stand.
pub fn spawn(start: Start<'_>) -> io::Result<VendorProcess> {
    let Start { module, config, link, activity, plan, mut report } = start;
    let (log_reader, log_writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let (line, vendor_line) = setup_line::pair()?;
    // A library that logs through us must not wait for a monitor that is stopped.
    fcntl(&log_writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let inherited = [link.as_fd(), activity.as_fd(), log_writer.as_fd(), vendor_line.as_fd()];
    for fd in inherited {
        // Between here and the spawn nothing else is started: the monitor has one thread until its
        // recorder starts, which is later.
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    let [link_number, activity_number, log_number, line_number] = inherited.map(number);
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(VENDOR_ROLE)
        .args([link_number, activity_number, log_number, line_number])
        .arg(std::process::id().to_string())
        .arg(if config.profile.needs_st_size { "st-size" } else { "any-size" })
        .arg(std::path::absolute(&module.path)?)
        .env_clear()
        .envs(config.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !config.library_path.is_empty() {
        let path = std::env::join_paths(&config.library_path).map_err(io::Error::other)?;
        command.env("LD_LIBRARY_PATH", path);
    }
    let children = children_signal()?;
    let mut child = command.spawn()?;
    drop((log_writer, vendor_line));
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("the pipes of the vendor process are missing"));
    };
    let log = File::from(log_reader);
    for pipe in [stdout.as_fd(), stderr.as_fd(), log.as_fd()] {
        fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    setup_line::send_plan(&line, plan)?;
    let (outcomes, pid) = match account(&line, &mut child, &children, plan) {
        Ok(account) => account,
        Err(reason) => {
            descendants::end(&children, None);
            return Err(io::Error::other(with_last_line(&reason, &mut stderr)));
        }
    };
    // It waits for us now, and nothing of the vendor's has run. Earlier each of its steps would stop
    // it for us.
    let init = plan.layers.has(Layer::Pid).then(|| line.try_clone()).transpose()?;
    let tracer = Tracer::seize(pid, init);
    cami_sandbox::verify(pid, &outcomes, &mut report);
    setup_line::go(&line)?;
    Ok(VendorProcess { pid, tracer, children, stdout, stderr, log, sandbox: report })
}

/// Waits until the vendor process says what it has built; its number comes with it.
fn account(
    line: &OwnedFd,
    started: &mut Child,
    children: &SignalFd,
    plan: &Plan,
) -> Result<(Outcomes, i32), String> {
    let deadline = Deadline::after(SETUP_PATIENCE);
    // With a PID namespace the process that we started makes two others and ends.
    let may_end = plan.layers.has(Layer::Pid);
    loop {
        match setup_line::hear(line) {
            Ok(Heard::Account(json, pid)) => return Ok((Outcomes::from_json(&json)?, pid)),
            Ok(Heard::End(status)) => return Err(format!("it ended with status {status:#x}")),
            Ok(Heard::Closed) => return Err("it ended".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.to_string()),
        }
        match started.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) if may_end && status.success() => {}
            // What it has said before is still there to hear, but it would have waited for us.
            Ok(Some(status)) => return Err(format!("it ended: {status}")),
            Err(error) => return Err(error.to_string()),
        }
        if deadline.has_passed() {
            return Err(format!("it takes more than {} s", SETUP_PATIENCE.as_secs()));
        }
        let mut fds = [
            (line.as_fd(), Interest::Message, Event::default()),
            (children.as_fd(), Interest::Message, Event::default()),
        ];
        wait(&mut fds, Some(deadline)).map_err(|errno| errno.to_string())?;
        while let Ok(Some(_)) = children.read_signal() {}
    }
}

/// The reason, as the vendor process wrote it to standard error, if it did.
fn with_last_line(reason: &str, stderr: &mut ChildStderr) -> String {
    let mut text = Vec::new();
    // It does not block; what came before the end is there.
    let _ = stderr.take(4096).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().last().map(|line| line.trim_start_matches("cros_ipa_proxy: "));
    printable(last.unwrap_or(reason).as_bytes())
}

/// SIGCHLD by descriptor.
fn children_signal() -> Result<SignalFd, nix::errno::Errno> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.thread_block()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

fn number(fd: BorrowedFd<'_>) -> String {
    fd.as_raw_fd().to_string()
}
