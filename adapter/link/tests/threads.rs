//! Many threads send at once.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cami_link::{Event, Inbox, Interest, Link, Sent, Waker, wait};
use support::*;

const THREADS: u32 = 8;
const MESSAGES: u32 = 500;

/// Bytes that tell which message they belong to.
fn body(cookie: u32) -> Vec<u8> {
    let len = usize::from(cookie.to_le_bytes()[0]) * 7;
    cookie.to_le_bytes().iter().copied().cycle().take(len).collect()
}

#[test]
fn send_from_many_threads_every_message_arrives_exactly_once_and_in_order_of_its_thread() {
    for framing in FRAMINGS {
        let (one, other) = small_sockets(framing);
        let (link, peer) =
            (Link::with_backlog(one, 50, 1 << 20).unwrap(), Link::from_fd(other).unwrap());
        let waker = Waker::new().unwrap();
        let sending = AtomicU32::new(THREADS);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (link, waker, sending) = (&link, &waker, &sending);
                scope.spawn(move || {
                    for number in 0..MESSAGES {
                        let cookie = thread << 16 | number;
                        let patience = Duration::from_secs(60);
                        let sent = send_patiently(link, cookie, &body(cookie), &[], patience);
                        if sent.unwrap() == Sent::Queued {
                            waker.wake();
                        }
                    }
                    sending.fetch_sub(1, Ordering::AcqRel);
                    waker.wake();
                });
            }
            // The polling thread, as an owner of a link runs it.
            scope.spawn(|| {
                while sending.load(Ordering::Acquire) > 0 || link.has_backlog() {
                    let room =
                        if link.has_backlog() { Interest::RoomToSend } else { Interest::HangUp };
                    let mut polled = [
                        (link.as_fd(), room, Event::default()),
                        (waker.as_fd(), Interest::Message, Event::default()),
                    ];
                    assert!(wait(&mut polled, far()).unwrap() > 0);
                    waker.drain();
                    link.flush().unwrap();
                }
            });
            let mut inbox = Inbox::new(BODY, 0);
            let mut next = [0; THREADS as usize];
            for _ in 0..THREADS * MESSAGES {
                let received = receive(&peer, &mut inbox).unwrap();
                let (thread, number) = (received.cookie >> 16, received.cookie & 0xffff);
                let expected = &mut next[usize::try_from(thread).unwrap()];
                assert_eq!(number, *expected, "{framing:?}: order of thread {thread}");
                assert_eq!(received.body, body(received.cookie));
                *expected += 1;
            }
            assert_eq!(next, [MESSAGES; THREADS as usize]);
        });
        assert!(!link.has_backlog());
    }
}

#[test]
fn wake_from_many_threads_is_seen_and_drained_once() {
    let waker = Waker::new().unwrap();
    let polled = |waker: &Waker, deadline| {
        let mut polled = [(waker.as_fd(), Interest::Message, Event::default())];
        wait(&mut polled, deadline).unwrap() == 1 && polled[0].2.readable
    };
    assert!(!polled(&waker, passed()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| waker.wake());
        }
        assert!(polled(&waker, far()));
    });
    waker.drain();
    assert!(!polled(&waker, passed()));
    waker.drain();
}
