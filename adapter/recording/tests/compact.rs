//! A recording that is made smaller can still be read, understood and replayed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use std::io::ErrorKind;

use cami_recording::block::{
    Annotation, Answered, Bytes, Called, Died, Dropped, Host, Requested, Returned,
};
use cami_recording::session::Event;
use cami_recording::{
    Block, Buffer, Call, Compacted, Ending, Keep, PAGE_BYTES, Recording, Rules, Session, Snapshot,
    Writer, compact,
};

/// No bound, and nothing known of commands.
const ALL: Keep<'static> = Keep {
    bytes: u64::MAX,
    events: u64::MAX,
    contents: &[],
    rules: Rules { profile: "", commands: &[] },
};

const HOSTS: u32 = 3;
const FRAMES: u64 = 60;

/// A page that nobody has had before.
fn page(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..PAGE_BYTES).map(|_| step()).collect()
}

struct Film {
    file: Vec<u8>,
    /// What buffer 3 of the last host holds.
    last: u64,
}

/// Three hosts, two of which died. Each has a set-up in a buffer of its own that is deregistered
/// then, and frames with a request that leaves a state and one that does not.
fn film() -> Film {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 7).unwrap();
    writer.write(&Annotation { key: "kernel".into(), value: "x".into() }.into()).unwrap();
    let (mut at_ns, mut number, mut cookie, mut last) = (0, 0, 0, 0);
    for host in 1..=HOSTS {
        at_ns += 1;
        writer.write(&Host { host, at_ns, ok_status: 0, ..Host::default() }.into()).unwrap();
        let mut call = |writer: &mut Writer<_>, call: Call, handles: Vec<i32>, value| {
            cookie += 1;
            at_ns += 1;
            let call = call.number();
            let called = Called { host, at_ns, cookie, call, buffer_bytes: 4096, handles };
            writer.write(&called.into()).unwrap();
            writer.write(&Answered { host, at_ns, cookie, call, value }.into()).unwrap();
        };
        call(&mut writer, Call::Load, vec![], 0);
        call(&mut writer, Call::Initialize, vec![], 0);
        call(&mut writer, Call::RegisterBuffer, vec![], 1);
        call(&mut writer, Call::RegisterBuffer, vec![], 2);
        call(&mut writer, Call::RegisterBuffer, vec![], 3);
        let mut exchange = |writer: &mut Writer<_>, req_id, handle: i32, role, contents: &[u8]| {
            at_ns += 10;
            number += 1;
            let buffer = Buffer(u64::from(host) << 8 | u64::from(handle.cast_unsigned()));
            let content = writer.content(buffer, &Snapshot::of(contents)).unwrap();
            last = content;
            let requested = Requested {
                host,
                at_ns,
                number,
                req_id,
                handle,
                role,
                content,
                header: Bytes(vec![9]),
                ..Requested::default()
            };
            writer.write(&requested.into()).unwrap();
            let request = number;
            let returned =
                Returned { host, at_ns, request, req_id, handle, content, ..Returned::default() };
            writer.write(&returned.into()).unwrap();
        };
        exchange(&mut writer, 17, 1, 1, &page(u64::from(host)));
        cookie += 1000;
        let mut late = |writer: &mut Writer<_>, handles| {
            cookie += 1;
            let call = Call::DeregisterBuffers.number();
            let called = Called { host, cookie, call, handles, ..Called::default() };
            writer.write(&called.into()).unwrap();
            writer.write(&Answered { host, cookie, call, ..Answered::default() }.into()).unwrap();
        };
        late(&mut writer, vec![1]);
        for frame in 0..FRAMES {
            let seed = u64::from(host) * 1000 + frame;
            exchange(&mut writer, 2, 2, 2, &page(seed * 2 + 1_000_000));
            exchange(&mut writer, 8, 3, 0, &page(seed * 2 + 1_000_001));
        }
        if host < HOSTS {
            let died = Died { host, cause: "test".into(), ..Died::default() };
            writer.write(&died.into()).unwrap();
        }
    }
    drop(writer);
    Film { file, last }
}

fn made_smaller(file: &[u8], bytes: u64, contents: &[u64]) -> (Recording<Vec<u8>>, Compacted) {
    let recording = Recording::read(file.to_vec()).unwrap();
    let mut out = Vec::new();
    let left = compact(&recording, &mut out, Keep { bytes, contents, ..ALL }, || true).unwrap();
    assert_eq!(left.bytes, out.len() as u64);
    (Recording::read(out).unwrap(), left)
}

/// Every content that an event names is there, and is what it was.
fn complete(small: &Recording<Vec<u8>>, whole: &Recording<Vec<u8>>) {
    assert_eq!(small.ending(), Ending::Complete);
    for block in small.events() {
        let content = match block.unwrap() {
            Block::Requested(requested) => requested.content,
            Block::Returned(returned) => returned.content,
            _ => 0,
        };
        if content != 0 {
            assert_eq!(small.content(content).unwrap(), whole.content(content).unwrap());
        }
    }
}

