//! Tests of the journal as a whole.

mod calls;
pub(super) mod copies;
mod shared_words;

use cami_wire::control::{CommandRule, Recovery, Role};
use cami_wire::cros::Returned;
use cami_wire::cros::command::{DEREGISTER_BUFFERS, REGISTER_BUFFER};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::buffers::Buffer;
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
    journal.call_answered(1, REGISTER_BUFFER, 9, &i32::to_le_bytes(handle));
}

fn deregister(journal: &Journal, handle: i32) {
    assert!(journal.expect(1, 9, Intent::Deregister(vec![handle])));
    journal.call_answered(1, DEREGISTER_BUFFERS, 9, &[]);
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

/// Buffer 2, in which the HAL names the address that `MAKE` gave it for 0x7f00 in buffer 1.
fn named() -> (Journal, Buffer, u64) {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let address = make(&journal, &first, 0x7f00);
    second.write_u64(0, address).unwrap();
    (journal, second, address)
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
    let (journal, second, address) = named();
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
    let (journal, _, address) = named();
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
    let (journal, second, address) = named();
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

#[test]
fn answers_of_the_hals_own_requests_without_a_buffer_are_its_own_though_the_replay_made_one() {
    let journal = journal_of(false);
    journal.begin(1).unwrap();
    journal.replays_without_buffer(USE);
    journal.commit(2, 1, |_| true).unwrap();
    for _ in 0..2 {
        assert!(matches!(journal.request(2, USE, b"V", -1), Ticket::Send(_)));
    }
    // The first answer settles both; the library gives another all the same.
    assert!(journal.returned(2, &returned(USE, 0, -1)));
    assert!(journal.returned(2, &returned(USE, 0, -1)));
}
