//! Whatever ends the vendor's process, the HAL is whole, is told once, and can start again.

use cami_tests::{Hal, Resources, Setup};

/// `-ECONNRESET`: nobody is there any more.
const LOST: i32 = -104;

struct Fault {
    hal: Hal,
    before: Resources,
}

/// A HAL with a faulty library, before `initialize`.
fn with(vendor: &str) -> Fault {
    let hal = Setup::new(vendor).start();
    let before = hal.resources();
    assert_eq!(before.processes, 0, "loading the shim started a process");
    Fault { hal, before }
}

impl Fault {
    fn initialized(mut self) -> Self {
        assert_eq!(self.hal.call("init"), "init 0");
        self
    }

    /// Nothing but one thread and one fd of the shim's own may stay.
    fn nothing_is_left(&self) -> Resources {
        let after = self.hal.resources();
        assert_eq!(after.processes, 0, "{:?} is left\n{}", self.hal.family(), self.hal.log.text());
        assert!(after.fds <= self.before.fds + 1, "{:?} became {after:?}", self.before);
        assert!(after.threads <= self.before.threads + 1, "{:?} became {after:?}", self.before);
        after
    }

    /// `initialize` failed with this code, the log names the cause, and `notify` was not called.
    fn refused(mut self, code: i32, cause: &[&str]) {
        assert_eq!(self.hal.call("init"), format!("init {code}"));
        self.hal.log.wait(cause);
        let left = self.nothing_is_left();
        assert_eq!(self.hal.call("init"), format!("init {code}"));
        assert_eq!(self.nothing_is_left(), left, "each attempt leaves something");
        assert_eq!(self.hal.call("reg memfd 4096"), format!("reg {LOST}"));
        assert_eq!(self.hal.count("notify"), 0, "a failed initialize is not a loss");
        self.recovers(left, 0);
    }

    /// The HAL was notified, once; calls fail fast; the log names the cause.
    fn lost(mut self, cause: &[&str]) {
        self.hal.event("notify 1");
        let left = self.nothing_is_left();
        self.hal.log.wait(cause);
        assert_eq!(self.hal.call("reg memfd 4096"), format!("reg {LOST}"));
        self.hal.call("req 500 00 -1");
        self.hal.call("dereg 1 2 3");
        self.hal.call("updret 1 2 none");
        assert_eq!(self.hal.count("notify"), 1);
        assert_eq!(self.hal.count("return 500"), 0);
        self.recovers(left, 1);
    }

    /// With a good library in the same place the next `initialize` works, and leaves no more.
    fn recovers(mut self, left: Resources, notified: usize) {
        self.hal.room.install("plain", "libvendor.so");
        assert_eq!(self.hal.call("init"), "init 0");
        assert_eq!(self.hal.call("reg memfd 4096"), "reg 1");
        self.hal.call("req 501 00 1");
        self.hal.event("return 501 ");
        self.hal.call("deinit");
        assert_eq!(self.nothing_is_left(), left, "the HAL holds more than after the fault");
        assert_eq!(self.hal.count("notify"), notified);
        self.hal.finish();
    }
}

#[test]
fn crash_in_a_constructor() {
    with("crash_constructor").refused(LOST, &["libvendor.so", "SIGSEGV"]);
}

#[test]
fn abort_in_a_constructor() {
    with("abort_constructor").refused(LOST, &["libvendor.so", "SIGABRT"]);
}

#[test]
fn exit_in_a_constructor() {
    with("exit_constructor").refused(LOST, &["libvendor.so", "exit(0)"]);
}

#[test]
fn crash_in_initialize() {
    with("crash_initialize").refused(LOST, &["libvendor.so", "SIGSEGV", "initialize"]);
}

#[test]
fn exit_in_initialize() {
    with("exit_initialize").refused(LOST, &["libvendor.so", "exit(0)"]);
}

#[test]
fn initialize_that_refuses_returns_the_vendors_own_code() {
    with("refuses_initialize").refused(-libc::ENODEV, &["initialize", "-19"]);
}

#[test]
fn crash_in_register_buffer() {
    let mut fault = with("crash_register").initialized();
    assert_eq!(fault.hal.call("reg memfd 4096"), format!("reg {LOST}"));
    fault.lost(&["libvendor.so", "SIGSEGV", "register"]);
}

#[test]
fn exit_now_in_register_buffer() {
    let mut fault = with("exit_now_register").initialized();
    assert_eq!(fault.hal.call("reg memfd 4096"), format!("reg {LOST}"));
    fault.lost(&["libvendor.so", "exit(3)"]);
}

