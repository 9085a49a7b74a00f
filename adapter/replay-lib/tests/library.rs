//! The library on a recording that is written for the test.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use cam_algo_replay::{End, Mode, Replay, Settings};
use cami_abi::{Callbacks, CameraAlgorithm};
use cami_link::sealed_memory;
use cami_recording::block::{Bytes, Host, Requested, Returned};
use cami_recording::{Buffer, Snapshot, Writer};

/// COORDINATE_COVERT: 80 bytes, of which the last 8 are the answer.
const CONVERT: u32 = 25;
/// MKN_INIT gives a handle at 24, MKN_ENABLE takes it at 0.
const MKN_INIT: u32 = 21;
const MKN_ENABLE: u32 = 24;
/// AIQ_AE_RUN begins a frame.
const AE: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(30);

/// A recording under way.
struct Session {
    writer: Writer<File>,
    number: u64,
}

impl Session {
    fn new(path: &Path, profile: &str) -> Self {
        let mut writer = Writer::begin(File::create(path).expect("a file"), 0).expect("a file");
        let host = Host { host: 1, profile: profile.to_owned(), ..Host::default() };
        writer.write(&host.into()).expect("a block");
        Self { writer, number: 0 }
    }

    fn exchange(&mut self, command: u32, before: &[u8], after: Option<(u32, &[u8])>) {
        self.number += 1;
        let (at_ns, buffer) = (self.number * 1000, Buffer(command.into()));
        let handle = 100 + i32::try_from(command).expect("small");
        let content = self.writer.content(buffer, &Snapshot::of(before)).expect("a content");
        let requested = Requested {
            host: 1,
            at_ns,
            number: self.number,
            req_id: command,
            handle,
            content,
            header: Bytes(vec![0x56]),
            ..Requested::default()
        };
        self.writer.write(&requested.into()).expect("a block");
        let Some((status, after)) = after else { return };
        let content = self.writer.content(buffer, &Snapshot::of(after)).expect("a content");
        let (request, req_id) = (self.number, command);
        let returned = Returned {
            host: 1,
            at_ns: at_ns + 10,
            request,
            req_id,
            status,
            handle,
            content,
            ..Returned::default()
        };
        self.writer.write(&returned.into()).expect("a block");
    }
}

struct Heard(Sender<(u32, u32, i32)>);

impl Callbacks for Heard {
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        self.0.send((req_id, status, buffer_handle)).expect("a test that listens");
    }
    fn notify(&self, message: u32) {
        panic!("notified of {message}");
    }
    fn update(&self, upd_id: u32, _: &[u8], _: Option<std::os::fd::OwnedFd>) {
        panic!("updated {upd_id}");
    }
}

/// The library, with a buffer.
struct Hal {
    library: Replay,
    heard: Receiver<(u32, u32, i32)>,
    file: File,
    handle: i32,
}

impl Hal {
    fn start(path: PathBuf, mode: Mode, end: End) -> Self {
        Self::with_buffer(path, mode, end, 80)
    }

    fn with_buffer(path: PathBuf, mode: Mode, end: End, bytes: u64) -> Self {
        let (library, file) = (Replay::new(), sealed_memory("test", bytes).expect("memory"));
        let (sender, heard) = channel();
        let settings = Settings { file: path, mode, end, ..Settings::default() };
        assert_eq!(library.start(&settings, Arc::new(Heard(sender))), 0);
        let handle = library.register_buffer(file.try_clone().expect("a copy").into());
        assert_eq!(handle, 1);
        Self { library, heard, file, handle }
    }

    /// What the library answers: status, and what the buffer holds then.
    fn ask(&self, command: u32, content: &[u8]) -> (u32, Vec<u8>) {
        self.file.write_all_at(content, 0).expect("room");
        self.library.request(command, &[0x56], self.handle);
        let (req_id, status, handle) = self.heard.recv_timeout(PATIENCE).expect("an answer");
        assert_eq!((req_id, handle), (command, self.handle));
        let mut now = vec![0; content.len()];
        self.file.read_exact_at(&mut now, 0).expect("bytes");
        (status, now)
    }
}

impl Drop for Hal {
    fn drop(&mut self) {
        self.library.deinitialize();
    }
}

