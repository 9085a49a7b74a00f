//! A library that says what nobody asked, as fast as it can: memory and the file stay small, and what was
//! asked stays in it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Instant;

use crate::common::{Host, Incoming};
use crate::room::*;
use cami_recording::session::Event;
use cami_recording::{Ending, Recording, Session};

/// Commands of the library.
const CALLBACKS: u32 = 48;
const UPDATES: u32 = 50;
const ANSWERS: u32 = 51;
/// What the memory of a process may grow by.
const MOST_KIB: u64 = 24 << 10;

/// The most memory that a process has had, in KiB.
fn peak_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Lets the library say so much, and takes it.
fn flood(host: &mut Host, command: u32, count: u32) {
    // No more at once than waits for a client that is slow (spec/cami-abi.md, 5.1).
    for burst in (0..count).step_by(4000).map(|done| (count - done).min(4000)) {
        send(host, command, &burst.to_le_bytes());
        for _ in 0..burst {
            match (command, host.next()) {
                (CALLBACKS, Incoming::Returned(returned)) => assert_eq!(returned.req_id, 5000),
                (UPDATES, Incoming::Updated(6, ..))
                | (ANSWERS, Incoming::Reply(0x7000_0000, _)) => {}
                (_, other) => panic!("{other:?}"),
            }
        }
        assert_eq!(answer(host), (command, 0));
    }
}

/// Requests that are asked for, each with other contents.
fn ask(host: &mut Host, memory: &File, count: u8) {
    for number in 0..count {
        memory.write_all_at(&[number + 1; 5], 0).unwrap();
        send(host, 45, &[number]);
        assert_eq!(answer(host), (45, 0));
    }
}

/// All of them are there, with their contents.
fn are_there(recording: &Recording<File>, session: &Session, of_each: &[u8]) {
    let pairs = exchanges(session);
    let asked = pairs.iter().filter(|pair| pair.0.req_id == 45);
    let held = asked.map(|(requested, returned)| {
        let before = recording.content(requested.content).unwrap();
        let after = recording.content(returned.unwrap().content).unwrap();
        assert_eq!((&before[..5], after[100]), (&[after[100] + 1; 5][..], requested.header.0[0]));
        after[100]
    });
    let expected: Vec<u8> = of_each.iter().flat_map(|&count| 0..count).collect();
    assert_eq!(held.collect::<Vec<_>>(), expected);
}

#[test]
fn what_nobody_asked_is_counted_and_takes_no_memory() {
    for (command, many) in [(CALLBACKS, 200_000), (UPDATES, 40_000), (ANSWERS, 40_000)] {
        let room = Room::new();
        let (mut host, memory) = room.host("x.camr");
        ask(&mut host, &memory, 50);
        let processes = [i32::try_from(host.process.id()).unwrap(), writer_of(&host)];
        let before = processes.map(peak_kib);
        let began = Instant::now();
        flood(&mut host, command, many);
        let took = began.elapsed();
        ask(&mut host, &memory, 50);
        for (process, before) in processes.into_iter().zip(before) {
            let grown = peak_kib(process).saturating_sub(before);
            assert!(grown < MOST_KIB, "{command}: process {process} has grown by {grown} KiB");
        }
        leave(host);
        let path = room.path("x.camr");
        let (recording, session) = read(&path);
        assert_eq!(recording.ending(), Ending::Complete);
        are_there(&recording, &session, &[50, 50]);
        let bytes = fs::metadata(&path).unwrap().len();
        assert!(bytes < 4 << 20, "{command}: {bytes}");
        let counted: u64 = session.lost.iter().map(|lost| lost.events).sum();
        let told = session.events.iter().filter(|event| match event {
            Event::Unsolicited(returned) => returned.req_id == 5000,
            Event::Update { updated, .. } => updated.upd_id == 6,
            _ => false,
        });
        // An answer to no call is no event of a session.
        let told = told.count() as u64;
        assert!(counted > 0, "{command}: nothing is counted");
        if command != ANSWERS {
            assert_eq!(counted + told, u64::from(many), "{command}");
            assert!(told >= 1000, "{command}: what came first is told: {told}");
            // 8192 at once, and one in each millisecond of a flood, however long this machine took for it.
            let most = 8192 + u64::try_from(took.as_millis()).unwrap() + 1;
            assert!(told <= most, "{command}: {told} of at most {most}");
        }
    }
}

#[test]
fn what_was_asked_stays_in_a_small_file_beside_a_flood() {
    let room = Room::new();
    let mut host = room.setup("x.camr").variable("CAMI_IPA_RECORD_LIMIT_MIB", "1").start();
    let memory = File::from(host.ready());
    ask(&mut host, &memory, 100);
    for _ in 0..5 {
        flood(&mut host, CALLBACKS, 8000);
        flood(&mut host, UPDATES, 8000);
    }
    ask(&mut host, &memory, 100);
    let log = leave(host);
    assert!(!log.contains("ends here"), "{log}");
    assert!(log.contains("was made smaller"), "{log}");
    let path = room.path("x.camr");
    let (recording, session) = read(&path);
    assert!(fs::metadata(&path).unwrap().len() < (1 << 20) + 20_000);
    are_there(&recording, &session, &[100, 100]);
    assert!(session.dropped.0 > 1000);
}
