//! Hosts that die, hang or lie.

use cami_abi::CameraAlgorithm;
use cami_link::{Deadline, Event, Interest, ProcessFd, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Scenario;
use crate::fake_host::{DEAF, DIE_SIZE, HANG_SIZE, REGISTER_MS};
use crate::hal::*;

pub const SCENARIOS: &[Scenario] = &[
    ("death_is_notified_once_and_named", death_is_notified_once_and_named),
    ("death_without_a_word", death_without_a_word),
    ("death_comes_after_the_last_answer", death_comes_after_the_last_answer),
    ("death_in_a_call", death_in_a_call),
    ("death_by_deadline", death_by_deadline),
    ("death_by_deadline_of_a_deaf_monitor", death_by_deadline_of_a_deaf_monitor),
    ("death_by_nonsense", death_by_nonsense),
    ("death_in_deinitialize_is_quiet", death_in_deinitialize_is_quiet),
    ("death_at_once_of_a_request_that_hangs", || end_now("")),
    ("death_at_once_with_a_journal", || end_now("resume")),
    ("death_at_once_of_a_start_that_hangs", death_at_once_of_a_start_that_hangs),
    ("death_at_once_of_nobody", death_at_once_of_nobody),
    ("death_closes_descriptors_before_notify", descriptors_are_closed_before_notify),
];

fn death_is_notified_once_and_named() {
    let (supervisor, seen) = running();
    supervisor.request(5, b"crash", 6);
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    assert_one_error(&["signal 11 at fake.so+0x40"]);
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    supervisor.request(6, b"x", 7);
    supervisor.request(7, b"x", 8);
    supervisor.deregister_buffers(&[1]);
    supervisor.update_return(1, 2, None);
    let dropped = log_lines().iter().filter(|line| line.contains("calls are dropped")).count();
    assert_eq!(dropped, 1, "{:?}", log_lines());
    supervisor.deinitialize();
    assert_no_children();
    let (callbacks, again) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(8, b"abc", 9);
    assert_eq!(again.recv(), Ok(Seen::Returned(8, 3, 9)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0, "one notify for one session");
}

fn death_without_a_word() {
    let (supervisor, seen) = running();
    supervisor.request(5, b"die", 6);
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    assert_one_error(&["without naming a cause", "SIGKILL"]);
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn death_comes_after_the_last_answer() {
    let (supervisor, seen) = running();
    supervisor.request(5, b"answer, then die", 6);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 0, 6)));
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn death_in_a_call() {
    let (supervisor, seen) = running();
    assert_eq!(supervisor.register_buffer(buffer(DIE_SIZE)), -libc::ECONNRESET);
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

fn death_by_deadline() {
    set(REGISTER_MS, "200");
    let (supervisor, seen) = running();
    let others: Vec<_> = (0..4)
        .map(|_| {
            let supervisor = supervisor.clone();
            std::thread::spawn(move || supervisor.register_buffer(buffer(HANG_SIZE)))
        })
        .collect();
    let codes: Vec<i32> = others.into_iter().map(|thread| thread.join().unwrap()).collect();
    // The first to run out of time takes the others with it.
    assert!(codes.contains(&-libc::ETIMEDOUT), "{codes:?}");
    for code in codes {
        assert!([-libc::ETIMEDOUT, -libc::ECONNRESET].contains(&code), "{code}");
    }
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    let lines = log_lines().join("\n");
    assert!(lines.contains("register_buffer did not return within 200 ms"), "{lines}");
    assert!(lines.contains("killed because register_buffer did not return"), "{lines}");
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

fn death_by_deadline_of_a_deaf_monitor() {
    set(REGISTER_MS, "50");
    set(DEAF, "1");
    let (supervisor, seen) = running();
    assert_eq!(supervisor.register_buffer(buffer(HANG_SIZE)), -libc::ETIMEDOUT);
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET, "calls fail fast");
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    let lines = log_lines().join("\n");
    assert!(lines.contains("killed by SIGKILL"), "{lines}");
    assert_no_children();
}

fn death_by_nonsense() {
    let (supervisor, seen) = running();
    supervisor.request(5, b"unknown event", 6);
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    let lines = log_lines().join("\n");
    assert!(lines.contains("malformed message"), "{lines}");
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn death_in_deinitialize_is_quiet() {
    set(REGISTER_MS, "100");
    next_host("stop-hangs");
    let (supervisor, seen) = running();
    supervisor.deinitialize();
    assert_no_children();
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    assert_eq!(seen.try_iter().count(), 0);
}

/// `end_now` returns when the process is gone, whatever it was doing and whoever waits for it; the HAL,
/// which has asked for it, is told nothing, and nothing is resumed.
fn end_now(behaviour: &str) {
    next_host(behaviour);
    let before = open_fds();
    let (supervisor, seen) = running();
    supervisor.request(5, b"stop reading", 6);
    let waiting = supervisor.clone();
    let waiting = std::thread::spawn(move || waiting.register_buffer(buffer(1)));
    let host = ProcessFd::open(host_pid()).unwrap();
    assert!(supervisor.end_now());
    assert_no_children();
    let mut polled = [(host.as_fd(), Interest::Message, Event::default())];
    assert_eq!(wait(&mut polled, Some(Deadline::now())), Ok(1), "it lives");
    drop(host);
    assert_eq!(waiting.join().unwrap(), -libc::ECONNRESET);
    assert_eq!(open_fds(), before + 1, "the waker alone");
    supervisor.request(6, b"abc", 7);
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    let (callbacks, again) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(8, b"abc", 9);
    assert_eq!(again.recv(), Ok(Seen::Returned(8, 3, 9)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn death_at_once_of_a_start_that_hangs() {
    next_host("start-hangs");
    let supervisor = supervisor();
    let (callbacks, _seen) = recorder();
    let starting = supervisor.clone();
    let starting = std::thread::spawn(move || starting.initialize(callbacks));
    host_pid();
    assert!(supervisor.end_now());
    assert_eq!(starting.join().unwrap(), -libc::ECONNRESET);
    assert_no_children();
}

fn death_at_once_of_nobody() {
    let supervisor = supervisor();
    assert!(supervisor.end_now());
    let (callbacks, _seen) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.deinitialize();
    assert!(supervisor.end_now());
}

fn descriptors_are_closed_before_notify() {
    let before = open_fds();
    let supervisor = supervisor();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Notified(_) = seen {
            assert_eq!(open_fds(), before + 1, "the waker alone");
            assert_no_children();
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    // Not by a request: its thread might still hold the session while `notify` runs.
    kill(Pid::from_raw(host_pid()), Signal::SIGKILL).unwrap();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
}
