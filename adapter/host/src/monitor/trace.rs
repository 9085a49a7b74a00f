//! Tracing the vendor process: what it dies of is seen while its registers and mappings are there.
//!
//! With PTRACE_SEIZE the process runs as if nobody watched, but for a stop at each signal, at each
//! new thread and at the end of each. PTRACE_O_EXITKILL ends it should the monitor end. Where
//! tracing is not allowed (another tracer, an outer filter) the exit status is still there.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr;
use std::time::Instant;

use nix::errno::Errno;

use super::fault::{Fault, Image, SignalInfo, is_fault};
use super::registers::Registers;
use crate::setup_line::{self, Heard};

/// How the vendor process ended.
#[derive(Clone, Debug)]
pub struct Death {
    /// The signal; 0 if it exited.
    pub signal: i32,
    /// The exit code, if it exited.
    pub exit_code: i32,
    /// What the thread that ended it was doing, if it was traced.
    pub fault: Option<Fault>,
    /// The process at that moment, likewise.
    pub image: Image,
    /// It executed another program, and was killed for it.
    pub executed: bool,
}

/// The exit code of a death whose status somebody else has taken.
pub const UNKNOWN_STATUS: i32 = -1;

/// The eyes on one process and all its threads.
#[derive(Debug)]
pub struct Tracer {
    pid: i32,
    /// The first process of the PID namespace: it tells the vendor process's status on the socket
    /// and ends, where we do not see it ourselves.
    init: Option<OwnedFd>,
    traced: bool,
    /// The last signal that came to a thread of it and kills where nobody handles it.
    signal: Option<SignalInfo>,
    end: Option<(Fault, Image)>,
    executed: bool,
    stopped: Stopped,
}

/// The threads that a signal has stopped.
#[derive(Debug, Default)]
struct Stopped {
    threads: BTreeSet<i32>,
    since: Option<(i32, Instant)>,
}

impl Stopped {
    fn add(&mut self, thread: i32, signal: i32) {
        self.threads.insert(thread);
        self.since.get_or_insert_with(|| (signal, Instant::now()));
    }

    fn remove(&mut self, thread: i32) {
        self.threads.remove(&thread);
        if self.threads.is_empty() {
            self.since = None;
        }
    }
}

impl Tracer {
    /// Starts to trace `pid`, which has one thread yet. `init` is the socket of the first process in
    /// its PID namespace; without one it is our child.
    pub fn seize(pid: i32, init: Option<OwnedFd>) -> Self {
        // Its children too, so that the end of the monitor is theirs.
        let options = libc::PTRACE_O_EXITKILL
            | libc::PTRACE_O_TRACECLONE
            | libc::PTRACE_O_TRACEFORK
            | libc::PTRACE_O_TRACEVFORK
            | libc::PTRACE_O_TRACEEXEC
            | libc::PTRACE_O_TRACEEXIT;
        let traced = request(libc::PTRACE_SEIZE, pid, options) == Ok(());
        if !traced {
            log::info!(
                "tracing the vendor process is not allowed here: a crash will be named by its \
                 signal, without library and offset"
            );
        }
        let (signal, end, stopped) = (None, None, Stopped::default());
        Self { pid, init, traced, signal, end, executed: false, stopped }
    }

    /// Whether the vendor process is traced.
    pub fn is_traced(&self) -> bool {
        self.traced
    }

    /// The signal that keeps the vendor process stopped, and since when, as far as tracing tells.
    pub fn stopped(&self) -> Option<(i32, Instant)> {
        self.stopped.since
    }

    /// Takes what the kernel has to say of our children, without waiting; the vendor process's
    /// death if that is among it.
    pub fn poll(&mut self) -> Option<Death> {
        loop {
            let mut status = 0;
            let flags = libc::WNOHANG | libc::__WALL;
            // SAFETY: `status` is writable.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, flags) };
            match pid {
                0 => return None,
                -1 if Errno::last() == Errno::EINTR => {}
                // No children at all: its status is gone, and so is it.
                -1 => return Some(self.death(0, UNKNOWN_STATUS)),
                _ if libc::WIFSTOPPED(status) => self.thread_stopped(pid, status),
                _ if pid == self.pid => return Some(self.ended(status)),
                _ if let Some(status) = self.told_by_init() => return Some(self.ended(status)),
                // A thread, or something that the library started and left to us.
                _ => self.stopped.remove(pid),
            }
        }
    }

    /// Where the vendor process is not our child and not traced: its status, once init has told it;
    /// an init that is gone without a word was killed, and all of its namespace with it.
    fn told_by_init(&self) -> Option<i32> {
        match setup_line::hear(self.init.as_ref().filter(|_| !self.traced)?) {
            Ok(Heard::End(status)) => Some(status),
            Ok(Heard::Closed) => Some(libc::SIGKILL),
            _ => None,
        }
    }

    fn ended(&mut self, status: i32) -> Death {
        if libc::WIFSIGNALED(status) {
            self.death(libc::WTERMSIG(status), 0)
        } else {
            self.death(0, libc::WEXITSTATUS(status))
        }
    }

