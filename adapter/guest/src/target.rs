//! Where a line goes: one system call writes it, none blocks, no SIGPIPE stays.

use std::ffi::CString;
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use cami_link::{Deadline, Event, Interest, wait};
use log::Level;

use crate::line::LogLine;

/// The system log's socket (syslog(3)).
const SYSLOG: &str = "/dev/log";
/// Facility `user` (RFC 3164, 4.1.1), in its place in the priority.
const FACILITY_USER: u8 = 1 << 3;

/// Where lines go. No target keeps a descriptor open: the HAL's table is not ours to fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Descriptor 2, whatever it is.
    Stderr,
    /// A datagram to [`SYSLOG`].
    Syslog,
    /// Appended to a file, which is opened for each line.
    File(PathBuf),
}

impl Default for Target {
    /// Standard error if it is open, else the system log.
    fn default() -> Self {
        // SAFETY: F_GETFD reads one flag and takes any number.
        if unsafe { libc::fcntl(libc::STDERR_FILENO, libc::F_GETFD) } >= 0 {
            Self::Stderr
        } else {
            Self::Syslog
        }
    }
}

impl Target {
    /// Writes a line, or drops it where it cannot be written at once.
    pub(crate) fn write(&self, level: Level, line: &LogLine) {
        match self {
            Self::Stderr => write_now(std::io::stderr().as_fd(), line.whole()),
            Self::Syslog => to_syslog(level, line),
            Self::File(path) => {
                if let Some(file) = open(path) {
                    write_now(file.as_fd(), line.whole());
                }
            }
        }
    }
}

fn to_syslog(level: Level, line: &LogLine) {
    let severity = match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    };
    let mut datagram = Vec::with_capacity(line.whole().len() + 16);
    let priority = FACILITY_USER | severity;
    // Writing into memory does not fail.
    let _ = write!(datagram, "<{priority}>cami-ipa[{}]: {}", std::process::id(), line.text());
    // Full, or nobody there: the line is lost.
    let _ = cami_link::send_datagram(Path::new(SYSLOG), &datagram);
}

/// `O_NONBLOCK`, for it may be a FIFO.
fn open(path: &Path) -> Option<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let flags = libc::O_WRONLY
        | libc::O_APPEND
        | libc::O_CREAT
        | libc::O_CLOEXEC
        | libc::O_NOCTTY
        | libc::O_NONBLOCK;
    // SAFETY: `path` is a C string; open takes the mode as its third argument with O_CREAT.
    let fd = unsafe { libc::open(path.as_ptr(), flags, 0o640) };
    // SAFETY: open just made it for us.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// One `write` where there is room for the whole line and somebody who reads; otherwise nothing.
fn write_now(fd: BorrowedFd<'_>, line: &[u8]) {
    let mut room = [(fd, Interest::RoomToSend, Event::default())];
    let looked = wait(&mut room, Some(Deadline::now()));
    let [(.., event)] = room;
    if looked.is_ok() && event.writable && !event.hung_up {
        write_without_signal(fd, line);
    }
}

/// A pipe that nobody reads any more raises SIGPIPE, which would end the HAL: it is blocked in this
/// thread for the call, and taken back if it came of it.
fn write_without_signal(fd: BorrowedFd<'_>, line: &[u8]) {
    let Some(pipe_signal) = signal_set(&[libc::SIGPIPE]) else { return };
    let restricted = cami_link::system_calls_are_restricted();
    let pending = !restricted && is_pending();
    let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: both sets are valid; only this thread's mask changes.
    let blocked = unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const pipe_signal, before.as_mut_ptr())
    };
    if blocked != 0 {
        return;
    }
    // SAFETY: the bytes of `line`, which the call only reads.
    let written = unsafe { libc::write(fd.as_raw_fd(), line.as_ptr().cast(), line.len()) };
    if written < 0 && restricted {
        forget_pending();
    } else if written < 0 && !pending {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a valid set and time; no siginfo is asked for. Nothing pending is no harm.
        unsafe { libc::sigtimedwait(&raw const pipe_signal, ptr::null_mut(), &raw const now) };
    }
    // SAFETY: the mask that pthread_sigmask gave above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
}

