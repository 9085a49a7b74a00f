//! Who ends whom.

use std::time::{Duration, Instant};

use cami_tests::ServiceSetup;

use crate::works;

#[test]
fn crash_of_the_library_is_named_and_told_once() {
    let service = ServiceSetup::new("crash_request").start();
    let mut hal = service.hal().start();
    let before = hal.resources();
    for notified in 1..=3 {
        assert_eq!(hal.call("init"), "init 0");
        works(&mut hal);
        hal.call("req 1 58 -1");
        hal.event("notify 1");
        assert_eq!(hal.count("notify"), notified);
        assert_eq!(hal.call("reg memfd 4096"), "reg -104");
    }
    hal.log.wait(&["SIGSEGV", "0x10", "libvendor.so", "request 1 "]);
    assert!(hal.resources().fds <= before.fds + 2, "the waker and the reader's epoll stay");
    hal.finish();
    service.finish();
}

#[test]
fn hang_ends_at_the_deadline_of_the_call() {
    let service =
        ServiceSetup::new("hang_register").with("CAMI_IPA_TIMEOUTS__REGISTER_MS", "200").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    let hosts = service.hosts();
    assert_eq!(hal.call("reg memfd 4096"), "reg -110");
    hal.event("notify 1");
    hal.log.wait(&["register_buffer did not return within 200 ms"]);
    service.wait_for_end(&hosts);
    hal.finish();
    service.finish();
}

/// The monitor cannot do what it is told: the service does.
#[test]
fn stopped_monitor_of_a_hung_library_is_killed_by_the_service() {
    let service =
        ServiceSetup::new("hang_register").with("CAMI_IPA_TIMEOUTS__REGISTER_MS", "200").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    let hosts = service.hosts();
    service.signal(service.monitors()[0], libc::SIGSTOP);
    assert_eq!(hal.call("reg memfd 4096"), "reg -110");
    hal.event("notify 1");
    service.wait_for_end(&hosts);
    assert_eq!(hal.count("notify"), 1);
    hal.finish();
    service.finish();
}

#[test]
fn killed_monitor_is_told_and_leaves_nothing() {
    let service = ServiceSetup::new("plain").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    let hosts = service.hosts();
    service.signal(service.monitors()[0], libc::SIGKILL);
    hal.event("notify 1");
    hal.log.wait(&["the monitor was killed by SIGKILL"]);
    service.wait_for_end(&hosts);
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    assert_eq!(hal.count("notify"), 1);
    hal.finish();
    service.finish();
}

#[test]
fn killed_vendor_process_is_told_once() {
    let service = ServiceSetup::new("plain").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    service.signal(service.vendors()[0], libc::SIGKILL);
    hal.event("notify 1");
    hal.log.wait(&["SIGKILL"]);
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    assert_eq!(hal.count("notify"), 1);
    hal.finish();
    service.finish();
}

/// What its library started and left is ended with a killed monitor, by the service.
#[test]
fn killed_monitor_takes_what_its_library_left_running() {
    let service = ServiceSetup::new("forks").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 1 58 -1");
    service.log.wait(&["the child stays"]);
    service.log.wait(&["the orphan stays"]);
    let hosts = service.hosts();
    assert_eq!(hosts.len(), 4, "monitor, vendor process, and the two that it started");
    service.signal(service.monitors()[0], libc::SIGKILL);
    hal.event("notify 1");
    service.wait_for_end(&hosts);
    hal.finish();
    service.finish();
}

/// Once in ten tries: the machine may be busy, the promise is the mechanism's.
#[track_caller]
fn end_within_100_ms(vendor: &str, commands: &[(&str, &str)]) {
    let once = || {
        let service = ServiceSetup::new(vendor).start();
        let mut hal = service.hal().start();
        assert_eq!(hal.call("init"), "init 0");
        for (command, reply) in commands {
            assert_eq!(hal.call(command), *reply);
        }
        let hosts = service.hosts();
        assert_eq!(hosts.len(), 2);
        hal.signal(hal.pid(), libc::SIGKILL);
        // Not before: `signal` looks through /proc first.
        let since = Instant::now();
        service.wait_for_end(&hosts);
        let took = since.elapsed();
        service.finish();
        took
    };
    let limit = Duration::from_millis(100);
    let mut took = Vec::new();
    while took.len() < 10 && took.last().is_none_or(|last| *last > limit) {
        took.push(once());
    }
    assert!(took.last() <= Some(&limit), "the host ended {took:?} after its client");
}

#[test]
fn killed_client_takes_its_host_with_it_within_100_ms() {
    end_within_100_ms("plain", &[]);
}

#[test]
fn killed_client_takes_a_hung_library_with_it_within_100_ms() {
    end_within_100_ms("hang_request", &[("req 1 58 -1", "req")]);
}

/// A child of the HAL keeps both sockets open, so there is no hang-up to see.
#[test]
fn killed_client_whose_child_holds_its_sockets_takes_its_host_with_it() {
    end_within_100_ms("plain", &[("fork hang", "hang")]);
}
