//! However it ends, what had passed is in the file, and the end comes when it would without.

use std::fs::{self};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::common::{Incoming, Setup};
use crate::room::*;
use cami_link::Deadline;
use cami_recording::session::Event;
use cami_recording::{Ending, Recording, Session};
use cami_wire::control::{FromClient, Kill};
use cami_wire::cros::{PROTOCOL_VERSION, Request};
use nix::sys::signal::{Signal, kill};

#[test]
fn a_death_loses_nothing_and_the_client_sees_the_end_behind_the_last_callback() {
    let room = Room::new();
    let (mut host, _memory) = room.host("x.camr");
    send(&host, 47, &[]);
    for number in 0..300 {
        assert_eq!(answer(&mut host), (3000 + number, number));
    }
    assert_eq!(host.next(), Incoming::Closed);
    assert!(host.cause().contains("SIGSEGV"));
    assert_eq!(host.wait().0, Some(1));
    let (recording, session) = read(&room.path("x.camr"));
    assert_eq!(recording.ending(), Ending::Complete);
    let died = only(&session).died.as_ref().unwrap();
    assert_eq!((died.signal, died.by_host), (libc::SIGSEGV, 0));
    assert!(died.cause.contains("SIGSEGV"), "{}", died.cause);
    let pairs = exchanges(&session);
    assert_eq!((pairs.len(), pairs[0].1), (1, None));
    let answers = session.events.iter().filter_map(|event| match event {
        Event::Unsolicited(returned) => Some(returned.status),
        _ => None,
    });
    assert_eq!(answers.collect::<Vec<_>>(), (0..300).collect::<Vec<_>>());
}

#[test]
fn a_library_that_the_host_ended_is_told_from_one_that_died() {
    let room = Room::new();
    let (mut host, _memory) = room.host("x.camr");
    host.tell(FromClient::Kill(Kill { reason: "it hangs".into() }));
    assert_eq!(host.next(), Incoming::Closed);
    assert!(host.cause().contains("it hangs"));
    assert_eq!(host.wait().0, Some(1));
    let session = read(&room.path("x.camr")).1;
    let died = only(&session).died.as_ref().unwrap();
    assert_eq!((died.signal, died.by_host), (libc::SIGKILL, 1));
}

#[test]
fn a_killed_monitor_leaves_all_that_was_written_and_the_next_host_goes_on() {
    let room = Room::new();
    let path = room.path("x.camr");
    let (mut host, _memory) = room.host("x.camr");
    for _ in 0..20 {
        send(&host, 45, b"x");
        answer(&mut host);
    }
    // It is written without anybody asking for it.
    let deadline = Deadline::after(crate::common::PATIENCE);
    let written = || {
        let recording = Recording::open(&path).ok()?;
        Some(
            exchanges(&Session::of(&recording).ok()?)
                .iter()
                .filter(|pair| pair.1.is_some())
                .count(),
        )
    };
    while written() != Some(20) {
        assert!(!deadline.has_passed(), "{:?}", written());
        std::thread::yield_now();
    }
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    assert_eq!(host.next(), Incoming::Closed);
    let died = only(&read(&path).1).died.clone().unwrap();
    assert!(died.cause.contains("the monitor was killed"), "{}", died.cause);
    // A block that was being written.
    let torn = [9, 0, 0, 0, 0, 0, 0, 0, 1];
    fs::write(&path, [&fs::read(&path).unwrap()[..], &torn].concat()).unwrap();
    assert!(matches!(Recording::open(&path).unwrap().ending(), Ending::Torn { .. }));

    let (mut host, memory) = room.host("x.camr");
    memory.write_all_at(b"second", 0).unwrap();
    send(&host, 45, b"y");
    answer(&mut host);
    leave(host);
    let (recording, session) = read(&path);
    assert_eq!(recording.ending(), Ending::Complete);
    assert_eq!(session.hosts.iter().map(|life| life.host.host).collect::<Vec<_>>(), [1, 2]);
    let pairs = exchanges(&session);
    let numbers: Vec<u64> = pairs.iter().map(|pair| pair.0.number).collect();
    assert_eq!(numbers, (1..=21).collect::<Vec<_>>());
    assert_eq!(pairs[20].0.host, 2);
    assert_eq!(pairs[20].1.unwrap().request, 21);
    let last = recording.content(pairs[20].1.unwrap().content).unwrap();
    assert_eq!((&last[..6], last[100]), (&b"second"[..], b'y'));
    // What is known of the machine is said once.
    let said = session.annotations.iter().filter(|said| said.key == "kernel").count();
    assert_eq!(said, 1);
}

#[test]
fn a_host_that_only_stands_by_leaves_nothing() {
    let room = Room::new();
    let mut host = room.setup("x.camr").start();
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    leave(host);
    assert!(!room.path("x.camr").exists());
}

