//! Recoveries in which something else goes wrong, or happens at the same time.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use cami_abi::CameraAlgorithm;

use crate::Scenario;
use crate::fake_host::{HANG_SIZE, LIVES, MAKE, OVERFLOW_STATUS, REGISTER_MS, RESTART_LIMIT};
use crate::hal::*;
use crate::resume::{kill_host, resuming, resuming_as, resumptions, shared_buffer};

pub const SCENARIOS: &[Scenario] = &[
    ("recovery_keeps_handles_that_many_threads_got_at_once", handles_of_many_threads),
    ("recovery_does_not_condemn_the_heir_for_the_rest_of_a_deadline", rest_of_a_deadline),
    ("recovery_is_bounded_as_a_whole", bounded_as_a_whole),
    ("recovery_that_starts_a_host_is_ended_at_once", start_is_ended_at_once),
    ("recovery_that_hangs_in_init_is_ended_at_once", hung_init_is_ended_at_once),
    ("recovery_answers_a_header_that_is_too_long", header_that_is_too_long),
    ("recovery_swallows_late_callbacks_of_the_replay", late_callbacks),
    ("recovery_that_panics_is_notified_and_ends_its_host", panic_in_the_replay),
    ("recovery_that_panics_before_it_begins_is_notified", panic_before),
    ("recovery_that_panics_between_attempts_is_notified", panic_between),
    ("recovery_that_panics_at_its_last_line_is_notified", panic_at_the_last_line),
];

/// How many hosts were started.
fn lives() -> usize {
    std::fs::read(std::env::var_os(LIVES).unwrap()).map_or(0, |lives| lives.len())
}

fn handles_of_many_threads() {
    const THREADS: usize = 4;
    const EACH: usize = 8;
    set(RESTART_LIMIT, "0");
    let (supervisor, seen) = resuming();
    let mut known = Vec::new();
    for round in 0..12 {
        let together = Arc::new(Barrier::new(THREADS));
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (supervisor, together) = (Arc::clone(&supervisor), Arc::clone(&together));
                std::thread::spawn(move || {
                    together.wait();
                    let register = |number: usize| {
                        let size = 1000 + (round * THREADS + thread) * EACH + number;
                        (supervisor.register_buffer(buffer(size.try_into().unwrap())), size)
                    };
                    (0..EACH).map(register).collect::<Vec<_>>()
                })
            })
            .collect();
        for thread in threads {
            known.extend(thread.join().unwrap());
        }
        kill_host();
        for &(handle, size) in &known {
            supervisor.request(9, b"size", handle);
            let answer = Seen::Returned(9, size.try_into().unwrap(), handle);
            assert_eq!(seen.recv(), Ok(answer), "{:?}", log_lines());
        }
    }
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

/// The first host hangs in a call and is killed late. The second needs longer for it than the call has
/// left, which is no hang.
fn rest_of_a_deadline() {
    set(REGISTER_MS, "500");
    let (supervisor, seen) = resuming_as("resume-slow-register");
    let registering = Arc::clone(&supervisor);
    let registered = std::thread::spawn(move || registering.register_buffer(buffer(HANG_SIZE)));
    // Whether this is early or late decides what the call returns, and nothing else.
    std::thread::sleep(Duration::from_millis(400));
    kill_host();
    let code = registered.join().unwrap();
    assert!(code == -libc::ETIMEDOUT || code == 1, "{code}");
    supervisor.request(5, b"x", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
    assert_eq!(resumptions(), 1, "{:?}", log_lines());
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

/// Each request of the replay takes less than a call may, and all together longer.
fn bounded_as_a_whole() {
    set(REGISTER_MS, "250");
    set(RESTART_LIMIT, "2");
    let (supervisor, seen) = resuming_as("resume-sleepy");
    let (_made, handle) = shared_buffer(&supervisor);
    for _ in 0..8 {
        supervisor.request(MAKE, b"make", handle);
        assert_eq!(seen.recv(), Ok(Seen::Returned(MAKE, 0, handle)));
    }
    kill_host();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)), "{:?}", log_lines());
    assert!(log_lines().join("\n").contains("takes longer than 250 ms"), "{:?}", log_lines());
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

