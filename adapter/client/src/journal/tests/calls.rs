//! The history of calls on buffers.

use super::super::buffers::{BufferCall, MAX_CALLS};
use super::*;

#[test]
fn history_that_is_too_long_does_not_grow() {
    let journal = journal();
    let kept = buffer();
    register(&journal, 1, &kept);
    for _ in 0..3 * MAX_CALLS {
        register(&journal, 2, &kept);
        deregister(&journal, 2);
    }
    assert!(journal.buffer_calls().len() <= MAX_CALLS);
    assert!(journal.state.lock().calls.find(1).is_some());
    assert!(journal.begin(1).unwrap_err().contains("register and deregister calls"));
}

#[test]
fn history_is_in_the_order_of_the_answers() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    assert!(journal.expect(1, 5, Intent::Register(first)));
    assert!(journal.expect(1, 6, Intent::Register(second)));
    // The library took the second one first; the threads that wait have not run yet.
    journal.call_answered(1, REGISTER_BUFFER, 6, &i32::to_le_bytes(1));
    journal.call_answered(1, REGISTER_BUFFER, 5, &i32::to_le_bytes(2));
    // An answer of a session that is not the current one, to a call that nobody made, and a refusal.
    journal.call_answered(2, REGISTER_BUFFER, 5, &i32::to_le_bytes(3));
    journal.call_answered(1, REGISTER_BUFFER, 5, &i32::to_le_bytes(3));
    assert!(journal.expect(1, 7, Intent::Register(buffer())));
    journal.call_answered(1, REGISTER_BUFFER, 7, &i32::to_le_bytes(-22));
    let handles: Vec<i32> = journal
        .buffer_calls()
        .iter()
        .map(|call| match call {
            BufferCall::Register { handle, .. } => *handle,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(handles, [1, 2]);
}

#[test]
fn call_is_expected_of_the_current_session_only_and_forgotten_with_it() {
    let journal = journal();
    assert!(!journal.expect(2, 5, Intent::Deregister(vec![1])));
    assert!(journal.expect(1, 5, Intent::Register(buffer())));
    journal.begin(1).unwrap();
    assert!(!journal.expect(1, 6, Intent::Deregister(vec![1])));
    journal.commit(2, 1, |_| true);
    journal.call_answered(2, REGISTER_BUFFER, 5, &i32::to_le_bytes(1));
    assert!(journal.buffer_calls().is_empty());
}

#[test]
fn answer_that_makes_no_sense_is_no_history() {
    let journal = journal();
    register(&journal, 1, &buffer());
    for (answered, body) in [(DEREGISTER_BUFFERS, &b"nonsense"[..]), (REGISTER_BUFFER, b"")] {
        assert!(journal.expect(1, 9, Intent::Deregister(vec![1])));
        journal.call_answered(1, answered, 9, body);
    }
    for (answered, body) in [(DEREGISTER_BUFFERS, [7; 4]), (REGISTER_BUFFER, [0xff; 4])] {
        assert!(journal.expect(1, 9, Intent::Register(buffer())));
        journal.call_answered(1, answered, 9, &body);
    }
    // The session ends, and the calls are made again.
    assert_eq!(journal.buffer_calls().len(), 1);
}

#[test]
fn more_live_buffers_than_the_history_holds_are_found_and_cost_no_search_each() {
    let journal = journal();
    let kept = buffer();
    let count = i32::try_from(3 * MAX_CALLS).unwrap();
    for handle in 0..count {
        register(&journal, handle, &kept);
    }
    let state = journal.state.lock();
    assert!(state.calls.find(0).is_some() && state.calls.find(count - 1).is_some());
    drop(state);
    assert!(journal.begin(1).unwrap_err().contains("register and deregister calls"));
}
