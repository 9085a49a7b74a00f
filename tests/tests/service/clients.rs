//! Who is served, and beside whom.

use cami_tests::{Room, ServiceSetup, digest};

use crate::works;

#[test]
fn client_goes_through_the_whole_abi() {
    let service = ServiceSetup::new("updates").start();
    let mut hal = service.hal().start();
    let before = hal.resources();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(service.hosts().len(), 2, "one monitor and one vendor process");
    assert_eq!(service.vendors().len(), 1);
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    hal.call("req 4 0102 1");
    let update = hal.event("update ");
    assert!(update.contains("fd=open"), "{update}");
    let id = update.split(' ').nth(1).unwrap().to_owned();
    hal.call(&format!("updret {id} 9 kept"));
    // The same file, number and content (vendors/updates.c).
    hal.event(&format!("return {id} 7 9"));
    hal.call("dereg 1");
    let during = hal.resources();
    assert!(during.fds <= before.fds + 4, "{} descriptors beyond the HAL's own", during.fds);
    assert_eq!(during.threads, before.threads + 1);
    assert_eq!(during.processes, 0, "a HAL that connects starts nothing");
    let hosts = service.hosts();
    hal.call("deinit");
    service.wait_for_end(&hosts);
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
    service.finish();
}

#[test]
fn ten_thousand_requests_of_random_headers_arrive_whole() {
    let service = ServiceSetup::new("plain").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 9 0102ff -1");
    hal.event(&format!("return 9 {} -1", digest(&[1, 2, 255])));
    hal.call("burst 0 10000 0 600 7 64");
    let result = hal.call("await 10000");
    assert!(result.starts_with("await answered=10000 wrong=0 doubled=0 strange=0"), "{result}");
    hal.finish();
    service.finish();
}

#[test]
fn many_clients_live_beside_each_other() {
    let service = ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__CLIENTS", "many").start();
    let mut hals: Vec<_> = (0..3).map(|_| service.hal().start()).collect();
    for hal in &mut hals {
        assert_eq!(hal.call("init"), "init 0");
    }
    assert_eq!(service.vendors().len(), 3);
    for hal in &mut hals {
        works(hal);
        assert_eq!(hal.call("reg memfd 4096"), "reg 1", "a library of its own");
    }
    let mut first = hals.remove(0);
    first.call("deinit");
    for hal in &mut hals {
        works(hal);
        assert_eq!(hal.count("notify"), 0);
    }
    first.finish();
    hals.into_iter().for_each(cami_tests::Hal::finish);
    service.finish();
}

#[test]
fn last_client_takes_the_place_of_the_one_before() {
    let service = ServiceSetup::new("plain").start();
    let mut first = service.hal().start();
    assert_eq!(first.call("init"), "init 0");
    let hosts = service.hosts();
    let mut second = service.hal().start();
    assert_eq!(second.call("init"), "init 0");
    first.event("notify 1");
    first.log.wait(&["died", "another client took its place", "service.clients"]);
    service.wait_for_end(&hosts);
    works(&mut second);
    assert_eq!(first.call("reg memfd 4096"), "reg -104");
    // And back.
    assert_eq!(first.call("init"), "init 0");
    second.event("notify 1");
    works(&mut first);
    assert_eq!((first.count("notify"), second.count("notify")), (1, 1));
    assert_eq!(service.vendors().len(), 1);
    first.finish();
    second.finish();
    service.finish();
}

#[test]
fn client_gets_the_section_that_is_named_after_its_file() {
    let room = Room::new();
    let common = room.install("plain", "libvendor.so");
    let second = room.install("revision_g", "libgpu.so");
    let text = format!(
        "vendor_library = \"{}\"\n[\"libcam_algo_vendor_gpu.so\"]\nvendor_library = \"{}\"\n",
        common.display(),
        second.display()
    );
    std::fs::write(room.path("cami-ipa.toml"), text).unwrap();
    let service = ServiceSetup::new("plain")
        .with("CAMI_IPA_VENDOR_LIBRARY", "")
        .with("CAMI_IPA_SERVICE__CLIENTS", "many")
        .start_in(room, Room::new());
    let mut one = service.hal().start();
    assert_eq!(one.call("init"), "init 0");
    let mut other = service.hal().start_unloaded();
    let shim = other.room.install_shim("libcam_algo_vendor_gpu.so");
    assert_eq!(other.call(&format!("load {}", shim.display())), "load ok");
    assert_eq!(other.call("init"), "init 0");
    service.log.wait(&["libcam_algo_vendor_gpu.so", "served by"]);
    service.log.wait(&["running", "libgpu.so"]);
    assert_eq!(service.vendors().len(), 1, "one has the common library");
    works(&mut one);
    works(&mut other);
    one.finish();
    other.finish();
    service.finish();
}

#[test]
fn service_ends_when_its_last_client_left_where_it_shall() {
    let service =
        ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__ON_DISCONNECT", "exit").start();
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    let (log, socket) = (service.log.clone(), service.socket.clone());
    hal.call("deinit");
    let (status, _room, _folder) = service.ended();
    assert!(status.success(), "{status}\n{}", log.text());
    assert!(!socket.exists(), "the socket stayed");
    hal.finish();
}

#[test]
fn service_waits_for_the_next_client_by_default() {
    let service = ServiceSetup::new("plain").start();
    for _ in 0..3 {
        let mut hal = service.hal().start();
        assert_eq!(hal.call("init"), "init 0");
        works(&mut hal);
        let hosts = service.hosts();
        hal.finish();
        service.wait_for_end(&hosts);
    }
    service.finish();
}
