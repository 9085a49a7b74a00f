//! Deadlines that the monitor keeps, and processes that a signal has stopped.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use cami_wire::Header;
use cami_wire::cros::{DeregisterBuffers, Init, PROTOCOL_VERSION, RegisterBuffer, Settings};
use cami_wire::cros::{UpdateReturn, command};
use common::{Host, Incoming, Setup};

const INITIALIZE: &str = "CAMI_IPA_TIMEOUTS__INITIALIZE_MS";
const REGISTER: &str = "CAMI_IPA_TIMEOUTS__REGISTER_MS";
const REQUEST: &str = "CAMI_IPA_TIMEOUTS__REQUEST_MS";

/// A host whose library hangs in a call, with one deadline of 100 ms.
fn hangs_in(call: &str, key: &str) -> Host {
    Setup::new()
        .variable("CAMI_IPA_ENVIRONMENT", &format!("HANGS_IN={call}"))
        .variable(key, "100")
        .start()
}

fn died(mut host: Host, expected: &str) {
    loop {
        match host.next() {
            Incoming::Closed => break,
            Incoming::Reply(..) => {}
            other => panic!("{other:?}"),
        }
    }
    let cause = host.cause();
    assert!(cause.contains(expected), "{cause}");
    assert_eq!(host.wait().0, Some(1));
}

fn bare(command: u32) -> Vec<u8> {
    Header { command, cookie: 77 }.encode().to_vec()
}

#[test]
fn load_that_hangs_ends_at_its_deadline() {
    let host = hangs_in("load", INITIALIZE);
    let settings = Settings { protocol_version: PROTOCOL_VERSION, client: "test".to_owned() };
    host.send(&Init { settings }.encode(77), &[]);
    died(host, "killed: load took more than 100 ms (timeouts.initialize_ms)");
}

#[test]
fn initialize_that_hangs_ends_at_its_deadline() {
    let mut host = hangs_in("initialize", INITIALIZE);
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    host.send(&bare(command::START), &[]);
    died(host, "killed: initialize took more than 100 ms (timeouts.initialize_ms)");
}

#[test]
fn register_buffer_that_hangs_ends_at_its_deadline() {
    let mut host = hangs_in("register_buffer", REGISTER);
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    assert_eq!(host.start_library(), 0);
    let buffer = common::buffer(4096);
    host.send(&RegisterBuffer { has_fd: true }.encode(77), &[&buffer]);
    died(host, "killed: register_buffer took more than 100 ms (timeouts.register_ms)");
}

#[test]
fn deregister_buffers_that_hangs_ends_at_its_deadline() {
    let mut host = hangs_in("deregister_buffers", REGISTER);
    let _buffer = host.ready();
    host.send(&DeregisterBuffers::encode(&[7], 77), &[]);
    died(host, "killed: deregister_buffers took more than 100 ms (timeouts.register_ms)");
}

#[test]
fn update_return_that_hangs_ends_at_its_deadline() {
    let mut host = hangs_in("update_return", REGISTER);
    let _buffer = host.ready();
    host.send(&UpdateReturn { upd_id: 1, status: 0, has_fd: false }.encode(78), &[]);
    died(host, "killed: update_return took more than 100 ms (timeouts.register_ms)");
}

#[test]
fn deinitialize_that_hangs_ends_at_its_deadline() {
    let mut host = hangs_in("deinitialize", REGISTER);
    let _buffer = host.ready();
    host.send(&bare(command::STOP), &[]);
    died(host, "killed: deinitialize took more than 100 ms (timeouts.register_ms)");
}

#[test]
fn client_without_a_control_socket_has_deadlines_too() {
    let mut setup = Setup::new()
        .variable("CAMI_IPA_ENVIRONMENT", "HANGS_IN=initialize")
        .variable(INITIALIZE, "100");
    setup.control = false;
    let mut host = setup.start();
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    host.send(&bare(command::START), &[]);
    assert_eq!(host.next(), Incoming::Closed);
    let (code, log) = host.wait();
    assert_eq!(code, Some(1));
    assert!(log.contains("killed: initialize took more than 100 ms"), "{log}");
}

#[test]
fn process_that_is_stopped_in_a_request_is_killed_and_named() {
    let mut host = Setup::new().variable(REGISTER, "100").start();
    let _buffer = host.ready();
    // It stops itself, and nothing limits its requests.
    host.request(20, &[]);
    died(host, "killed: it was stopped by SIGSTOP for more than 100 ms, with requests in flight");
}

#[test]
fn process_that_is_stopped_while_idle_is_killed() {
    let mut host = Setup::new().variable(REQUEST, "100").start();
    let vendor = host.vendor_pid();
    // Its last call has an answer, which comes after the library returned: it is idle.
    let _buffer = host.ready();
    // SAFETY: kill touches no memory, and the process is there.
    unsafe { libc::kill(vendor, libc::SIGSTOP) };
    died(host, "killed: it was stopped by SIGSTOP for more than 100 ms, with nothing in flight");
}

#[test]
fn process_that_is_stopped_is_killed_without_ptrace_too() {
    let mut setup = Setup::new().variable(REGISTER, "100");
    setup.refuse_ptrace = true;
    let mut host = setup.start();
    let _buffer = host.ready();
    host.request(20, &[]);
    died(host, "killed: it was stopped by a signal for more than 100 ms, with requests in flight");
}

#[test]
fn process_that_is_stopped_and_continued_in_turn_lives() {
    let mut host = Setup::new().variable(REQUEST, "1000").start();
    let vendor = host.vendor_pid();
    let _buffer = host.ready();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{vendor}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    };
    for _ in 0..20 {
        // SAFETY: kill touches no memory, and the process is there.
        unsafe { libc::kill(vendor, libc::SIGSTOP) };
        while !matches!(state(), 't' | 'T') {
            std::thread::yield_now();
        }
        // SAFETY: kill touches no memory, and the process is there.
        unsafe { libc::kill(vendor, libc::SIGCONT) };
        assert_eq!(host.status(4), 1);
    }
}
