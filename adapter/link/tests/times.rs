//! When a message got into the socket.
#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

mod support;

use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cami_link::{Framing, Inbox, MAX_FDS};
use support::*;

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Packets and datagrams say when they were sent, with as many descriptors as there may be.
#[test]
fn a_message_says_when_it_was_sent_and_not_when_it_was_received() {
    for framing in [Framing::OnePacket, Framing::TwoDatagrams] {
        let (ours, theirs) = links(framing);
        assert!(ours.ask_for_times());
        let before = now();
        let file = file(b"");
        send(&theirs, 1, b"one", &[]).unwrap();
        send(&theirs, 2, b"two", &[file.as_fd(); MAX_FDS]).unwrap();
        let sent = now();
        std::thread::sleep(Duration::from_millis(50));
        let mut inbox = Inbox::new(BODY, MAX_FDS);
        for fds in [0, MAX_FDS] {
            let received = receive(&ours, &mut inbox).unwrap();
            let stamp = received.stamp.unwrap();
            assert!(before <= stamp && stamp <= sent, "{framing:?}: {before:?} {stamp:?} {sent:?}");
            assert_eq!((received.fds.len(), received.fds_lost), (fds, false));
        }
    }
}

#[test]
fn without_being_asked_and_on_a_stream_there_are_no_times() {
    for framing in FRAMINGS {
        let (ours, theirs) = links(framing);
        assert!(framing != Framing::TwoWrites || !ours.ask_for_times());
        send(&theirs, 1, b"one", &[]).unwrap();
        let mut inbox = Inbox::new(BODY, 0);
        assert_eq!(receive(&ours, &mut inbox).unwrap().stamp, None, "{framing:?}");
    }
}
