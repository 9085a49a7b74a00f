//! `record` in the configuration of the service: its hosts record, whoever their clients are.

use std::fs;
use std::path::{Path, PathBuf};

use cami_recording::{Call, Ending};
use cami_tests::{Hal, Recorded, Room, Service, ServiceSetup};

use crate::works;

/// A folder for what is recorded, and a service whose configuration file says to record there.
fn service(name: &str) -> (Room, Service) {
    let (records, room, folder) = (Room::new(), Room::new(), Room::new());
    let text = format!("record = {:?}\n", records.path(name).display().to_string());
    fs::write(room.path("cami-ipa.toml"), text).unwrap();
    let setup = ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__CLIENTS", "many");
    (records, setup.start_in(room, folder))
}

/// `initialize`, a buffer, and a request with it that is answered.
#[track_caller]
fn begin(hal: &mut Hal, request: u32) {
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    hal.call(&format!("req {request} 0102 1"));
    hal.event(&format!("return {request} "));
}

/// The client leaves, and its host ends before anybody ends it.
#[track_caller]
fn leave(service: &Service, hal: Hal) {
    let hosts = service.hosts();
    hal.finish();
    service.wait_for_end(&hosts);
}

/// The numbers of a host's requests, all of which are answered and have what their buffer held.
fn requests(recorded: &Recorded, host: u32) -> Vec<u32> {
    let of_host = recorded.exchanges().filter(|(requested, _)| requested.host == host);
    of_host
        .map(|(requested, returned)| {
            let returned = returned.expect("an answer");
            for content in [requested.content, returned.content] {
                assert_eq!(recorded.file.content(content).unwrap().len(), 4096);
            }
            requested.req_id
        })
        .collect()
}

#[test]
fn sessions_of_a_client_through_the_service_are_in_the_file() {
    let (records, service) = service("session.camr");
    let mut hal = service.hal().start();
    begin(&mut hal, 5);
    hal.call("deinit");
    begin(&mut hal, 6);
    leave(&service, hal);
    let mut other = service.hal().start();
    begin(&mut other, 7);
    leave(&service, other);
    service.finish();

    let recorded = Recorded::read(&records.path("session.camr"));
    assert_eq!(recorded.file.ending(), Ending::Complete);
    let hosts = &recorded.session.hosts;
    assert_eq!(hosts.iter().map(|life| life.host.host).collect::<Vec<_>>(), [1, 2, 3]);
    for (life, request) in hosts.iter().zip([5, 6, 7]) {
        let number = life.host.host;
        assert!(life.host.library.ends_with("/libvendor.so"), "{}", life.host.library);
        assert!(life.libraries.iter().any(|library| library.path.ends_with("/libvendor.so")));
        assert!(life.ended_ns.is_some() && life.died.is_none(), "host {number}");
        assert_eq!(requests(&recorded, number), [request]);
        let calls = recorded.calls(number);
        let begins = [Call::Load, Call::Initialize].map(|call| (call, Some(0)));
        assert_eq!(&calls[..2], begins, "host {number}");
        assert!(calls.contains(&(Call::RegisterBuffer, Some(1))), "host {number}: {calls:?}");
    }
    assert_eq!(recorded.calls(1).last(), Some(&(Call::Deinitialize, Some(0))));
    assert_eq!(recorded.said("client"), ["hal"], "who was served, and not who has served it");
}

#[test]
fn a_folder_has_a_file_for_each_client_of_the_service() {
    let (records, service) = service("");
    let mut hals: Vec<_> = (0..2).map(|_| service.hal().start()).collect();
    for (hal, request) in hals.iter_mut().zip([1, 2]) {
        begin(hal, request);
    }
    let pids: Vec<u32> = hals.iter().map(Hal::pid).collect();
    let hosts = service.hosts();
    hals.into_iter().for_each(Hal::finish);
    service.wait_for_end(&hosts);
    service.finish();
    let mut files: Vec<PathBuf> =
        fs::read_dir(records.mark()).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "camr"));
    assert_eq!(files.len(), 2, "{files:?}");
    for (pid, request) in pids.iter().zip([1, 2]) {
        let of_client = |file: &&PathBuf| file.display().to_string().contains(&format!("-{pid}-"));
        let file = files.iter().find(of_client).expect("a file of this client");
        assert_eq!(requests(&Recorded::read(file), 1), [request]);
    }
}

