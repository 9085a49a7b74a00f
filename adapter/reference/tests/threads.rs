//! Threads, order, buffers and the ends of everything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may state what it expects"
)]

mod common;

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

use cam_algo_reference::Server;
use cami_abi::CameraAlgorithm;
use cami_ipu3::{Command, HEADER};
use common::{Buffer, Events, Hal, memfd, wait};
use parking_lot::Mutex;

#[test]
fn each_group_has_its_named_thread() {
    let hal = Hal::new();
    for (command, thread) in [
        (Command::AicGetVersion, "reference-aic"),
        (Command::AiqGetVersion, "reference-aiq"),
        (Command::MknInit, "reference-other"),
        (Command::FaceUninit, "reference-other"),
    ] {
        let buffer = hal.buffer(command.payload_bytes().max(1));
        hal.server.request(command.number(), &HEADER, buffer.handle);
        let answer = wait(&hal.answers);
        assert_eq!((answer.status, answer.thread.as_str()), (0, thread));
    }
}

#[test]
fn a_group_answers_in_order_and_groups_do_not_wait_for_each_other() {
    // The AIC thread is held inside its first callback until the other groups have answered.
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let (events, answers) = Events::with_hook(Box::new(move |answer| {
        if answer.req_id == Command::AicGetVersion.number() {
            held.lock().recv().unwrap();
        }
    }));
    let server = Server::new();
    assert_eq!(server.initialize(events), 0);
    let aic = Buffer::register(&server, Command::AicGetVersion.payload_bytes());
    server.request(Command::AicGetVersion.number(), &HEADER, aic.handle);

    let commands = [Command::AiqGetVersion, Command::AiqDeinit];
    let buffers: Vec<Buffer> = (0..100).map(|_| Buffer::register(&server, 512)).collect();
    for (index, buffer) in buffers.iter().enumerate() {
        server.request(commands[index % 2].number(), &HEADER, buffer.handle);
    }
    let order: Vec<i32> = buffers.iter().map(|_| wait(&answers).handle).collect();
    let expected: Vec<i32> = buffers.iter().map(|buffer| buffer.handle).collect();
    assert_eq!(order, expected);
    server.request(Command::FaceUninit.number(), &HEADER, -1);
    assert_eq!(wait(&answers).req_id, Command::FaceUninit.number());
    release.send(()).unwrap();
    assert_eq!(wait(&answers).handle, aic.handle);
    server.deinitialize();
}

#[test]
fn buffers_may_go_while_requests_use_them() {
    let hal = Hal::new();
    let command = Command::AiqGetVersion;
    let mut handles = Vec::new();
    for _ in 0..300 {
        let buffer = hal.buffer(command.payload_bytes());
        hal.server.request(command.number(), &HEADER, buffer.handle);
        hal.server.deregister_buffers(&[buffer.handle, buffer.handle, -5, 0]);
        handles.push((buffer.handle, buffer));
    }
    for (handle, buffer) in &handles {
        let answer = wait(&hal.answers);
        assert_eq!((answer.handle, answer.status), (*handle, 0));
        assert!(buffer.bytes().starts_with(b"cami-reference"), "the answer was written");
    }
}

#[test]
fn handles_count_up_and_are_not_used_again() {
    let server = Server::new();
    let first = Buffer::register(&server, 100).handle;
    assert_eq!(first, 1);
    server.deregister_buffers(&[first]);
    assert_eq!(Buffer::register(&server, 100).handle, 2);
    server.deinitialize();
    assert_eq!(Buffer::register(&server, 100).handle, 3);
    server.deinitialize();
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let server = Server::new();
    let (pipe, _other) = nix::unistd::pipe().unwrap();
    assert_eq!(server.register_buffer(pipe), -libc::EBADFD);
    assert_eq!(server.register_buffer(memfd(0).into()), -libc::EBADFD);
    let read_only = std::fs::File::open("/proc/self/exe").unwrap();
    assert_eq!(server.register_buffer(read_only.into()), -libc::EBADFD);
    assert_eq!(Buffer::register(&server, 1).handle, 1, "a refused buffer takes no handle");
}

