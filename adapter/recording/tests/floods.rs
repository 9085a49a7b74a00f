//! A library that says more than it is asked for does not take the room of what it was asked.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use cami_recording::block::{Answered, Counted, Host, Line, Lost, Requested, Returned, Updated};
use cami_recording::session::Event;
use cami_recording::{
    Block, Buffer, Ending, Keep, MINOR, Recording, Rules, Session, Snapshot, Writer, compact,
};

/// Requests that are answered, with so many events that nobody asked for behind each.
fn flooded(requests: u64, beside_each: u64) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 7).unwrap();
    writer.write(&Host { host: 1, ..Host::default() }.into()).unwrap();
    let mut at_ns = 0;
    for number in 1..=requests {
        let held = Snapshot::of(&number.to_le_bytes());
        let content = writer.content(Buffer(1), &held).unwrap();
        let requested = Requested { host: 1, number, content, ..Requested::default() };
        writer.write(&requested.into()).unwrap();
        let returned = Returned { host: 1, request: number, content, ..Returned::default() };
        writer.write(&returned.into()).unwrap();
        for other in 0..beside_each {
            at_ns += 1;
            let block: Block = match other % 4 {
                0 => Returned { host: 1, at_ns, ..Returned::default() }.into(),
                1 => Updated { host: 1, at_ns, ..Updated::default() }.into(),
                2 => Answered { host: 1, at_ns, call: 4, value: 9, ..Answered::default() }.into(),
                _ => Line { host: 1, at_ns, ..Line::default() }.into(),
            };
            writer.write(&block).unwrap();
        }
    }
    drop(writer);
    file
}

/// What is left: events, requests with answers, and events that nobody asked for.
fn left(file: &[u8], keep: Keep<'_>) -> (u64, usize, usize) {
    let recording = Recording::read(file.to_vec()).unwrap();
    let before = recording.event_count();
    let mut out = Vec::new();
    let left = compact(&recording, &mut out, keep, || true).unwrap();
    assert_eq!(left.bytes, out.len() as u64);
    let small = Recording::read(out).unwrap();
    assert_eq!((small.ending(), small.event_count()), (Ending::Complete, left.events));
    // The block that says it is new, and one that said it before is gone.
    assert_eq!(left.events - 1 + left.dropped, before);
    let session = Session::of(&small).unwrap();
    let exchanges = session.events.iter().filter(|event| match event {
        Event::Exchange { requested, returned } => {
            returned.is_some()
                && small.content(requested.content).unwrap() == requested.number.to_le_bytes()
        }
        _ => false,
    });
    let exchanges = exchanges.count();
    let unasked = usize::try_from(left.events).unwrap() - 2 - 2 * exchanges;
    (left.events, exchanges, unasked)
}

const NOTHING_KNOWN: Rules<'static> = Rules { profile: "", commands: &[] };

#[test]
fn a_flood_has_a_quarter_of_the_room_and_requests_have_the_rest() {
    let file = flooded(200, 300);
    let tenth = file.len() as u64 / 10;
    let keep = Keep { bytes: tenth, events: u64::MAX, contents: &[], rules: NOTHING_KNOWN };
    let (_, exchanges, unasked) = left(&file, keep);
    assert_eq!(exchanges, 200, "all requests stay");
    assert!(unasked > 1000, "and as much of the flood as there is room for: {unasked}");
    // There is less room than the requests take: three parts of four are theirs.
    let keep = Keep { bytes: 30_000, ..keep };
    let (_, exchanges, unasked) = left(&file, keep);
    assert!(exchanges > 30 && exchanges < 200, "{exchanges}");
    assert!((30..200).contains(&unasked), "{unasked}");
}

#[test]
fn events_are_bounded_by_their_number_too() {
    let file = flooded(400, 100);
    for events in [200, 2000, 20_000] {
        let keep = Keep { bytes: u64::MAX, events, contents: &[], rules: NOTHING_KNOWN };
        let (all, exchanges, unasked) = left(&file, keep);
        assert!(all <= events + 4, "{all} of {events}");
        let asked_for = 400.min(usize::try_from(events).unwrap() / 2);
        assert!(exchanges + 2 >= asked_for * 3 / 4, "{exchanges} of {asked_for}");
        assert!(unasked >= usize::try_from(events).unwrap() / 5, "{unasked}");
    }
    // Without a bound nothing is dropped.
    let keep = Keep { bytes: u64::MAX, events: u64::MAX, contents: &[], rules: NOTHING_KNOWN };
    assert_eq!(left(&file, keep).2, 40_000);
}

#[test]
fn what_was_only_counted_is_told_among_what_is_missing() {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 7).unwrap();
    writer.write(&Host { host: 1, ..Host::default() }.into()).unwrap();
    let counted = Counted { host: 1, at_ns: 5, until_ns: 9, of_kind: Returned::KIND, events: 77 };
    writer.write(&counted.clone().into()).unwrap();
    drop(writer);
    let recording = Recording::read(file).unwrap();
    assert_eq!((recording.minor(), recording.unknown_blocks()), (MINOR, 0));
    let block = recording.events().last().unwrap().unwrap();
    assert_eq!((block.host(), block.at_ns()), (Some(1), Some(5)));
    assert_eq!(block, counted.into());
    let session = Session::of(&recording).unwrap();
    let [Lost { host: 1, at_ns: 5, events: 77, reason }] = &session.lost[..] else {
        panic!("{:?}", session.lost)
    };
    assert_eq!(reason, "answers to no request came in a flood and were only counted");
}
