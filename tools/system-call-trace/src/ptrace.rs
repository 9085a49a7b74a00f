//! The system calls of ptrace that are needed here.
//!
//! nix has them too, but its signals end before the real-time ones, and glibc cancels threads with
//! those.

use std::mem::MaybeUninit;
use std::ptr;

use nix::errno::Errno;

/// A thread that changed.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    /// Its number.
    pub thread: i32,
    /// What happened.
    pub stop: Stop,
}

/// What happened to a thread.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// It is gone, with this code.
    Exited(i32),
    /// It is gone, by this signal.
    Signaled(i32),
    /// It enters or leaves a system call.
    SystemCall,
    /// It has made this thread or process.
    Started(i32),
    /// It has executed a program.
    Executed,
    /// This signal is on its way to it.
    Signal(i32),
    /// It is new, or was interrupted.
    Other,
}

/// Where in a system call a thread is.
#[derive(Clone, Copy, Debug)]
pub enum SystemCall {
    /// At its beginning.
    Enters {
        /// See [`crate::Call`].
        audit_arch: u32,
        /// See [`crate::Call`].
        number: i64,
        /// See [`crate::Call`].
        arguments: [u64; 6],
    },
    /// At its end.
    Leaves(i64),
}

/// Begins to trace a process, which goes on. It ends when this process does.
pub fn seize(pid: i32) -> Result<(), Errno> {
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_EXITKILL;
    number(libc::PTRACE_SEIZE, pid, options)
}

/// Stops a traced thread.
pub fn interrupt(pid: i32) -> Result<(), Errno> {
    number(libc::PTRACE_INTERRUPT, pid, 0)
}

/// Lets a thread go on to its next system call, with a signal or 0. One that was killed meanwhile
/// is no error: its end comes next.
pub fn go_on(thread: i32, signal: i32) {
    let _ = number(libc::PTRACE_SYSCALL, thread, signal);
}

/// Ends a process.
pub fn kill(pid: i32) {
    // SAFETY: kill touches no memory; the process is a child that nobody has reaped.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Waits for the next of all children and traced threads.
pub fn wait() -> Result<Waited, Errno> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is writable.
        let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
        if thread > 0 {
            return Ok(Waited { thread, stop: stop(thread, status) });
        }
        match Errno::last() {
            Errno::EINTR => {}
            errno => return Err(errno),
        }
    }
}

fn stop(thread: i32, status: i32) -> Stop {
    /// What PTRACE_O_TRACESYSGOOD adds to the SIGTRAP of a system call.
    const SYSTEM_CALL: i32 = libc::SIGTRAP | 0x80;
    if libc::WIFEXITED(status) {
        return Stop::Exited(libc::WEXITSTATUS(status));
    }
    if libc::WIFSIGNALED(status) {
        return Stop::Signaled(libc::WTERMSIG(status));
    }
    match (status >> 16, libc::WSTOPSIG(status)) {
        (0, SYSTEM_CALL) => Stop::SystemCall,
        (0, signal) => Stop::Signal(signal),
        (libc::PTRACE_EVENT_CLONE | libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK, _) => {
            event_message(thread).map_or(Stop::Other, Stop::Started)
        }
        (libc::PTRACE_EVENT_EXEC, _) => Stop::Executed,
        _ => Stop::Other,
    }
}

/// The number of the thread or process that an event tells of.
fn event_message(thread: i32) -> Option<i32> {
    let mut message: libc::c_ulong = 0;
    let null = ptr::null_mut::<libc::c_void>();
    // SAFETY: the kernel writes one c_ulong, to where one is.
    let result = unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, thread, null, &raw mut message) };
    if result == -1 { None } else { i32::try_from(message).ok() }
}

/// What a thread at a system call's stop is at; `None` where it is at another stop.
pub fn system_call(thread: i32) -> Result<Option<SystemCall>, Errno> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let size = size_of::<libc::ptrace_syscall_info>();
    // SAFETY: the kernel writes no more than `size` bytes, and there are as many.
    let result =
        unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, thread, size, info.as_mut_ptr()) };
    if result == -1 {
        return Err(Errno::last());
    }
    // SAFETY: it was zeroed, which is a value of it, before the kernel wrote.
    let info = unsafe { info.assume_init() };
    Ok(match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: `op` says that it is this member, and any bytes are a value of it.
            let entry = unsafe { info.u.entry };
            Some(SystemCall::Enters {
                audit_arch: info.arch,
                number: entry.nr.cast_signed(),
                arguments: entry.args,
            })
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: `op` says that it is this member, and any bytes are a value of it.
            Some(SystemCall::Leaves(unsafe { info.u.exit }.sval))
        }
        _ => None,
    })
}

/// A request whose fourth argument is a number.
fn number(request: libc::c_uint, pid: i32, data: i32) -> Result<(), Errno> {
    let data = ptr::without_provenance_mut::<libc::c_void>(usize::try_from(data).unwrap_or(0));
    // SAFETY: these requests take `data` as a number and write to no memory of ours.
    let result = unsafe { libc::ptrace(request, pid, ptr::null_mut::<libc::c_void>(), data) };
    if result == -1 { Err(Errno::last()) } else { Ok(()) }
}
