//! A library that does not return: calls end at their deadline, and a new `initialize` helps.

use cami_tests::{Hal, Setup};

const TIMED_OUT: i32 = -libc::ETIMEDOUT;

fn started(vendor: &str, deadline: &str) -> Hal {
    Setup::new(vendor).with(&format!("CAMI_IPA_TIMEOUTS__{deadline}_MS"), "300").start()
}

/// The next `initialize` works, and the hung process is gone.
fn recovers(mut hal: Hal, notified: usize) {
    hal.room.install("plain", "libvendor.so");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 9 00 -1");
    hal.event("return 9 ");
    assert_eq!(hal.count("notify"), notified);
    hal.finish();
}

fn hangs_in_initialize(vendor: &str) {
    let mut hal = started(vendor, "INITIALIZE");
    assert_eq!(hal.call("init"), format!("init {TIMED_OUT}"));
    assert_eq!(hal.resources().processes, 0, "{}", hal.log.text());
    hal.log.wait(&["timeouts.initialize_ms"]);
    recovers(hal, 0);
}

#[test]
fn constructor_that_hangs() {
    hangs_in_initialize("hang_constructor");
}

#[test]
fn initialize_that_hangs() {
    hangs_in_initialize("hang_initialize");
}

#[test]
fn register_buffer_that_hangs() {
    let mut hal = started("hang_register", "REGISTER");
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), format!("reg {TIMED_OUT}"));
    hal.event("notify 1");
    hal.log.wait(&["register_buffer", "300 ms"]);
    assert_eq!(hal.resources().processes, 0, "{}", hal.log.text());
    recovers(hal, 1);
}

#[test]
fn update_return_that_hangs_makes_later_calls_end_at_theirs() {
    let mut hal = started("hang_update_return", "REGISTER");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("updret 1 0 none");
    assert_eq!(hal.call("reg memfd 4096"), format!("reg {TIMED_OUT}"));
    hal.event("notify 1");
    hal.log.wait(&["register_buffer", "300 ms", "in update_return"]);
    recovers(hal, 1);
}

#[test]
fn request_that_never_returns_ends_at_its_deadline() {
    let mut hal = started("hang_request", "REQUEST");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 42 58 3");
    hal.event("notify 1");
    hal.log.wait(&["libvendor.so", "request 42"]);
    assert_eq!(hal.resources().processes, 0, "{}", hal.log.text());
    recovers(hal, 1);
}

#[test]
fn request_that_never_returns_makes_later_calls_end_at_theirs() {
    let mut hal = started("hang_request", "REGISTER");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 42 58 3");
    hal.log.wait(&["vendor: hangs"]);
    assert_eq!(hal.call("reg memfd 4096"), format!("reg {TIMED_OUT}"));
    hal.event("notify 1");
    hal.log.wait(&["libvendor.so", "request 42"]);
    recovers(hal, 1);
}

#[test]
fn initialize_kills_a_hung_process_without_notify() {
    let mut hal = Setup::new("hang_request").start();
    assert_eq!(hal.call("init"), "init 0");
    let old = hal.family();
    hal.call("req 42 58 3");
    hal.log.wait(&["vendor: hangs"]);
    assert_eq!(hal.call("init"), "init 0");
    hal.wait_for_end(&old);
    assert!(!hal.family().iter().any(|pid| old.contains(pid)), "the hung process is left");
    recovers(hal, 0);
}

#[test]
fn deregister_buffers_that_hangs() {
    let mut hal = started("hang_deregister", "REGISTER");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("dereg 1");
    hal.event("notify 1");
    recovers(hal, 1);
}

#[test]
fn deinitialize_that_hangs_returns_at_its_deadline() {
    let mut hal = started("hang_deinitialize", "REGISTER");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("deinit");
    assert_eq!(hal.resources().processes, 0, "{}", hal.log.text());
    recovers(hal, 0);
}

#[test]
fn hung_library_ends_with_its_hal() {
    let mut hal = Setup::new("hang_request").start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 42 58 3");
    hal.log.wait(&["vendor: hangs"]);
    hal.finish();
}
