//! The writer: a process of its own, so that nothing is lost however the monitor ends, and nobody
//! waits for a disk.
//!
//! It is this program in another role, started by the monitor once the vendor process is there. What
//! it has of the monitor is the pipe with what to write, memory for what does not fit in there at the
//! end, a pipe back for lines of the log, and the client's link with the vendor process's pidfd: see
//! [`hold`]. It ends when the pipe does, that is, some moments after the monitor, and then has written all
//! that was in it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use cami_link::{Event, Interest, Waker, wait};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::inbox::Inbox;
use super::queue::Beside;
use super::scribe::Scribe;
use crate::vendor_process::{StartError, close_all_but, default_signals, inherited};

/// The first argument of our own re-execution as the writer. The service knows it by that
/// (`cami_service`, descendants.rs).
pub const RECORDER_ROLE: &str = "--recorder";
/// Bytes of the pipe where the kernel allows so many (/proc/sys/fs/pipe-max-size).
const PIPE_BYTES: i32 = 1 << 20;
/// A disk that takes longer, once the monitor is gone, has failed.
const LAST_SECONDS: u32 = 60;

/// The first byte of each line back: what follows is for the log at this level, or that the file is
/// there.
pub mod voice {
    /// An error.
    pub const WARN: u8 = b'W';
    /// What people want to know.
    pub const INFO: u8 = b'I';
    /// What they do not.
    pub const DEBUG: u8 = b'D';
    /// The file is there and locked by somebody, so that others can wait for it.
    pub const PLACE: u8 = b'P';
}

/// The monitor's ends.
#[derive(Debug)]
pub struct Started {
    /// What to write goes there; it does not block.
    pub pipe: File,
    /// What it has besides the pipe.
    pub beside: Beside,
    /// Lines come from there; it does not block, and ends when the writer does.
    pub voice: File,
    /// Our child.
    pub child: Child,
}

