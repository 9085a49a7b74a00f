//! Killing and reaping through a pidfd.
#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

mod support;

use std::process::{Child, Command, Stdio};

use cami_link::{Event, Interest, ProcessFd, wait};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use support::*;

fn idle_process() -> (Child, ProcessFd) {
    let child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let process = ProcessFd::open(i32::try_from(child.id()).unwrap()).unwrap();
    (child, process)
}

fn has_ended(process: &ProcessFd, wait_for_it: bool) -> bool {
    let deadline = if wait_for_it { far() } else { passed() };
    let mut polled = [(process.as_fd(), Interest::Message, Event::default())];
    wait(&mut polled, deadline).unwrap();
    polled[0].2.readable
}

/// Whether the process table still knows the child: running, or as a zombie.
fn exists(process: &ProcessFd) -> bool {
    std::fs::exists(format!("/proc/{}", process.pid())).unwrap()
}

#[test]
fn kill_running_child_ends_it_and_reap_removes_it() {
    let (_child, process) = idle_process();
    assert_eq!(fcntl(process.as_fd(), FcntlArg::F_GETFD), Ok(FdFlag::FD_CLOEXEC.bits()));
    process.reap();
    assert!(exists(&process) && !has_ended(&process, false), "reaping must not kill");
    process.kill();
    assert!(has_ended(&process, true));
    assert!(exists(&process), "a zombie until it is reaped");
    process.reap();
    assert!(!exists(&process));
    // Again is no error, and cannot hit a stranger.
    process.kill();
    process.reap();
    assert!(has_ended(&process, true));
}

#[test]
fn pidfd_child_that_ends_by_itself_is_readable() {
    let (mut child, process) = idle_process();
    assert!(!has_ended(&process, false));
    drop(child.stdin.take());
    assert!(has_ended(&process, true));
    process.reap();
}

#[test]
fn reap_child_that_somebody_else_reaped_is_no_error() {
    let (mut child, process) = idle_process();
    process.kill();
    child.wait().unwrap();
    assert!(has_ended(&process, true));
    process.reap();
    process.kill();
}

#[test]
fn kill_and_reap_sigchld_ignored_work() {
    in_own_process("kill_and_reap_sigchld_ignored_work", || {
        // SAFETY: SIG_IGN is no function of ours.
        let before = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        assert_ne!(before, libc::SIG_ERR);
        let (_child, process) = idle_process();
        process.kill();
        assert!(has_ended(&process, true));
        process.reap();
        assert!(!exists(&process));
    });
}

#[test]
fn open_no_such_process_is_esrch() {
    // The highest number that a kernel gives is 2^22 (linux include/linux/threads.h).
    assert_eq!(ProcessFd::open(1 << 23).unwrap_err(), Errno::ESRCH);
    assert_eq!(ProcessFd::open(-1).unwrap_err(), Errno::EINVAL);
}

#[test]
fn open_own_parent_is_not_ended() {
    let parent = nix::unistd::getppid().as_raw();
    let process = ProcessFd::open(parent).unwrap();
    assert_eq!(process.pid(), parent);
    assert!(!has_ended(&process, false));
    process.reap();
    assert!(exists(&process));
}
