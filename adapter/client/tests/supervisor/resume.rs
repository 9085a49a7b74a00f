//! Hosts that die and are replaced without the HAL noticing (`recovery = "resume"`).

use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock, Weak};

use cami_abi::CameraAlgorithm;
use cami_client::Supervisor;
use nix::sys::signal::{Signal, kill};
use nix::sys::uio::{pread, pwrite};
use nix::unistd::Pid;

use crate::Scenario;
use crate::fake_host::{
    ADDRESS, DIE_SIZE, HANG_SIZE, LIVES, MAKE, OVERFLOW_STATUS, READ, REGISTER_MS, RESTART_LIMIT,
};
use crate::hal::*;

pub const SCENARIOS: &[Scenario] = &[
    ("resume_answers_the_request_that_was_in_flight", request_in_flight_is_answered),
    ("resume_answers_a_request_that_kills_twice_with_the_error_status", poison_is_answered),
    ("resume_after_every_kill_loses_no_completion", storm_loses_nothing),
    ("resume_keeps_handles_and_buffers", handles_come_out_the_same),
    ("resume_does_set_up_again_and_translates_addresses", set_up_is_done_again),
    ("resume_makes_a_register_again", register_is_made_again),
    ("resume_gives_up_on_a_register_that_kills_twice", register_that_kills_twice),
    ("resume_inside_a_callback", inside_a_callback),
    ("resume_inside_a_callback_that_starts_afresh", inside_a_callback_that_starts_afresh),
    ("resume_after_a_deadline", after_a_deadline),
    ("resume_that_hangs_holds_no_call_beyond_its_deadline", recovery_that_hangs),
    ("resume_gives_up_at_the_limit_and_notifies_once", limit_is_notified),
    ("resume_gives_up_where_handles_differ", different_handles_are_notified),
    ("resume_drops_updates_of_the_dead", updates_of_the_dead),
    ("resume_leaves_no_descriptor_behind", descriptors_stay_the_same),
    ("resume_is_ended_by_deinitialize", ended_by_deinitialize),
    ("resume_is_ended_by_initialize", ended_by_initialize),
    ("resume_is_ended_at_any_moment_of_a_recovery", ended_at_any_moment),
    ("resume_allocates_nothing_per_request", crate::allocations::none_per_request_with_a_journal),
];

/// A supervisor with a running host, which is replaced when it dies.
pub fn resuming() -> (Arc<Supervisor>, Receiver<Seen>) {
    resuming_as("resume")
}

pub fn resuming_as(behaviour: &str) -> (Arc<Supervisor>, Receiver<Seen>) {
    count_hosts();
    next_host(behaviour);
    running()
}

/// From now on hosts know whether they are the first.
fn count_hosts() {
    // The folder is this scenario's own.
    let path = std::env::temp_dir().join("lives");
    let _ = std::fs::remove_file(&path);
    set(LIVES, path.to_str().unwrap());
}

/// Kills the host; one that has just ended is not the one that is meant.
pub fn kill_host() {
    while kill(Pid::from_raw(host_pid()), Signal::SIGKILL).is_err() {}
}

/// The line that says that it went on.
pub fn resumptions() -> usize {
    log_lines().iter().filter(|line| line.contains("was resumed in")).count()
}

fn request_in_flight_is_answered() {
    let (supervisor, seen) = resuming();
    // Dies at the first time, and answers at the second.
    supervisor.request(5, b"die once", 6);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 8, 6)));
    supervisor.request(7, b"x", 8);
    assert_eq!(seen.recv(), Ok(Seen::Returned(7, 1, 8)));
    assert_eq!(resumptions(), 1, "{:?}", log_lines());
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0, "no notify");
    assert_no_children();
}

fn poison_is_answered() {
    let (supervisor, seen) = resuming();
    supervisor.request(5, b"die", 6);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, OVERFLOW_STATUS, 6)));
    supervisor.request(7, b"x", 8);
    assert_eq!(seen.recv(), Ok(Seen::Returned(7, 1, 8)));
    assert_eq!(resumptions(), 2);
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn storm_loses_nothing() {
    set(RESTART_LIMIT, "0");
    let (supervisor, seen) = resuming();
    let mut expected = Vec::new();
    for round in 0..30 {
        for number in 0..20 {
            supervisor.request(round * 100 + number, b"abc", 1);
            expected.push(round * 100 + number);
        }
        kill_host();
    }
    let mut answered: Vec<u32> = (0..expected.len())
        .map(|_| match seen.recv().unwrap() {
            Seen::Returned(req_id, _, 1) => req_id,
            other => panic!("{other:?}"),
        })
        .collect();
    answered.sort_unstable();
    assert_eq!(answered, expected, "each exactly once");
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

fn handles_come_out_the_same() {
    let (supervisor, seen) = resuming();
    assert_eq!(supervisor.register_buffer(buffer(10)), 1);
    assert_eq!(supervisor.register_buffer(buffer(20)), 2);
    supervisor.deregister_buffers(&[1]);
    assert!(matches!(seen.recv(), Ok(Seen::Returned(0, 1, 1))));
    kill_host();
    assert_eq!(supervisor.register_buffer(buffer(30)), 3);
    // The new host has the second buffer under its number, and a dummy had the first's.
    supervisor.request(9, b"size", 2);
    assert_eq!(seen.recv(), Ok(Seen::Returned(9, 20, 2)));
    supervisor.request(9, b"size", 3);
    assert_eq!(seen.recv(), Ok(Seen::Returned(9, 30, 3)));
    supervisor.request(9, b"size", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(9, 10, 1)));
    supervisor.deinitialize();
}

