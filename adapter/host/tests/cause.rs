//! What a death is called: library and build-id, system call, thread, restarts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::process::Command;

use cami_wire::control::{FromClient, Restarts};
use common::{Host, Incoming, Setup};

fn cause_of(request: u32) -> String {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    died_of(&mut host, request)
}

/// The same in a library that has refused itself `getpriority`.
fn cause_of_refusal(how: &str, request: u32) -> String {
    let mut host = Setup::new().variable("CAMI_IPA_ENVIRONMENT", &format!("REFUSES={how}")).start();
    let _buffer = host.ready();
    died_of(&mut host, request)
}

fn died_of(host: &mut Host, request: u32) -> String {
    host.request(request, &[0x56]);
    assert_eq!(host.next(), Incoming::Closed);
    let cause = host.cause();
    assert!(!cause.contains('\n'), "{cause}");
    cause
}

fn build_id() -> String {
    let notes = Command::new("readelf").arg("-n").arg(common::library()).output().unwrap();
    let notes = String::from_utf8(notes.stdout).unwrap();
    notes.split("Build ID: ").nth(1).unwrap().lines().next().unwrap().to_owned()
}

fn assert_parts(cause: &str, parts: &[&str]) {
    for part in parts {
        assert!(cause.contains(part), "{part}: {cause}");
    }
}

#[test]
fn crash_is_named_with_the_build_id_of_its_library() {
    let cause = cause_of(13);
    let name = common::library().file_name().unwrap().to_str().unwrap();
    let place = cause.split(&format!("in {name}+0x")).nth(1).unwrap();
    assert!(place.contains(&format!(" (build-id {}) (thread cami-vendor)", build_id())), "{cause}");
    assert_eq!(cause.matches("build-id").count(), 1, "{cause}");
}

#[test]
fn abort_is_named_with_both_build_ids() {
    let cause = cause_of(14);
    let near = cause.split("called near ").nth(1).unwrap();
    assert!(near.contains(&format!("(build-id {})", build_id())), "{cause}");
    assert_eq!(cause.matches("build-id").count(), 2, "{cause}");
}

#[test]
fn system_call_that_a_filter_kills_is_named() {
    let number = libc::SYS_getpriority;
    let cause = cause_of_refusal("kill", 33);
    let call = format!("killed by SIGSYS for system call getpriority ({number}) in ");
    assert_parts(&cause, &[&call, "(thread cami-vendor)", "in request 33"]);
}

#[test]
fn system_call_that_a_filter_traps_is_named() {
    let number = libc::SYS_getpriority;
    let call = format!("killed by SIGSYS for system call getpriority ({number}) in ");
    let cause = cause_of_refusal("trap", 33);
    assert_parts(&cause, &[&call, "(thread cami-vendor)", "in request 33"]);
}

#[test]
fn system_call_of_one_thread_among_many_is_named_with_its_thread() {
    let number = libc::SYS_getpriority;
    let call = format!("killed by SIGSYS for system call getpriority ({number}) in ");
    assert_parts(&cause_of_refusal("kill", 39), &[&call, "(thread victim)"]);
}

#[test]
fn crash_of_another_thread_is_named_with_its_thread() {
    assert_parts(&cause_of(40), &["killed by SIGSEGV accessing 0x10 in", "(thread crasher)"]);
}

#[test]
fn crash_in_a_handler_of_crashes_is_the_one_that_is_named() {
    assert_parts(&cause_of(41), &["killed by SIGSEGV accessing 0x20 in"]);
}

#[test]
fn other_signals_are_named() {
    assert_parts(&cause_of(42), &["killed by SIGTERM, in request 42"]);
}

#[test]
fn restarts_that_the_client_tells_are_named() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    host.tell(FromClient::Restarts(Restarts { count: 4 }));
    let cause = died_of(&mut host, 13);
    assert!(cause.ends_with("callbacks in all, restart 4"), "{cause}");
}

#[test]
fn malformed_restarts_are_ignored() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    let control = host.control.as_ref().unwrap();
    control
        .send(&[std::io::IoSlice::new(&[5, 0, 0, 0, 0, 0, 0, 0, 1])], &[], common::PATIENCE)
        .unwrap();
    let cause = died_of(&mut host, 13);
    assert!(cause.ends_with("callbacks in all"), "{cause}");
}

#[test]
fn place_of_a_hang_is_named() {
    let mut host = Setup::new().variable("CAMI_IPA_TIMEOUTS__REQUEST_MS", "50").start();
    let _buffer = host.ready();
    let cause = died_of(&mut host, 16);
    let name = common::library().file_name().unwrap().to_str().unwrap();
    assert_parts(&cause, &["took more than 50 ms, in libc.so", &format!("called near {name}+0x")]);
}

/// An outer filter, as a container's, that answers `ptrace` with EPERM.
#[test]
fn without_ptrace_everything_but_the_place_is_named() {
    for (request, what) in [
        (13, "killed by SIGSEGV, in request 13"),
        (33, "killed by SIGSYS for a system call that its filter does not allow, in request 33"),
        (15, "called exit(3), in request 15"),
    ] {
        let mut setup = Setup::new().variable("CAMI_IPA_ENVIRONMENT", "REFUSES=kill");
        setup.refuse_ptrace = true;
        let mut host = setup.start();
        let _buffer = host.ready();
        host.tell(FromClient::Restarts(Restarts { count: 1 }));
        let cause = died_of(&mut host, request);
        let id = format!(", build-id {})", build_id());
        assert_parts(&cause, &[what, &id, "(buffer -1) for ", "restart 1"]);
        let (_, log) = host.wait();
        assert!(log.contains("tracing the vendor process is not allowed here"), "{log}");
    }
}

#[test]
fn threads_and_children_that_the_library_left_behind_end_with_it() {
    let mut host = Setup::new().start();
    let monitor = host.process.id();
    let _buffer = host.ready();
    assert_eq!(host.status(35), 0);
    let _ = died_of(&mut host, 13);
    assert!(host.wait().0 == Some(1), "the monitor ended");
    assert!(!std::path::Path::new(&format!("/proc/{monitor}")).exists());
}
