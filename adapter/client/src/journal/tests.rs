//! Tests of the journal as a whole.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cami_wire::control::{CommandRule, Recovery, Role};
use cami_wire::cros::Returned;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::buffers::{Buffer, BufferCall};
use super::{Intent, Journal, Refused, Ticket};
use crate::source::HostSource;

const MAKE: u32 = 17;
const USE: u32 = 8;
const END: u32 = 18;
const KEEP: u32 = 15;

fn journal() -> Journal {
    journal_of(true)
}

fn journal_with(commands: Vec<CommandRule>) -> Journal {
    let recovery = Recovery { commands, answers_all: true, ..Recovery::default() };
    Journal::new(recovery, HostSource::nowhere(), 1)
}

fn journal_of(answers_all: bool) -> Journal {
    let rule = |id, role, gives, takes: &[u32]| CommandRule {
        id,
        role,
        gives,
        takes: takes.to_vec(),
        ..CommandRule::default()
    };
    let commands = vec![
        rule(MAKE, Role::SetUp, Some(8), &[]),
        rule(USE, Role::Plain, None, &[0]),
        rule(END, Role::TearDown, None, &[0]),
    ];
    let source = HostSource::nowhere();
    Journal::new(Recovery { commands, answers_all, ..Recovery::default() }, source, 1)
}

fn buffer() -> Buffer {
    let fd = memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap();
    nix::unistd::ftruncate(&fd, 64).unwrap();
    Buffer::new(fd)
}

/// `register_buffer`, answered with `handle`.
fn register(journal: &Journal, handle: i32, buffer: &Buffer) {
    assert!(journal.expect(1, 9, Intent::Register(buffer.clone())));
    journal.call_answered(1, 9, &i32::to_le_bytes(handle));
}

fn deregister(journal: &Journal, handle: i32) {
    assert!(journal.expect(1, 9, Intent::Deregister(vec![handle])));
    journal.call_answered(1, 9, &[]);
}

fn returned(req_id: u32, status: u32, buffer_handle: i32) -> Returned {
    Returned { req_id, status, buffer_handle }
}

/// `MAKE` in buffer 1, which gives `real`; the virtual address that the HAL then sees.
fn make(journal: &Journal, buffer: &Buffer, real: u64) -> u64 {
    assert!(matches!(journal.request(1, MAKE, b"V", 1), Ticket::Send(_)));
    buffer.write_u64(8, real).unwrap();
    journal.returned(1, &returned(MAKE, 0, 1));
    buffer.read_u64(8).unwrap()
}

#[test]
fn hal_sees_virtual_addresses_and_the_library_real_ones() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    assert_ne!(address, 0x7f00);
    second.write_u64(0, address).unwrap();
    assert!(matches!(journal.request(1, USE, b"V", 2), Ticket::Send(_)));
    assert_eq!(second.read_u64(0), Some(0x7f00));
    journal.returned(1, &returned(USE, 0, 2));
    assert_eq!(second.read_u64(0), Some(address));
}

#[test]
fn failed_set_up_is_not_kept_and_gives_nothing() {
    let journal = journal();
    let first = buffer();
    register(&journal, 1, &first);
    assert!(matches!(journal.request(1, MAKE, b"V", 1), Ticket::Send(_)));
    first.write_u64(8, 0x7f00).unwrap();
    journal.returned(1, &returned(MAKE, 1, 1));
    assert_eq!(first.read_u64(8), Some(0x7f00));
    journal.begin(1).unwrap();
    assert!(journal.kept().is_empty());
}

#[test]
fn request_in_flight_is_sent_again_once_with_the_new_address() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    assert!(matches!(journal.request(1, USE, b"V", 2), Ticket::Send(_)));
    // The first death: the request goes to the second vendor process.
    journal.begin(1).unwrap();
    assert_eq!(journal.kept().len(), 1);
    assert_eq!(journal.request(1, USE + 100, b"V", -1), Ticket::Waits);
    journal.moved(address, 0x8000);
    let mut sent = Vec::new();
    let (answers, count) = journal
        .commit(2, 1, |resent| {
            sent.push((resent.req_id, resent.buffer_handle, second.read_u64(0).unwrap()));
            true
        })
        .unwrap();
    assert_eq!((answers.len(), count), (0, 2));
    assert_eq!(sent, [(USE, 2, 0x8000), (USE + 100, -1, 0x8000)]);
    // The second: it is answered, the other sent again.
    journal.begin(2).unwrap();
    let (answers, count) = journal.commit(3, 1, |resent| resent.req_id != USE).unwrap();
    assert_eq!(answers, [returned(USE, 1, 2)]);
    assert_eq!(count, 1);
    assert_eq!(second.read_u64(0), Some(address));
    // A callback of a vendor process that is dead answers nothing.
    journal.returned(2, &returned(USE + 100, 0, -1));
    journal.begin(3).unwrap();
    assert_eq!(journal.commit(4, 1, |_| true).unwrap().0, [returned(USE + 100, 1, -1)]);
}

