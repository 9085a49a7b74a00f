//! The end of the peer: end of file where the socket has one, the pidfd everywhere.
//!
//! Any process that is forked here holds copies of all sockets until its `exec`, and delays the end
//! of file by that. Tests that expect it at once therefore run in processes of their own.
#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

mod support;

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use cami_link::{
    Event, Framing, Inbox, Interest, Link, Malformed, ProcessFd, ReceiveError, SendError, wait,
};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{Shutdown, shutdown};
use support::*;

const WITH_END_OF_FILE: [Framing; 2] = [Framing::OnePacket, Framing::TwoWrites];

/// A process that holds `socket` and does nothing until it is killed.
fn holder(socket: OwnedFd) -> (Child, ProcessFd) {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let kept = move || {
        fcntl(&socket, FcntlArg::F_SETFD(FdFlag::empty())).map(drop).map_err(std::io::Error::from)
    };
    // SAFETY: fcntl is async-signal-safe, and a failure's conversion allocates nothing.
    unsafe { command.pre_exec(kept) };
    let child = command.spawn().unwrap();
    let process = ProcessFd::open(i32::try_from(child.id()).unwrap()).unwrap();
    // The command, and with it our own copy of the socket, goes here.
    (child, process)
}

#[test]
fn receive_peer_process_killed_is_closed_and_its_pidfd_readable() {
    in_own_process("receive_peer_process_killed_is_closed_and_its_pidfd_readable", || {
        for framing in FRAMINGS {
            let (link, peer) = link_and_socket(framing);
            let (mut child, process) = holder(peer);
            let mut polled = [
                (link.as_fd(), Interest::Message, Event::default()),
                (process.as_fd(), Interest::Message, Event::default()),
            ];
            assert_eq!(wait(&mut polled, passed()), Ok(0), "{framing:?}: dead before its time");
            process.kill();
            let mut polled = [(process.as_fd(), Interest::Message, Event::default())];
            assert_eq!(wait(&mut polled, far()), Ok(1));
            assert!(polled[0].2.readable);
            let mut inbox = Inbox::new(BODY, 0);
            let result = link.receive(&mut inbox, passed());
            if framing == Framing::TwoDatagrams {
                // Silence for ever; only sending tells.
                assert_eq!(result.unwrap_err(), ReceiveError::TimedOut);
            } else {
                assert_eq!(result.unwrap_err(), ReceiveError::Closed, "{framing:?}");
            }
            assert_eq!(send(&link, 1, b"", &[]), Err(SendError::Closed));
            assert_eq!(send(&link, 1, b"", &[]), Err(SendError::Closed));
            child.wait().unwrap();
        }
    });
}

#[test]
fn receive_waiting_without_deadline_is_woken_by_the_death() {
    for framing in WITH_END_OF_FILE {
        let (link, peer) = link_and_socket(framing);
        let (mut child, process) = holder(peer);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| link.receive(&mut Inbox::new(BODY, 0), None).unwrap_err());
            process.kill();
            assert_eq!(waiting.join().unwrap(), ReceiveError::Closed, "{framing:?}");
        });
        child.wait().unwrap();
    }
}

#[test]
fn receive_messages_sent_before_the_death_come_before_closed() {
    for framing in FRAMINGS {
        // With unread messages the peer's end is a reset, and that is said before what it sent.
        for unread in [0, 1, 3] {
            let (link, peer) = links(framing);
            for _ in 0..unread {
                send(&link, 9, b"never read", &[]).unwrap();
            }
            send(&peer, 1, b"one", &[]).unwrap();
            send(&peer, 2, b"two", &[file(b"").as_fd()]).unwrap();
            drop(peer);
            let mut inbox = Inbox::new(BODY, 1);
            assert_eq!(receive(&link, &mut inbox).unwrap().body, b"one", "{framing:?} {unread}");
            let two = receive(&link, &mut inbox).unwrap();
            assert_eq!((two.body, two.fds.len()), (&b"two"[..], 1));
            if framing != Framing::TwoDatagrams {
                for _ in 0..3 {
                    let error = link.receive(&mut inbox, far()).unwrap_err();
                    assert_eq!(error, ReceiveError::Closed);
                }
                let error = link.receive(&mut inbox, None).unwrap_err();
                assert_eq!(error, ReceiveError::Closed);
            }
        }
    }
}

#[test]
fn receive_after_a_send_saw_the_reset_still_gets_what_the_dead_had_sent() {
    in_own_process("receive_after_a_send_saw_the_reset_still_gets_what_the_dead_had_sent", || {
        // (A datagram socket drops what it had received when a send finds the peer dead: linux
        // net/unix/af_unix.c, unix_dgram_disconnected.)
        for framing in WITH_END_OF_FILE {
            let (link, peer) = links(framing);
            send(&link, 9, b"never read", &[]).unwrap();
            send(&peer, 1, b"last words", &[]).unwrap();
            drop(peer);
            for _ in 0..2 {
                assert_eq!(send(&link, 9, b"", &[]), Err(SendError::Closed), "{framing:?}");
            }
            assert_eq!(receive(&link, &mut Inbox::new(BODY, 0)).unwrap().body, b"last words");
        }
    });
}

