//! What passes is in the file, and passes as it would without.

use std::fs::{self};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::time::Duration;

use crate::common::{Host, Incoming, Setup};
use crate::room::*;
use cami_recording::session::Event;
use cami_recording::{Call, Ending};
use cami_wire::control::{FromClient, Restarts, Resumed};
use cami_wire::cros::{DeregisterBuffers, PROTOCOL_VERSION, Request};

#[test]
fn everything_that_passes_is_in_the_file() {
    let room = Room::new();
    let (mut host, memory) = room.host("x.camr");
    host.tell(FromClient::Restarts(Restarts { count: 3 }));
    memory.write_all_at(b"first", 0).unwrap();
    send(&host, 45, b"answer");
    assert_eq!(answer(&mut host), (45, 0));
    memory.write_all_at(b"second", 8000).unwrap();
    send(&host, 45, b"again!");
    assert_eq!(answer(&mut host), (45, 0));
    assert_eq!(host.status(17), 0);
    send(&host, 23, &[]);
    let update = host.next();
    assert!(matches!(update, Incoming::Updated(5, _, true)), "{update:?}");
    assert_eq!(answer(&mut host), (23, 0));
    host.call(|cookie| DeregisterBuffers::encode(&[7], cookie), &[]);
    send(&host, 2, &[]);
    answer(&mut host);
    host.tell(FromClient::Resumed(Resumed { at_ns: 77 }));
    let log = leave(host);
    assert!(log.contains("recording to "), "{log}");

    let path = room.path("x.camr");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (recording, session) = read(&path);
    assert_eq!(recording.ending(), Ending::Complete);
    let life = only(&session);
    assert_eq!(life.host.library, crate::common::library().to_str().unwrap());
    assert!(life.host.real_ns > 0 && life.host.at_ns > 0 && !life.host.build_id.is_empty());
    assert_eq!((life.host.profile.as_str(), life.host.command_at), ("generic", 0));
    assert_eq!(life.resumed_ns, Some(77));
    assert!(life.died.is_none() && life.ended_ns.is_some());
    let name = crate::common::library().file_name().unwrap().to_str().unwrap();
    let loaded = life.libraries.iter().find(|library| library.path.ends_with(name)).unwrap();
    assert_eq!(loaded.build_id, life.host.build_id);
    for key in ["tool_version", "kernel", "boot_id"] {
        assert!(session.annotations.iter().any(|said| said.key == key), "{key}");
    }

    let calls: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Call { called, answered } => {
                let value = answered.as_ref().unwrap().value;
                Some((Call::of_number(called.call).unwrap(), called.buffer_bytes, value))
            }
            _ => None,
        })
        .collect();
    let expected = [
        (Call::Load, 0, 0),
        (Call::Initialize, 0, 0),
        (Call::RegisterBuffer, 8192, 7),
        (Call::DeregisterBuffers, 0, 0),
    ];
    assert_eq!(calls, expected);

    let pairs = exchanges(&session);
    assert_eq!(pairs.iter().map(|pair| pair.0.req_id).collect::<Vec<_>>(), [45, 45, 17, 23, 2]);
    assert!(pairs.iter().all(|pair| pair.1.is_some_and(|answer| answer.request == pair.0.number)));
    let held = |content| recording.content(content).unwrap();
    let mut expected = vec![0; 8192];
    expected[..5].copy_from_slice(b"first");
    assert_eq!(held(pairs[0].0.content), expected);
    expected[100..106].copy_from_slice(b"answer");
    assert_eq!(held(pairs[0].1.unwrap().content), expected);
    expected[8000..8006].copy_from_slice(b"second");
    assert_eq!(held(pairs[1].0.content), expected);
    expected[100..106].copy_from_slice(b"again!");
    assert_eq!(held(pairs[1].1.unwrap().content), expected);
    assert_eq!(pairs[0].0.header.0, b"answer");
    // Without a buffer, and with one that is deregistered.
    let unknown = nix::errno::Errno::EBADF as u32;
    assert_eq!((pairs[2].0.handle, pairs[2].0.content_errno), (-1, unknown));
    assert_eq!((pairs[4].0.handle, pairs[4].0.content_errno), (7, unknown));
    let updates = session.events.iter().filter_map(|event| match event {
        Event::Update { updated, .. } => Some((updated.upd_id, updated.header.0.clone())),
        _ => None,
    });
    assert_eq!(updates.collect::<Vec<_>>(), [(5, vec![1, 2])]);
    let lines: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Line(line) if line.stream < 3 => Some((line.stream, line.text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(lines, [(1, "to standard output"), (2, "to standard error")]);
}

#[test]
fn the_library_finds_the_same_descriptors_as_without() {
    let room = Room::new();
    let numbers = |mut host: Host| {
        let buffer = host.ready();
        let found = (host.status(2), host.status(46));
        leave(host);
        drop(buffer);
        found
    };
    // The vendor process may have something else open for a moment, on either side.
    let same = || numbers(room.setup("x.camr").start()) == numbers(Setup::new().start());
    assert!((0..20).any(|_| same()));
}

#[test]
fn a_client_that_stops_reading_is_not_read_for_ever_and_back_pressure_passes_through() {
    let room = Room::new();
    let (mut host, _memory) = room.host("x.camr");
    // The client sends and does not read; requests and answers fill both halves of the link.
    let request = Request { req_id: 1, header: &[1; 4000], buffer_handle: 7 };
    let parts = request.parts(0);
    let message = [&parts.head[..], parts.header, &parts.tail].concat();
    let mut sent = 0;
    while sent < 3000 {
        let parts = [std::io::IoSlice::new(&message)];
        match host.link.send(&parts, &[], Duration::ZERO) {
            Ok(_) => sent += 1,
            Err(_) => break,
        }
    }
    assert!(sent > 100);
    // All come back in the end, once each, and none is lost.
    for _ in 0..sent {
        let _ = host.link.flush();
        assert_eq!(answer(&mut host).0, 1);
    }
    leave(host);
    let (_, session) = read(&room.path("x.camr"));
    assert_eq!(exchanges(&session).len(), sent);
}

#[test]
fn other_links_are_not_recorded_and_work() {
    let room = Room::new();
    let mut setup = room.setup("x.camr");
    let flags = nix::sys::socket::SockFlag::SOCK_CLOEXEC;
    let pair: (OwnedFd, OwnedFd) = nix::sys::socket::socketpair(
        nix::sys::socket::AddressFamily::Unix,
        nix::sys::socket::SockType::Stream,
        None,
        flags,
    )
    .unwrap();
    setup.pair = pair;
    let mut host = setup.start();
    let _memory = host.ready();
    assert_eq!(host.status(1), 0x75);
    let log = leave(host);
    assert!(log.contains("nothing is recorded: that needs a link of the type SOCK_SEQPACKET"));
    assert!(!room.path("x.camr").exists());
}

#[test]
fn buffers_that_are_too_large_are_passed_by_and_the_others_are_not() {
    let room = Room::new();
    let mut host = room.setup("x.camr").start();
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    assert_eq!(host.start_library(), 0);
    // Sparse; together more than is held, and each more than is looked at.
    let large: Vec<OwnedFd> = (0..9).map(|_| crate::common::buffer(65 << 20)).collect();
    for buffer in &large {
        host.register(&[buffer]);
    }
    // The library gives the same handle to all: this one has it now.
    let small = crate::common::buffer(8192);
    assert_eq!(host.register(&[&small]), 7);
    send(&host, 45, b"x");
    assert_eq!(answer(&mut host), (45, 0));
    assert_eq!(host.register(&[&large[0]]), 7);
    host.request(1, &[0x56]);
    answer(&mut host);
    send(&host, 1, &[0x56]);
    answer(&mut host);
    leave(host);
    let (recording, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    assert_eq!(recording.content(pairs[0].0.content).unwrap().len(), 8192);
    assert_eq!(pairs[2].0.content_errno, nix::errno::Errno::EFBIG as u32);
}