#[test]
fn end_of_an_address_ends_its_set_up() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    assert!(matches!(journal.request(1, END, b"V", 2), Ticket::Send(_)));
    journal.returned(1, &returned(END, 0, 2));
    journal.begin(1).unwrap();
    assert!(journal.kept().is_empty());
    assert_eq!(journal.real(address), None);
}

#[test]
fn set_up_that_cannot_be_read_makes_the_next_death_final() {
    let journal = journal();
    let (pipe, _other) = nix::unistd::pipe().unwrap();
    register(&journal, 1, &Buffer::new(pipe));
    assert!(matches!(journal.request(1, MAKE, b"V", 1), Ticket::Send(_)));
    assert!(journal.begin(1).unwrap_err().contains("cannot be copied"));
}

#[test]
fn close_puts_virtual_addresses_back_and_drops_later_requests() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    assert!(matches!(journal.request(1, USE, b"V", 2), Ticket::Send(_)));
    journal.close();
    assert_eq!(second.read_u64(0), Some(address));
    assert_eq!(journal.request(1, USE, b"V", 2), Ticket::Dropped);
    assert!(journal.commit(2, 1, |_| true).is_none());
}

#[test]
fn updates_of_a_dead_vendor_process_are_not_given_back() {
    let journal = journal();
    journal.lent(5);
    assert!(journal.given_back(5));
    assert!(!journal.given_back(5));
    journal.lent(6);
    journal.begin(1).unwrap();
    assert!(!journal.given_back(6));
}

#[test]
fn address_is_put_back_into_the_buffer_of_the_request_though_its_handle_is_anothers() {
    let journal = journal();
    let (first, second, third) = (buffer(), buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    assert!(matches!(journal.request(1, USE, b"V", 2), Ticket::Send(_)));
    // A HAL that does not wait, and a library that gives numbers again.
    deregister(&journal, 2);
    register(&journal, 2, &third);
    journal.returned(1, &returned(USE, 0, 2));
    assert_eq!(second.read_u64(0), Some(address));
    assert_eq!(third.read_u64(0), Some(0));
}

#[test]
fn address_of_a_request_that_the_library_dropped_is_put_back() {
    let journal = journal_of(false);
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    // The HAL makes the same request again, without touching its buffer.
    for _ in 0..2 {
        assert!(matches!(journal.request(1, USE, b"V", 2), Ticket::Send(_)));
    }
    journal.returned(1, &returned(USE, 0, 2));
    assert_eq!(second.read_u64(0), Some(address));
}

#[test]
fn history_that_is_too_long_does_not_grow() {
    let journal = journal();
    let kept = buffer();
    register(&journal, 1, &kept);
    for _ in 0..3 * super::buffers::MAX_CALLS {
        register(&journal, 2, &kept);
        deregister(&journal, 2);
    }
    assert!(journal.buffer_calls().len() <= super::buffers::MAX_CALLS);
    assert!(journal.state.lock().calls.find(1).is_some());
    assert!(journal.begin(1).unwrap_err().contains("register and deregister calls"));
}

#[test]
fn updates_that_are_never_given_back_do_not_hide_new_ones() {
    let journal = journal();
    for upd_id in 0..=u32::try_from(super::MAX_UPDATES).unwrap() {
        journal.lent(upd_id);
    }
    assert!(journal.given_back(u32::try_from(super::MAX_UPDATES).unwrap()));
    assert!(!journal.given_back(0), "the oldest is forgotten");
}

#[test]
fn closed_journal_says_so_to_whoever_recovers() {
    let journal = journal();
    journal.begin(1).unwrap();
    assert!(!journal.is_closed());
    journal.close();
    assert!(journal.is_closed());
    assert!(journal.begin(1).is_err());
}

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
    assert!(journal.state.lock().in_flight.payload_bytes() <= super::kept::MAX_BYTES);
    // A set-up request that is not kept cannot be done again: the next death is told.
    assert!(journal.begin(1).unwrap_err().contains("cannot be copied"));
}

#[test]
fn word_of_two_requests_with_one_buffer_stays_real_until_both_are_answered() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    let ask = |req_id| assert!(matches!(journal.request(1, req_id, b"V", 2), Ticket::Send(_)));
    ask(USE);
    // The HAL does not touch the buffer, which names the real address meanwhile.
    ask(USE);
    journal.returned(1, &returned(USE, 0, 2));
    assert_eq!(second.read_u64(0), Some(0x7f00), "the library still needs it");
    journal.returned(1, &returned(USE, 0, 2));
    assert_eq!(second.read_u64(0), Some(address));
}

