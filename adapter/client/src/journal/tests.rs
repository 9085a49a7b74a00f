//! Tests of the journal as a whole.

use cami_wire::control::{CommandRule, Recovery, Role};
use cami_wire::cros::Returned;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::buffers::Buffer;
use super::{Journal, Ticket};
use crate::source::HostSource;

const MAKE: u32 = 17;
const USE: u32 = 8;
const END: u32 = 18;

fn journal() -> Journal {
    journal_of(true)
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
    assert!(journal.registered(1, 1, &first) && journal.registered(1, 2, &second));
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
    assert!(journal.registered(1, 1, &first));
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
    assert!(journal.registered(1, 1, &first) && journal.registered(1, 2, &second));
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
    assert!(journal.registered(1, 1, &first) && journal.registered(1, 2, &second));
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
    assert!(journal.registered(1, 1, &Buffer::new(pipe)));
    assert!(matches!(journal.request(1, MAKE, b"V", 1), Ticket::Send(_)));
    assert!(journal.begin(1).unwrap_err().contains("cannot be copied"));
}

#[test]
fn close_puts_virtual_addresses_back_and_drops_later_requests() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    assert!(journal.registered(1, 1, &first) && journal.registered(1, 2, &second));
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
    assert!(journal.registered(1, 1, &first) && journal.registered(1, 2, &second));
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    assert!(matches!(journal.request(1, USE, b"V", 2), Ticket::Send(_)));
    // A HAL that does not wait, and a library that gives numbers again.
    assert!(journal.deregistered(1, &[2]) && journal.registered(1, 2, &third));
    journal.returned(1, &returned(USE, 0, 2));
    assert_eq!(second.read_u64(0), Some(address));
    assert_eq!(third.read_u64(0), Some(0));
}

#[test]
fn address_of_a_request_that_the_library_dropped_is_put_back() {
    let journal = journal_of(false);
    let (first, second) = (buffer(), buffer());
    assert!(journal.registered(1, 1, &first) && journal.registered(1, 2, &second));
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
    assert!(journal.registered(1, 1, &kept));
    for _ in 0..3 * super::buffers::MAX_CALLS {
        assert!(journal.registered(1, 2, &kept) && journal.deregistered(1, &[2]));
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
    assert!(journal.registered(1, 1, &large));
    for _ in 0..20 {
        assert!(matches!(journal.request(1, MAKE, b"V", 1), Ticket::Send(_)));
    }
    assert!(journal.state.lock().in_flight.payload_bytes() <= super::kept::MAX_BYTES);
    // A set-up request that is not kept cannot be done again: the next death is told.
    assert!(journal.begin(1).unwrap_err().contains("cannot be copied"));
}
