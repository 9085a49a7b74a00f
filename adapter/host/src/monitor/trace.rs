//! Tracing the vendor process: what it dies of is seen while its registers and mappings are there.
//!
//! With PTRACE_SEIZE the process runs as if nobody watched, but for a stop at each signal and at
//! each new thread. PTRACE_O_EXITKILL ends it should the monitor end. Where tracing is not allowed
//! (another tracer, an outer filter) the exit status is still there.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr;

use nix::errno::Errno;

use super::fault::{self, Fault};
use crate::setup_line::{self, Heard};

/// How the vendor process ended.
#[derive(Clone, Debug)]
pub struct Death {
    /// The signal; 0 if it exited.
    pub signal: i32,
    /// The exit code, if it exited.
    pub exit_code: i32,
    /// Where it was when that signal came, if it was traced and the signal was a fault.
    pub fault: Option<Fault>,
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
    fault: Option<Fault>,
    executed: bool,
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
            | libc::PTRACE_O_TRACEEXEC;
        let traced = request(libc::PTRACE_SEIZE, pid, options) == Ok(());
        if !traced {
            log::info!(
                "tracing the vendor process is not allowed here: a crash will be named by its \
                 signal, without library and offset"
            );
        }
        Self { pid, init, traced, fault: None, executed: false }
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
                _ if libc::WIFSTOPPED(status) => self.stopped(pid, status),
                _ if pid == self.pid => return Some(self.ended(status)),
                _ if let Some(status) = self.told_by_init() => return Some(self.ended(status)),
                // A thread, or something that the library started and left to us.
                _ => {}
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
        let fault = self.fault.take().filter(|fault| fault.signal == signal);
        Death { signal, exit_code, fault, executed: self.executed }
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
    fn stopped(&mut self, thread: i32, status: i32) {
        if !self.traced {
            return;
        }
        let signal = libc::WSTOPSIG(status);
        let event = status >> 16;
        let stop_signals = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
        let (how, pass_on) = match event {
            // A signal on its way to the thread.
            0 => {
                if fault::is_fault(signal) && self.is_own(thread) {
                    self.fault = Some(Fault::of(self.pid, thread, signal));
                }
                (libc::PTRACE_CONT, signal)
            }
            // The whole process is stopped, as by `kill -STOP`: it stays so until SIGCONT.
            libc::PTRACE_EVENT_STOP if stop_signals.contains(&signal) => (libc::PTRACE_LISTEN, 0),
            // The library is gone, with the link and all that it was: nothing is left to talk to.
            libc::PTRACE_EVENT_EXEC if thread == self.pid && !self.runs_ourselves() => {
                self.executed = true;
                // SAFETY: kill touches no memory; it is our child, and not reaped.
                unsafe { libc::kill(thread, libc::SIGKILL) };
                (libc::PTRACE_CONT, 0)
            }
            // A new thread or process, or one that has made one.
            _ => (libc::PTRACE_CONT, 0),
        };
        // ESRCH: it was killed meanwhile, and its end comes next.
        let _ = request(how, thread, pass_on);
    }
}

/// Lets a stopped thread go on; its end comes next, if it was killed.
pub fn let_go_on(thread: i32) {
    let _ = request(libc::PTRACE_CONT, thread, 0);
}

/// A ptrace request whose fourth argument is a number.
fn request(request: libc::c_uint, pid: i32, data: i32) -> Result<(), Errno> {
    let data = ptr::without_provenance_mut::<libc::c_void>(usize::try_from(data).unwrap_or(0));
    // SAFETY: these requests take `data` as a number and write to no memory of ours.
    let result = unsafe { libc::ptrace(request, pid, ptr::null_mut::<libc::c_void>(), data) };
    if result == -1 { Err(Errno::last()) } else { Ok(()) }
}
