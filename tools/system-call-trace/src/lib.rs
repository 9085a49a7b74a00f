//! Follows the system calls of a process, of its threads and of its children, by ptrace.
//!
//! Needs Linux 5.3 (`PTRACE_GET_SYSCALL_INFO`). The thread that calls [`trace`] is the tracer, and
//! waits for all children of its process meanwhile. `unsafe` is the system calls of `ptrace`.

mod ptrace;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;

use nix::errno::Errno;

use ptrace::{Stop, Waited};

/// A system call that a thread is about to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The thread, by its number.
    pub thread: i32,
    /// The ABI that the call belongs to: an `AUDIT_ARCH_` value of linux
    /// `include/uapi/linux/audit.h`.
    pub audit_arch: u32,
    /// The call's number in that ABI.
    pub number: i64,
    /// Its arguments; what a call does not have is whatever the register held.
    pub arguments: [u64; 6],
}

/// Who is told. The thread in question stands still meanwhile, and its memory can be read.
pub trait Observer {
    /// A thread enters a call. `Break` ends the process and all that it started.
    fn enters(&mut self, call: &Call) -> ControlFlow<()>;
    /// A thread's call has ended with this: negative values down to -4095 are an errno. A call that
    /// ends its thread has no end.
    fn leaves(&mut self, thread: i32, result: i64);
    /// `parent` has made a thread or a process.
    fn starts(&mut self, parent: i32, child: i32);
    /// `thread` has executed another program.
    fn executes(&mut self, thread: i32);
}

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
    /// Because the observer had enough.
    Broken,
}

/// Why it could not be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceError {
    what: &'static str,
    errno: Errno,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.errno {
            Errno::EPERM => {
                "; another tracer has it (gdb, strace), or a sandbox or kernel.yama.ptrace_scope \
                 forbids it"
            }
            Errno::EIO | Errno::ENOSYS => "; the kernel is before 5.3, or a sandbox forbids it",
            _ => "",
        };
        write!(f, "{}: {}{meaning}", self.what, self.errno)
    }
}

impl std::error::Error for TraceError {}

fn failed(what: &'static str) -> impl FnOnce(Errno) -> TraceError {
    move |errno| TraceError { what, errno }
}

/// Follows `pid`, a child of this process with one thread, until it ends. `ready` is called once
/// every further call is seen. Where this process ends, the child ends.
///
/// # Errors
/// The process cannot be traced. It goes on untraced, or was ended.
pub fn trace(
    pid: i32,
    ready: impl FnOnce(),
    observer: &mut dyn Observer,
) -> Result<End, TraceError> {
    ptrace::seize(pid).map_err(failed("PTRACE_SEIZE"))?;
    ptrace::interrupt(pid).map_err(failed("PTRACE_INTERRUPT"))?;
    let mut tracer =
        Tracer { pid, ready: Some(ready), known: BTreeSet::from([pid]), held: BTreeSet::new() };
    loop {
        let waited = ptrace::wait().map_err(failed("waitpid"))?;
        if let Some(end) = tracer.step(waited, observer)? {
            return Ok(end);
        }
    }
}

struct Tracer<R> {
    pid: i32,
    /// Called at the first stop.
    ready: Option<R>,
    /// Threads whose beginning the observer was told of.
    known: BTreeSet<i32>,
    /// New threads that stopped before their parent's stop told of them.
    held: BTreeSet<i32>,
}

impl<R: FnOnce()> Tracer<R> {
    fn step(
        &mut self,
        waited: Waited,
        observer: &mut dyn Observer,
    ) -> Result<Option<End>, TraceError> {
        let Waited { thread, stop } = waited;
        let mut signal = 0;
        match stop {
            Stop::Exited(code) if thread == self.pid => return Ok(Some(End::Exited(code))),
            Stop::Signaled(signal) if thread == self.pid => return Ok(Some(End::Signaled(signal))),
            Stop::Exited(_) | Stop::Signaled(_) => {
                self.known.remove(&thread);
                return Ok(None);
            }
            Stop::SystemCall => match ptrace::system_call(thread) {
                Ok(Some(ptrace::SystemCall::Enters { audit_arch, number, arguments })) => {
                    let call = Call { thread, audit_arch, number, arguments };
                    if observer.enters(&call).is_break() {
                        ptrace::kill(self.pid);
                        return self.end();
                    }
                }
                Ok(Some(ptrace::SystemCall::Leaves(result))) => observer.leaves(thread, result),
                // Killed meanwhile.
                Ok(None) | Err(Errno::ESRCH) => {}
                Err(errno) => {
                    ptrace::kill(self.pid);
                    return Err(TraceError { what: "PTRACE_GET_SYSCALL_INFO", errno });
                }
            },
            Stop::Started(child) => {
                self.known.insert(child);
                observer.starts(thread, child);
                if self.held.remove(&child) {
                    ptrace::go_on(child, 0);
                }
            }
            // Its own start may still be under way when it is seized.
            Stop::Executed if self.ready.is_some() => {}
            Stop::Executed => observer.executes(thread),
            Stop::Signal(number) => signal = number,
            Stop::Other => {
                if !self.known.contains(&thread) {
                    self.held.insert(thread);
                    return Ok(None);
                }
            }
        }
        ptrace::go_on(thread, signal);
        if let Some(ready) = self.ready.take() {
            ready();
        }
        Ok(None)
    }

    /// Waits until a killed process is gone; what it started ends with the tracer, or by itself.
    fn end(&self) -> Result<Option<End>, TraceError> {
        loop {
            let Waited { thread, stop } = ptrace::wait().map_err(failed("waitpid"))?;
            if thread == self.pid && matches!(stop, Stop::Exited(_) | Stop::Signaled(_)) {
                return Ok(Some(End::Broken));
            }
        }
    }
}