/// Starts it. The monitor has one thread yet, so that nobody else inherits what is inheritable for a
/// moment.
///
/// # Errors
/// What the kernel says.
pub fn start(link: BorrowedFd<'_>, vendor: Option<BorrowedFd<'_>>) -> io::Result<Started> {
    let (pipe_reader, pipe) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let (voice, voice_writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let rest = File::from(memfd_create("cami-recorder", MFdFlags::MFD_CLOEXEC)?);
    // A limit on the size of files is one on its size too: there is less to be had then, and that is all.
    ignore(&[Signal::SIGXFSZ]);
    // A smaller one fills sooner, and what waits then is in the monitor's memory.
    let _ = fcntl(&pipe, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
    for ours in [&pipe, &voice] {
        fcntl(ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    // What it cannot say at once is not worth its waiting.
    fcntl(&voice_writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut command = Command::new("/proc/self/exe");
    command.arg(RECORDER_ROLE);
    let full = Waker::new()?;
    let copies = [pipe_reader.as_fd(), voice_writer.as_fd(), rest.as_fd(), full.as_fd(), link];
    let copies = copies.map(Some).into_iter().chain([vendor]);
    // Copies are closed below, and the originals stay as they are.
    let copies: Vec<OwnedFd> =
        copies.flatten().map(|fd| fd.try_clone_to_owned()).collect::<io::Result<_>>()?;
    for copy in &copies {
        fcntl(copy, FcntlArg::F_SETFD(FdFlag::empty()))?;
        command.arg(copy.as_raw_fd().to_string());
    }
    let child = command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let beside = Beside { rest, full };
    Ok(Started { pipe: pipe.into(), beside, voice: voice.into(), child })
}

/// What it has inherited.
#[derive(Debug)]
pub struct RecorderArguments {
    pipe: OwnedFd,
    voice: OwnedFd,
    rest: OwnedFd,
    full: OwnedFd,
    link: OwnedFd,
    vendor: Option<OwnedFd>,
}

impl RecorderArguments {
    /// Of the command line.
    ///
    /// # Errors
    /// Where it is not the monitor's.
    pub fn of(arguments: &[OsString]) -> Result<Self, StartError> {
        let mut fds = arguments
            .iter()
            .map(|text| inherited(text.to_str().unwrap_or_default()))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let mut next = || fds.next();
        match (next(), next(), next(), next(), next(), next(), next()) {
            (Some(pipe), Some(voice), Some(rest), Some(full), Some(link), vendor, None) => {
                Ok(Self { pipe, voice, rest, full, link, vendor })
            }
            _ => Err(StartError::new("the writer is started by the monitor only")),
        }
    }
}

/// Writes until nothing more comes.
pub fn run(arguments: RecorderArguments) -> ExitCode {
    let RecorderArguments { pipe, voice, rest, full, link, vendor } = arguments;
    let mut keep = vec![0, 1, 2];
    keep.extend([&pipe, &voice, &rest, &full, &link].map(AsRawFd::as_raw_fd));
    keep.extend(vendor.as_ref().map(AsRawFd::as_raw_fd));
    let _ = close_all_but(&keep);
    // Neither ^C at the HAL's terminal nor the end of a service is to cut what it still has.
    let _ = nix::unistd::setsid();
    let _ = nix::unistd::chdir("/");
    let _ = default_signals();
    ignore(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGXFSZ, Signal::SIGPIPE]);
    let inbox = Arc::new(Inbox::default());
    let pipe = Arc::new(File::from(pipe));
    let holder = spawn("cami-hold", {
        let pipe = pipe.clone();
        move || hold(&pipe, link, vendor)
    });
    let taker = spawn("cami-inbox", {
        let inbox = inbox.clone();
        let beside = Beside { rest: rest.into(), full: Waker::inherited(full) };
        move || inbox.fill(&pipe, &beside)
    });
    let voice = Voice(voice.into());
    let (Ok(holder), Ok(_)) = (holder, taker) else {
        voice.say(voice::WARN, "nothing is recorded: the writer has no threads");
        return ExitCode::FAILURE;
    };
    // The file and the voice are closed by then.
    Scribe::new(inbox, voice).run();
    let _ = holder.join();
    ExitCode::SUCCESS
}

fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Holds the client's link until the vendor process has ended: a client that kills the monitor, and
/// it with the monitor, takes the link's end for that of the vendor process, which is so where nothing
/// stands between them. And sees to it that a disk which hangs does not keep this process for ever.
fn hold(pipe: &File, link: OwnedFd, vendor: Option<OwnedFd>) {
    let mut held = vendor.map(|vendor| (link, vendor));
    let mut monitor_is_there = true;
    while monitor_is_there || held.is_some() {
        let monitor = if monitor_is_there { Interest::HangUp } else { Interest::None };
        let mut fds = [
            (pipe.as_fd(), monitor, Event::default()),
            (pipe.as_fd(), Interest::None, Event::default()),
        ];
        if let Some((_, vendor)) = &held
            && let Some(entry) = fds.get_mut(1)
        {
            *entry = (vendor.as_fd(), Interest::Message, Event::default());
        }
        if wait(&mut fds, None).is_err() {
            return;
        }
        let [(.., of_monitor), (.., of_vendor)] = fds;
        if of_vendor.readable || of_vendor.hung_up {
            held = None;
        }
        if monitor_is_there && of_monitor.hung_up {
            monitor_is_there = false;
            nix::unistd::alarm::set(LAST_SECONDS);
        }
    }
}

fn ignore(signals: &[Signal]) {
    let ignored = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    for &signal in signals {
        // SAFETY: nothing runs in a handler.
        let _ = unsafe { sigaction(signal, &ignored) };
    }
}

/// Says to the monitor what is for the log. Once it is gone nobody hears.
#[derive(Debug)]
pub struct Voice(File);

impl Voice {
    /// A line.
    pub fn say(&self, level: u8, line: &str) {
        let mut bytes = vec![level];
        bytes.extend(line.bytes().filter(|&byte| byte != b'\n'));
        bytes.push(b'\n');
        let _ = (&self.0).write(&bytes);
    }
}