/// Discards a pending SIGPIPE where `sigtimedwait` may not be called: ignoring a signal discards it
/// (sigaction(2)), and its action is put back at once. That is seen by the whole process, but only
/// where the reader of the log has gone between two calls of ours.
fn forget_pending() {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeroes are a valid sigaction: no flags, an empty mask.
    let mut ignore = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    ignore.sa_sigaction = libc::SIG_IGN;
    // SAFETY: both structures are valid, and the action runs no code.
    let taken = unsafe { libc::sigaction(libc::SIGPIPE, &raw const ignore, before.as_mut_ptr()) };
    if taken == 0 {
        // SAFETY: the action that was there before.
        unsafe { libc::sigaction(libc::SIGPIPE, before.as_ptr(), ptr::null_mut()) };
    }
}

fn signal_set(signals: &[i32]) -> Option<libc::sigset_t> {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` is writable.
    if unsafe { libc::sigemptyset(set.as_mut_ptr()) } != 0 {
        return None;
    }
    for &signal in signals {
        // SAFETY: `set` was made a set just now.
        if unsafe { libc::sigaddset(set.as_mut_ptr(), signal) } != 0 {
            return None;
        }
    }
    // SAFETY: sigemptyset initialised it.
    Some(unsafe { set.assume_init() })
}

/// Whether a SIGPIPE waits already, which is then not ours to take.
fn is_pending() -> bool {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` is writable.
    if unsafe { libc::sigpending(set.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: sigpending filled it.
    unsafe { libc::sigismember(set.as_ptr(), libc::SIGPIPE) == 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn pipe() -> (std::fs::File, OwnedFd) {
        let mut ends = [0; 2];
        // SAFETY: an array of two numbers.
        assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
        // SAFETY: pipe2 just made it.
        let reader = unsafe { OwnedFd::from_raw_fd(ends[0]) };
        // SAFETY: pipe2 just made it.
        (reader.into(), unsafe { OwnedFd::from_raw_fd(ends[1]) })
    }

    /// SIGPIPE's default is to end the process. Rust's test harness ignores it, so it is put back
    /// in a child, which must live to say so.
    fn lives_after_a_line_that_nobody_reads(restricted: bool) {
        let (reader, writer) = pipe();
        drop(reader);
        // SAFETY: the child calls async-signal-safe functions and ends by _exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: resets a disposition in the child.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            if restricted {
                cami_link::restrict_system_calls();
            }
            write_now(writer.as_fd(), b"nobody reads this\n");
            // As if the reader had gone after the look.
            write_without_signal(writer.as_fd(), b"nor this\n");
            let mut action = MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: asks for the action and changes nothing.
            unsafe { libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) };
            // SAFETY: sigaction filled it.
            let default = unsafe { action.assume_init() }.sa_sigaction == libc::SIG_DFL;
            let pending = is_pending() || !default;
            // SAFETY: ends the child.
            unsafe { libc::_exit(if pending { 2 } else { 42 }) };
        }
        assert!(child > 0);
        let mut status = 0;
        // SAFETY: waits for the child above.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFEXITED(status), "ended by signal {}", libc::WTERMSIG(status));
        assert_eq!(libc::WEXITSTATUS(status), 42);
    }

    #[test]
    fn a_pipe_without_reader_does_not_end_the_process() {
        lives_after_a_line_that_nobody_reads(false);
        lives_after_a_line_that_nobody_reads(true);
    }

    #[test]
    fn a_full_pipe_drops_the_line() {
        let (mut reader, writer) = pipe();
        let line = [b'x'; libc::PIPE_BUF];
        for _ in 0..1024 {
            write_now(writer.as_fd(), &line);
        }
        drop(writer);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert!(!all.is_empty() && all.len() < 1024 * line.len());
        assert_eq!(all.len() % line.len(), 0, "whole lines only");
    }

    #[test]
    fn a_file_is_appended_to() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("log");
        let target = Target::File(path.clone());
        target.write(Level::Info, &LogLine::new(&format_args!("one")));
        target.write(Level::Info, &LogLine::new(&format_args!("two")));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "cami-ipa: one\ncami-ipa: two\n");
    }
}
