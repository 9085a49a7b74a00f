//! A peer that does not read.
#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

mod support;

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use cami_link::{
    Deadline, Event, Framing, Inbox, Interest, Link, ReceiveError, SendError, Sent, wait,
};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};
use support::*;

/// A link with bounds of its own on a small socket, and its peer.
fn bounded(framing: Framing, max_messages: usize, max_bytes: usize) -> (Link, Link) {
    let (one, other) = small_sockets(framing);
    let link = Link::with_backlog(one, max_messages, max_bytes).unwrap();
    (link, Link::from_fd(other).unwrap())
}

/// Receives messages 0 to `count`, and nothing after them, while the sender flushes.
fn drain(link: &Link, peer: &Link, count: u32, body: &[u8]) {
    let mut inbox = Inbox::new(BODY, 8);
    for cookie in 0..count {
        loop {
            link.flush().unwrap();
            match peer.receive(&mut inbox, passed()) {
                Ok(received) => {
                    assert_eq!((received.cookie, received.body), (cookie, body));
                    break;
                }
                Err(error) => {
                    assert_eq!(error, ReceiveError::TimedOut);
                    assert!(link.has_backlog(), "message {cookie} is lost");
                }
            }
        }
    }
    assert!(!link.has_backlog());
    assert_eq!(link.backlog_messages(), 0);
    assert_eq!(peer.receive(&mut inbox, passed()).unwrap_err(), ReceiveError::TimedOut);
}

#[test]
fn send_socket_full_backlog_takes_it_and_order_is_kept_after_drain() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, 1000, 1 << 20);
        let mut cookie = 0;
        while link.backlog_messages() < 100 {
            let waited = link.has_backlog();
            let sent = send(&link, cookie, b"in order", &[]).unwrap();
            assert!(!waited || sent == Sent::Queued, "{framing:?}: {cookie} overtook");
            assert_eq!(link.has_backlog(), sent == Sent::Queued);
            cookie += 1;
        }
        drain(&link, &peer, cookie, b"in order");
    }
}

#[test]
fn send_behind_a_backlog_uses_room_that_came_meanwhile() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, 1000, 1 << 20);
        let mut cookie = 0;
        while link.backlog_messages() < 3 {
            send(&link, cookie, b"", &[]).unwrap();
            cookie += 1;
        }
        // The peer reads all that the socket holds; nobody flushes.
        let mut inbox = Inbox::new(BODY, 0);
        let mut received = 0;
        while let Ok(message) = peer.receive(&mut inbox, passed()) {
            assert_eq!(message.cookie, received);
            received += 1;
        }
        assert_eq!(send(&link, cookie, b"", &[]), Ok(Sent::Now), "{framing:?}");
        for expected in received..=cookie {
            assert_eq!(receive(&peer, &mut inbox).unwrap().cookie, expected);
        }
    }
}

#[test]
fn send_messages_at_the_bound_is_full_and_nothing_of_it_sent() {
    for framing in FRAMINGS {
        for bound in [0, 1, 2, 17] {
            let (link, peer) = bounded(framing, bound, 1 << 20);
            let mut accepted = 0;
            let full = loop {
                match send(&link, accepted, b"bounded", &[]) {
                    Ok(_) => accepted += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!(full, SendError::Full);
            // A bound of 0 lets only the rest of a message wait whose header is out.
            assert!(link.backlog_messages() <= bound.max(usize::from(framing != FRAMINGS[0])));
            assert!(link.backlog_messages() >= bound);
            drain(&link, &peer, accepted, b"bounded");
        }
    }
}

#[test]
fn send_bytes_at_the_bound_is_full_and_nothing_of_it_sent() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, usize::MAX, 1000);
        let body = [7; 92];
        let mut accepted = 0;
        while send(&link, accepted, &body, &[]) != Err(SendError::Full) {
            accepted += 1;
        }
        assert!((8..=11).contains(&link.backlog_messages()), "{framing:?}");
        drain(&link, &peer, accepted, &body);
    }
}

#[test]
fn send_larger_than_the_byte_bound_goes_while_nothing_waits() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, 10, 16);
        assert_eq!(send(&link, 0, &[1; 1000], &[]), Ok(Sent::Now));
        drain(&link, &peer, 1, &[1; 1000]);
    }
}

#[test]
fn send_full_with_patience_waits_until_the_peer_reads() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, 2, 1 << 20);
        let count = 200;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut inbox = Inbox::new(BODY, 0);
                for expected in 0..count {
                    assert_eq!(receive(&peer, &mut inbox).unwrap().cookie, expected);
                }
            });
            for cookie in 0..count {
                let patience = Duration::from_secs(60);
                send_patiently(&link, cookie, &[0; 200], &[], patience).unwrap();
            }
            while link.has_backlog() {
                let mut polled = [(link.as_fd(), Interest::RoomToSend, Event::default())];
                wait(&mut polled, far()).unwrap();
                link.flush().unwrap();
            }
        });
    }
}

