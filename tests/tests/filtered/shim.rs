//! A HAL under the filter, with the shim and `CAMI_IPA_SOCKET`. Its hosts are the service's, which
//! is not filtered.

use cami_tests::{Hal, Room, Service, ServiceSetup, Setup};

fn start(vendor: &str) -> (Service, Hal) {
    let service = ServiceSetup::new(vendor).start();
    let mut hal = service.hal().filtered().start();
    assert_eq!(hal.call("init"), "init 0");
    (service, hal)
}

#[track_caller]
fn works(hal: &mut Hal) {
    hal.call("req 77 00 -1");
    hal.event("return 77 ");
}

#[test]
fn whole_abi() {
    let (service, mut hal) = start("updates");
    assert_eq!(hal.call("reg written 8192"), "reg 1");
    hal.call("req 4 0102 1");
    hal.event("update 4 0102");
    hal.call("updret 4 9 kept");
    hal.event("return 4 7 9");
    hal.call("dereg 1");
    hal.call("deinit");
    // And again, on a thread that ends.
    assert_eq!(hal.call("thread init"), "init 0");
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
    service.finish();
}

#[test]
fn calls_from_inside_callbacks() {
    let (service, mut hal) = start("plain");
    hal.call("then reg written 4096");
    hal.call("req 1 00 -1");
    hal.event("then reg 1");
    hal.call("then deinit");
    hal.call("req 2 00 -1");
    hal.event("then deinit");
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.finish();
    service.finish();
}

#[test]
fn crash_of_the_library_and_reconnection() {
    let (service, mut hal) = start("crash_request");
    for notified in 1..=3 {
        works(&mut hal);
        hal.call("req 1 58 -1");
        hal.event("notify 1");
        assert_eq!(hal.count("notify"), notified);
        assert_eq!(hal.call("reg written 4096"), "reg -104");
        assert_eq!(hal.call("init"), "init 0");
    }
    hal.log.wait(&["died", "SIGSEGV"]);
    hal.finish();
    service.finish();
}

#[test]
fn hang_of_the_library_ends_at_its_deadline() {
    let service =
        ServiceSetup::new("hang_register").with("CAMI_IPA_TIMEOUTS__REGISTER_MS", "200").start();
    let mut hal = service.hal().filtered().start();
    assert_eq!(hal.call("init"), "init 0");
    service.signal(service.monitors()[0], libc::SIGSTOP);
    assert_eq!(hal.call("reg written 4096"), "reg -110");
    hal.event("notify 1");
    hal.finish();
    service.finish();
}

#[test]
fn killed_service_and_the_next_one() {
    let (service, mut hal) = start("plain");
    service.signal(service.pid(), libc::SIGKILL);
    hal.event("notify 1");
    let (_, room, folder) = service.ended();
    let next = ServiceSetup::new("plain").start_in(room, folder);
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.finish();
    next.finish();
}

#[test]
fn no_service_is_a_return_code_and_a_line() {
    let folder = Room::new();
    let socket = folder.path("service.sock").display().to_string();
    let mut hal = Setup::unconfigured().with("CAMI_IPA_SOCKET", &socket).filtered().start();
    assert_eq!(hal.call("init"), "init -2");
    hal.log.wait(&["CAMI_IPA_SOCKET"]);
    hal.finish();
}

/// A link that is full and a backlog that grows: nothing of it remaps or polls.
#[test]
fn load_on_a_library_that_does_not_read() {
    let (service, mut hal) = start("plain");
    hal.call("burst 0 10000 0 600 7 64");
    let result = hal.call("await 10000");
    assert!(result.starts_with("await answered=10000 wrong=0 doubled=0 strange=0"), "{result}");
    service.signal(service.vendors()[0], libc::SIGSTOP);
    // 16 MiB of headers: more than socket and backlog hold.
    hal.call("burst 10000 512 32768 32768 4714 0");
    hal.log.wait(&["was not sent"]);
    service.signal(service.vendors()[0], libc::SIGCONT);
    let result = hal.call("await 10512");
    assert!(result.starts_with("await answered=10512 "), "{result}");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
    service.finish();
}