#[test]
fn register_buffer_that_refuses_returns_the_vendors_own_code() {
    let mut fault = with("refuses_register").initialized();
    for _ in 0..3 {
        assert_eq!(fault.hal.call("reg memfd 4096"), format!("reg {}", -libc::ENOSPC));
    }
    fault.hal.call("deinit");
    let left = fault.nothing_is_left();
    fault.recovers(left, 0);
}

/// A request with the header "X" ends the process.
fn ends_in_request(vendor: &str, cause: &[&str]) {
    let mut fault = with(vendor).initialized();
    assert_eq!(fault.hal.call("reg memfd 4096"), "reg 1");
    fault.hal.call("req 7 00 1");
    fault.hal.event("return 7 ");
    fault.hal.call("req 42 58 1");
    fault.lost(cause);
}

#[test]
fn crash_in_request_names_signal_library_and_request() {
    ends_in_request("crash_request", &["libvendor.so", "SIGSEGV", "libvendor.so+0x", "request 42"]);
}

#[test]
fn abort_in_request() {
    ends_in_request("abort_request", &["libvendor.so", "SIGABRT", "request 42"]);
}

#[test]
fn stack_overflow_in_request() {
    ends_in_request("stack_request", &["libvendor.so", "SIGSEGV", "request 42"]);
}

#[test]
fn bus_error_in_request() {
    ends_in_request("bus_request", &["libvendor.so", "SIGBUS", "request 42"]);
}

#[test]
fn exit_in_request() {
    ends_in_request("exit_request", &["libvendor.so", "exit(0)"]);
}

#[test]
fn exit_now_in_request() {
    ends_in_request("exit_now_request", &["libvendor.so", "exit(3)"]);
}

#[test]
fn kill_in_request() {
    ends_in_request("kill_request", &["libvendor.so", "SIGKILL"]);
}

#[test]
fn killing_the_parent_in_request() {
    let mut fault = with("kill_parent_request").initialized();
    let family = fault.hal.family();
    fault.hal.call("req 42 58 1");
    // The first process of its PID namespace is all that the library reaches, and that one lives.
    fault.hal.log.wait(&["libvendor.so", "the parent lives"]);
    assert_eq!(fault.hal.family(), family);
    // From outside the monitor can be killed. Nobody is left then who could wait for the vendor
    // process; the kernel ends it.
    let monitor = family.iter().find(|pid| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        command.split(|byte| *byte == 0).any(|argument| argument == b"--control")
    });
    fault.hal.signal(*monitor.unwrap(), libc::SIGKILL);
    fault.hal.wait_for_end(&family);
    fault.lost(&["SIGKILL"]);
}

#[test]
fn processes_that_the_library_left_end_with_it() {
    let mut fault = with("forks").initialized();
    fault.hal.call("req 42 5858 -1");
    fault.lost(&["libvendor.so", "SIGABRT", "request 42"]);
}

#[test]
fn processes_that_the_library_left_end_at_deinitialize() {
    let mut fault = with("forks").initialized();
    fault.hal.call("req 42 58 -1");
    fault.hal.event("return 42 ");
    fault.hal.log.wait(&["the child stays"]);
    fault.hal.log.wait(&["the orphan stays"]);
    assert!(fault.hal.family().len() >= 4, "the test's own view: {:?}", fault.hal.family());
    fault.hal.call("deinit");
    let left = fault.nothing_is_left();
    fault.recovers(left, 0);
}

#[test]
fn closing_all_fds_in_request() {
    ends_in_request("closes_fds", &["libvendor.so", "closed descriptors"]);
}

#[test]
fn crash_in_a_callback() {
    let mut fault = with("crash_callback").initialized();
    fault.hal.call("req 42 58 -1");
    fault.hal.event("return 88 0 0 ");
    fault.lost(&["libvendor.so", "SIGSEGV"]);
}

#[test]
fn crash_after_an_update() {
    let mut fault = with("crash_update").initialized();
    fault.hal.call("req 42 58 -1");
    fault.hal.event("update 42 58 fd=open content=before the end");
    fault.hal.event("notify 1");
    // The HAL still has the fd of that update, and gives it back to nobody: it is closed.
    fault.hal.call("updret 42 0 kept");
    let left = fault.nothing_is_left();
    fault.hal.log.wait(&["libvendor.so", "SIGSEGV", "request 42"]);
    fault.recovers(left, 1);
}

#[test]
fn crash_in_update_return() {
    let mut fault = with("crash_update_return").initialized();
    fault.hal.call("updret 1 2 none");
    fault.lost(&["libvendor.so", "SIGSEGV", "update"]);
}

#[test]
fn crash_in_deregister_buffers() {
    let mut fault = with("crash_deregister").initialized();
    fault.hal.call("dereg 1");
    fault.lost(&["libvendor.so", "SIGSEGV", "deregister"]);
}

