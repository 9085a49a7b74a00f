//! Calls from inside a callback work, or fail at once, and never deadlock.

use cami_tests::{Hal, Setup};

fn started() -> Hal {
    let mut hal = Setup::new("crash_request").start();
    assert_eq!(hal.call("init"), "init 0");
    hal
}

/// Runs `command` inside the next callback, and returns its reply.
fn inside(hal: &mut Hal, command: &str) -> String {
    hal.call(&format!("then {command}"));
    hal.call("req 6 00 -1");
    hal.event("return 6 ");
    hal.event("then ").trim_start_matches("then ").to_owned()
}

#[test]
fn request_inside_a_callback() {
    let mut hal = started();
    assert_eq!(inside(&mut hal, "req 7 00 -1"), "req");
    hal.event("return 7 ");
    hal.finish();
}

#[test]
fn register_and_deregister_inside_a_callback() {
    let mut hal = started();
    assert_eq!(inside(&mut hal, "reg memfd 4096"), "reg 1");
    assert_eq!(inside(&mut hal, "dereg 1"), "dereg");
    assert_eq!(hal.call("reg memfd 4096"), "reg 2");
    hal.finish();
}

#[test]
fn update_return_inside_a_callback() {
    let mut hal = started();
    assert_eq!(inside(&mut hal, "updret 1 2 none"), "updret");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    hal.finish();
}

#[test]
fn initialize_inside_a_callback_starts_afresh() {
    let mut hal = started();
    assert_eq!(inside(&mut hal, "init"), "init 0");
    hal.call("req 8 00 -1");
    hal.event("return 8 ");
    assert_eq!(hal.count("notify"), 0);
    hal.call("deinit");
    assert_eq!(hal.resources().processes, 0);
    hal.finish();
}

#[test]
fn deinitialize_inside_a_callback() {
    let mut hal = started();
    assert_eq!(inside(&mut hal, "deinit"), "deinit");
    assert_eq!(hal.call("reg memfd 4096"), "reg -104");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 8 00 -1");
    hal.event("return 8 ");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}

#[test]
fn initialize_inside_notify_recovers() {
    let mut hal = started();
    hal.call("req 1 00 -1");
    hal.event("return 1 ");
    hal.call("then init");
    // Of the next callback, which is notify.
    hal.signal(hal.vendor(), libc::SIGKILL);
    hal.event("notify 1");
    assert_eq!(hal.event("then "), "then init 0");
    hal.call("req 8 00 -1");
    hal.event("return 8 ");
    assert_eq!(hal.count("notify"), 1);
    hal.finish();
}

#[test]
fn register_inside_a_callback_of_a_dying_vendor_fails() {
    let mut hal = started();
    hal.call("then reg memfd 4096");
    hal.signal(hal.vendor(), libc::SIGKILL);
    hal.event("notify 1");
    assert_eq!(hal.event("then "), "then reg -104");
    hal.finish();
}
