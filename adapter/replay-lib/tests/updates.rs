//! The recorded library's updates, sent again.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use cam_algo_replay::{End, Pace, Replay, Settings};
use cami_abi::{Callbacks, CameraAlgorithm};
use cami_recording::block::{Bytes, Died, Host, Requested, Returned, UpdateReturned, Updated};
use cami_recording::{Buffer, Snapshot, Writer};

/// A command of no known protocol; AIQ_AE_RUN, which begins a frame.
const COMMAND: u32 = 90;
const AE: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(30);

/// A recording of requests without buffers. Times are milliseconds.
struct Tape {
    writer: Writer<File>,
    number: u64,
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Tape {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.camr");
        let mut writer = Writer::begin(File::create(&path).expect("a file"), 0).expect("a file");
        let host = Host { host: 1, profile: "intel-ipu3".into(), ..Host::default() };
        writer.write(&host.into()).expect("a block");
        Self { writer, number: 0, _folder: folder, path }
    }

    fn exchange(&mut self, command: u32, made: u64, answered: Option<u64>) {
        self.number += 1;
        let (at_ns, number, req_id) = (made * 1_000_000, self.number, command);
        let requested =
            Requested { host: 1, at_ns, number, req_id, handle: -1, ..Requested::default() };
        self.writer.write(&requested.into()).expect("a block");
        let Some(answered) = answered else { return };
        let (at_ns, request) = (answered * 1_000_000, number);
        let returned =
            Returned { host: 1, at_ns, request, req_id, handle: -1, ..Returned::default() };
        self.writer.write(&returned.into()).expect("a block");
    }

    /// An update whose header is its number, and its buffer too.
    fn update(&mut self, upd_id: u32, at: u64, returned: Option<(u64, u32)>) {
        let held = upd_id.to_string();
        let snapshot = Snapshot::of(held.as_bytes());
        let content = self.writer.content(Buffer(u64::MAX), &snapshot).expect("a content");
        let (at_ns, header) = (at * 1_000_000, Bytes(held.into_bytes()));
        let updated = Updated { host: 1, at_ns, upd_id, content, header, ..Updated::default() };
        self.writer.write(&updated.into()).expect("a block");
        let Some((at, status)) = returned else { return };
        let back = UpdateReturned { host: 1, at_ns: at * 1_000_000, upd_id, status };
        self.writer.write(&back.into()).expect("a block");
    }

    /// The library's host ends it.
    fn ended_by_host(&mut self, at: u64) {
        let at_ns = at * 1_000_000;
        let died = Died { host: 1, at_ns, signal: 9, by_host: 1, ..Died::default() };
        self.writer.write(&died.into()).expect("a block");
    }
}

/// What the host hears.
#[derive(Debug)]
enum Event {
    Answer(u32),
    Update(u32, Option<OwnedFd>),
}

struct Heard(Sender<Event>);

impl Callbacks for Heard {
    fn returned(&self, req_id: u32, _: u32, _: i32) {
        let _ = self.0.send(Event::Answer(req_id));
    }
    fn notify(&self, message: u32) {
        panic!("notified of {message}");
    }
    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        assert_eq!(header, upd_id.to_string().as_bytes());
        let _ = self.0.send(Event::Update(upd_id, fd));
    }
}

struct Hal {
    library: Replay,
    heard: Receiver<Event>,
}

impl Hal {
    fn start(tape: &Tape, more: Settings) -> Self {
        let (library, (sender, heard)) = (Replay::new(), channel());
        let settings = Settings { file: tape.path.clone(), ..more };
        assert_eq!(library.start(&settings, Arc::new(Heard(sender))), 0);
        Self { library, heard }
    }

    fn ask(&self, command: u32) {
        self.library.request(command, &[], -1);
    }

    /// The next event must be this answer.
    fn answer(&self, command: u32) {
        match self.heard.recv_timeout(PATIENCE) {
            Ok(Event::Answer(req_id)) => assert_eq!(req_id, command),
            other => panic!("{other:?} in place of an answer to {command}"),
        }
    }

    /// The next event must be this update.
    fn update(&self, number: u32) -> OwnedFd {
        match self.heard.recv_timeout(PATIENCE) {
            Ok(Event::Update(upd_id, Some(fd))) => {
                assert_eq!(upd_id, number);
                fd
            }
            other => panic!("{other:?} in place of update {number}"),
        }
    }