    fn death(&mut self, signal: i32, exit_code: i32) -> Death {
        let (fault, image) = self
            .end
            .take()
            .filter(|(fault, _)| fault.info.signal == signal)
            .map_or((None, Image::default()), |(fault, image)| (Some(fault), image));
        Death { signal, exit_code, fault, image, executed: self.executed }
    }

    /// Whether the process executes this program.
    fn runs_ourselves(&self) -> bool {
        // By its inode: in a root of its own a file has another name, or none.
        let file = |path: String| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
        let own = file("/proc/self/exe".to_owned());
        own.is_some() && own == file(format!("/proc/{}/exe", self.pid))
    }

    /// Whether a thread is the vendor process's, and not of something that it has started.
    fn is_own(&self, thread: i32) -> bool {
        Path::new(&format!("/proc/{}/task/{thread}", self.pid)).exists()
    }

    /// One thread stopped: look, and let it go on.
    fn thread_stopped(&mut self, thread: i32, status: i32) {
        if !self.traced {
            return;
        }
        self.stopped.remove(thread);
        let signal = libc::WSTOPSIG(status);
        let event = status >> 16;
        let stop_signals = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
        let (how, pass_on) = match event {
            // A signal on its way to the thread.
            0 => {
                if is_fault(signal) && self.is_own(thread) {
                    self.signal = Some(SignalInfo::of(thread, signal).in_our_numbers(self.pid));
                }
                (libc::PTRACE_CONT, signal)
            }
            // The whole process is stopped, as by `kill -STOP`: it stays so until SIGCONT.
            libc::PTRACE_EVENT_STOP if stop_signals.contains(&signal) => {
                if self.is_own(thread) {
                    self.stopped.add(thread, signal);
                }
                (libc::PTRACE_LISTEN, 0)
            }
            // The library is gone, with the link and all that it was: nothing is left to talk to.
            libc::PTRACE_EVENT_EXEC if thread == self.pid && !self.runs_ourselves() => {
                self.executed = true;
                // SAFETY: kill touches no memory; it is our child, and not reaped.
                unsafe { libc::kill(thread, libc::SIGKILL) };
                (libc::PTRACE_CONT, 0)
            }
            libc::PTRACE_EVENT_EXIT => {
                if self.end.is_none() && self.is_own(thread) {
                    self.end = self.exiting(thread);
                }
                (libc::PTRACE_CONT, 0)
            }
            // A new thread or process, or one that has made one.
            _ => (libc::PTRACE_CONT, 0),
        };
        // ESRCH: it was killed meanwhile, and its end comes next.
        let _ = request(how, thread, pass_on);
    }

    /// A thread is about to end: looks at it if it is the one that ends the process, or was killed
    /// in the midst of a call of the library. All threads of a process that ends have the same
    /// status here.
    fn exiting(&self, thread: i32) -> Option<(Fault, Image)> {
        let status = event_message(thread)?;
        let signal = libc::WTERMSIG(status);
        let bare = SignalInfo::bare(thread, signal);
        let registers = Registers::read(thread)?;
        let info = match self.signal.filter(|info| info.signal == signal) {
            Some(info) if info.thread == thread => Some(info),
            // A filter that kills sends no signal that could be seen on its way.
            _ if signal == libc::SIGSYS && registers.was_refused() => {
                Some(SignalInfo { system_call: registers.system_call(), ..bare })
            }
            None if signal == 0 && registers.system_call() == Some(libc::SYS_exit_group) => {
                Some(bare)
            }
            None if signal != 0 && signal != libc::SIGSYS && thread == self.pid => Some(bare),
            _ => None,
        };
        Some(Fault::of(self.pid, info?, &registers))
    }
}

/// Lets a stopped thread go on.
///
/// # Errors
/// `ESRCH` where it is not traced, not stopped, or gone.
pub fn go_on(thread: i32) -> Result<(), Errno> {
    request(libc::PTRACE_CONT, thread, 0)
}

/// The exit status of a thread that is about to end.
fn event_message(thread: i32) -> Option<i32> {
    let mut message: libc::c_ulong = 0;
    let none = ptr::null_mut::<libc::c_void>();
    // SAFETY: `message` is writable and of the type that this request fills.
    let result = unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, thread, none, &raw mut message) };
    if result == 0 { i32::try_from(message).ok() } else { None }
}

/// A ptrace request whose fourth argument is a number.
fn request(request: libc::c_uint, pid: i32, data: i32) -> Result<(), Errno> {
    let data = ptr::without_provenance_mut::<libc::c_void>(usize::try_from(data).unwrap_or(0));
    // SAFETY: these requests take `data` as a number and write to no memory of ours.
    let result = unsafe { libc::ptrace(request, pid, ptr::null_mut::<libc::c_void>(), data) };
    if result == -1 { Err(Errno::last()) } else { Ok(()) }
}
