//! A service that comes late, ends, or is killed.

use std::time::{Duration, Instant};

use cami_tests::{Room, ServiceSetup};

use crate::works;

#[test]
fn killed_service_takes_its_hosts_and_clients_come_back() {
    let service = ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__CLIENTS", "many").start();
    let mut hals: Vec<_> = (0..2).map(|_| service.hal().start()).collect();
    for hal in &mut hals {
        assert_eq!(hal.call("init"), "init 0");
    }
    let hosts = service.hosts();
    assert_eq!(hosts.len(), 4);
    service.signal(service.pid(), libc::SIGKILL);
    for hal in &mut hals {
        hal.event("notify 1");
        assert_eq!(hal.call("reg memfd 4096"), "reg -104");
    }
    service.wait_for_end(&hosts);
    let socket = service.socket.clone();
    let (_, room, folder) = service.ended();
    assert!(socket.exists(), "nobody was there to remove it");

    let next =
        ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__CLIENTS", "many").start_in(room, folder);
    for hal in &mut hals {
        assert_eq!(hal.call("init"), "init 0");
        works(hal);
        assert_eq!(hal.count("notify"), 1);
    }
    hals.into_iter().for_each(cami_tests::Hal::finish);
    next.finish();
}

#[test]
fn service_that_is_told_to_end_tells_its_clients() {
    let service = ServiceSetup::new("plain").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    service.finish();
    hal.event("notify 1");
    hal.log.wait(&["the service was ended by SIGTERM"]);
    assert_eq!(hal.count("notify"), 1);
    hal.finish();
}

#[test]
fn service_that_starts_late_is_waited_for() {
    let (room, folder) = (Room::new(), Room::new());
    let socket = folder.path("service.sock").display().to_string();
    let mut hal = cami_tests::Setup::unconfigured().with("CAMI_IPA_SOCKET", &socket).start();
    hal.send("init");
    // The HAL's thread is there, so it is in initialize.
    let deadline = Instant::now() + cami_tests::PATIENCE;
    while hal.threads().len() < 2 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let service = ServiceSetup::new("plain").start_in(room, folder);
    assert_eq!(hal.reply("init"), "init 0");
    works(&mut hal);
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
    service.finish();
}

#[test]
fn without_a_service_initialize_fails_within_its_budget() {
    let folder = Room::new();
    let socket = folder.path("service.sock").display().to_string();
    let mut hal = cami_tests::Setup::unconfigured().with("CAMI_IPA_SOCKET", &socket).start();
    let since = Instant::now();
    assert_eq!(hal.call("init"), "init -2");
    let took = since.elapsed();
    assert!((Duration::from_millis(2900)..Duration::from_secs(5)).contains(&took), "{took:?}");
    hal.log.wait(&[&socket, "CAMI_IPA_SOCKET", "cami-ipa serve"]);
    assert_eq!(hal.family(), [] as [u32; 0], "no host was started in its place");
    hal.finish();
}

#[test]
fn service_that_is_killed_and_comes_back_is_not_noticed_where_deaths_are_resumed() {
    let setup = |recovery: &str| {
        ServiceSetup::new("plain")
            .with("CAMI_IPA_SERVICE__CLIENTS", "many")
            .with("CAMI_IPA_RECOVERY", recovery)
    };
    let service = setup("resume").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    let hosts = service.hosts();
    service.signal(service.pid(), libc::SIGKILL);
    service.wait_for_end(&hosts);
    let (_, room, folder) = service.ended();
    // Made while nobody is there to answer it.
    hal.call("req 5 00 1");
    let next = setup("resume").start_in(room, folder);
    hal.event("return 5 ");
    assert_eq!(hal.count("return 5 "), 1);
    assert_eq!(hal.count("notify"), 0, "{}", hal.log.text());
    hal.finish();
    next.finish();
}
