//! Tracing the vendor process: what it dies of is seen while its registers and mappings are there.
//!
//! With PTRACE_SEIZE the process runs as if nobody watched, but for a stop at each signal and at
//! each new thread. PTRACE_O_EXITKILL ends it should the monitor end. Where tracing is not allowed
//! (another tracer, an outer filter) the exit status is still there.

use std::ptr;

use nix::errno::Errno;

use super::fault::{self, Fault};

/// How the vendor process ended.
#[derive(Clone, Debug)]
pub struct Death {
    /// The signal; 0 if it exited.
    pub signal: i32,
    /// The exit code, if it exited.
    pub exit_code: i32,
    /// Where it was when that signal came, if it was traced and the signal was a fault.
    pub fault: Option<Fault>,
}

/// The eyes on one process and all its threads.
#[derive(Debug)]
pub struct Tracer {
    pid: i32,
    traced: bool,
    fault: Option<Fault>,
}

impl Tracer {
    /// Starts to trace `pid`, a child that has one thread yet.
    pub fn seize(pid: i32) -> Self {
        let options = libc::PTRACE_O_EXITKILL | libc::PTRACE_O_TRACECLONE;
        let traced = request(libc::PTRACE_SEIZE, pid, options) == Ok(());
        if !traced {
            log::info!(
                "tracing the vendor process is not allowed here: a crash will be named by its \
                 signal, without library and offset"
            );
        }
        Self { pid, traced, fault: None }
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
                // No children at all: somebody set SIGCHLD to be ignored before we were started.
                -1 => return Some(Death { signal: 0, exit_code: 0, fault: None }),
                _ if libc::WIFSTOPPED(status) => self.stopped(pid, status),
                _ if pid == self.pid => return Some(self.ended(status)),
                // A thread, or something that the library started and left to us.
                _ => {}
            }
        }
    }

    fn ended(&mut self, status: i32) -> Death {
        if libc::WIFSIGNALED(status) {
            let signal = libc::WTERMSIG(status);
            let fault = self.fault.take().filter(|fault| fault.signal == signal);
            Death { signal, exit_code: 0, fault }
        } else {
            Death { signal: 0, exit_code: libc::WEXITSTATUS(status), fault: None }
        }
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
                if fault::is_fault(signal) {
                    self.fault = Some(Fault::of(self.pid, thread, signal));
                }
                (libc::PTRACE_CONT, signal)
            }
            // The whole process is stopped, as by `kill -STOP`: it stays so until SIGCONT.
            libc::PTRACE_EVENT_STOP if stop_signals.contains(&signal) => (libc::PTRACE_LISTEN, 0),
            // A new thread, or one that was cloned.
            _ => (libc::PTRACE_CONT, 0),
        };
        // ESRCH: it was killed meanwhile, and its end comes next.
        let _ = request(how, thread, pass_on);
    }
}

/// A ptrace request whose fourth argument is a number.
fn request(request: libc::c_uint, pid: i32, data: i32) -> Result<(), Errno> {
    let data = ptr::without_provenance_mut::<libc::c_void>(usize::try_from(data).unwrap_or(0));
    // SAFETY: these requests take `data` as a number and write to no memory of ours.
    let result = unsafe { libc::ptrace(request, pid, ptr::null_mut::<libc::c_void>(), data) };
    if result == -1 { Err(Errno::last()) } else { Ok(()) }
}