fn payload(input: u8, answer: u8) -> Vec<u8> {
    [vec![input; 72], vec![answer; 8]].concat()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.camr");
    (folder, path)
}

#[test]
fn each_time_of_a_command_gets_its_own_recorded_answer() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "intel-ipu3");
    for time in 1..4 {
        session.exchange(CONVERT, &payload(time, time - 1), Some((0, &payload(time, time))));
    }
    session.exchange(CONVERT, &payload(9, 3), Some((1, &payload(9, 3))));
    let hal = Hal::start(path, Mode::Strict, End::Error);
    for time in 1..4 {
        // What an earlier answer left in the buffer is no part of the request.
        assert_eq!(hal.ask(CONVERT, &payload(time, 77)), (0, payload(time, time)));
    }
    assert_eq!(hal.ask(CONVERT, &payload(9, 3)).0, 1, "as recorded");
}

#[test]
fn strict_refuses_what_is_unlike_and_lenient_answers_it() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "intel-ipu3");
    session.exchange(CONVERT, &payload(1, 0), Some((0, &payload(1, 5))));
    session.exchange(CONVERT, &payload(2, 5), Some((0, &payload(2, 6))));
    let hal = Hal::start(path.clone(), Mode::Strict, End::Error);
    assert_eq!(hal.ask(CONVERT, &payload(3, 0)), (1, payload(3, 0)));
    assert_eq!(hal.ask(CONVERT, &payload(2, 5)), (0, payload(2, 6)), "the count goes on");
    let hal = Hal::start(path, Mode::Lenient, End::Error);
    assert_eq!(hal.ask(CONVERT, &payload(3, 0)), (0, payload(3, 5)), "the HAL's input stays");
}

#[test]
fn behind_the_end_is_an_error_or_frames_begin_again() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "intel-ipu3");
    session.exchange(CONVERT, &payload(0, 0), Some((0, &payload(0, 0))));
    for frame in 1..4 {
        session.exchange(AE, &[0; 80], Some((0, &[0; 80])));
        session.exchange(CONVERT, &payload(1, 0), Some((0, &payload(1, frame))));
    }
    for end in [End::Error, End::Loop] {
        let hal = Hal::start(path.clone(), Mode::Strict, end);
        assert_eq!(hal.ask(CONVERT, &payload(0, 0)).0, 0);
        let asked: Vec<(u32, u8)> = (0..6)
            .map(|_| {
                let (status, content) = hal.ask(CONVERT, &payload(1, 0));
                (status, content[79])
            })
            .collect();
        let expected = match end {
            End::Error => [(0, 1), (0, 2), (0, 3), (1, 0), (1, 0), (1, 0)],
            End::Loop => [(0, 1), (0, 2), (0, 3), (0, 2), (0, 3), (0, 2)],
        };
        assert_eq!(asked, expected);
        assert_eq!(hal.ask(99, &[0; 80]).0, 1, "never recorded");
    }
}

#[test]
fn handles_are_the_recorded_ones_and_what_the_hal_names_stays() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "intel-ipu3");
    let mut given = vec![0; 32];
    given[24..].copy_from_slice(&0xabc_u64.to_le_bytes());
    session.exchange(MKN_INIT, &[0; 32], Some((0, &given)));
    let mut taken = vec![0; 16];
    taken[..8].copy_from_slice(&0xabc_u64.to_le_bytes());
    // The recorded library scribbled over the handle that it was given.
    let mut scribbled = taken.clone();
    scribbled[..8].fill(0xee);
    session.exchange(MKN_ENABLE, &taken, Some((0, &scribbled)));
    let hal = Hal::start(path, Mode::Strict, End::Error);
    assert_eq!(hal.ask(MKN_INIT, &[0; 32]), (0, given));
    // A client that makes addresses virtual passes its own.
    taken[..8].copy_from_slice(&0x1234_u64.to_le_bytes());
    assert_eq!(hal.ask(MKN_ENABLE, &taken), (0, taken.clone()));
}