#[test]
fn send_full_with_patience_gives_up_when_it_is_over() {
    for framing in FRAMINGS {
        let (link, _peer) = bounded(framing, 2, 1 << 20);
        while send(&link, 0, &[0; 200], &[]) != Err(SendError::Full) {}
        let (start, patience) = (Instant::now(), Duration::from_millis(5));
        assert_eq!(send_patiently(&link, 0, b"", &[], patience), Err(SendError::Full));
        assert!(start.elapsed() >= patience);
    }
}

#[test]
fn send_full_with_patience_sees_the_peer_go() {
    for framing in [Framing::OnePacket, Framing::TwoWrites] {
        let (link, peer) = bounded(framing, 2, 1 << 20);
        while send(&link, 0, &[0; 200], &[]) != Err(SendError::Full) {}
        std::thread::scope(|scope| {
            scope.spawn(move || drop(peer));
            let result = send_patiently(&link, 0, b"", &[], Duration::from_secs(60));
            assert_eq!(result, Err(SendError::Closed), "{framing:?}");
        });
        assert!(!link.has_backlog(), "what waited for the dead is dropped");
    }
}

#[test]
fn send_queued_descriptors_are_duplicates() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, 100, 1 << 20);
        let mut cookie = 0_u32;
        while link.backlog_messages() < 5 {
            let file = file(&cookie.to_le_bytes());
            send(&link, cookie, b"", &[file.as_fd(), file.as_fd()]).unwrap();
            cookie += 1;
            // The caller closes its own at once.
        }
        let mut inbox = Inbox::new(BODY, 2);
        for expected in 0..cookie {
            link.flush().unwrap();
            let received = receive(&peer, &mut inbox).unwrap();
            let fds = received.fds.into_vec();
            assert_eq!(fds.len(), 2, "{framing:?}");
            assert!(fds.iter().all(|fd| content(fd) == expected.to_le_bytes()));
        }
    }
}

#[test]
fn send_two_datagrams_socket_full_between_them_stays_in_step() {
    let mut split = 0;
    let len = 400;
    for room in (4096..8192).step_by(256) {
        let (one, peer) = sockets(Framing::TwoDatagrams);
        setsockopt(&one, sockopt::SndBuf, &room).unwrap();
        let link = Link::from_fd(one).unwrap();
        let mut sent = 0;
        while !link.has_backlog() {
            send(&link, sent, &vec![3; len], &[]).unwrap();
            sent += 1;
        }
        send(&link, sent, &vec![3; len], &[]).unwrap();
        sent += 1;
        let mut bytes = [0; 4096];
        let mut datagrams = 0;
        loop {
            match recv(peer.as_raw_fd(), &mut bytes, MsgFlags::MSG_DONTWAIT) {
                Ok(got) if datagrams % 2 == 0 => {
                    let header = frame_header(8 + len, 0);
                    assert_eq!((got, &bytes[..5]), (8, &header[..5]), "no frame header");
                }
                Ok(got) => assert_eq!(got, 8 + len, "no message"),
                Err(errno) => {
                    assert_eq!(errno, Errno::EAGAIN);
                    if !link.has_backlog() {
                        break;
                    }
                    split += datagrams % 2;
                    link.flush().unwrap();
                    continue;
                }
            }
            datagrams += 1;
        }
        assert_eq!(datagrams, 2 * sent);
    }
    assert!(split > 0, "the socket never filled between two datagrams");
}

#[test]
fn flush_dead_peer_drops_what_waits_and_every_later_send_is_closed() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, 100, 1 << 20);
        while link.backlog_messages() < 5 {
            send(&link, 0, b"", &[]).unwrap();
        }
        drop(peer);
        assert_eq!(link.flush(), Err(SendError::Closed), "{framing:?}");
        assert_eq!((link.has_backlog(), link.backlog_messages()), (false, 0));
        for _ in 0..3 {
            assert_eq!(send(&link, 0, b"", &[]), Err(SendError::Closed));
        }
        assert_eq!(link.flush(), Ok(()));
        let error = link.receive(&mut Inbox::new(BODY, 0), far()).unwrap_err();
        assert_eq!(error, ReceiveError::Closed, "{framing:?}");
    }
}

#[test]
fn wait_room_to_send_comes_when_the_peer_has_read() {
    for framing in FRAMINGS {
        let (link, peer) = bounded(framing, 100, 1 << 20);
        let mut sent = 0;
        while !link.has_backlog() {
            send(&link, sent, b"", &[]).unwrap();
            sent += 1;
        }
        let mut polled = [(link.as_fd(), Interest::MessageOrRoom, Event::default())];
        assert_eq!(wait(&mut polled, Some(Deadline::now())), Ok(0), "{framing:?}");
        let mut inbox = Inbox::new(BODY, 0);
        while peer.receive(&mut inbox, passed()).is_ok() {}
        let mut polled = [(link.as_fd(), Interest::MessageOrRoom, Event::default())];
        assert_eq!(wait(&mut polled, far()), Ok(1));
        let expected = Event { writable: true, ..Event::default() };
        assert_eq!(polled[0].2, expected);
    }
}
