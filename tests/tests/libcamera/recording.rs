//! `record` behind libcamera's door: what an IPU3 library was asked for a libcamera is in the file, and
//! survives the worker and the application.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use cami_recording::session::Event;
use cami_recording::{Call, Ending, Recording, Session};
use cami_tests::{PATIENCE, Recorded, artefact};

use crate::application::{Room, application, text};
use crate::driver::{Worker, calls, memory};
use crate::session::Setup;

const CAPTURE: &str = "capture_ipu3_v0.7.2.txt";
/// libcamera's calls of a frame, in the version of the recorded session.
const QUEUE_REQUEST: u32 = 7;
const COMPUTE_PARAMS: u32 = 8;
const STATISTICS: u32 = 9;
/// Frames of the 54 with metadata of both streams that are asked for at least: of statistics that wait
/// only the newest are taken, so a busy machine has fewer.
const MANY_FRAMES: usize = 5;

/// Commands of the IPU3 protocol (spec/ipu3-protocol.md, 1.1).
mod command {
    pub const AIC_INIT: u32 = 1;
    pub const AIC_RUN: u32 = 2;
    pub const AIQ_INIT: u32 = 6;
    pub const AE_RUN: u32 = 8;
    pub const STATISTICS_SET: u32 = 15;
    pub const CMC_INIT: u32 = 17;
}

/// A host with the set-up of a camera and at least `frames` frames, all of it with its contents.
#[track_caller]
fn has_set_up_and_frames(recorded: &Recorded, host: u32, frames: usize) {
    let life = recorded.session.host(host).expect("a host");
    assert_eq!(life.host.profile, "intel-ipu3");
    assert!(life.host.library.ends_with("libcam_algo_reference.so"), "{}", life.host.library);
    assert!(!life.libraries.is_empty());
    let calls = recorded.calls(host);
    assert_eq!(&calls[..2], [Call::Load, Call::Initialize].map(|call| (call, Some(0))));
    assert!(calls.iter().any(|call| call.0 == Call::RegisterBuffer && call.1 >= Some(0)));
    let exchanges: Vec<_> =
        recorded.exchanges().filter(|(requested, _)| requested.host == host).collect();
    let count = |id| {
        let of_command = exchanges.iter().filter(|(requested, _)| life.command(requested) == id);
        let answered = of_command.filter(|(requested, returned)| {
            let Some(returned) = returned else { return false };
            for content in [requested.content, returned.content] {
                assert!(!recorded.file.content(content).unwrap().is_empty());
            }
            returned.status == life.host.ok_status
        });
        answered.count()
    };
    for set_up in [command::CMC_INIT, command::AIQ_INIT, command::AIC_INIT] {
        assert!(count(set_up) >= 1, "set-up {set_up} of host {host}");
    }
    for frame in [command::AE_RUN, command::AIC_RUN, command::STATISTICS_SET] {
        let found = count(frame);
        assert!(found >= frames, "command {frame} of host {host}: {found} of {frames}");
    }
}

/// The calls of a recorded libcamera, each answered. `then` is told of each.
fn play(worker: &mut Worker, mut then: impl FnMut(&mut Worker, u32) -> ControlFlow<()>) {
    let buffers = [memory(0x1_0000, 0xee), memory(0x4_0000, 0)];
    for call in calls(CAPTURE) {
        let fds: Vec<File> =
            buffers.iter().take(call.fds).map(|file| file.try_clone().unwrap()).collect();
        worker.send(&call.bytes, &fds);
        // Calls that wait, and the two of a frame whose answer is an event.
        let expected = match call.command {
            1..=6 => Some((call.command, call.cookie)),
            8 => Some((2, 0)),
            9 => Some((3, 0)),
            _ => None,
        };
        while let Some(expected) = expected {
            let (command, cookie, _) = worker.receive();
            if (command, cookie) == expected {
                break;
            }
        }
        if then(worker, call.command).is_break() {
            return;
        }
    }
}

/// Whether the file has the answer to statistics.
fn has_statistics(path: &Path) -> bool {
    let Ok(file) = Recording::open(path) else { return false };
    let Ok(session) = Session::of(&file) else { return false };
    session.events.iter().any(|event| match event {
        Event::Exchange { requested, returned: Some(_) } => {
            session.hosts[0].command(requested) == command::STATISTICS_SET
        }
        _ => false,
    })
}

