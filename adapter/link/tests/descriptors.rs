//! Descriptors of a hostile peer: each arrives owned or is closed. Every test counts those of its
//! process, and so runs in one of its own.
#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

mod support;

use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use cami_link::{Framing, Inbox, Link, MAX_FDS, Malformed, ReceiveError};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{setsockopt, sockopt};
use support::*;

/// Runs `body` per framing; the process has the same descriptors before and after, and fd 0 among
/// them.
fn nothing_leaks(framings: &[Framing], body: impl Fn(Framing, Link, OwnedFd)) {
    let stdin = || std::fs::read_link("/proc/self/fd/0").unwrap();
    for &framing in framings {
        let (before, zero) = (open_fds(), stdin());
        let (link, peer) = link_and_socket(framing);
        body(framing, link, peer);
        assert_eq!(open_fds(), before, "{framing:?}");
        assert_eq!(stdin(), zero);
    }
}

fn refused(link: &Link, inbox: &mut Inbox, expected: Malformed) {
    let error = link.receive(inbox, far()).unwrap_err();
    assert_eq!(error, ReceiveError::Malformed(expected), "{:?}", link.framing());
}

#[test]
fn receive_claim_of_more_than_came_is_refused_and_fd_0_untouched() {
    in_own_process("receive_claim_of_more_than_came_is_refused_and_fd_0_untouched", || {
        nothing_leaks(&TWO_PART_FRAMINGS, |framing, link, peer| {
            let file = file(b"");
            let mut inbox = Inbox::new(BODY, MAX_FDS);
            put_message(framing, &peer, &message(1, 1, b""), 2, &[file.as_fd()]);
            refused(&link, &mut inbox, Malformed::FdCount { claimed: 2, received: 1 });
        });
        nothing_leaks(&TWO_PART_FRAMINGS, |framing, link, peer| {
            put_message(framing, &peer, &message(1, 1, b""), 255, &[]);
            let mut inbox = Inbox::new(BODY, MAX_FDS);
            refused(&link, &mut inbox, Malformed::FdCount { claimed: 255, received: 0 });
        });
    });
}

#[test]
fn receive_claim_of_fewer_than_came_is_refused_and_all_closed() {
    in_own_process("receive_claim_of_fewer_than_came_is_refused_and_all_closed", || {
        nothing_leaks(&TWO_PART_FRAMINGS, |framing, link, peer| {
            let file = file(b"");
            put_message(framing, &peer, &message(1, 1, b""), 1, &[file.as_fd(); 3]);
            let mut inbox = Inbox::new(BODY, MAX_FDS);
            refused(&link, &mut inbox, Malformed::FdCount { claimed: 1, received: 3 });
        });
    });
}

#[test]
fn receive_more_than_the_inbox_accepts_is_refused_and_all_closed() {
    in_own_process("receive_more_than_the_inbox_accepts_is_refused_and_all_closed", || {
        nothing_leaks(&FRAMINGS, |framing, link, peer| {
            let file = file(b"");
            put_message(framing, &peer, &message(1, 1, b""), 3, &[file.as_fd(); 3]);
            refused(&link, &mut Inbox::new(BODY, 2), Malformed::UnexpectedFds);
        });
    });
}

#[test]
fn receive_descriptors_with_the_frame_header_are_refused_and_closed() {
    in_own_process("receive_descriptors_with_the_frame_header_are_refused_and_closed", || {
        nothing_leaks(&TWO_PART_FRAMINGS, |_, link, peer| {
            let file = file(b"");
            put(&peer, &frame_header(8, 1), &[file.as_fd()]);
            put(&peer, &message(1, 1, b""), &[]);
            // The inbox stays: it must not hold what came with the header.
            let mut inbox = Inbox::new(BODY, MAX_FDS);
            let before = open_fds();
            refused(&link, &mut inbox, Malformed::UnexpectedFds);
            assert_eq!(open_fds(), before);
        });
    });
}

#[test]
fn receive_descriptors_with_half_a_header_are_refused_and_closed() {
    in_own_process("receive_descriptors_with_half_a_header_are_refused_and_closed", || {
        nothing_leaks(&[Framing::TwoWrites], |_, link, peer| {
            let file = file(b"");
            let header = frame_header(8, 1);
            put(&peer, &header[..4], &[file.as_fd()]);
            let mut inbox = Inbox::new(BODY, MAX_FDS);
            assert_eq!(link.receive(&mut inbox, passed()).unwrap_err(), ReceiveError::TimedOut);
            put(&peer, &header[4..], &[]);
            refused(&link, &mut inbox, Malformed::UnexpectedFds);
        });
    });
}

#[test]
fn receive_descriptors_with_a_malformed_packet_are_closed() {
    in_own_process("receive_descriptors_with_a_malformed_packet_are_closed", || {
        let packets = [Framing::OnePacket, Framing::TwoDatagrams];
        let cases: [(&[u8], _); 3] = [
            (&[0; 200], Malformed::TooLarge),
            (b"short", Malformed::TooShort),
            (b"", Malformed::TooShort),
        ];
        for (bytes, expected) in cases {
            nothing_leaks(&packets, |framing, link, peer| {
                let file = file(b"");
                if framing == Framing::TwoDatagrams {
                    put(&peer, &frame_header(16, 2), &[]);
                }
                put(&peer, bytes, &[file.as_fd(); 2]);
                refused(&link, &mut Inbox::new(100, MAX_FDS), expected);
            });
        }
    });
}

