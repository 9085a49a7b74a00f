//! Short reads and short writes, which only a stream has.

mod support;

use std::os::fd::AsFd;

use cami_link::{
    Event, Framing, Inbox, Interest, Link, MAX_FDS, Malformed, ReceiveError, Sent, Waker, wait,
};
use support::*;

/// Frame header and message, as they stand on the stream.
fn on_the_stream(cookie: u32, body: &[u8], fds: u8) -> Vec<u8> {
    let message = message(cookie ^ 0x8000_0000, cookie, body);
    [&frame_header(message.len(), fds)[..], &message].concat()
}

#[test]
fn receive_peer_writes_byte_by_byte_message_is_whole() {
    let (link, peer) = link_and_socket(Framing::TwoWrites);
    let mut inbox = Inbox::new(BODY, 0);
    for round in 0..3 {
        let bytes = on_the_stream(round, b"byte by byte", 0);
        let (last, first) = bytes.split_last().unwrap();
        for byte in first {
            put(&peer, &[*byte], &[]);
            // Each time all that came is taken, and nothing lost by the time-out.
            let error = link.receive(&mut inbox, passed()).unwrap_err();
            assert_eq!(error, ReceiveError::TimedOut);
        }
        put(&peer, &[*last], &[]);
        let received = receive(&link, &mut inbox).unwrap();
        assert_eq!((received.cookie, received.body), (round, &b"byte by byte"[..]));
    }
}

#[test]
fn receive_message_cut_anywhere_is_whole() {
    let bytes = on_the_stream(5, b"some body", 0);
    for cut in 1..bytes.len() {
        let (link, peer) = link_and_socket(Framing::TwoWrites);
        let mut inbox = Inbox::new(BODY, 0);
        put(&peer, &bytes[..cut], &[]);
        assert_eq!(link.receive(&mut inbox, passed()).unwrap_err(), ReceiveError::TimedOut);
        put(&peer, &bytes[cut..], &[]);
        assert_eq!(receive(&link, &mut inbox).unwrap().body, b"some body", "cut at {cut}");
    }
}

#[test]
fn receive_several_messages_in_one_write_are_told_apart() {
    let (link, peer) = link_and_socket(Framing::TwoWrites);
    let bytes: Vec<u8> = (0..5).flat_map(|cookie| on_the_stream(cookie, b"one of 5", 0)).collect();
    put(&peer, &bytes, &[]);
    let mut inbox = Inbox::new(BODY, 0);
    for cookie in 0..5 {
        assert_eq!(receive(&link, &mut inbox).unwrap().cookie, cookie);
    }
    assert_eq!(link.receive(&mut inbox, passed()).unwrap_err(), ReceiveError::TimedOut);
}

#[test]
fn receive_descriptors_spread_over_a_message_all_arrive() {
    let (link, peer) = link_and_socket(Framing::TwoWrites);
    let files = [file(b"0"), file(b"1"), file(b"2")];
    let bytes = on_the_stream(1, b"0123", 3);
    put(&peer, &bytes[..8], &[]);
    put(&peer, &bytes[8..10], &[files[0].as_fd()]);
    put(&peer, &bytes[10..16], &[]);
    put(&peer, &bytes[16..], &[files[1].as_fd(), files[2].as_fd()]);
    let mut inbox = Inbox::new(BODY, 3);
    let received = receive(&link, &mut inbox).unwrap();
    let contents: Vec<_> = received.fds.into_vec().iter().map(content).collect();
    assert_eq!(contents, [b"0", b"1", b"2"]);
}

#[test]
fn receive_descriptors_of_the_next_message_stay_with_it() {
    let (link, peer) = link_and_socket(Framing::TwoWrites);
    let (one, two) = (file(b"one"), file(b"two"));
    for (cookie, file) in [(1, &one), (2, &two)] {
        let bytes = on_the_stream(cookie, b"body", 1);
        put(&peer, &bytes[..8], &[]);
        put(&peer, &bytes[8..], &[file.as_fd()]);
    }
    let mut inbox = Inbox::new(BODY, 1);
    for (cookie, expected) in [(1, b"one"), (2, b"two")] {
        let received = receive(&link, &mut inbox).unwrap();
        assert_eq!(received.cookie, cookie);
        assert_eq!(content(&received.fds.take_one().unwrap()), expected);
    }
}