#[test]
fn crash_in_deinitialize_is_logged_and_no_loss() {
    let mut fault = with("crash_deinitialize").initialized();
    fault.hal.call("deinit");
    let left = fault.nothing_is_left();
    fault.hal.log.wait(&["libvendor.so", "SIGSEGV"]);
    fault.recovers(left, 0);
}

#[test]
fn vendor_process_killed_from_outside() {
    let fault = with("plain").initialized();
    fault.hal.signal(fault.hal.vendor(), libc::SIGKILL);
    fault.lost(&["libvendor.so", "SIGKILL"]);
}

#[test]
fn monitor_killed_from_outside_takes_the_vendor_process_with_it() {
    let fault = with("plain").initialized();
    let vendor = fault.hal.vendor();
    let family = fault.hal.family();
    let monitor = family.iter().find(|pid| **pid != vendor).unwrap();
    fault.hal.signal(*monitor, libc::SIGKILL);
    fault.hal.wait_for_end(&family);
    fault.lost(&["SIGKILL"]);
}

#[test]
fn stopped_monitor_does_not_hide_a_death() {
    let fault = with("plain").initialized();
    let vendor = fault.hal.vendor();
    let family = fault.hal.family();
    let monitor = family.iter().find(|pid| **pid != vendor).unwrap();
    fault.hal.signal(*monitor, libc::SIGSTOP);
    fault.hal.signal(vendor, libc::SIGKILL);
    fault.lost(&["the camera algorithm's process died"]);
}

#[test]
fn forged_messages_of_the_vendor_process_hurt_only_itself() {
    let mut fault = with("forges");
    let mut left = None;
    for what in 0..=8 {
        assert_eq!(fault.hal.call("init"), "init 0");
        fault.hal.call(&format!("req 1 0{what} -1"));
        let handle = fault.hal.call("reg memfd 4096");
        assert!(handle == "reg 1" || handle == format!("reg {LOST}"), "{what}: {handle}");
        fault.hal.call("deinit");
        let now = fault.nothing_is_left();
        assert_eq!(*left.get_or_insert(now), now, "{what}: something of the message stays");
    }
    let notified = fault.hal.count("notify");
    fault.recovers(left.unwrap(), notified);
}

#[test]
fn client_that_does_not_read_ends_the_vendor_process_and_not_itself() {
    let mut fault = with("late").initialized();
    fault.hal.call("req 1 00 0");
    fault.hal.event("return 7");
    let family = fault.hal.family();
    fault.hal.signal(fault.hal.pid(), libc::SIGSTOP);
    // Queued callbacks have a limit, at which the vendor process gives up.
    fault.hal.wait_for_end(&family);
    fault.hal.signal(fault.hal.pid(), libc::SIGCONT);
    fault.lost(&["libvendor.so", "does not read"]);
}

#[test]
fn flood_of_standard_error_neither_blocks_nor_fills_the_log() {
    let mut fault = with("floods").initialized();
    fault.hal.call("req 42 58 -1");
    fault.hal.event("return 42 ");
    fault.hal.call("req 43 00 -1");
    fault.hal.event("return 43 ");
    fault.hal.call("deinit");
    let left = fault.nothing_is_left();
    let size = fault.hal.log.text().len();
    assert!(size < 4 << 20, "{size} bytes of 64 MiB came through");
    assert!(size > 1000, "nothing of it came through");
    fault.recovers(left, 0);
}

#[test]
fn registered_buffers_cannot_be_shrunk_or_sealed() {
    // Loaded by the HAL itself, the library does both: the test would see it.
    let mut hal = Setup::new("shrinks").in_process().start();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 8192"), "reg 1");
    hal.call("req 1 00 1");
    assert!(!hal.event("return 1 ").starts_with("return 1 0 "));
    hal.finish();

    let mut fault = with("shrinks").initialized();
    for handle in 1..=3 {
        assert_eq!(fault.hal.call("reg memfd 8192"), format!("reg {handle}"));
    }
    fault.hal.call("req 1 00 1");
    fault.hal.event("return 1 0 1 ");
    for buffer in 0..3 {
        assert_eq!(fault.hal.call(&format!("peek {buffer} 8190 2")), "peek 0000");
    }
    fault.hal.call("deinit");
    let left = fault.nothing_is_left();
    fault.recovers(left, 0);
}

#[test]
fn three_crashes_in_a_row_are_three_notifications() {
    let mut fault = with("crash_request");
    let mut left = None;
    for times in 1..=3 {
        assert_eq!(fault.hal.call("init"), "init 0");
        fault.hal.call("req 42 58 -1");
        fault.hal.event("notify 1");
        assert_eq!(*left.get_or_insert(fault.nothing_is_left()), fault.nothing_is_left());
        assert_eq!(fault.hal.count("notify"), times);
    }
    fault.recovers(left.unwrap(), 3);
}