/// A buffer of 64 bytes of which the HAL keeps a descriptor.
pub fn shared_buffer(supervisor: &Supervisor) -> (OwnedFd, i32) {
    let fd = buffer(64);
    let handle = supervisor.register_buffer(fd.try_clone().unwrap());
    (fd, handle)
}

fn word(fd: &OwnedFd, offset: u32) -> u64 {
    let mut bytes = [0; 8];
    assert_eq!(pread(fd.as_fd(), &mut bytes, i64::from(offset)), Ok(8));
    u64::from_ne_bytes(bytes)
}

fn set_up_is_done_again() {
    let (supervisor, seen) = resuming();
    let (made, made_handle) = shared_buffer(&supervisor);
    let (used, used_handle) = shared_buffer(&supervisor);
    pwrite(made.as_fd(), &7u64.to_ne_bytes(), 0).unwrap();
    supervisor.request(MAKE, b"make", made_handle);
    assert_eq!(seen.recv(), Ok(Seen::Returned(MAKE, 0, made_handle)));
    let address = word(&made, ADDRESS);
    // The HAL uses the buffer for something else: the journal has its own copy.
    pwrite(made.as_fd(), &99u64.to_ne_bytes(), 0).unwrap();
    for _ in 0..3 {
        pwrite(used.as_fd(), &address.to_ne_bytes(), 0).unwrap();
        supervisor.request(READ, b"read", used_handle);
        // The host found what it made under the real address, which is not the HAL's.
        assert_eq!(seen.recv(), Ok(Seen::Returned(READ, 0, used_handle)));
        assert_eq!(word(&used, 16), 7);
        assert_eq!(word(&used, 0), address, "put back");
        assert_ne!(word(&used, 24), address);
        kill_host();
    }
    assert_eq!(word(&made, 0), 99, "nothing is written into the HAL's buffer");
    assert_eq!(word(&made, ADDRESS), address);
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0, "the replay's callbacks are swallowed");
}

fn register_is_made_again() {
    let (supervisor, _seen) = resuming_as("resume-once");
    assert_eq!(supervisor.register_buffer(buffer(DIE_SIZE)), 1);
    assert_eq!(resumptions(), 1);
    supervisor.deinitialize();
}

