//! Addresses in buffers of several requests.

use super::super::addresses::MAX_KNOWN;
use super::*;

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
fn word_of_two_requests_with_one_buffer_stays_real_until_both_are_answered() {
    let (journal, second, address) = named();
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
    let (journal, second, address) = named();
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
fn word_after_answers_out_of_order_is_the_one_that_the_hal_wrote_last() {
    let journal = journal();
    let (first, second) = (buffer(), buffer());
    register(&journal, 1, &first);
    register(&journal, 2, &second);
    let [one, two] = [0x7f00, 0x7e00].map(|real| make(&journal, &first, real));
    second.write_u64(0, one).unwrap();
    assert!(matches!(journal.request(1, USE, b"V", 2), Ticket::Send(_)));
    second.write_u64(0, two).unwrap();
    assert!(matches!(journal.request(1, END, b"V", 2), Ticket::Send(_)));
    // The later one fails first.
    journal.returned(1, &returned(END, 1, 2));
    journal.returned(1, &returned(USE, 0, 2));
    assert_eq!(second.read_u64(0), Some(two));
}

#[test]
fn addresses_that_are_never_ended_are_bounded_and_the_next_death_is_told() {
    let journal = journal();
    let first = buffer();
    register(&journal, 1, &first);
    let most = u64::try_from(MAX_KNOWN).unwrap();
    for real in 1..=most {
        assert_ne!(make(&journal, &first, real), real);
    }
    // It works on with the library's own address.
    assert_eq!(make(&journal, &first, 0x7f00), 0x7f00);
    assert!(journal.begin(1).unwrap_err().contains("never ended"));
}
