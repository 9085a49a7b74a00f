//! What is bounded so that a library costs the camera nothing, and what is told of it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::common::buffer;
use crate::room::*;
use cami_link::Deadline;
use cami_recording::session::Event;
use cami_recording::{Call, Ending, Recording, Session};
use cami_wire::cros::{DeregisterBuffers, PROTOCOL_VERSION, Request};
use nix::errno::Errno;

/// Larger than those that are looked at whatever it takes.
const LARGE: u64 = 20 << 20;

/// Why requests with the buffer of this handle have no contents; 0: they have.
fn errnos(session: &Session, handle: i32) -> Vec<u32> {
    let pairs = exchanges(session);
    let of_handle = pairs.iter().filter(|pair| pair.0.handle == handle);
    of_handle.map(|pair| pair.0.content_errno).collect()
}

/// Some, then none, then some.
fn was_left_out_for_a_while(errnos: &[u32]) -> bool {
    let busy = Errno::EBUSY as u32;
    let Some(first) = errnos.iter().position(|&errno| errno == busy) else { return false };
    errnos[..first].contains(&0) && errnos[first..].contains(&0)
}

#[test]
fn large_buffers_are_left_out_for_a_while_and_events_and_small_ones_go_on() {
    let room = Room::new();
    let setup = room.setup("x.camr").variable("CAMI_IPA_ENVIRONMENT", "HANDLES=1");
    let mut host = setup.start();
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    assert_eq!(host.start_library(), 0);
    let buffers = [LARGE, 8192].map(buffer);
    for (fd, handle) in buffers.iter().zip([7, 8]) {
        assert_eq!(host.register(&[fd]), handle);
    }
    // No hole, which would not be read.
    let large = File::from(buffers[0].try_clone().unwrap());
    large.write_all_at(&vec![1; usize::try_from(LARGE).unwrap()], 0).unwrap();
    // Until it is seen: the relay's own time is counted, and on a busy machine it has little in a second.
    let path = room.path("x.camr");
    let seen = || {
        let session = Session::of(&Recording::open(&path).ok()?).ok()?;
        Some(was_left_out_for_a_while(&errnos(&session, 7)))
    };
    let (deadline, mut rounds) = (Deadline::after(crate::common::PATIENCE), 0);
    while rounds % 10 != 0 || seen() != Some(true) {
        assert!(!deadline.has_passed(), "after {rounds} rounds");
        rounds += 1;
        for handle in [7, 8] {
            let request = Request { req_id: 1, header: &[1], buffer_handle: handle };
            let parts = request.parts(0);
            host.send(&[&parts.head[..], parts.header, &parts.tail].concat(), &[]);
            assert_eq!(answer(&mut host).0, 1);
        }
    }
    leave(host);
    let (recording, session) = read(&path);
    let pairs = exchanges(&session);
    assert_eq!(pairs.len(), 2 * rounds, "every request is there");
    assert!(pairs.iter().all(|pair| pair.1.is_some()), "and every answer");
    let small = errnos(&session, 8);
    assert!(!small.contains(&(Errno::EBUSY as u32)), "small ones are looked at: {small:?}");
    assert!(was_left_out_for_a_while(&errnos(&session, 7)));
    for (requested, _) in pairs.iter().filter(|pair| pair.0.content != 0) {
        let held = recording.outline(requested.content).unwrap().bytes;
        assert_eq!(held, if requested.handle == 7 { LARGE } else { 8192 });
    }
}

#[test]
fn a_library_that_talks_before_it_is_used_is_recorded_from_its_begin() {
    let room = Room::new();
    let setup = room.setup("x.camr").variable("CAMI_IPA_ENVIRONMENT", "TALKS=3000");
    let mut host = setup.start();
    let _memory = host.ready();
    assert_eq!(host.status(1), 0x75);
    leave(host);
    let (recording, session) = read(&room.path("x.camr"));
    assert_eq!(recording.ending(), Ending::Complete);
    let calls = session.events.iter().filter_map(|event| match event {
        Event::Call { called, .. } => Call::of_number(called.call),
        _ => None,
    });
    assert_eq!(calls.collect::<Vec<_>>(), [Call::Load, Call::Initialize, Call::RegisterBuffer]);
    let is_early =
        |event: &&Event| matches!(event, Event::Line(line) if line.text.starts_with("early "));
    assert!(session.events.iter().filter(is_early).count() >= 10);
    assert_eq!(exchanges(&session).len(), 1);
}

#[test]
fn an_answer_under_a_handle_that_was_given_again_is_of_no_request_before() {
    let room = Room::new();
    let (mut host, _memory) = room.host("x.camr");
    // It is never answered while its buffer is registered.
    send(&host, 53, &[]);
    host.call(|cookie| DeregisterBuffers::encode(&[7], cookie), &[]);
    assert_eq!(host.register(&[&buffer(8192)]), 7);
    send(&host, 54, &[]);
    assert_eq!(answer(&mut host), (53, 9));
    assert_eq!(answer(&mut host), (54, 0));
    leave(host);
    let (_, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    let answered = pairs.iter().map(|pair| (pair.0.req_id, pair.1.is_some()));
    assert_eq!(answered.collect::<Vec<_>>(), [(53, false), (54, true)]);
    let unsolicited = session.events.iter().filter_map(|event| match event {
        Event::Unsolicited(returned) => Some((returned.req_id, returned.status)),
        _ => None,
    });
    assert_eq!(unsolicited.collect::<Vec<_>>(), [(53, 9)]);
}