#[test]
fn receive_descriptors_of_an_unfinished_message_are_closed_with_the_end() {
    in_own_process("receive_descriptors_of_an_unfinished_message_are_closed_with_the_end", || {
        nothing_leaks(&[Framing::TwoWrites], |_, link, peer| {
            let file = file(b"");
            put(&peer, &frame_header(20, 2), &[]);
            put(&peer, b"unfinished", &[file.as_fd(); 2]);
            drop(peer);
            let mut inbox = Inbox::new(BODY, MAX_FDS);
            let before = open_fds().len();
            let error = link.receive(&mut inbox, far()).unwrap_err();
            assert_eq!((error, open_fds().len()), (ReceiveError::Closed, before));
        });
    });
}

#[test]
fn receive_credentials_are_refused_and_descriptors_beside_them_closed() {
    in_own_process("receive_credentials_are_refused_and_descriptors_beside_them_closed", || {
        nothing_leaks(&FRAMINGS, |framing, link, peer| {
            let file = file(b"");
            // The kernel then adds SCM_CREDENTIALS to everything that this end receives.
            setsockopt(&link.as_fd(), sockopt::PassCred, &true).unwrap();
            put_message(framing, &peer, &message(1, 1, b""), 2, &[file.as_fd(); 2]);
            refused(&link, &mut Inbox::new(BODY, MAX_FDS), Malformed::ForeignControlData);
        });
    });
}

#[test]
fn receive_pidfd_that_the_kernel_adds_is_refused_and_closed() {
    in_own_process("receive_pidfd_that_the_kernel_adds_is_refused_and_closed", || {
        /// linux include/uapi/asm-generic/socket.h, since 6.5.
        const SO_PASSPIDFD: i32 = 76;
        nothing_leaks(&FRAMINGS, |framing, link, peer| {
            let on = 1_i32;
            // SAFETY: the option reads four bytes of `on`.
            let result = unsafe {
                libc::setsockopt(
                    link.as_fd().as_raw_fd(),
                    libc::SOL_SOCKET,
                    SO_PASSPIDFD,
                    (&raw const on).cast(),
                    4,
                )
            };
            if result != 0 {
                let _ = writeln!(std::io::stderr(), "SKIPPED: this kernel has no SO_PASSPIDFD");
                return;
            }
            let file = file(b"");
            put_message(framing, &peer, &message(1, 1, b""), 1, &[file.as_fd()]);
            refused(&link, &mut Inbox::new(BODY, MAX_FDS), Malformed::ForeignControlData);
        });
    });
}

#[test]
fn receive_without_free_slots_says_fds_lost_and_the_link_goes_on() {
    in_own_process("receive_without_free_slots_says_fds_lost_and_the_link_goes_on", || {
        for free in [0, 1, 2, 4] {
            nothing_leaks(&FRAMINGS, |framing, link, peer| {
                let mut inbox = Inbox::new(BODY, MAX_FDS);
                let file = file(b"");
                put_message(framing, &peer, &message(1, 1, b"lost"), 5, &[file.as_fd(); 5]);
                put_message(framing, &peer, &message(1, 2, b"good"), 0, &[]);
                let filled = leave_free_slots(free, &file);
                let received = link.receive(&mut inbox, far()).unwrap();
                assert!(received.fds_lost, "{framing:?}");
                assert_eq!((received.body, received.fds.len()), (&b"lost"[..], free));
                drop(received);
                drop(filled);
                let received = link.receive(&mut inbox, far()).unwrap();
                assert_eq!((received.body, received.fds_lost), (&b"good"[..], false));
            });
        }
    });
}

#[test]
fn send_without_free_slots_fails_whole_or_goes() {
    in_own_process("send_without_free_slots_fails_whole_or_goes", || {
        nothing_leaks(&FRAMINGS, |framing, peer, socket| {
            let link = Link::from_fd(socket).unwrap();
            let file = file(b"sent");
            let filled = leave_free_slots(0, &file);
            let sent = send(&link, 1, b"with", &[file.as_fd()]);
            assert_eq!(send(&link, 2, b"without", &[]), Ok(cami_link::Sent::Now));
            drop(filled);
            let mut inbox = Inbox::new(BODY, MAX_FDS);
            if framing == Framing::OnePacket {
                assert_eq!(sent, Ok(cami_link::Sent::Now));
                assert_eq!(receive(&peer, &mut inbox).unwrap().fds.len(), 1);
            } else {
                assert_eq!(sent, Err(cami_link::SendError::Os(nix::errno::Errno::EMFILE)));
            }
            assert_eq!(receive(&peer, &mut inbox).unwrap().body, b"without");
        });
    });
}

/// Takes all descriptor numbers up to a low limit but `free`.
fn leave_free_slots(free: usize, file: &OwnedFd) -> Vec<OwnedFd> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 64, hard).unwrap();
    let mut filled = Vec::new();
    while let Ok(duplicate) = file.try_clone() {
        filled.push(duplicate);
    }
    filled.truncate(filled.len() - free);
    filled
}

#[test]
fn drop_of_a_link_closes_what_waits_in_its_backlog() {
    in_own_process("drop_of_a_link_closes_what_waits_in_its_backlog", || {
        for framing in FRAMINGS {
            let before = open_fds();
            let (one, other) = small_sockets(framing);
            let link = Link::from_fd(one).unwrap();
            let file = file(b"");
            while link.backlog_messages() < 4 {
                send(&link, 1, &[0; 512], &[file.as_fd()]).unwrap();
            }
            drop((link, other, file));
            assert_eq!(open_fds(), before, "{framing:?}");
        }
    });
}
