//! The end of the vendor process is named; the end of the client is the end of the host.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use cami_link::Deadline;
use cami_wire::control::{FromMonitor, Kill};
use common::outer::Answer;
use common::{Incoming, Setup, wait_gone};

fn cause_of(request: u32) -> String {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    host.request(request, &[0x56]);
    assert_eq!(host.next(), Incoming::Closed);
    let cause = host.cause();
    let (code, log) = host.wait();
    assert_eq!(code, Some(1));
    assert!(log.contains(&cause), "{log}");
    cause
}

#[test]
fn crash_is_named_by_signal_place_thread_and_request() {
    let cause = cause_of(13);
    let name = common::library().file_name().unwrap().to_str().unwrap();
    for part in [
        "killed by SIGSEGV accessing 0x10 in",
        &format!("in {name}+0x"),
        "thread cami-vendor",
        "in request 13 (buffer -1)",
        "1 requests and 0 callbacks",
    ] {
        assert!(cause.contains(part), "{part}: {cause}");
    }
}

#[test]
fn crash_place_is_one_that_addr2line_understands() {
    let cause = cause_of(13);
    let offset = cause.split("+0x").nth(1).unwrap().split([' ', ',']).next().unwrap();
    let output = std::process::Command::new("addr2line")
        .args(["-f", "-e"])
        .arg(common::library())
        .arg(format!("0x{offset}"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("run\n"), "{offset}: {text}");
}

#[test]
fn abort_is_named_with_the_librarys_own_frame() {
    let cause = cause_of(14);
    assert!(cause.contains("killed by SIGABRT in libc.so.6+0x"), "{cause}");
    assert!(cause.contains("called near libhost_test_"), "{cause}");
}

#[test]
fn exit_is_named_with_its_code() {
    assert!(cause_of(15).contains("called exit(3), in request 15"));
}

#[test]
fn crash_behind_a_forged_page_is_told_all_the_same() {
    let cause = cause_of(27);
    assert!(cause.contains("killed by SIGSEGV accessing 0x10"), "{cause}");
}

#[test]
fn library_that_shuts_the_link_down_is_told_of() {
    let cause = cause_of(28);
    assert!(cause.contains("in request 28"), "{cause}");
}

#[test]
fn names_that_the_library_chose_do_not_break_lines() {
    let cause = cause_of(29);
    assert!(cause.contains("killed by SIGABRT") && cause.contains("(thread x\\ncami"), "{cause}");
    assert!(!cause.contains('\n'), "{cause}");
}

#[test]
fn library_that_executes_something_else_is_killed_and_named() {
    assert!(cause_of(26).contains("killed by SIGSYS"));
}

#[test]
fn library_that_executes_something_without_a_filter_is_killed_and_named() {
    let programs = "/bin:/usr/bin:/lib:/usr/lib:/lib64:/usr/lib64";
    let mut host = Setup::new()
        .outer(Answer::Errno(libc::EINVAL), &[libc::SYS_seccomp])
        .variable("CAMI_IPA_SANDBOX__READ", programs)
        .start();
    let _buffer = host.ready();
    host.request(26, &[]);
    let cause = host.cause();
    assert!(cause.contains("killed: the library executed another program"), "{cause}");
}

#[test]
fn death_is_named_where_tracing_is_not_allowed() {
    for (request, expected) in [(14, "killed by SIGABRT"), (15, "called exit(3)")] {
        let mut host = Setup::new().outer(Answer::Errno(libc::EPERM), &[libc::SYS_ptrace]).start();
        let _buffer = host.ready();
        host.request(request, &[]);
        let cause = host.cause();
        assert!(cause.contains(expected), "{cause}");
        let (code, log) = host.wait();
        assert_eq!(code, Some(1));
        assert!(log.contains("tracing the vendor process is not allowed here"), "{log}");
    }
}

#[test]
fn kill_message_gives_the_cause() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    host.request(16, &[]);
    let kill = Kill { reason: "request 16 took more than 1 ms".to_owned() };
    let bytes = cami_wire::control::FromClient::Kill(kill).encode();
    let control = host.control.as_ref().unwrap();
    control.send(&[std::io::IoSlice::new(&bytes)], &[], Duration::ZERO).unwrap();
    let cause = host.cause();
    assert!(cause.contains("killed: request 16 took more than 1 ms"), "{cause}");
}

#[test]
fn request_that_takes_longer_than_its_limit_is_killed_and_named() {
    let mut host = Setup::new().variable("CAMI_IPA_TIMEOUTS__REQUEST_MS", "50").start();
    let _buffer = host.ready();
    host.request(16, &[]);
    assert_eq!(host.next(), Incoming::Closed);
    let cause = host.cause();
    assert!(cause.contains("killed: request 16 (buffer -1) took more than 50 ms"), "{cause}");
}

