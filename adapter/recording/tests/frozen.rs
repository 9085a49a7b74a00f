//! A file of version 1 opens for ever.
//!
//! `frozen-1.0.camr` is a recording of `cami-ipa run --frames 3` with the reference library, one death
//! and `recovery = "resume"`, made by the first release that records; the names of its machine were
//! taken out, and the kinds of block that it did not have put in (`make` below). It is never made again: a file of a later version gets a name of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use cami_recording::block::{
    Bytes, Counted, Died, Dropped, Host, Line, Lost, Returned, UpdateReturned, Updated, Usage,
};
use cami_recording::session::Event;
use cami_recording::{Block, Ending, Recording, Session};

fn frozen() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen-1.0.camr")
}

/// A sum of everything that can be read.
fn sum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

#[test]
fn a_file_of_version_1_opens_for_ever() {
    let recording = Recording::open(&frozen()).unwrap();
    assert_eq!((recording.ending(), recording.minor()), (Ending::Complete, 0));
    assert_eq!(recording.unknown_blocks(), 0);
    let session = Session::of(&recording).unwrap();
    let said: Vec<_> = session.annotations.iter().map(|said| said.key.as_str()).collect();
    assert_eq!(said, ["tool_version", "kernel"]);
    let hosts = &session.hosts;
    assert_eq!(hosts.len(), 2);
    assert_eq!((hosts[0].host.host, hosts[1].host.host, hosts[1].host.restarts), (1, 2, 1));
    assert!(hosts.iter().all(|life| life.host.profile == "intel-ipu3"));
    assert!(hosts.iter().all(|life| life.host.library == "/usr/lib/libcam_algo_reference.so"));
    assert!(hosts.iter().all(|life| !life.libraries.is_empty()));
    assert_eq!(hosts[0].died.as_ref().unwrap().signal, 9);
    assert!(hosts[1].resumed_ns.is_some() && hosts[1].ended_ns.is_some());
    let mut requests = Vec::new();
    let mut contents = 0;
    for event in &session.events {
        let Event::Exchange { requested, returned } = event else { continue };
        requests.push(requested.req_id);
        contents ^= sum(&recording.content(requested.content).unwrap());
        if let Some(returned) = returned {
            assert_eq!(returned.request, requested.number);
            contents = contents.rotate_left(1) ^ sum(&recording.content(returned.content).unwrap());
        }
    }
    assert_eq!((requests.len(), contents), EXPECTED);
    for set_up in [17, 6, 1, 15, 8, 10, 12, 13, 2, 5] {
        assert!(requests.contains(&set_up), "{set_up}");
    }
    let calls = session.events.iter().filter(|event| matches!(event, Event::Call { .. }));
    assert!(calls.count() > 20);
    let [line, usage, update] = &session.events[session.events.len() - 3..] else { panic!() };
    assert!(matches!(line, Event::Line(line) if line.stream == 2 && line.text == "a line"));
    let figures = |usage: &Usage| (usage.cpu_us, usage.resident_bytes, usage.threads);
    assert!(matches!(usage, Event::Usage(usage) if figures(usage) == (3, 4, 5)));
    let Event::Update { updated, returned: Some(returned) } = update else { panic!() };
    assert_eq!((updated.upd_id, updated.header.0.as_slice()), (6, &[1, 2, 3][..]));
    assert_eq!(recording.content(updated.content).unwrap(), [7; 5000]);
    assert_eq!(returned.status, 7);
    assert_eq!((session.lost[0].events, session.lost[0].reason.as_str()), (8, "because"));
    assert_eq!(session.dropped, (10, 9));
}

/// A file of version 1.1, which has a kind of block and a field more.
#[test]
fn a_file_of_version_1_1_opens_for_ever() {
    let recording = Recording::open(&frozen_1_1()).unwrap();
    assert_eq!((recording.ending(), recording.minor()), (Ending::Complete, 1));
    assert_eq!(recording.unknown_blocks(), 0);
    let blocks: Vec<Block> = recording.events().map(Result::unwrap).collect();
    assert_eq!(blocks, blocks_of_1_1());
    let session = Session::of(&recording).unwrap();
    assert_eq!((session.hosts.len(), session.lost[0].events), (1, 100_000));
}