#[test]
fn the_newest_part_stays_with_its_set_up_and_last_state() {
    let Film { file, .. } = film();
    let whole = Recording::read(file.clone()).unwrap();
    let bytes = 50 * PAGE_BYTES as u64;
    let (small, left) = made_smaller(&file, bytes, &[]);
    assert!(left.bytes < bytes + bytes / 2, "{}", left.bytes);
    complete(&small, &whole);
    let session = Session::of(&small).unwrap();
    assert_eq!(session.annotations.len(), 1);
    assert_eq!(session.hosts.len(), 3, "all are told of");
    assert_eq!(session.hosts.iter().filter(|host| host.died.is_some()).count(), 2);
    assert!(left.dropped > 0);
    assert_eq!(session.dropped.0, left.dropped);
    // The file's end is the same.
    let all = Session::of(&whole).unwrap().events;
    assert_eq!(session.events.last(), all.last());
    assert!(session.events.len() > 30 && session.events.len() < 100, "{}", session.events.len());
    // Set-up of the last host alone, its buffer's registration and end, and one state before the rest.
    let host = |event: &&Event| event.host();
    assert!(session.events.iter().all(|event| host(&event) == 3));
    let calls = session.events.iter().filter_map(|event| match event {
        Event::Call { called, answered: Some(answered) } => {
            Some((Call::of_number(called.call).unwrap(), answered.value, called.handles.clone()))
        }
        _ => None,
    });
    assert_eq!(
        calls.collect::<Vec<_>>(),
        [
            (Call::Load, 0, vec![]),
            (Call::Initialize, 0, vec![]),
            (Call::RegisterBuffer, 1, vec![]),
            (Call::RegisterBuffer, 2, vec![]),
            (Call::RegisterBuffer, 3, vec![]),
            (Call::DeregisterBuffers, 0, vec![1]),
        ]
    );
    let requests = session.events.iter().filter_map(|event| match event {
        Event::Exchange { requested, returned: Some(_) } => Some(requested),
        _ => None,
    });
    let requests: Vec<_> = requests.collect();
    assert_eq!((requests[0].req_id, requests[1].req_id), (17, 2));
    let numbers: Vec<u64> = requests.iter().map(|requested| requested.number).collect();
    let rest = &numbers[2..];
    assert!(rest.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[test]
fn a_buffer_that_nothing_names_any_more_is_forgotten() {
    // With room for the newest host's events alone its registration of buffer 1 stays, since the
    // set-up names it; a plain request's does not.
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 0).unwrap();
    writer.write(&Host { host: 1, ..Host::default() }.into()).unwrap();
    for (cookie, handle) in [(1, 5), (2, 6)] {
        let call = Call::RegisterBuffer.number();
        writer.write(&Called { host: 1, cookie, call, ..Called::default() }.into()).unwrap();
        let answered = Answered { host: 1, cookie, call, value: handle, ..Answered::default() };
        writer.write(&answered.into()).unwrap();
    }
    let request = |number, handle, content| -> Block {
        Requested { host: 1, number, handle, content, ..Requested::default() }.into()
    };
    let old = writer.content(Buffer(5), &Snapshot::of(&page(1))).unwrap();
    writer.write(&request(1, 5, old)).unwrap();
    let call = Call::DeregisterBuffers.number();
    let called = Called { host: 1, cookie: 3, call, handles: vec![5], ..Called::default() };
    writer.write(&called.into()).unwrap();
    let new = writer.content(Buffer(6), &Snapshot::of(&page(2))).unwrap();
    writer.write(&request(2, 6, new)).unwrap();
    drop(writer);
    let (small, _) = made_smaller(&file, 1, &[]);
    let left: Vec<i32> = small
        .events()
        .filter_map(|block| match block.unwrap() {
            Block::Answered(answered) => Some(answered.value),
            Block::Called(called) => {
                assert!(called.handles.is_empty());
                None
            }
            _ => None,
        })
        .collect();
    assert_eq!(left, [6]);
    assert_eq!(small.content(new).unwrap(), page(2));
    assert!(small.content(old).is_err());
}

#[test]
fn a_writer_goes_on_in_the_smaller_file() {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 0).unwrap();
    let mut memory: Vec<u8> = (0..20).flat_map(page).collect();
    let buffer = Buffer(1);
    let mut shown = Vec::new();
    let mut shadow = cami_recording::Shadow::default();
    let mut look = |memory: &[u8]| {
        let mut read = |out: &mut [u8], at: u64| -> Result<(), ()> {
            out.copy_from_slice(&memory[at as usize..][..out.len()]);
            Ok(())
        };
        shadow.look(memory.len(), &mut read).unwrap()
    };
    for number in 1..=30 {
        memory[..PAGE_BYTES].copy_from_slice(&page(number + 500));
        let content = writer.content(buffer, &look(&memory)).unwrap();
        let requested = Requested { host: 1, number, content, ..Requested::default() };
        writer.write(&requested.into()).unwrap();
        shown.push((content, memory.clone()));
    }
    let contents = writer.latest_contents();
    assert_eq!(contents, [30]);
    let whole = Recording::read(writer.get_ref().to_vec()).unwrap();
    let mut small = Vec::new();
    let left = compact(&whole, &mut small, Keep { bytes: 1, contents: &contents, ..ALL }, || true)
        .unwrap();
    let mut second = Vec::new();
    writer.move_to(&mut second, &left);
    assert_eq!(writer.written(), left.bytes);
    // One page that was dropped comes again, one is new, the rest is as it was.
    memory[..PAGE_BYTES].copy_from_slice(&page(501));
    memory[PAGE_BYTES..2 * PAGE_BYTES].copy_from_slice(&page(900));
    let content = writer.content(buffer, &look(&memory)).unwrap();
    drop(writer);
    small.extend_from_slice(&second);
    let small = Recording::read(small).unwrap();
    assert_eq!(small.ending(), Ending::Complete);
    assert_eq!(small.content(content).unwrap(), memory);
    assert_eq!(small.content(30).unwrap(), shown[29].1);
}