/// What is in the file of a client that was served when its service ended somehow.
fn after_the_end_of_the_service(signal: i32) {
    let (records, first) = service("session.camr");
    let mut hal = first.hal().start();
    begin(&mut hal, 5);
    let (hosts, socket) = (first.hosts(), first.socket.clone());
    first.signal(first.pid(), signal);
    hal.event("notify 1");
    first.wait_for_end(&hosts);
    let (_, room, folder) = first.ended();
    assert_eq!(socket.exists(), signal == libc::SIGKILL);
    let setup = ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__CLIENTS", "many");
    let next = setup.start_in(room, folder);
    begin(&mut hal, 6);
    works(&mut hal);
    leave(&next, hal);
    next.finish();
    check_both(&records.path("session.camr"));
}

#[track_caller]
fn check_both(path: &Path) {
    let recorded = Recorded::read(path);
    assert_eq!(recorded.file.ending(), Ending::Complete);
    let [first, second] = &recorded.session.hosts[..] else { panic!("two hosts") };
    assert!(first.ended_ns.is_some() || first.died.is_some(), "{first:?}");
    assert!(second.ended_ns.is_some() && second.died.is_none(), "{second:?}");
    assert_eq!(requests(&recorded, first.host.host), [5]);
    let second: Vec<u32> = recorded
        .exchanges()
        .filter(|(requested, _)| requested.host == second.host.host)
        .map(|(requested, _)| requested.req_id)
        .collect();
    assert_eq!(second, [6, 77]);
}

#[test]
fn a_killed_service_loses_nothing_and_the_next_one_goes_on_in_the_file() {
    after_the_end_of_the_service(libc::SIGKILL);
}

#[test]
fn a_service_that_is_told_to_end_loses_nothing_and_the_next_one_goes_on_in_the_file() {
    after_the_end_of_the_service(libc::SIGTERM);
}

#[test]
fn a_recording_that_cannot_be_made_is_told_in_the_service_s_log_and_clients_are_served() {
    let (records, service) = service("no/such/folder.camr");
    let mut hal = service.hal().start();
    begin(&mut hal, 5);
    let path = records.path("no/such/folder.camr").display().to_string();
    service.log.wait(&["nothing is recorded", &path, "the camera goes on"]);
    hal.finish();
    service.finish();
}

#[test]
fn a_death_that_is_resumed_is_told_and_the_next_host_goes_on() {
    let records = Room::new();
    let path = records.path("session.camr");
    let service = ServiceSetup::new("plain")
        .with("CAMI_IPA_RECORD", &path.display().to_string())
        .with("CAMI_IPA_RECOVERY", "resume")
        .start();
    let mut hal = service.hal().start();
    begin(&mut hal, 5);
    service.signal(service.vendors()[0], libc::SIGKILL);
    hal.log.wait(&["SIGKILL"]);
    hal.call("req 6 0102 1");
    hal.event("return 6 ");
    leave(&service, hal);
    service.finish();
    let recorded = Recorded::read(&path);
    let [first, second] = &recorded.session.hosts[..] else {
        panic!("{:?}", recorded.session.hosts)
    };
    assert_eq!(first.died.as_ref().expect("a death").signal, libc::SIGKILL);
    assert_eq!(second.host.restarts, 1);
    assert!(second.resumed_ns.is_some());
    assert_eq!(requests(&recorded, 2), [6]);
}