fn register_that_kills_twice() {
    let (supervisor, seen) = resuming();
    assert_eq!(supervisor.register_buffer(buffer(DIE_SIZE)), -libc::ECONNRESET);
    assert_eq!(supervisor.register_buffer(buffer(5)), 1, "another works");
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn inside_a_callback() {
    let own: Arc<OnceLock<Weak<Supervisor>>> = Arc::default();
    let inner = Arc::clone(&own);
    next_host("resume");
    let supervisor = supervisor();
    own.set(Arc::downgrade(&supervisor)).unwrap();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Returned(5, ..) = seen {
            kill_host();
            let supervisor = inner.get().unwrap().upgrade().unwrap();
            assert_eq!(supervisor.register_buffer(buffer(5)), 1);
            supervisor.request(6, b"ab", 1);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(5, b"x", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
    assert_eq!(seen.recv(), Ok(Seen::Returned(6, 2, 1)));
    assert_eq!(resumptions(), 1);
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

fn after_a_deadline() {
    set(REGISTER_MS, "200");
    let (supervisor, seen) = resuming();
    assert_eq!(supervisor.register_buffer(buffer(HANG_SIZE)), -libc::ETIMEDOUT);
    supervisor.request(5, b"x", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)), "{:?}", log_lines());
    assert_eq!(resumptions(), 1);
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn recovery_that_hangs() {
    set(REGISTER_MS, "200");
    let (supervisor, _seen) = resuming_as("resume-start-hangs");
    // The next host never comes up.
    kill_host();
    supervisor.request(5, b"x", 1);
    while supervisor.register_buffer(buffer(1)) != -libc::ETIMEDOUT {}
    // The recovery is under way when this one begins.
    let began = std::time::Instant::now();
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ETIMEDOUT);
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    supervisor.deinitialize();
}

fn limit_is_notified() {
    set(RESTART_LIMIT, "3");
    let (supervisor, seen) = resuming();
    for _ in 0..3 {
        kill_host();
        supervisor.request(5, b"x", 1);
        assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
    }
    kill_host();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    assert!(log_lines().join("\n").contains("3 restarts within"), "{:?}", log_lines());
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

fn different_handles_are_notified() {
    let (supervisor, seen) = resuming_as("resume-handles");
    assert_eq!(supervisor.register_buffer(buffer(1)), 1);
    kill_host();
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    let lines = log_lines().join("\n");
    assert!(lines.contains("came out as"), "{lines}");
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn updates_of_the_dead() {
    let (supervisor, seen) = resuming();
    supervisor.request(5, b"update, answered", 1);
    assert_eq!(seen.recv(), Ok(Seen::Updated(5, b"please".to_vec(), Some(5))));
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 0, 1)));
    kill_host();
    // Waits until the next one is there.
    assert_eq!(supervisor.register_buffer(buffer(1)), 1);
    supervisor.update_return(5, 3, Some(buffer(5)));
    supervisor.request(6, b"x", 1);
    // In order: had the update reached the host, its answer would come first.
    let mut answers: Vec<Seen> = Vec::new();
    while answers.last() != Some(&Seen::Returned(6, 1, 1)) {
        answers.push(seen.recv().unwrap());
    }
    assert!(!answers.contains(&Seen::Returned(5, 3, 5)), "{answers:?}");
    supervisor.deinitialize();
}

fn descriptors_stay_the_same() {
    let (supervisor, seen) = resuming();
    assert_eq!(supervisor.register_buffer(buffer(5)), 1);
    let (_made, handle) = shared_buffer(&supervisor);
    supervisor.request(MAKE, b"make", handle);
    assert!(matches!(seen.recv(), Ok(Seen::Returned(MAKE, 0, _))));
    let before = open_fds();
    for _ in 0..5 {
        kill_host();
        supervisor.request(5, b"x", 1);
        assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
        // A call waits until the reader has let go of all that it needed.
        supervisor.deregister_buffers(&[99]);
        assert!(matches!(seen.recv(), Ok(Seen::Returned(0, ..))));
        assert_eq!(open_fds(), before);
    }
    assert_eq!(threads(), 2);
    supervisor.deinitialize();
    assert_no_children();
}

fn ended_by_deinitialize() {
    let (supervisor, seen) = resuming_as("resume-mute");
    kill_host();
    supervisor.request(5, b"x", 1);
    supervisor.deinitialize();
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    assert_eq!(seen.try_iter().count(), 0, "neither answer nor notify");
}

fn ended_by_initialize() {
    let (supervisor, seen) = resuming();
    kill_host();
    let (callbacks, again) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(5, b"x", 1);
    assert_eq!(again.recv(), Ok(Seen::Returned(5, 1, 1)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
    assert_no_children();
}

/// The HAL initialises again and again while hosts die: whichever session a recovery was for, nobody
/// is notified of what the HAL itself has ended, and the last session works.
fn ended_at_any_moment() {
    set(RESTART_LIMIT, "0");
    let (supervisor, seen) = resuming();
    let killer = std::thread::spawn(|| {
        for _ in 0..60 {
            kill_host();
            std::thread::yield_now();
        }
    });
    let mut sessions = vec![seen];
    while !killer.is_finished() {
        let (callbacks, seen) = recorder();
        // It may be killed in `initialize`, which says so.
        let code = supervisor.initialize(callbacks);
        assert!(code == 0 || code == -libc::ECONNRESET, "{code}: {:?}", log_lines());
        sessions.push(seen);
    }
    killer.join().unwrap();
    let (callbacks, seen) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0, "{:?}", log_lines());
    supervisor.request(5, b"x", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
    supervisor.deinitialize();
    sessions.push(seen);
    for seen in sessions {
        assert_eq!(seen.try_iter().count(), 0, "{:?}", log_lines());
    }
    assert_no_children();
}

/// A death in a callback that cannot be recovered from is owed to the HAL, unless it initialises.
fn inside_a_callback_that_starts_afresh() {
    set(RESTART_LIMIT, "1");
    let own: Arc<OnceLock<Weak<Supervisor>>> = Arc::default();
    let inner = Arc::clone(&own);
    count_hosts();
    next_host("resume");
    let supervisor = supervisor();
    own.set(Arc::downgrade(&supervisor)).unwrap();
    let (second, again) = recorder();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Returned(5, ..) = seen {
            let supervisor = inner.get().unwrap().upgrade().unwrap();
            assert_eq!(supervisor.register_buffer(buffer(DIE_SIZE)), -libc::ECONNRESET);
            assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET, "given up");
            assert_eq!(supervisor.initialize(second.clone()), 0);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(5, b"x", 1);
    assert_eq!(seen.recv(), Ok(Seen::Returned(5, 1, 1)));
    supervisor.request(6, b"ab", 1);
    assert_eq!(again.recv(), Ok(Seen::Returned(6, 2, 1)), "{:?}", log_lines());
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0, "no notify after a new start");
    assert_eq!(again.try_iter().count(), 0);
    assert_no_children();
}