/// Whether the vendor process still runs when the client's link ends because the monitor was killed.
fn outlives_its_link(setup: Setup) -> bool {
    let mut host = setup.start();
    let vendor = host.vendor_pid();
    let _memory = host.ready();
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    assert_eq!(host.next(), Incoming::Closed);
    let stat = fs::read_to_string(format!("/proc/{vendor}/stat")).unwrap_or_default();
    let open = fs::read_dir(format!("/proc/{vendor}/fd")).map_or(0, |open| open.count());
    let state = stat.rsplit_once(") ").map_or("gone", |(_, rest)| &rest[..1]);
    !matches!(state, "gone" | "Z" | "X") && open > 0
}

#[test]
fn the_link_ends_no_sooner_than_the_vendor_process() {
    for _ in 0..20 {
        let room = Room::new();
        assert!(!outlives_its_link(room.setup("x.camr")));
    }
}

/// A service ends the monitor of a client that has left, if that takes long.
#[test]
fn a_client_that_has_left_has_seen_no_death() {
    for _ in 0..20 {
        let room = Room::new();
        let (mut host, _memory) = room.host("x.camr");
        let vendor = host.vendor_pid();
        send(&host, 45, b"x");
        answer(&mut host);
        host.link.shutdown();
        crate::common::wait_gone(vendor);
        host.process.kill().unwrap();
        host.process.wait().unwrap();
        let (_, session) = read(&room.path("x.camr"));
        let life = only(&session);
        assert!(life.died.is_none() && life.ended_ns.is_some(), "{life:?}");
    }
}

#[test]
fn a_killed_monitor_loses_nothing_that_had_passed() {
    let room = Room::new();
    let (mut host, memory) = room.host("x.camr");
    // The writer is there.
    let deadline = Deadline::after(crate::common::PATIENCE);
    while !room.path("x.camr").exists() {
        assert!(!deadline.has_passed());
        std::thread::sleep(Duration::from_millis(1));
    }
    // As much as the pipe holds, however late the writer is.
    for number in 0..60_u8 {
        memory.write_all_at(&[number; 2000], 0).unwrap();
        send(&host, 45, b"x");
        answer(&mut host);
    }
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    let (recording, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    assert_eq!(pairs.len(), 60);
    assert!(pairs.iter().all(|pair| pair.1.is_some()));
    let last = recording.content(pairs[59].0.content).unwrap();
    assert_eq!((last[0], last[1999]), (59, 59));
    assert_eq!(recording.ending(), Ending::Complete);
}

#[test]
fn a_writer_that_is_late_holds_no_end_up_and_loses_nothing_of_it() {
    let room = Room::new();
    let (mut host, memory) = room.host("x.camr");
    let writer = nix::unistd::Pid::from_raw(writer_of(&host));
    kill(writer, Signal::SIGSTOP).unwrap();
    // More than any pipe holds.
    let mut seed = 1;
    for _ in 0..200 {
        memory.write_all_at(&noise(&mut seed), 0).unwrap();
        send(&host, 45, b"x");
        answer(&mut host);
    }
    kill(nix::unistd::Pid::from_raw(host.vendor_pid()), Signal::SIGKILL).unwrap();
    while host.next() != Incoming::Closed {}
    host.process.wait().unwrap();
    kill(writer, Signal::SIGCONT).unwrap();
    let (recording, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    assert_eq!(pairs.len(), 200);
    let mut seed = 1;
    for (requested, _) in &pairs {
        assert_eq!(recording.content(requested.content).unwrap(), noise(&mut seed));
    }
    assert!(session.lost.is_empty(), "{:?}", session.lost);
    assert!(only(&session).died.is_some());
}

#[test]
fn a_client_that_does_not_read_gets_its_crash_record_all_the_same() {
    let room = Room::new();
    let folder = room.path("crashes");
    fs::create_dir(&folder).unwrap();
    let setup = room.setup("x.camr").variable("CAMI_IPA_CRASH_DIR", folder.to_str().unwrap());
    let mut host = setup.start();
    let vendor = host.vendor_pid();
    let _memory = host.ready();
    let request = Request { req_id: 1, header: &[1; 100], buffer_handle: -1 };
    let parts = request.parts(0);
    let message = [&parts.head[..], parts.header, &parts.tail].concat();
    while host
        .link
        .send(&[std::io::IoSlice::new(&message)], &[], Duration::from_millis(200))
        .is_ok()
        && host.link.backlog_messages() == 0
    {}
    let vendor = nix::unistd::Pid::from_raw(vendor);
    nix::sys::signal::kill(vendor, nix::sys::signal::Signal::SIGSEGV).unwrap();
    assert!(host.cause().contains("SIGSEGV"));
    // Such a client kills the monitor after a while; the record does not wait for it.
    let began = Instant::now();
    while fs::read_dir(&folder).unwrap().count() == 0 {
        assert!(began.elapsed() < Duration::from_millis(900), "it comes behind the link");
        std::thread::sleep(Duration::from_millis(2));
    }
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    let died = only(&read(&room.path("x.camr")).1).died.clone().unwrap();
    assert_eq!(died.signal, libc::SIGSEGV, "{}", died.cause);
}