/// More frames until the file has the answer to statistics: libcamera has its own sooner where the library
/// is late, and statistics that come too soon are for nobody.
fn until_statistics_are_written(worker: &mut Worker, path: &Path) {
    let until = Instant::now() + PATIENCE;
    for frame in 1_u32.. {
        if has_statistics(path) {
            return;
        }
        assert!(Instant::now() < until, "no statistics are in {}", path.display());
        // The frame's number stands behind the other arguments' sizes.
        for (command, at, event) in
            [(QUEUE_REQUEST, 16, None), (COMPUTE_PARAMS, 16, Some(2)), (STATISTICS, 24, Some(3))]
        {
            let call = calls(CAPTURE).into_iter().find(|call| call.command == command);
            let mut message = call.unwrap().bytes;
            message[4..8].copy_from_slice(&(1000 + frame).to_le_bytes());
            message[at..at + 4].copy_from_slice(&frame.to_le_bytes());
            worker.send(&message, &[]);
            while let Some(event) = event {
                let (command, cookie, _) = worker.receive();
                if (command, cookie) == (event, 0) {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_session_of_libcamera_is_in_the_file() {
    let setup = Setup::new();
    let path = setup.path("session.camr");
    let record = [("CAMI_IPA_RECORD", path.to_str().unwrap())];
    let mut worker = setup.start(&artefact("libcam_algo_reference.so"), &record);
    play(&mut worker, |worker, call| {
        if call == STATISTICS {
            until_statistics_are_written(worker, &path);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(worker.end().code(), Some(0), "{}", setup.log());
    let recorded = Recorded::read(&path);
    assert_eq!(recorded.file.ending(), Ending::Complete);
    assert_eq!(recorded.session.hosts.len(), 1);
    assert!(recorded.session.hosts[0].ended_ns.is_some());
    has_set_up_and_frames(&recorded, 1, 1);
}

/// Without `Exit`, as where its application has aborted.
#[test]
fn a_worker_that_is_killed_in_a_stream_loses_nothing() {
    let setup = Setup::new();
    let path = setup.path("session.camr");
    let record = [("CAMI_IPA_RECORD", path.to_str().unwrap())];
    let mut worker = setup.start(&artefact("libcam_algo_reference.so"), &record);
    play(&mut worker, |_, call| match call {
        STATISTICS => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    until_statistics_are_written(&mut worker, &path);
    worker.process.kill();
    worker.end();
    let recorded = Recorded::read(&path);
    assert_eq!(recorded.file.ending(), Ending::Complete);
    let [life] = &recorded.session.hosts[..] else { panic!("one host") };
    assert!(life.ended_ns.is_some() || life.died.is_some());
    has_set_up_and_frames(&recorded, 1, 1);
}

#[test]
fn real_libcamera_s_sessions_are_in_the_file() {
    let Some(application) = application() else { return };
    let room = Room::new();
    let path = room.path("session.camr");
    let library = artefact("libcam_algo_reference.so");
    let output = room.command(application, &library).env("CAMI_IPA_RECORD", &path).output();
    let output = output.unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
    // Nothing is different for it.
    let frames = said.lines().filter(|line| line.starts_with("frames: 30 parameters, 27 metadata"));
    assert_eq!(frames.filter(|line| line.ends_with(" 0 wrong")).count(), 2, "{said}");
    let recorded = Recorded::read(&path);
    assert_eq!(recorded.file.ending(), Ending::Complete);
    let lives: Vec<u32> = recorded.session.hosts.iter().map(|life| life.host.host).collect();
    assert_eq!(lives, [1], "one library for both streams");
    assert!(recorded.session.hosts[0].ended_ns.is_some());
    assert!(recorded.session.lost.is_empty(), "{:?}", recorded.session.lost);
    has_set_up_and_frames(&recorded, 1, MANY_FRAMES);
    room.empty();
}

#[test]
fn the_recording_survives_an_application_that_aborts() {
    let Some(application) = application() else { return };
    let room = Room::new();
    let path = room.path("session.camr");
    let library = artefact("libcam_algo_reference.so");
    let mut command = room.command(application, &library);
    let output = command.env("HOST_ABORTS", "1").env("CAMI_IPA_RECORD", &path).output().unwrap();
    assert_eq!(output.status.code(), None, "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("aborts"));
    let recorded = Recorded::read(&path);
    assert_eq!(recorded.file.ending(), Ending::Complete);
    let [life] = &recorded.session.hosts[..] else { panic!("one host") };
    assert!(life.ended_ns.is_some() || life.died.is_some());
    assert!(recorded.session.lost.is_empty(), "{:?}", recorded.session.lost);
    has_set_up_and_frames(&recorded, 1, MANY_FRAMES);
    room.empty();
}