fn frozen_1_1() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen-1.1.camr")
}

fn blocks_of_1_1() -> Vec<Block> {
    let counted =
        Counted { host: 1, at_ns: 20, until_ns: 30, of_kind: Returned::KIND, events: 100_000 };
    let died = Died { host: 1, at_ns: 40, signal: 9, by_host: 1, ..Died::default() };
    vec![Host { host: 1, at_ns: 10, ..Host::default() }.into(), counted.into(), died.into()]
}

#[test]
#[ignore = "the file is made once"]
fn make_1_1() {
    let mut out = Vec::new();
    let mut writer = cami_recording::Writer::begin(&mut out, 7).unwrap();
    for block in blocks_of_1_1() {
        writer.write(&block).unwrap();
    }
    drop(writer);
    std::fs::write(frozen_1_1(), out).unwrap();
}

/// Requests, and a sum over all contents in their order.
const EXPECTED: (usize, u32) = (43, 2_218_105_609);

/// How it was made: from the recording that `FROM` names.
#[test]
#[ignore = "the file is made once"]
fn make() {
    let from = std::env::var_os("FROM").unwrap();
    let recording = Recording::open(Path::new(&from)).unwrap();
    let mut out = Vec::new();
    let mut writer = cami_recording::Writer::begin(&mut out, recording.begun_ns()).unwrap();
    let mut copies = std::collections::HashMap::new();
    for block in recording.events() {
        let mut block = block.unwrap();
        match &mut block {
            Block::Annotation(said) => match said.key.as_str() {
                "tool_version" => {}
                "kernel" => said.value = "Linux 6.1.0 x86_64".into(),
                "machine" => said.value = "a machine".into(),
                _ => continue,
            },
            Block::Host(host) => host.library = "/usr/lib/libcam_algo_reference.so".into(),
            Block::Libraries(found) => {
                for library in &mut found.libraries {
                    let name = library.path.rsplit('/').next().unwrap();
                    library.path = format!("/usr/lib/{name}");
                }
            }
            Block::Requested(requested) => {
                requested.content = copied(&recording, &mut writer, &mut copies, requested.content);
            }
            Block::Returned(returned) => {
                returned.content = copied(&recording, &mut writer, &mut copies, returned.content);
            }
            _ => {}
        }
        writer.write(&block).unwrap();
    }
    // What this library does not do.
    let content = writer
        .content(cami_recording::Buffer(2), &cami_recording::Snapshot::of(&[7; 5000]))
        .unwrap();
    let (host, at_ns) = (2, 1);
    let text = "a line".to_owned();
    writer.write(&Line { host, at_ns, stream: 2, text }.into()).unwrap();
    let usage = Usage { host, at_ns, cpu_us: 3, resident_bytes: 4, threads: 5 };
    writer.write(&usage.into()).unwrap();
    let header = Bytes(vec![1, 2, 3]);
    let updated = Updated { host, at_ns, upd_id: 6, content, content_errno: 0, header };
    writer.write(&updated.into()).unwrap();
    writer.write(&UpdateReturned { host, at_ns, upd_id: 6, status: 7 }.into()).unwrap();
    let reason = "because".to_owned();
    writer.write(&Lost { host, at_ns, events: 8, reason }.into()).unwrap();
    writer.write(&Dropped { until_ns: 9, events: 10 }.into()).unwrap();
    let here = env!("CARGO_MANIFEST_DIR").as_bytes();
    assert!(!out.windows(here.len()).any(|piece| piece == here), "a path of this machine is left");
    std::fs::write(frozen(), out).unwrap();
}

fn copied(
    recording: &Recording,
    writer: &mut cami_recording::Writer<&mut Vec<u8>>,
    copies: &mut std::collections::HashMap<u64, u64>,
    content: u64,
) -> u64 {
    if content == 0 {
        return 0;
    }
    *copies.entry(content).or_insert_with(|| {
        let bytes = recording.content(content).unwrap();
        let snapshot = cami_recording::Snapshot::of(&bytes);
        writer.content(cami_recording::Buffer(1), &snapshot).unwrap()
    })
}