    fn give_back(&self, number: u32, fd: OwnedFd) {
        self.library.update_return(number, 0, Some(fd));
    }
}

impl Drop for Hal {
    fn drop(&mut self) {
        self.library.deinitialize();
    }
}

#[test]
fn updates_come_where_they_came_with_what_they_held() {
    let mut tape = Tape::new();
    tape.update(1, 5, None);
    tape.exchange(COMMAND, 10, Some(20));
    tape.update(2, 15, None);
    tape.update(3, 25, None);
    tape.exchange(COMMAND, 30, Some(40));
    let hal = Hal::start(&tape, Settings::default());
    let fd = hal.update(1);
    let mut held = Vec::new();
    let file = File::from(fd.try_clone().expect("a copy"));
    file.write_all_at(b"7", 0).expect("it can be written, as memory of a library's");
    let mut whole = &file;
    whole.read_to_end(&mut held).expect("it can be read");
    assert_eq!(held, b"7");
    hal.ask(COMMAND);
    let second = File::from(hal.update(2));
    let mut held = [0; 2];
    assert_eq!(second.read_at(&mut held, 0).expect("bytes"), 1);
    assert_eq!(held[0], b'2');
    hal.answer(COMMAND);
    hal.update(3);
    hal.ask(COMMAND);
    hal.answer(COMMAND);
    assert!(hal.heard.try_recv().is_err(), "no more than were recorded");
}

#[test]
fn what_was_returned_before_an_answer_or_another_update_is_waited_for() {
    let mut tape = Tape::new();
    tape.exchange(COMMAND, 10, Some(20));
    tape.update(1, 11, Some((12, 0)));
    tape.update(2, 13, Some((14, 0)));
    tape.update(3, 21, Some((22, 0)));
    tape.update(4, 23, None);
    tape.exchange(COMMAND, 30, Some(40));
    let hal = Hal::start(&tape, Settings::default());
    hal.ask(COMMAND);
    let fd = hal.update(1);
    assert!(hal.heard.recv_timeout(Duration::from_millis(50)).is_err(), "1 is still out");
    hal.give_back(1, fd);
    let fd = hal.update(2);
    assert!(hal.heard.recv_timeout(Duration::from_millis(50)).is_err(), "2 is still out");
    hal.give_back(2, fd);
    hal.answer(COMMAND);
    let fd = hal.update(3);
    assert!(hal.heard.recv_timeout(Duration::from_millis(50)).is_err(), "3 is still out");
    hal.give_back(3, fd);
    hal.update(4);
}

#[test]
fn a_host_that_returns_nothing_or_nonsense_gets_all_the_same() {
    let mut tape = Tape::new();
    tape.exchange(COMMAND, 10, Some(20));
    tape.update(1, 11, Some((12, 3)));
    tape.update(2, 21, Some((22, 3)));
    tape.update(3, 23, None);
    tape.exchange(COMMAND, 30, Some(40));
    tape.exchange(COMMAND, 50, Some(60));
    let hal = Hal::start(&tape, Settings::default());
    hal.library.update_return(99, 5, None);
    hal.ask(COMMAND);
    let _kept = hal.update(1);
    // After a second: it was returned before the answer.
    hal.answer(COMMAND);
    let _kept = hal.update(2);
    // It was returned before the third, which came before this request.
    hal.ask(COMMAND);
    hal.update(3);
    hal.answer(COMMAND);
    // Another status than the recorded one is a line in the log.
    hal.library.update_return(2, 77, None);
    hal.library.update_return(2, 77, None);
    hal.ask(COMMAND);
    hal.answer(COMMAND);
}

#[test]
fn with_loop_the_updates_of_frames_come_again() {
    let mut tape = Tape::new();
    for frame in 0..2 {
        let at = 100 * frame;
        tape.exchange(AE, at + 10, Some(at + 20));
        tape.update(u32::try_from(frame).expect("small"), at + 15, None);
    }
    let hal = Hal::start(&tape, Settings { end: End::Loop, ..Settings::default() });
    for number in [0, 1, 1, 1] {
        hal.ask(AE);
        hal.update(number);
        hal.answer(AE);
    }
}