#[test]
fn receive_end_in_the_middle_of_a_message_is_closed() {
    let bytes = on_the_stream(1, b"body", 0);
    for cut in [0, 1, 8, 9, bytes.len() - 1] {
        let (link, peer) = link_and_socket(Framing::TwoWrites);
        put(&peer, &on_the_stream(0, b"before", 0), &[]);
        if cut > 0 {
            put(&peer, &bytes[..cut], &[]);
        }
        drop(peer);
        let mut inbox = Inbox::new(BODY, 0);
        assert_eq!(receive(&link, &mut inbox).unwrap().body, b"before");
        assert_eq!(link.receive(&mut inbox, far()).unwrap_err(), ReceiveError::Closed, "{cut}");
    }
}

#[test]
fn receive_claim_of_4_gib_is_refused_by_the_header_alone() {
    let (link, peer) = link_and_socket(Framing::TwoWrites);
    put(&peer, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], &[]);
    let error = link.receive(&mut Inbox::new(BODY, 0), passed()).unwrap_err();
    assert_eq!(error, ReceiveError::Malformed(Malformed::TooLarge));
}

#[test]
fn receive_claim_below_a_message_header_is_refused() {
    for framing in TWO_PART_FRAMINGS {
        for claim in [0, 7] {
            let (link, peer) = link_and_socket(framing);
            put(&peer, &frame_header(claim, 0), &[]);
            let error = link.receive(&mut Inbox::new(BODY, 0), passed()).unwrap_err();
            assert_eq!(error, ReceiveError::Malformed(Malformed::TooShort), "{framing:?}");
        }
    }
}

#[test]
fn send_larger_than_the_socket_is_written_in_runs_and_arrives_whole() {
    const LEN: usize = 3 << 20;
    let (one, other) = links(Framing::TwoWrites);
    let body: Vec<u8> = (0..LEN).map(|index| u8::try_from(index % 253).unwrap()).collect();
    let file = file(b"with it");
    let fds = vec![file.as_fd(); MAX_FDS];
    assert_eq!(send(&one, 9, &body, &fds), Ok(Sent::Queued));
    assert!(one.has_backlog());
    let read = Waker::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut inbox = Inbox::new(LEN, MAX_FDS);
            let received = receive(&other, &mut inbox).unwrap();
            assert_eq!(received.body, body);
            let fds = received.fds.into_vec();
            assert_eq!(fds.len(), MAX_FDS);
            assert!(fds.iter().all(|fd| content(fd) == b"with it"));
            read.wake();
        });
        while one.has_backlog() {
            let mut polled = [(one.as_fd(), Interest::RoomToSend, Event::default())];
            assert_eq!(wait(&mut polled, far()), Ok(1));
            one.flush().unwrap();
        }
        let mut polled = [(read.as_fd(), Interest::Message, Event::default())];
        assert_eq!(wait(&mut polled, far()), Ok(1));
    });
    assert_eq!(one.backlog_messages(), 0);
}

#[test]
fn send_large_message_behind_a_backlog_passes_its_descriptors_once() {
    const LEN: usize = 1 << 20;
    let (one, other) = small_sockets(Framing::TwoWrites);
    let (link, peer) = (Link::from_fd(one).unwrap(), Link::from_fd(other).unwrap());
    let mut before = 0;
    while !link.has_backlog() {
        send(&link, before, b"before", &[]).unwrap();
        before += 1;
    }
    let file = file(b"once");
    let body = vec![5; LEN];
    assert_eq!(send(&link, before, &body, &[file.as_fd(), file.as_fd()]), Ok(Sent::Queued));
    let mut inbox = Inbox::new(LEN, MAX_FDS);
    let mut expected = 0;
    while expected <= before {
        link.flush().unwrap();
        match peer.receive(&mut inbox, passed()) {
            Ok(received) => {
                assert_eq!(received.cookie, expected);
                assert_eq!(received.body, if expected < before { b"before" } else { &body[..] });
                assert_eq!(received.fds.len(), if expected < before { 0 } else { 2 });
                expected += 1;
            }
            Err(error) => assert_eq!(error, ReceiveError::TimedOut),
        }
    }
}
