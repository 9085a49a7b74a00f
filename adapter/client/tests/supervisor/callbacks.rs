//! Calls from inside callbacks, and callbacks at odd times.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};

use cami_abi::CameraAlgorithm;
use cami_client::Supervisor;

use crate::Scenario;
use crate::fake_host::{DIE_SIZE, EVENTS_SIZE, HANG_SIZE, REGISTER_MS};
use crate::hal::*;

pub const SCENARIOS: &[Scenario] = &[
    ("callback_before_initialize_returns", callback_before_initialize_returns),
    ("callback_registers_a_buffer", callback_registers_a_buffer),
    ("callback_registers_while_others_do", callback_registers_while_others_do),
    ("callback_call_on_a_dying_host", callback_call_on_a_dying_host),
    ("callback_call_on_a_hung_host", callback_call_on_a_hung_host),
    ("callback_requests_again", callback_requests_again),
    ("callback_starts_afresh", callback_starts_afresh),
    ("callback_ends_the_session", callback_ends_the_session),
    ("callback_cannot_start_against_another_thread", callback_cannot_start_against_another_thread),
    ("notify_starts_afresh", notify_starts_afresh),
    ("notify_finds_calls_failing_fast", notify_finds_calls_failing_fast),
    ("callbacks_of_an_old_session_stay_away", callbacks_of_an_old_session_stay_away),
    ("callback_flood_in_a_call_is_bounded", callback_flood_in_a_call_is_bounded),
];

type Shared = Arc<OnceLock<Arc<Supervisor>>>;

/// A supervisor that its own callbacks can use.
fn shared() -> (Arc<Supervisor>, Shared) {
    let supervisor = supervisor();
    let shared = Shared::default();
    let _ = shared.set(supervisor.clone());
    (supervisor, shared)
}

fn callback_before_initialize_returns() {
    next_host("start-calls-back");
    let (_supervisor, seen) = running();
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 2, 3)));
}