#[test]
fn with_the_recorded_pace_updates_take_their_time() {
    let mut tape = Tape::new();
    tape.exchange(COMMAND, 10, Some(20));
    tape.update(1, 70, None);
    let hal = Hal::start(&tape, Settings { pace: Pace::Recorded, ..Settings::default() });
    let began = Instant::now();
    hal.ask(COMMAND);
    hal.answer(COMMAND);
    hal.update(1);
    assert!(began.elapsed() >= Duration::from_millis(60), "{:?}", began.elapsed());
}

#[test]
fn a_host_that_ends_while_an_update_is_waited_for_is_not_held_up() {
    let mut tape = Tape::new();
    tape.exchange(COMMAND, 10, Some(20));
    tape.update(1, 11, Some((12, 0)));
    let hal = Hal::start(&tape, Settings::default());
    hal.ask(COMMAND);
    hal.update(1);
    let began = Instant::now();
    hal.library.deinitialize();
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
}

#[test]
fn an_answer_waits_for_a_second_at_most_however_many_updates_are_not_returned() {
    let mut tape = Tape::new();
    tape.exchange(COMMAND, 10, Some(100));
    for number in 0..5 {
        let at = 20 + 10 * u64::from(number);
        tape.update(number, at, Some((at + 1, 0)));
    }
    let hal = Hal::start(&tape, Settings::default());
    let began = Instant::now();
    hal.ask(COMMAND);
    let _kept: Vec<OwnedFd> = (0..5).map(|number| hal.update(number)).collect();
    hal.answer(COMMAND);
    // One second for each were five.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_host_that_ends_with_requests_under_way_is_not_held_up_by_their_updates() {
    let mut tape = Tape::new();
    for number in 0..8_u32 {
        let at = 100 * u64::from(number);
        tape.exchange(COMMAND, at + 10, Some(at + 90));
        tape.update(number, at + 20, Some((at + 30, 0)));
    }
    let hal = Hal::start(&tape, Settings::default());
    for _ in 0..8 {
        hal.ask(COMMAND);
    }
    let _kept = hal.update(0);
    let began = Instant::now();
    hal.library.deinitialize();
    // One second for each were seven.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_host_that_ends_is_not_held_up_by_the_recorded_pace() {
    let mut updated = Tape::new();
    updated.exchange(COMMAND, 10, Some(30_000));
    updated.update(1, 20_000, None);
    let mut answered = Tape::new();
    answered.exchange(COMMAND, 10, Some(30_000));
    for tape in [updated, answered] {
        let hal = Hal::start(&tape, Settings { pace: Pace::Recorded, ..Settings::default() });
        hal.ask(COMMAND);
        let began = Instant::now();
        hal.library.deinitialize();
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

/// The recorded library was ended by its host after an answer, after an update, and without either.
#[test]
fn where_the_host_ended_the_library_nothing_is_answered_any_more() {
    const OTHER: u32 = 91;
    let mut answered = Tape::new();
    answered.exchange(COMMAND, 10, Some(20));
    answered.exchange(OTHER, 30, Some(40));
    answered.ended_by_host(50);
    let mut updated = Tape::new();
    updated.exchange(COMMAND, 10, Some(20));
    updated.update(1, 30, None);
    updated.ended_by_host(50);
    let mut idle = Tape::new();
    idle.ended_by_host(50);
    for (number, tape) in [answered, updated, idle].into_iter().enumerate() {
        let deaths = tape.path.with_extension("deaths");
        let hal =
            Hal::start(&tape, Settings { deaths: Some(deaths.clone()), ..Settings::default() });
        match number {
            0 => {
                hal.ask(OTHER);
                hal.answer(OTHER);
            }
            1 => {
                hal.ask(COMMAND);
                hal.answer(COMMAND);
                hal.update(1);
            }
            _ => {}
        }
        // One that the recording answers, and one that it does not have.
        hal.ask(COMMAND);
        hal.ask(99);
        // All that was asked is worked off then.
        hal.library.deinitialize();
        assert!(hal.heard.try_recv().is_err(), "{number}");
        assert_eq!(std::fs::read_to_string(deaths).expect("a file"), "1\n", "{number}");
    }
}