#[test]
fn stopped_vendor_process_stays_stopped_until_it_is_continued() {
    let mut host = Setup::new().start();
    let pid = host.vendor_pid();
    let _buffer = host.ready();
    host.request(20, &[]);
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    };
    // The stop is reported by the kernel, to the monitor and not to us: the state is all to see.
    let deadline = Deadline::after(common::PATIENCE);
    while !matches!(state(), 't' | 'T') {
        assert!(!deadline.has_passed(), "state {}", state());
        std::thread::yield_now();
    }
    // SAFETY: kill touches no memory, and the process is there.
    unsafe { libc::kill(pid, libc::SIGCONT) };
    assert!(matches!(host.next(), Incoming::Returned(returned) if returned.req_id == 20));
    assert_eq!(host.status(4), 1);
}

#[test]
fn output_of_the_library_is_logged_under_its_name() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    assert_eq!(host.status(17), 0);
    host.hang_up();
    let (code, log) = host.wait();
    assert_eq!(code, Some(0));
    let name = common::library().file_name().unwrap().to_str().unwrap();
    assert!(log.contains(&format!("{name}: to standard output")), "{log}");
    assert!(log.contains(&format!("{name}: to standard error")), "{log}");
}

#[test]
fn processes_that_the_library_left_behind_end_with_it() {
    let mut host = Setup::new().start();
    let monitor = host.process.id();
    let _buffer = host.ready();
    assert_eq!(host.status(19), 0);
    let vendor = children(monitor);
    let left: Vec<u32> = vendor.iter().flat_map(|pid| children(*pid)).collect();
    host.hang_up();
    let (code, _) = host.wait();
    assert_eq!(code, Some(0));
    for pid in vendor.into_iter().chain(left) {
        wait_gone(pid.cast_signed());
    }
}

fn children(pid: u32) -> Vec<u32> {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Best of three: the machine may be busy, the promise is the mechanism's.
fn within_100_ms(mut measure: impl FnMut() -> Duration) {
    let best = (0..3).map(|_| measure()).min();
    assert!(best <= Some(Duration::from_millis(100)), "{best:?}");
}

#[test]
fn client_that_closes_its_sockets_ends_a_hung_host_within_100_ms() {
    within_100_ms(|| {
        let mut host = Setup::new().start();
        let vendor = host.vendor_pid();
        let _buffer = host.ready();
        host.request(16, &[]);
        let common::Host { mut process, link, control, .. } = host;
        let start = Instant::now();
        drop((link, control));
        process.wait().unwrap();
        wait_gone(vendor);
        start.elapsed()
    });
}

#[test]
fn client_that_dies_ends_the_host_though_others_hold_its_sockets() {
    within_100_ms(|| {
        let mut setup = Setup::new();
        setup.through_shell = true;
        let mut host = setup.start();
        let Some(FromMonitor::Ready(ready)) = host.control_message() else { panic!() };
        let _buffer = host.ready();
        let start = Instant::now();
        host.process.kill().unwrap();
        host.process.wait().unwrap();
        wait_gone(ready.monitor_pid);
        wait_gone(ready.vendor_pid);
        let elapsed = start.elapsed();
        // Our ends are still open.
        assert!(host.link.as_fd().as_raw_fd() >= 0);
        elapsed
    });
}

#[test]
fn monitor_that_is_killed_takes_the_librarys_children_along() {
    let mut host = Setup::new().start();
    let vendor = host.vendor_pid();
    let _buffer = host.ready();
    assert_eq!(host.status(30), 0);
    let left = children(vendor.cast_unsigned());
    assert_eq!(left.len(), 3);
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    for pid in left.into_iter().map(u32::cast_signed).chain([vendor]) {
        wait_gone(pid);
    }
}

#[test]
fn full_log_pipe_does_not_stop_the_monitor() {
    let mut host = Setup::new().start();
    let vendor = host.vendor_pid();
    let _buffer = host.ready();
    // Nobody reads the monitor's standard error: 64 KiB and it is full.
    for _ in 0..1000 {
        host.request(17, &[]);
        assert!(matches!(host.next(), Incoming::Returned(_)));
        host.send(&[9; 64], &[]);
    }
    host.request(13, &[]);
    assert_eq!(host.next(), Incoming::Closed);
    assert!(host.cause().contains("SIGSEGV"));
    wait_gone(vendor);
}

#[test]
fn monitor_that_is_killed_takes_the_vendor_process_along() {
    let mut host = Setup::new().start();
    let vendor = host.vendor_pid();
    let _buffer = host.ready();
    host.request(16, &[]);
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    wait_gone(vendor);
    assert_eq!(host.next(), Incoming::Closed);
}