#[test]
fn two_requests_with_one_buffer_are_both_sent_again_with_the_new_address() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    for req_id in [USE, END] {
        assert!(matches!(journal.request(1, req_id, b"V", 2), Ticket::Send(_)));
    }
    journal.returned(1, &returned(USE, 0, 2));
    journal.begin(1).unwrap();
    assert_eq!(second.read_u64(0), Some(address), "nobody needs the real one");
    journal.moved(address, 0x8000);
    let mut words = Vec::new();
    journal.commit(2, 1, |_| {
        words.push(second.read_u64(0));
        true
    });
    assert_eq!(words, [Some(0x8000)]);
    journal.returned(2, &returned(END, 0, 2));
    assert_eq!(second.read_u64(0), Some(address));
    assert_eq!(journal.real(address), None, "it was ended");
}

#[test]
fn payload_that_is_copied_while_the_real_address_stands_there_keeps_the_virtual_one() {
    let rule = |id, role| CommandRule { id, role, takes: vec![0], ..CommandRule::default() };
    let journal = journal_with(vec![
        CommandRule { id: MAKE, role: Role::SetUp, gives: Some(8), ..CommandRule::default() },
        rule(USE, Role::Plain),
        CommandRule { keep: vec![(32, 8), (0, 16)], ..rule(KEEP, Role::State) },
    ]);
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    second.write_u64(32, 77).unwrap();
    for req_id in [USE, KEEP] {
        assert!(matches!(journal.request(1, req_id, b"V", 2), Ticket::Send(_)));
    }
    for req_id in [USE, KEEP] {
        journal.returned(1, &returned(req_id, 0, 2));
    }
    let kept = journal.kept().into_iter().find(|kept| kept.req_id == KEEP).unwrap();
    assert_eq!(kept.bytes.chunks(8).next(), Some(77_u64.to_ne_bytes().as_slice()));
    assert_eq!(kept.bytes.get(8..16), Some(address.to_ne_bytes().as_slice()));
    assert_eq!(kept.took.first(), Some(&Some(address)));
}

#[test]
fn history_is_in_the_order_of_the_answers() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    assert!(journal.expect(1, 5, Intent::Register(first)));
    assert!(journal.expect(1, 6, Intent::Register(second)));
    // The library took the second one first; the threads that wait have not run yet.
    journal.call_answered(1, 6, &i32::to_le_bytes(1));
    journal.call_answered(1, 5, &i32::to_le_bytes(2));
    // An answer of a session that is not the current one, to a call that nobody made, and a refusal.
    journal.call_answered(2, 5, &i32::to_le_bytes(3));
    journal.call_answered(1, 5, &i32::to_le_bytes(3));
    assert!(journal.expect(1, 7, Intent::Register(buffer())));
    journal.call_answered(1, 7, &i32::to_le_bytes(-22));
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
    journal.call_answered(2, 5, &i32::to_le_bytes(1));
    assert!(journal.buffer_calls().is_empty());
}

#[test]
fn request_that_cannot_be_sent_is_answered_by_whichever_session_delivers() {
    let journal = journal();
    let mut answered_by = None;
    assert_eq!(journal.refuse(5, 6, |session| answered_by = Some(session)), Refused::Now);
    assert_eq!(answered_by, Some(1));
    journal.begin(1).unwrap();
    assert_eq!(journal.refuse(5, 6, |_| panic!("there is no session")), Refused::Later);
    let (answers, sent) = journal.commit(2, 3, |_| panic!("it is not sent")).unwrap();
    assert_eq!((answers, sent), (vec![returned(5, 3, 6)], 0));
    journal.close();
    assert_eq!(journal.refuse(5, 6, |_| panic!("there is no session")), Refused::Never);
}

#[test]
fn late_word_on_a_request_of_the_replay_is_not_the_hals() {
    let journal = journal();
    journal.begin(1).unwrap();
    journal.own_buffer(7);
    journal.replays_without_buffer(27);
    journal.commit(2, 1, |_| true);
    assert!(!journal.returned(2, &returned(MAKE, 0, 7)));
    assert!(!journal.returned(2, &returned(27, 0, -1)));
    // The library's own doing, and an answer of the HAL's request.
    assert!(journal.returned(2, &returned(28, 0, -1)));
    assert!(journal.returned(2, &returned(MAKE, 0, 8)));
    assert!(matches!(journal.request(2, 27, b"V", -1), Ticket::Send(_)));
    assert!(journal.returned(2, &returned(27, 0, -1)));
}

thread_local! {
    static DURING_COPY: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// What a test wants to happen while a payload is copied.
pub(super) fn during_copy() {
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