#[test]
fn of_an_unknown_protocol_only_what_the_library_changed_is_written() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "generic");
    // Three pages, and a part of one: the second and the last one change, by a byte each.
    let before = vec![1; 3 * 4096 + 100];
    let mut after = before.clone();
    (after[5000], after[3 * 4096 + 99]) = (2, 3);
    session.exchange(CONVERT, &before, Some((0, &after)));
    // An answer may reach further than its request, or less far.
    session.exchange(CONVERT, &[4; 10], Some((0, &[5; 5000])));
    session.exchange(CONVERT, &[6; 5000], Some((0, &[7; 10])));
    let hal = Hal::with_buffer(path, Mode::Lenient, End::Error, before.len() as u64);
    let mut held = vec![9; before.len()];
    let (status, now) = hal.ask(CONVERT, &held);
    (held[5000], held[3 * 4096 + 99]) = (2, 3);
    assert_eq!((status, now == held), (0, true));
    let (status, now) = hal.ask(CONVERT, &held);
    held[..5000].fill(5);
    assert_eq!((status, now == held), (0, true));
    let (status, now) = hal.ask(CONVERT, &held);
    held[..10].fill(7);
    assert_eq!((status, now == held), (0, true));
}

#[test]
fn a_request_without_a_recorded_answer_gets_none_and_the_next_is_served() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "intel-ipu3");
    session.exchange(CONVERT, &payload(1, 0), None);
    session.exchange(CONVERT, &payload(2, 0), Some((0, &payload(2, 4))));
    let hal = Hal::start(path, Mode::Strict, End::Error);
    hal.file.write_all_at(&payload(1, 0), 0).expect("room");
    hal.library.request(CONVERT, &[0x56], hal.handle);
    // One thread answers all: the second answer comes after the first would have.
    let (status, content) = {
        // The buffer may be written only once the first was looked at; its order is the queue's.
        hal.library.request(99, &[0x56], hal.handle);
        assert_eq!(hal.heard.recv_timeout(PATIENCE), Ok((99, 1, hal.handle)));
        hal.ask(CONVERT, &payload(2, 0))
    };
    assert_eq!((status, content), (0, payload(2, 4)));
}

#[test]
fn small_missing_and_unreadable_buffers_get_the_error_status() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "intel-ipu3");
    session.exchange(25, &[0; 81], Some((0, &[0; 81])));
    session.exchange(25, &payload(1, 1), Some((0, &payload(1, 1))));
    let hal = Hal::start(path, Mode::Lenient, End::Error);
    assert_eq!(hal.ask(25, &[0; 80]).0, 1, "one byte is missing");
    hal.library.request(25, &[0x56], 7);
    assert_eq!(hal.heard.recv_timeout(PATIENCE), Ok((25, 1, 7)));
    let (pipe, _other) = std::io::pipe().expect("a pipe");
    assert!(hal.library.register_buffer(pipe.into()) < 0);
    hal.library.deregister_buffers(&[7, hal.handle, -1]);
}

#[test]
fn what_is_no_recording_is_refused_with_a_reason() {
    let (folder, path) = folder();
    let start = |file: &Path| {
        let (sender, _heard) = channel();
        let settings = Settings { file: file.to_owned(), ..Settings::default() };
        Replay::new().start(&settings, Arc::new(Heard(sender)))
    };
    assert_eq!(start(&path), -2, "ENOENT");
    std::fs::write(&path, vec![0; 4096]).expect("a file");
    assert_eq!(start(&path), -22, "EINVAL");
    let without_host = folder.path().join("empty.camr");
    drop(Writer::begin(File::create(&without_host).expect("a file"), 0).expect("a file"));
    assert_eq!(start(&without_host), -22);
    let unknown = folder.path().join("unknown.camr");
    drop(Session::new(&unknown, "nobody's"));
    assert_eq!(start(&unknown), -22);
}

#[test]
fn a_request_before_initialize_is_dropped_and_a_second_start_begins_anew() {
    let (_folder, path) = folder();
    let mut session = Session::new(&path, "intel-ipu3");
    session.exchange(CONVERT, &payload(1, 0), Some((0, &payload(1, 5))));
    Replay::new().request(CONVERT, &[0x56], 1);
    let hal = Hal::start(path.clone(), Mode::Strict, End::Error);
    assert_eq!(hal.ask(CONVERT, &payload(1, 0)).0, 0);
    assert_eq!(hal.ask(CONVERT, &payload(1, 0)).0, 1);
    drop(hal);
    let hal = Hal::start(path, Mode::Strict, End::Error);
    assert_eq!(hal.ask(CONVERT, &payload(1, 0)).0, 0);
}
