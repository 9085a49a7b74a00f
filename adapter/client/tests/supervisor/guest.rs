//! The habits of the process that the supervisor is a guest in.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cami_abi::CameraAlgorithm;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use crate::Scenario;
use crate::hal::*;

pub const SCENARIOS: &[Scenario] = &[
    ("guest_of_a_forking_process", guest_of_a_forking_process),
    ("guest_without_free_descriptors", guest_without_free_descriptors),
    ("guest_with_a_thousand_descriptors", guest_with_a_thousand_descriptors),
    ("guest_loses_an_update_for_want_of_descriptors", loses_an_update_for_want_of_descriptors),
    ("guest_of_a_process_that_ignores_sigchld", guest_of_a_process_that_ignores_sigchld),
    ("guest_of_a_process_that_reaps_all", guest_of_a_process_that_reaps_all),
    ("guest_outlives_the_thread_that_initialised", guest_outlives_the_thread),
    ("guest_thread_has_all_signals_blocked", guest_thread_has_all_signals_blocked),
    ("guest_host_starts_with_default_signals", guest_host_starts_with_default_signals),
];

fn guest_of_a_forking_process() {
    let (supervisor, seen) = running();
    // SAFETY: the child calls the supervisor, which touches no lock there, and _exit.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            supervisor.request(1, b"crash", 0);
            supervisor.deregister_buffers(&[1]);
            supervisor.update_return(1, 1, None);
            supervisor.deinitialize();
            // SAFETY: an open descriptor of the parent's that the child may give away.
            let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(0) };
            let registered = supervisor.register_buffer(fd.try_clone_to_owned().unwrap());
            let good = registered == -libc::EPIPE;
            // SAFETY: ends the child.
            unsafe { libc::_exit(if good { 42 } else { 1 }) };
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 42)));
        }
    }
    supervisor.request(2, b"", 3);
    assert_eq!(seen.recv(), Ok(Seen::Returned(2, 0, 3)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

fn limit_descriptors(soft: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(hard), hard).unwrap();
}

/// Takes all descriptors but `free`, until the result is dropped.
fn fill_descriptors(free: usize) -> Vec<OwnedFd> {
    let mut taken = Vec::new();
    while let Ok(fd) = std::io::stdin().as_fd().try_clone_to_owned() {
        taken.push(fd);
    }
    taken.truncate(taken.len() - free);
    taken
}

fn guest_without_free_descriptors() {
    let supervisor = supervisor();
    let used = open_fds();
    limit_descriptors(64);
    let mut failures = 0;
    // From no free slot to one too few: each step of the start fails once.
    for free in 0..8 {
        forget_log();
        let (callbacks, seen) = recorder();
        let taken = fill_descriptors(free);
        let code = supervisor.initialize(callbacks);
        drop(taken);
        if code == 0 {
            supervisor.request(1, b"", 0);
            assert_eq!(seen.recv(), Ok(Seen::Returned(1, 0, 0)));
            supervisor.deinitialize();
        } else {
            failures += 1;
            assert_eq!(code, -libc::EMFILE);
            assert_one_error(&["RLIMIT_NOFILE"]);
        }
        assert!(open_fds() <= used + 1, "nothing but the waker stays");
        assert_no_children();
    }
    assert!((1..8).contains(&failures), "{failures}");
}

fn guest_with_a_thousand_descriptors() {
    limit_descriptors(4096);
    let kept: Vec<_> = (0..1100).map(|_| buffer(0)).collect();
    let (supervisor, seen) = running();
    assert!(supervisor.register_buffer(buffer(1)) > 0);
    supervisor.request(1, b"", 0);
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 0, 0)));
    supervisor.request(1, b"crash", 0);
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    drop(kept);
}

fn loses_an_update_for_want_of_descriptors() {
    let (supervisor, seen) = running();
    limit_descriptors(64);
    let taken = fill_descriptors(0);
    supervisor.request(7, b"update", 0);
    supervisor.request(8, b"", 0);
    assert_eq!(seen.recv(), Ok(Seen::Returned(8, 0, 0)), "the link goes on");
    drop(taken);
    assert_one_error(&["update 7 is lost", "RLIMIT_NOFILE"]);
}

fn dies_and_starts_again() {
    let supervisor = supervisor();
    for death in [&b"crash"[..], b"die"].repeat(5) {
        let (callbacks, seen) = recorder();
        assert_eq!(supervisor.initialize(callbacks), 0);
        supervisor.request(2, b"", 0);
        assert_eq!(seen.recv(), Ok(Seen::Returned(2, 0, 0)));
        supervisor.request(1, death, 0);
        assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    }
}

fn guest_of_a_process_that_ignores_sigchld() {
    // SAFETY: a disposition, no handler.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }.unwrap();
    dies_and_starts_again();
    next_host("exit");
    assert_eq!(supervisor().initialize(recorder().0), -libc::ECONNRESET);
}

fn guest_of_a_process_that_reaps_all() {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let reaper = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            if waitpid(Pid::from_raw(-1), None) == Err(Errno::ECHILD) {
                std::thread::yield_now();
            }
        }
    });
    dies_and_starts_again();
    next_host("exit");
    assert_eq!(supervisor().initialize(recorder().0), -libc::ECONNRESET);
    stop.store(true, Ordering::Relaxed);
    reaper.join().unwrap();
}

fn guest_outlives_the_thread() {
    let supervisor = supervisor();
    let (callbacks, seen) = recorder();
    let starter = supervisor.clone();
    assert_eq!(std::thread::spawn(move || starter.initialize(callbacks)).join().unwrap(), 0);
    for req_id in 0..100 {
        supervisor.request(req_id, b"", 0);
        assert_eq!(seen.recv(), Ok(Seen::Returned(req_id, 0, 0)));
    }
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0, "its end was no reason to die");
}

/// `SigBlk` and the like of a thread: hexadecimal, one bit for each signal.
fn signals(status: &str, field: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
}

fn guest_thread_has_all_signals_blocked() {
    let before = SigSet::thread_get_mask().unwrap();
    let (_supervisor, _seen) = running();
    assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    let status = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|task| std::fs::read_to_string(task.unwrap().path().join("status")).unwrap())
        .find(|status| status.starts_with("Name:\tcami-ipa\n"))
        .expect("the reader has its name");
    let blocked = signals(&status, "SigBlk:");
    for number in 1..32 {
        if ![libc::SIGKILL, libc::SIGSTOP].contains(&number) {
            assert_ne!(blocked & 1 << (number - 1), 0, "signal {number} is not blocked");
        }
    }
}

fn guest_host_starts_with_default_signals() {
    // SAFETY: dispositions, no handlers.
    unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) }.unwrap();
    SigSet::all().thread_block().unwrap();
    let (_supervisor, _seen) = running();
    let status = std::fs::read_to_string(format!("/proc/{}/status", host_pid())).unwrap();
    assert_eq!(signals(&status, "SigBlk:"), 0);
    assert_eq!(signals(&status, "SigIgn:") & 1 << (libc::SIGTERM - 1), 0);
}