#[test]
fn a_number_that_is_registered_stays_the_tables() {
    let server = Server::new();
    let file = memfd(100);
    let number = file.as_raw_fd();
    let registered = inode(number);
    assert_eq!(server.register_buffer(file.into()), 1);
    // SAFETY: the number is open. That it has an owner already is what is tested, and what a
    // C caller can do.
    let again = unsafe { OwnedFd::from_raw_fd(number) };
    assert_eq!(server.register_buffer(again), -libc::EINVAL);
    assert_eq!(inode(number), registered, "the registered buffer lost its fd");
    server.deregister_buffers(&[1]);
    assert_ne!(inode(number), registered, "deregister_buffers closes");
}

/// The file behind a number; its inode tells it from one that another test opened meanwhile.
fn inode(fd: i32) -> Option<u64> {
    std::fs::metadata(format!("/proc/self/fd/{fd}")).ok().map(|file| file.ino())
}

#[test]
fn initialize_twice_is_0_and_answers_go_to_the_newer() {
    let hal = Hal::new();
    let (events, answers) = Events::new();
    assert_eq!(hal.server.initialize(events), 0);
    hal.server.request(Command::FaceUninit.number(), &HEADER, -1);
    assert_eq!(wait(&answers).status, 0);
    assert!(hal.answers.try_recv().is_err());
}

#[test]
fn nothing_is_answered_before_initialize_or_after_deinitialize() {
    let server = Server::new();
    server.request(Command::FaceUninit.number(), &HEADER, -1);
    server.deinitialize();
    let (events, answers) = Events::new();
    assert_eq!(server.initialize(events), 0);
    let buffer = Buffer::register(&server, Command::CmcInit.payload_bytes());
    for _ in 0..500 {
        server.request(Command::CmcInit.number(), &HEADER, buffer.handle);
    }
    server.deinitialize();
    let so_far = answers.try_iter().count();
    server.request(Command::FaceUninit.number(), &HEADER, -1);
    assert!(answers.recv().is_err(), "the callbacks are gone, {so_far} answers came before");
    // And once more from the beginning: handles of 3A objects do not survive.
    let (events, answers) = Events::new();
    assert_eq!(server.initialize(events), 0);
    server.request(Command::CmcInit.number(), &HEADER, buffer.handle);
    assert_eq!(wait(&answers).status, 1, "deinitialize forgets the buffers");
    server.deinitialize();
}

#[test]
fn callbacks_may_call_back_in() {
    // The library is ended from inside its own callback, with more requests waiting.
    static SERVER: Server = Server::new();
    let (ended, end) = channel::<()>();
    let ended = Mutex::new(ended);
    let (events, answers) = Events::with_hook(Box::new(move |answer| {
        if answer.req_id == Command::FaceUninit.number() {
            SERVER.request(Command::AiqGetVersion.number(), &[], 1);
            SERVER.deregister_buffers(&[1, 2, 3]);
            SERVER.deinitialize();
            ended.lock().send(()).unwrap();
        }
    }));
    assert_eq!(SERVER.initialize(events), 0);
    SERVER.request(Command::FaceUninit.number(), &HEADER, -1);
    SERVER.request(Command::FaceUninit.number(), &HEADER, -1);
    end.recv().expect("deinitialize returned");
    let inner = wait(&answers);
    assert_eq!((inner.req_id, inner.status), (Command::AiqGetVersion.number(), 1));
    assert_eq!(wait(&answers).req_id, Command::FaceUninit.number());
    assert!(answers.recv().is_err(), "nothing after it");
}

#[test]
fn many_threads_may_use_it_at_once() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 50;
    let hal = Hal::new();
    let start = Arc::new(Barrier::new(THREADS));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (server, start) = (&hal.server, Arc::clone(&start));
            scope.spawn(move || {
                start.wait();
                for round in 0..ROUNDS {
                    let command = Command::ALL[round % Command::ALL.len()];
                    let buffer = Buffer::register(server, command.payload_bytes().max(1));
                    server.request(command.number(), &HEADER, buffer.handle);
                    server.deregister_buffers(&[buffer.handle]);
                }
            });
        }
        for _ in 0..THREADS * ROUNDS {
            wait(&hal.answers);
        }
    });
}