#[test]
fn what_was_dropped_is_counted_from_the_begin() {
    let Film { file, last } = film();
    let (small, first) = made_smaller(&file, 100 * PAGE_BYTES as u64, &[]);
    let mut out = Vec::new();
    let keep = Keep { bytes: 20 * PAGE_BYTES as u64, contents: &[last], ..ALL };
    let second = compact(&small, &mut out, keep, || true).unwrap();
    let smaller = Recording::read(out).unwrap();
    let said: Vec<Dropped> = smaller
        .events()
        .filter_map(|block| match block.unwrap() {
            Block::Dropped(dropped) => Some(dropped),
            _ => None,
        })
        .collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].events, first.dropped + second.dropped);
    assert!(second.dropped > 0 && said[0].until_ns > 0);
}

#[test]
fn it_can_be_stopped_at_any_moment_and_bears_a_cut_file() {
    let Film { file, .. } = film();
    let recording = Recording::read(file.clone()).unwrap();
    let keep = Keep { bytes: 1 << 16, ..ALL };
    for most in [0, 1, 100, 2000] {
        let mut asked = 0;
        let go_on = || {
            asked += 1;
            asked <= most
        };
        let error = compact(&recording, &mut Vec::new(), keep, go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
    for cut in (40..file.len()).step_by(file.len() / 12) {
        let whole = Recording::read(file[..cut].to_vec()).unwrap();
        let (small, _) = made_smaller(&file[..cut], 1 << 16, &[]);
        complete(&small, &whole);
    }
}

/// A writer that goes on needs what its buffers hold: it takes from the room of the newest events, and
/// does not come on top of them.
#[test]
fn what_buffers_hold_is_counted() {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 7).unwrap();
    writer.write(&Host { host: 1, ..Host::default() }.into()).unwrap();
    let mut number = 0;
    let mut go = |writer: &mut Writer<&mut Vec<u8>>, handle: i32, seed: u64| {
        number += 1;
        let snapshot = Snapshot::of(&page(seed));
        let content = writer.content(Buffer(u64::from(handle.cast_unsigned())), &snapshot).unwrap();
        let requested =
            Requested { host: 1, number, req_id: 8, handle, content, ..Requested::default() };
        writer.write(&requested.into()).unwrap();
        let returned = Returned {
            host: 1,
            request: number,
            req_id: 8,
            handle,
            content,
            ..Returned::default()
        };
        writer.write(&returned.into()).unwrap();
    };
    // Buffers of one page of noise each, and then another again and again.
    for handle in 0..70 {
        go(&mut writer, handle, 5000 + u64::from(handle.cast_unsigned()));
    }
    for seed in 0..200 {
        go(&mut writer, 70, 100_000 + seed);
    }
    let latest = writer.latest_contents();
    drop(writer);
    let asked = 128 * PAGE_BYTES as u64;
    let (_, left) = made_smaller(&file, asked, &latest);
    assert!(left.bytes <= asked / 8 * 9, "{} of {asked}", left.bytes);
    // Where they take more than all the room, the least is left: they, and the last request.
    let (_, left) = made_smaller(&file, 32 * PAGE_BYTES as u64, &latest);
    assert!(left.bytes <= 76 * PAGE_BYTES as u64, "{}", left.bytes);
}

/// The same holds for the last states of a host.
#[test]
fn last_states_are_counted() {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 7).unwrap();
    writer.write(&Host { host: 1, ..Host::default() }.into()).unwrap();
    for number in 1..=300_u64 {
        // 60 states of one page each, then requests that none of them is.
        let (role, handle) = if number <= 60 { (2, number as i32) } else { (0, 0) };
        let content = writer
            .content(Buffer(u64::from(handle.cast_unsigned())), &Snapshot::of(&page(number)))
            .unwrap();
        let requested =
            Requested { host: 1, number, req_id: 8, role, handle, content, ..Requested::default() };
        writer.write(&requested.into()).unwrap();
        let returned =
            Returned { host: 1, request: number, req_id: 8, handle, ..Returned::default() };
        writer.write(&returned.into()).unwrap();
    }
    drop(writer);
    let asked = 100 * PAGE_BYTES as u64;
    let (_, left) = made_smaller(&file, asked, &[]);
    assert!(left.bytes <= asked / 8 * 9, "{} of {asked}", left.bytes);
}
