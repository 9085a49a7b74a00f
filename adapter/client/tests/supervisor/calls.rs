//! Calls from the HAL's own threads.

use std::collections::HashSet;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use cami_abi::CameraAlgorithm;

use crate::Scenario;
use crate::fake_host::{OVERFLOW_STATUS, REGISTER_MS};
use crate::hal::*;

pub const SCENARIOS: &[Scenario] = &[
    ("calls_pass_unchanged", calls_pass_unchanged),
    ("calls_from_many_threads", calls_from_many_threads),
    ("calls_close_the_buffers_they_are_given", calls_close_the_buffers_they_are_given),
    ("calls_deregister_in_portions", calls_deregister_in_portions),
    ("calls_on_a_full_link_are_answered", calls_on_a_full_link_are_answered),
    ("calls_with_too_large_a_header_are_answered", calls_with_too_large_a_header_are_answered),
    ("calls_update_and_return", calls_update_and_return),
    ("calls_behind_a_blocked_callback", calls_behind_a_blocked_callback),
];

fn calls_pass_unchanged() {
    let (supervisor, seen) = running();
    for (req_id, header, handle) in
        [(0, &b""[..], -1), (u32::MAX, &b"ab"[..], i32::MIN), (7, &[0; 65536][..], i32::MAX)]
    {
        supervisor.request(req_id, header, handle);
        let length = u32::try_from(header.len()).unwrap();
        assert_eq!(seen.recv(), Ok(Seen::Returned(req_id, length, handle)));
    }
}

fn calls_from_many_threads() {
    const THREADS: u32 = 8;
    const EACH: u32 = 200;
    let (supervisor, seen) = running();
    let start = Arc::new(Barrier::new(usize::try_from(THREADS).unwrap()));
    let workers: Vec<_> = (0..THREADS)
        .map(|worker| {
            let supervisor = supervisor.clone();
            let start = start.clone();
            std::thread::spawn(move || {
                start.wait();
                (0..EACH)
                    .map(|n| {
                        supervisor.request(worker * EACH + n, b"12345", 1);
                        supervisor.register_buffer(buffer(1))
                    })
                    .collect::<Vec<i32>>()
            })
        })
        .collect();
    let handles: HashSet<i32> =
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert_eq!(handles.len(), usize::try_from(THREADS * EACH).unwrap(), "each got its own answer");
    assert!(handles.iter().all(|&handle| handle > 0));
    let mut requests = HashSet::new();
    for _ in 0..THREADS * EACH {
        let Ok(Seen::Returned(req_id, 5, 1)) = seen.recv() else { panic!("not an answer") };
        assert!(requests.insert(req_id));
    }
}

fn calls_close_the_buffers_they_are_given() {
    let (supervisor, _seen) = running();
    let before = open_fds();
    for _ in 0..50 {
        assert!(supervisor.register_buffer(buffer(1)) > 0);
    }
    assert_eq!(open_fds(), before);
}

fn calls_deregister_in_portions() {
    let (supervisor, seen) = running();
    let handles: Vec<i32> = (0..10_000).collect();
    supervisor.deregister_buffers(&handles);
    let mut counts = Vec::new();
    for first in [0, 4096, 8192] {
        let Ok(Seen::Returned(0, count, handle)) = seen.recv() else { panic!("no portion") };
        assert_eq!(handle, first);
        counts.push(count);
    }
    assert_eq!(counts.iter().sum::<u32>(), 10_000);
}

fn calls_on_a_full_link_are_answered() {
    // Nor is there room for the end: it waits as long as any call on buffers.
    set(REGISTER_MS, "100");
    let (supervisor, seen) = running();
    supervisor.request(1, b"stop reading", 0);
    let header = [1; 60_000];
    let mut sent = 0;
    let refused = loop {
        sent += 1;
        assert!(sent < 10_000, "the link takes everything");
        supervisor.request(1000 + sent, &header, 3);
        if let Ok(seen) = seen.try_recv() {
            break seen;
        }
    };
    let Seen::Returned(req_id, status, handle) = refused else { panic!("{refused:?}") };
    assert_eq!((status, handle), (OVERFLOW_STATUS, 3));
    assert!(req_id > 1000);
    let lines = log_lines().join("\n");
    assert!(lines.contains("the link is full"), "{lines}");
    supervisor.deinitialize();
    assert_no_children();
}

fn calls_with_too_large_a_header_are_answered() {
    let (supervisor, seen) = running();
    supervisor.request(4, &[0; 65537], 9);
    assert_eq!(seen.recv(), Ok(Seen::Returned(4, OVERFLOW_STATUS, 9)));
    let lines = log_lines().join("\n");
    assert!(lines.contains("65537 bytes"), "{lines}");
    supervisor.request(5, b"x", 9);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 9)));
}

fn calls_update_and_return() {
    let supervisor = supervisor();
    let (callbacks, seen) = recorder();
    assert_eq!(supervisor.initialize(callbacks.clone()), 0);
    let before = open_fds();
    supervisor.request(4321, b"update", 0);
    assert_eq!(seen.recv(), Ok(Seen::Updated(4321, b"please".to_vec(), Some(4321))));
    let fd = callbacks.buffer.lock().unwrap().take();
    assert!(fd.as_ref().is_some_and(|fd| fd.as_raw_fd() > 2));
    assert_eq!(open_fds(), before + 1);
    supervisor.update_return(4321, 8, fd);
    assert_eq!(seen.recv(), Ok(Seen::Returned(4321, 8, 4321)), "the same buffer came back");
    assert_eq!(open_fds(), before);
    supervisor.update_return(1, 2, None);
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 2, -1)));
}

/// The answer is there, but the HAL keeps the reader: not the host's fault.
fn calls_behind_a_blocked_callback() {
    set(REGISTER_MS, "300");
    let blocked = Arc::new(Barrier::new(2));
    let gate = blocked.clone();
    let once = AtomicBool::new(false);
    let supervisor = supervisor();
    let (callbacks, seen) = reacting(move |_| {
        if !once.swap(true, Ordering::Relaxed) {
            gate.wait();
            gate.wait();
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(1, b"x", 0);
    blocked.wait();
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ETIMEDOUT);
    assert_one_error(&["a callback of the HAL has been running"]);
    blocked.wait();
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 1, 0)));
    assert_eq!(supervisor.register_buffer(buffer(1)), 2, "the host lives");
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}