#[test]
fn wait_hang_up_is_seen_with_unread_messages_and_not_before() {
    for framing in WITH_END_OF_FILE {
        let (link, peer) = links(framing);
        send(&peer, 1, b"", &[]).unwrap();
        let mut polled = [(link.as_fd(), Interest::HangUp, Event::default())];
        assert_eq!(wait(&mut polled, passed()), Ok(0), "{framing:?}");
        drop(peer);
        assert_eq!(wait(&mut polled, far()), Ok(1));
        assert!(polled[0].2.hung_up && !polled[0].2.writable);
        assert_eq!(receive(&link, &mut Inbox::new(BODY, 0)).unwrap().body, b"");
    }
}

#[test]
fn receive_peer_that_ended_only_its_sending_is_closed() {
    for framing in WITH_END_OF_FILE {
        let (link, peer) = link_and_socket(framing);
        shutdown(peer.as_raw_fd(), Shutdown::Write).unwrap();
        let mut polled = [(link.as_fd(), Interest::HangUp, Event::default())];
        assert_eq!(wait(&mut polled, passed()), Ok(1), "{framing:?}");
        assert!(polled[0].2.hung_up);
        let mut inbox = Inbox::new(BODY, 0);
        for _ in 0..3 {
            let error = link.receive(&mut inbox, far()).unwrap_err();
            assert_eq!(error, ReceiveError::Closed);
        }
    }
}

#[test]
fn receive_empty_packet_of_a_living_peer_is_malformed_and_the_link_goes_on() {
    let (link, peer) = link_and_socket(Framing::OnePacket);
    let mut inbox = Inbox::new(BODY, 0);
    for deadline in [far(), None] {
        put(&peer, b"", &[]);
        put(&peer, &message(1, 2, b"after"), &[]);
        let error = link.receive(&mut inbox, deadline).unwrap_err();
        assert_eq!(error, ReceiveError::Malformed(Malformed::TooShort));
        assert_eq!(link.receive(&mut inbox, deadline).unwrap().body, b"after");
    }
    drop(peer);
    assert_eq!(link.receive(&mut inbox, far()).unwrap_err(), ReceiveError::Closed);
}

#[test]
fn receive_empty_datagram_is_malformed() {
    let (link, peer) = link_and_socket(Framing::TwoDatagrams);
    let mut inbox = Inbox::new(BODY, 0);
    put(&peer, b"", &[]);
    let error = link.receive(&mut inbox, far()).unwrap_err();
    assert_eq!(error, ReceiveError::Malformed(Malformed::TooShort));
    put(&peer, &frame_header(8, 0), &[]);
    put(&peer, b"", &[]);
    let error = link.receive(&mut inbox, far()).unwrap_err();
    assert_eq!(error, ReceiveError::Malformed(Malformed::TooShort));
}

#[test]
fn receive_datagram_longer_than_claimed_is_malformed() {
    let (link, peer) = link_and_socket(Framing::TwoDatagrams);
    let mut inbox = Inbox::new(BODY, 0);
    put(&peer, &frame_header(8, 0), &[]);
    put(&peer, &message(1, 1, b"longer"), &[]);
    let error = link.receive(&mut inbox, far()).unwrap_err();
    assert_eq!(error, ReceiveError::Malformed(Malformed::TooLarge));
}

#[test]
fn shutdown_wakes_a_thread_that_waits_here() {
    for framing in FRAMINGS {
        for deadline in [None, far()] {
            let (link, _peer) = links(framing);
            std::thread::scope(|scope| {
                let waiting =
                    scope.spawn(|| link.receive(&mut Inbox::new(BODY, 0), deadline).unwrap_err());
                link.shutdown();
                assert_eq!(waiting.join().unwrap(), ReceiveError::Closed, "{framing:?}");
            });
        }
    }
}

#[test]
fn shutdown_peer_gets_what_was_sent_and_then_closed() {
    for framing in WITH_END_OF_FILE {
        let (link, peer) = links(framing);
        send(&link, 1, b"before", &[]).unwrap();
        send(&peer, 2, b"crossing", &[]).unwrap();
        link.shutdown();
        let mut inbox = Inbox::new(BODY, 0);
        for (end, expected) in [(&peer, &b"before"[..]), (&link, b"crossing")] {
            assert_eq!(receive(end, &mut inbox).unwrap().body, expected, "{framing:?}");
            let error = end.receive(&mut inbox, far()).unwrap_err();
            assert_eq!(error, ReceiveError::Closed);
            assert_eq!(send(end, 3, b"after", &[]), Err(SendError::Closed));
        }
    }
}

#[test]
fn send_dead_peer_sigpipe_at_its_default_raises_none() {
    in_own_process("send_dead_peer_sigpipe_at_its_default_raises_none", || {
        // SAFETY: the default action is no function of ours.
        let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        assert_ne!(before, libc::SIG_ERR);
        for framing in FRAMINGS {
            let (one, other) = small_sockets(framing);
            let (link, queued) = (Link::from_fd(one).unwrap(), sockets(framing));
            drop(other);
            assert_eq!(send(&link, 1, b"", &[]), Err(SendError::Closed), "{framing:?}");
            let link = Link::from_fd(queued.0).unwrap();
            while !link.has_backlog() {
                send(&link, 1, &[0; 4096], &[]).unwrap();
            }
            drop(queued.1);
            assert_eq!(link.flush(), Err(SendError::Closed), "{framing:?}");
        }
    });
}