/// Threads that meet at every lock of ours: none of them yields.
#[test]
fn herd_of_threads() {
    let (service, mut hal) = start("plain");
    hal.call("tally on");
    assert_eq!(hal.call("herd 12 50"), "herd failures=0");
    hal.call("tally off");
    works(&mut hal);
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
    service.finish();
}

#[test]
fn system_log_and_files_take_lines() {
    for target in ["debug,syslog", "debug,/dev/null"] {
        let service = ServiceSetup::new("crash_request").start();
        let mut hal = service.hal().with("CAMI_IPA_LOG", target).filtered().start();
        assert_eq!(hal.call("init"), "init 0");
        hal.call("req 1 58 -1");
        hal.event("notify 1");
        assert_eq!(hal.call("init"), "init 0");
        hal.finish();
        service.finish();
    }
}

#[test]
fn closed_standard_streams() {
    let service = ServiceSetup::new("crash_request").start();
    let mut hal = service.hal().filtered().start();
    hal.call("nostdio");
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.call("req 1 58 -1");
    hal.event("notify 1");
    assert_eq!(hal.call("init"), "init 0");
    hal.finish();
    service.finish();
}

/// A set-up request, its buffers and the replay: all with system calls of the list.
#[test]
fn death_that_nobody_notices() {
    for standby in ["false", "true"] {
        let service = ServiceSetup::new("ipu3")
            .with("CAMI_IPA_PROFILE", "intel-ipu3")
            .with("CAMI_IPA_SERVICE__CLIENTS", "many")
            .with("CAMI_IPA_RECOVERY", "resume")
            .with("CAMI_IPA_RESTART__LIMIT", "0")
            .with("CAMI_IPA_STANDBY", standby)
            .start();
        let mut hal = service.hal().filtered().start();
        assert_eq!(hal.call("init"), "init 0");
        assert_eq!(hal.call("reg written 4096"), "reg 1");
        assert_eq!(hal.call("reg written 8192"), "reg 2");
        hal.call("dereg 1");
        // MKN_INIT and MKN_ENABLE: set-up and state, which are done again in memory of ours.
        for command in [21, 24] {
            hal.call(&format!("req {command} 56 2"));
            hal.event(&format!("return {command} 0 2"));
        }
        for round in 8..=12 {
            for vendor in service.vendors() {
                // The one that stands by goes with it, or before it: then another is started.
                service.signal(vendor, libc::SIGKILL);
            }
            hal.call(&format!("req {round} 56 2"));
            hal.event(&format!("return {round} "));
        }
        hal.log.wait(&["2 requests done again"]);
        assert!(hal.call("reg written 4096").starts_with("reg "), "ours come in between");
        assert_eq!(hal.count("notify"), 0, "{}", hal.log.text());
        hal.finish();
        service.finish();
    }
}

/// Payloads that grow from request to request, over what malloc would move by mremap.
#[test]
fn death_with_large_payloads() {
    let service = ServiceSetup::new("ipu3")
        .with("CAMI_IPA_SERVICE__CLIENTS", "many")
        .with("CAMI_IPA_PROFILE", "intel-ipu3")
        .with("CAMI_IPA_RECOVERY", "resume")
        .with("CAMI_IPA_RESTART__LIMIT", "0")
        .start();
    let mut hal = service.hal().filtered().start();
    assert_eq!(hal.call("init"), "init 0");
    for (handle, bytes) in [(1, 160_000), (2, 400_000), (3, 1_200_000)] {
        assert_eq!(hal.call(&format!("reg written {bytes}")), format!("reg {handle}"));
    }
    for round in 0..3 {
        // MKN_ENABLE is a state: each takes the place of the one before, whose memory is used again.
        for handle in 1..=3 {
            hal.call(&format!("req 24 56 {handle}"));
            hal.event(&format!("return 24 0 {handle}"));
        }
        service.signal(service.vendors()[0], libc::SIGKILL);
        hal.call("req 8 56 1");
        hal.event("return 8 ");
        assert_eq!(hal.count("return 8 "), round + 1);
    }
    assert_eq!(hal.count("notify"), 0, "{}", hal.log.text());
    hal.finish();
    service.finish();
}
