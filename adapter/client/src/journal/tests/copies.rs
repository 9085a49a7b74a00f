//! Payloads, and what happens while they are copied.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::kept::MAX_BYTES;
use super::*;

#[test]
fn payloads_of_queued_requests_are_bounded_together() {
    let journal = journal();
    let fd = memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap();
    nix::unistd::ftruncate(&fd, 8 << 20).unwrap();
    let large = Buffer::new(fd);
    register(&journal, 1, &large);
    for _ in 0..20 {
        assert!(matches!(journal.request(1, MAKE, b"V", 1), Ticket::Send(_)));
    }
    assert!(journal.state.lock().in_flight.payload_bytes() <= MAX_BYTES);
    // A set-up request that is not kept cannot be done again: the next death is told.
    assert!(journal.begin(1).unwrap_err().contains("cannot be copied"));
}

thread_local! {
    static DURING_COPY: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// What a test wants to happen while a payload is copied.
pub(in crate::journal) fn during_copy() {
    DURING_COPY.with_borrow(|wanted| wanted.iter().for_each(|wanted| wanted()));
}

#[test]
fn others_make_requests_while_a_payload_is_copied() {
    let journal = Arc::new(journal());
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let other = Arc::clone(&journal);
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    DURING_COPY.set(Some(Box::new(move || {
        // It would wait for the lock for ever.
        assert!(other.state.try_lock().is_some());
        assert!(matches!(other.request(1, USE, b"V", 2), Ticket::Send(_)));
        assert_eq!(other.state.lock().in_flight.payload_bytes(), 64, "reserved");
        count.fetch_add(1, Ordering::Relaxed);
    })));
    assert!(matches!(journal.request(1, MAKE, b"V", 1), Ticket::Send(_)));
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert_eq!(journal.state.lock().in_flight.payload_bytes(), 64);
}

#[test]
fn session_that_is_replaced_while_a_payload_is_copied_gets_the_request() {
    let journal = Arc::new(journal());
    let first = buffer();
    register(&journal, 1, &first);
    let other = Arc::clone(&journal);
    DURING_COPY.set(Some(Box::new(move || other.begin(1).unwrap())));
    assert_eq!(journal.request(1, MAKE, b"V", 1), Ticket::Waits);
    DURING_COPY.set(None);
    journal.commit(2, 1, |_| true);
    assert_eq!(journal.request(1, MAKE, b"V", 1), Ticket::Stale);
    let other = Arc::clone(&journal);
    DURING_COPY.set(Some(Box::new(move || other.close())));
    assert_eq!(journal.request(2, MAKE, b"V", 1), Ticket::Dropped);
    assert_eq!(journal.state.lock().in_flight.payload_bytes(), 0);
}

#[test]
fn kept_requests_are_shared_with_a_recovery_and_not_copied_for_it() {
    let journal = journal();
    let first = buffer();
    register(&journal, 1, &first);
    make(&journal, &first, 0x7f00);
    journal.begin(1).unwrap();
    let (once, twice) = (journal.kept(), journal.kept());
    assert!(Arc::ptr_eq(once.first().unwrap(), twice.first().unwrap()));
}

#[test]
fn memory_of_payloads_is_used_again_after_a_burst_of_other_requests() {
    let state = CommandRule { id: KEEP, role: Role::State, ..CommandRule::default() };
    let journal = journal_with(vec![state]);
    register(&journal, 1, &buffer());
    let ask = |req_id, handle| {
        assert!(matches!(journal.request(1, req_id, b"V", handle), Ticket::Send(_)));
    };
    (0..20).for_each(|_| ask(99, -1));
    for _ in 0..20 {
        journal.returned(1, &returned(99, 0, -1));
    }
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..50 {
        ask(KEEP, 1);
        journal.returned(1, &returned(KEEP, 0, 1));
        places.insert(journal.state.lock().kept.in_order().next().unwrap().bytes.as_ptr());
    }
    // What is kept, and what is being copied.
    assert_eq!(places.len(), 2);
}
