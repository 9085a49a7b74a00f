//! Processes as `/proc` shows them from outside.

#![allow(clippy::panic, clippy::expect_used, reason = "a test that cannot look has failed")]

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::PATIENCE;

/// What a process holds that must not grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Open file descriptors.
    pub fds: usize,
    /// Threads.
    pub threads: usize,
    /// Children, zombies included, and other processes of the same test.
    pub processes: usize,
}

/// Signal dispositions of a process and the mask of one of its threads, as `/proc` prints them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalState {
    /// Signals that are ignored.
    pub ignored: u64,
    /// Signals that have a handler.
    pub caught: u64,
    /// Signals that the thread has blocked.
    pub blocked: u64,
}

/// Counts what a process holds.
pub(crate) fn resources(pid: u32, mark: &Path) -> Resources {
    Resources {
        fds: entries(&format!("/proc/{pid}/fd")),
        threads: entries(&format!("/proc/{pid}/task")),
        processes: family(pid, mark).len(),
    }
}

fn entries(path: &str) -> usize {
    fs::read_dir(path).unwrap_or_else(|error| panic!("{path}: {error}")).count()
}

/// The signal state of a thread.
///
/// # Panics
/// If the thread is gone.
#[must_use]
pub fn signals(pid: u32, thread: u32) -> SignalState {
    let path = format!("/proc/{pid}/task/{thread}/status");
    let status = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        u64::from_str_radix(line.trim(), 16).expect(name)
    };
    SignalState { ignored: field("SigIgn:"), caught: field("SigCgt:"), blocked: field("SigBlk:") }
}

/// The numbers of a process's threads, and their names.
///
/// # Panics
/// If the process is gone.
#[must_use]
pub fn threads(pid: u32) -> Vec<(u32, String)> {
    let tasks = format!("/proc/{pid}/task");
    let tasks = fs::read_dir(&tasks).unwrap_or_else(|error| panic!("{tasks}: {error}"));
    tasks
        .flatten()
        .filter_map(|task| {
            let number = task.file_name().to_str()?.parse().ok()?;
            let name = fs::read_to_string(task.path().join("comm")).ok()?;
            Some((number, name.trim().to_owned()))
        })
        .collect()
}

/// All processes but `hal` that are its children, or have `mark` in their environment, command
/// line or memory map.
pub(crate) fn family(hal: u32, mark: &Path) -> Vec<u32> {
    let mark = mark.as_os_str().as_bytes();
    all()
        .filter(|pid| *pid != hal && *pid != std::process::id())
        .filter(|pid| parent(*pid) == Some(hal) || is_marked(*pid, mark))
        .collect()
}

/// A process's name; empty if it has ended.
pub(crate) fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// The children of a process that have not ended.
pub(crate) fn children(process: u32) -> Vec<u32> {
    let alive = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|c| !c.is_empty());
    all().filter(|pid| parent(*pid) == Some(process)).filter(alive).collect()
}

fn is_marked(pid: u32, mark: &[u8]) -> bool {
    ["environ", "cmdline", "maps"].iter().any(|file| mentions(pid, file, mark))
}

/// The processes that have mapped the file at `path`.
pub(crate) fn users_of(hal: u32, path: &Path) -> Vec<u32> {
    let path = path.as_os_str().as_bytes();
    all().filter(|pid| *pid != hal && mentions(*pid, "maps", path)).collect()
}

fn all() -> impl Iterator<Item = u32> {
    let proc = fs::read_dir("/proc").expect("/proc");
    proc.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn mentions(pid: u32, file: &str, text: &[u8]) -> bool {
    // A process that has just ended, or is not ours, mentions nothing.
    fs::read(format!("/proc/{pid}/{file}"))
        .is_ok_and(|contents| contents.windows(text.len()).any(|window| window == text))
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; state and parent follow its last parenthesis.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Waits until a process has ended, reaped or not.
pub(crate) fn wait_for_end(pid: u32) {
    let Some(process) = pidfd(pid) else { return };
    let mut poll = libc::pollfd { fd: process.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let patience = i32::try_from(PATIENCE.as_millis()).expect("a short time");
    // SAFETY: one pollfd of this frame.
    let ready = unsafe { libc::poll(&raw mut poll, 1, patience) };
    assert_eq!(ready, 1, "process {pid} has not ended");
}

fn pidfd(pid: u32) -> Option<OwnedFd> {
    let pid = libc::c_long::from(pid.cast_signed());
    // SAFETY: a number and no flags; a process that is gone is an error.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: just made, and owned by nobody else.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends a signal to a process of this test.
pub(crate) fn signal(pid: u32, signal: i32) {
    // SAFETY: takes two numbers.
    let result = unsafe { libc::kill(pid.cast_signed(), signal) };
    assert_eq!(result, 0, "signal {signal} to process {pid}");
}

/// Kills a process that a failed test has left, unless its number means another by now.
pub(crate) fn kill_marked(pid: u32, mark: &Path) {
    if is_marked(pid, mark.as_os_str().as_bytes()) {
        // SAFETY: takes two numbers.
        let _ = unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
    }
}