/// The second host says nothing, and would be waited for for seconds.
fn start_is_ended_at_once() {
    let (supervisor, seen) = resuming_as("resume-mute");
    kill_host();
    while lives() < 2 {
        std::thread::yield_now();
    }
    supervisor.deinitialize();
    assert_no_children();
    let lines = log_lines().join("\n");
    assert!(!lines.contains("has not returned"), "{lines}");
    assert_eq!(seen.try_iter().count(), 0);
}

/// The second host is ready and then hangs: nobody waits for what it might still say.
fn hung_init_is_ended_at_once() {
    // The shortest of several, because the machine may be busy; the wait would be 250 ms in each.
    let took = (0..4).map(|_| {
        let (supervisor, seen) = resuming_as("resume-hang-init");
        kill_host();
        // It has written once more when it hangs.
        while lives() < 3 {
            std::thread::yield_now();
        }
        let began = std::time::Instant::now();
        supervisor.deinitialize();
        assert_no_children();
        assert_eq!(seen.try_iter().count(), 0);
        began.elapsed()
    });
    assert!(took.min().unwrap() < Duration::from_millis(200));
}

fn header_that_is_too_long() {
    set(RESTART_LIMIT, "0");
    let (supervisor, seen) = resuming();
    let long = vec![0; 65_537];
    for round in 0..40 {
        kill_host();
        for number in 0..10 {
            supervisor.request(round * 10 + number, &long, 3);
        }
        supervisor.request(9, b"x", 1);
        let mut answers: Vec<Seen> = (0..11).map(|_| seen.recv().unwrap()).collect();
        answers.retain(|answer| *answer != Seen::Returned(9, 1, 1));
        answers.sort_by_key(|answer| match answer {
            Seen::Returned(req_id, ..) => *req_id,
            other => panic!("{other:?}"),
        });
        let expected: Vec<Seen> =
            (0..10).map(|number| Seen::Returned(round * 10 + number, OVERFLOW_STATUS, 3)).collect();
        assert_eq!(answers, expected);
    }
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

/// The second host answers what it is asked again twice.
fn late_callbacks() {
    let (supervisor, seen) = resuming_as("resume-twice");
    let (_made, handle) = shared_buffer(&supervisor);
    supervisor.request(MAKE, b"make", handle);
    assert_eq!(seen.recv(), Ok(Seen::Returned(MAKE, 0, handle)));
    kill_host();
    supervisor.request(5, b"x", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
    assert_eq!(resumptions(), 1);
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn panic_in_the_replay() {
    let (supervisor, seen) = resuming_as("resume-stray");
    panic_on("came too late");
    kill_host();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    assert_no_children();
    works_again(&supervisor);
    assert_eq!(seen.try_iter().count(), 0);
}

fn panic_before() {
    let (supervisor, seen) = resuming();
    panic_on("process died");
    kill_host();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    assert_no_children();
    works_again(&supervisor);
    assert_eq!(seen.try_iter().count(), 0);
}

/// The second host dies at once, and the line that says so is the last of the first attempt.
fn panic_between() {
    let (supervisor, seen) = resuming_as("resume-exit");
    panic_on("trying again");
    kill_host();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    assert_no_children();
    assert_eq!(seen.try_iter().count(), 0);
}

fn panic_at_the_last_line() {
    let (supervisor, seen) = resuming_as("resume-handles");
    assert_eq!(supervisor.register_buffer(buffer(1)), 1);
    panic_on("is not resumed");
    kill_host();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    assert_no_children();
    works_again(&supervisor);
    assert_eq!(seen.try_iter().count(), 0);
}

fn works_again(supervisor: &cami_client::Supervisor) {
    let (callbacks, seen) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(5, b"x", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}