fn callback_registers_a_buffer() {
    let (supervisor, inner) = shared();
    let handle = Arc::new(AtomicI32::new(0));
    let result = handle.clone();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Returned(100, ..) = seen {
            result.store(
                inner.get().unwrap().register_buffer(buffer(EVENTS_SIZE)),
                Ordering::Relaxed,
            );
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(100, b"", 0);
    assert_eq!(seen.recv(), Ok(Seen::Returned(100, 0, 0)));
    assert_eq!(handle.load(Ordering::Relaxed), 1);
    // What came before the answer is delivered after the callback, in order.
    for req_id in 1..=3 {
        assert_eq!(seen.recv(), Ok(Seen::Returned(req_id, 0, 1)));
    }
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn callback_registers_while_others_do() {
    let (supervisor, inner) = shared();
    let (sender, inner_handles) = channel();
    let sender = Mutex::new(sender);
    let (callbacks, seen) = reacting(move |_| {
        let handle = inner.get().unwrap().register_buffer(buffer(1));
        sender.lock().unwrap().send(handle).unwrap();
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let supervisor = supervisor.clone();
            std::thread::spawn(move || {
                for _ in 0..100 {
                    supervisor.request(1, b"", 0);
                    assert!(supervisor.register_buffer(buffer(1)) > 0);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    for _ in 0..400 {
        assert_eq!(seen.recv(), Ok(Seen::Returned(1, 0, 0)));
        assert!(inner_handles.recv().unwrap() > 0);
    }
}

/// What a call inside a callback returns when the buffer makes the host fail.
fn inner_failure(size: i64) -> i32 {
    let (supervisor, inner) = shared();
    let code = Arc::new(AtomicI32::new(0));
    let result = code.clone();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Returned(..) = seen {
            let code = inner.get().unwrap().register_buffer(buffer(size));
            result.store(code, Ordering::Relaxed);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(1, b"", 0);
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 0, 0)));
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    supervisor.deinitialize();
    assert_no_children();
    assert_eq!(seen.try_iter().count(), 0);
    code.load(Ordering::Relaxed)
}

fn callback_call_on_a_dying_host() {
    assert_eq!(inner_failure(DIE_SIZE), -libc::ECONNRESET);
}

fn callback_call_on_a_hung_host() {
    set(REGISTER_MS, "100");
    assert_eq!(inner_failure(HANG_SIZE), -libc::ETIMEDOUT);
}

fn callback_requests_again() {
    let (supervisor, inner) = shared();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Returned(req_id @ 0..1000, ..) = seen {
            inner.get().unwrap().request(req_id + 1, b"", 0);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(0, b"", 0);
    for req_id in 0..=1000 {
        assert_eq!(seen.recv(), Ok(Seen::Returned(req_id, 0, 0)));
    }
}

fn callback_starts_afresh() {
    let (supervisor, inner) = shared();
    let (new_callbacks, new) = recorder();
    let code = Arc::new(AtomicI32::new(1));
    let result = code.clone();
    let (callbacks, old) = reacting(move |seen| {
        if let Seen::Returned(1, ..) = seen {
            let supervisor = inner.get().unwrap();
            result.store(supervisor.initialize(new_callbacks.clone()), Ordering::Relaxed);
            supervisor.request(2, b"", 0);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(1, b"", 0);
    assert_eq!(old.recv(), Ok(Seen::Returned(1, 0, 0)));
    assert_eq!(code.load(Ordering::Relaxed), 0);
    assert_eq!(new.recv(), Ok(Seen::Returned(2, 0, 0)));
    supervisor.deinitialize();
    assert_eq!(old.try_iter().count(), 0);
    assert_no_children();
}

fn callback_ends_the_session() {
    let (supervisor, inner) = shared();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Returned(1, ..) = seen {
            let supervisor = inner.get().unwrap();
            supervisor.deregister_buffers(&[5]);
            supervisor.deinitialize();
            assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(1, b"", 0);
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 0, 0)));
    assert_no_children();
    let (callbacks, again) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(2, b"", 0);
    assert_eq!(again.recv(), Ok(Seen::Returned(2, 0, 0)));
    assert_eq!(seen.try_iter().count(), 0);
}

/// A callback that comes inside `initialize` finds it busy: it must not wait for itself.
fn callback_cannot_start_against_another_thread() {
    next_host("start-calls-back");
    let (supervisor, inner) = shared();
    let code = Arc::new(AtomicI32::new(0));
    let result = code.clone();
    let (callbacks, seen) = reacting(move |_| {
        let supervisor = inner.get().unwrap();
        let code = supervisor.initialize(recorder().0);
        // `initialize` may have returned meanwhile.
        result.store(if code == 0 { -libc::EBUSY } else { code }, Ordering::Relaxed);
    });
    let code_outside = supervisor.initialize(callbacks);
    assert!([0, -libc::ECONNRESET].contains(&code_outside), "{code_outside}");
    seen.recv().unwrap();
    assert_eq!(code.load(Ordering::Relaxed), -libc::EBUSY);
}

fn notify_starts_afresh() {
    let (supervisor, inner) = shared();
    let (new_callbacks, new) = recorder();
    let (callbacks, old) = reacting(move |seen| {
        if let Seen::Notified(_) = seen {
            let supervisor = inner.get().unwrap();
            assert_eq!(supervisor.initialize(new_callbacks.clone()), 0);
            assert_eq!(supervisor.register_buffer(buffer(1)), 1);
            supervisor.request(2, b"", 0);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(1, b"crash", 0);
    assert_eq!(old.recv(), Ok(Seen::Notified(1)));
    assert_eq!(new.recv(), Ok(Seen::Returned(2, 0, 0)));
    supervisor.deinitialize();
    assert_eq!(old.try_iter().count() + new.try_iter().count(), 0);
}

fn notify_finds_calls_failing_fast() {
    let (supervisor, inner) = shared();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Notified(_) = seen {
            let supervisor = inner.get().unwrap();
            assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
            supervisor.request(2, b"", 0);
            supervisor.deregister_buffers(&[1]);
            supervisor.deinitialize();
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(1, b"crash", 0);
    assert_eq!(seen.recv(), Ok(Seen::Notified(1)));
    supervisor.deinitialize();
    assert_eq!(seen.try_iter().count(), 0);
}

fn callbacks_of_an_old_session_stay_away() {
    let supervisor = supervisor();
    let session = Arc::new(AtomicU32::new(0));
    for round in 1..=20 {
        let current = session.clone();
        let (callbacks, seen) = reacting(move |_| {
            assert_eq!(current.load(Ordering::SeqCst), round, "an old session calls back");
        });
        assert_eq!(supervisor.initialize(callbacks), 0);
        session.store(round, Ordering::SeqCst);
        supervisor.request(round, b"flood", 0);
        assert_eq!(seen.recv(), Ok(Seen::Returned(round, 0, 0)));
        supervisor.deinitialize();
        session.store(0, Ordering::SeqCst);
    }
}

/// A host that sends without end while a callback waits for an answer is ended; what it sent
/// within bounds is delivered.
fn callback_flood_in_a_call_is_bounded() {
    let (supervisor, inner) = shared();
    let code = Arc::new(AtomicI32::new(0));
    let result = code.clone();
    let (callbacks, seen) = reacting(move |seen| {
        if let Seen::Returned(1, ..) = seen {
            let supervisor = inner.get().unwrap();
            supervisor.request(2, b"flood", 0);
            result.store(supervisor.register_buffer(buffer(1)), Ordering::Relaxed);
        }
    });
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.request(1, b"", 0);
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 0, 0)));
    assert_eq!(code.load(Ordering::Relaxed), -libc::ECONNRESET);
    let mut delivered = 0;
    loop {
        match seen.recv().unwrap() {
            Seen::Returned(2, 0, 0) => delivered += 1,
            Seen::Notified(1) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(delivered >= 4096, "{delivered}");
}
