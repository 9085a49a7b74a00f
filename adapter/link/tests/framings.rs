//! The same messages through all three framings.
#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

mod support;

use std::io::IoSlice;
use std::os::fd::AsFd;
use std::time::Duration;

use cami_link::{
    Framing, Inbox, Link, LinkError, MAX_FDS, Malformed, ReceiveError, SendError, Sent,
    seqpacket_pair,
};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{getsockopt, setsockopt, sockopt};
use support::*;

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

#[test]
fn from_fd_socket_type_decides_the_framing() {
    for framing in FRAMINGS {
        assert_eq!(links(framing).0.framing(), framing);
    }
}

#[test]
fn from_fd_no_unix_socket_is_refused() {
    assert!(matches!(Link::from_fd(file(b"")), Err(LinkError::NotUnixSocket)));
    let tcp = std::net::TcpListener::bind("127.0.0.1:0");
    if let Ok(tcp) = tcp {
        assert!(matches!(Link::from_fd(tcp.into()), Err(LinkError::NotUnixSocket)));
    }
}

#[test]
fn from_fd_inherited_socket_becomes_close_on_exec() {
    for framing in FRAMINGS {
        let (socket, _peer) = sockets(framing);
        fcntl(&socket, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        let link = Link::from_fd(socket).unwrap();
        assert_eq!(fcntl(link.as_fd(), FcntlArg::F_GETFD), Ok(FdFlag::FD_CLOEXEC.bits()));
    }
}

#[test]
fn round_trip_any_body_length_arrives_unchanged() {
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        let mut inbox = Inbox::new(BODY, 0);
        for len in [0, 1, 7, 8, 9, 55, 56, 57, 1024, 4095, 4096, 4097, BODY] {
            let body = pattern(len);
            assert_eq!(send(&one, 7, &body, &[]), Ok(Sent::Now), "{framing:?} {len}");
            let received = receive(&other, &mut inbox).unwrap();
            assert_eq!((received.cookie, received.body), (7, &body[..]), "{framing:?} {len}");
            assert!(received.fds.is_empty() && !received.fds_lost);
        }
    }
}

#[test]
fn round_trip_many_parts_are_one_message() {
    let header = message_header(1, 2);
    let bytes = pattern(1023);
    let mut parts = vec![IoSlice::new(&header)];
    parts.extend(bytes.chunks(1).map(IoSlice::new));
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        assert_eq!(one.send(&parts, &[], Duration::ZERO), Ok(Sent::Now));
        let mut inbox = Inbox::new(BODY, 0);
        assert_eq!(other.receive(&mut inbox, far()).unwrap().body, bytes);
        let mut more = parts.clone();
        more.push(IoSlice::new(b"x"));
        assert_eq!(one.send(&more, &[], Duration::ZERO), Err(SendError::TooLarge));
        assert_eq!(other.receive(&mut inbox, passed()).unwrap_err(), ReceiveError::TimedOut);
    }
}

#[test]
fn round_trip_0_to_253_descriptors_arrive_in_order() {
    let files: Vec<_> = (0..MAX_FDS).map(|index| file(index.to_string().as_bytes())).collect();
    let borrowed: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        let mut inbox = Inbox::new(BODY, MAX_FDS);
        for count in [0, 1, 2, 3, 64, 252, MAX_FDS] {
            assert_eq!(send(&one, 1, b"x", &borrowed[..count]), Ok(Sent::Now));
            let received = receive(&other, &mut inbox).unwrap();
            assert_eq!(received.fds.len(), count, "{framing:?}");
            for (index, fd) in received.fds.into_vec().iter().enumerate() {
                assert_eq!(content(fd), index.to_string().as_bytes(), "{framing:?} {count}");
                assert_eq!(fcntl(fd, FcntlArg::F_GETFD), Ok(FdFlag::FD_CLOEXEC.bits()));
            }
        }
    }
}

#[test]
fn send_254_descriptors_is_refused_and_nothing_sent() {
    let file = file(b"");
    let too_many = vec![file.as_fd(); MAX_FDS + 1];
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        assert_eq!(send(&one, 1, b"", &too_many), Err(SendError::TooLarge));
        let mut inbox = Inbox::new(BODY, 0);
        assert_eq!(other.receive(&mut inbox, passed()).unwrap_err(), ReceiveError::TimedOut);
    }
}

#[test]
fn send_less_than_a_message_header_is_refused_and_nothing_sent() {
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        for parts in [&[][..], &[IoSlice::new(b"")], &[IoSlice::new(b"1234567")]] {
            let result = one.send(parts, &[], Duration::ZERO);
            assert_eq!(result, Err(SendError::Os(Errno::EINVAL)));
        }
        let mut inbox = Inbox::new(BODY, 0);
        assert_eq!(other.receive(&mut inbox, passed()).unwrap_err(), ReceiveError::TimedOut);
    }
}

#[test]
fn send_largest_packet_goes_and_one_byte_more_is_refused_whole() {
    for framing in [Framing::OnePacket, Framing::TwoDatagrams] {
        let (one, other) = links(framing);
        let largest = getsockopt(&one.as_fd(), sockopt::SndBuf).unwrap() - 32;
        let mut inbox = Inbox::new(largest, 0);
        let body = pattern(largest - 8);
        assert_eq!(send(&one, 1, &[&body[..], b"x"].concat(), &[]), Err(SendError::TooLarge));
        // No header of it is out, so the next message is understood. The kernel agrees about the
        // limit: what the link let through was not refused by it.
        assert_eq!(send(&one, 2, &body, &[]), Ok(Sent::Now));
        let received = receive(&other, &mut inbox).unwrap();
        assert_eq!((received.cookie, received.body), (2, &body[..]), "{framing:?}");
    }
}

#[test]
fn receive_body_of_exactly_the_limit_arrives_and_one_byte_more_is_refused() {
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        let mut inbox = Inbox::new(100, 0);
        send(&one, 1, &pattern(100), &[]).unwrap();
        assert_eq!(receive(&other, &mut inbox).unwrap().body, pattern(100));
        send(&one, 2, &pattern(101), &[]).unwrap();
        assert_eq!(
            other.receive(&mut inbox, far()).unwrap_err(),
            ReceiveError::Malformed(Malformed::TooLarge),
            "{framing:?}"
        );
    }
}

#[test]
fn receive_after_a_malformed_packet_goes_on_with_the_next() {
    let (one, other) = links(Framing::OnePacket);
    let mut inbox = Inbox::new(100, 0);
    send(&one, 1, &pattern(101), &[]).unwrap();
    put(one.as_fd(), b"short", &[]);
    send(&one, 2, b"good", &[]).unwrap();
    for expected in [Malformed::TooLarge, Malformed::TooShort] {
        let error = other.receive(&mut inbox, far()).unwrap_err();
        assert_eq!(error, ReceiveError::Malformed(expected));
    }
    assert_eq!(receive(&other, &mut inbox).unwrap().body, b"good");
}

/// What libcamera leaves behind when its socket is full, and what a short write leaves: one message is
/// lost, and the next arrives.
#[test]
fn receive_after_a_lost_datagram_goes_on_with_the_next_message() {
    let (link, other) = link_and_socket(Framing::TwoDatagrams);
    let mut inbox = Inbox::new(BODY, 0);
    let next = message(9 ^ 0x8000_0000, 9, b"whole");
    for lost in [&frame_header(100, 0)[..], &frame_header(13, 0)[..3], &frame_header(4, 0)[..]] {
        send_raw(&other, lost, &[]).unwrap();
        send_raw(&other, &frame_header(next.len(), 0), &[]).unwrap();
        send_raw(&other, &next, &[]).unwrap();
        let first = receive(&link, &mut inbox).map(|_| ());
        assert_eq!(first, Err(ReceiveError::Malformed(Malformed::TooShort)), "{lost:?}");
        assert_eq!(receive(&link, &mut inbox).unwrap().body, b"whole", "{lost:?}");
    }
}

#[test]
fn seqpacket_pair_is_a_one_packet_link_with_a_larger_buffer() {
    let (one, other) = seqpacket_pair().unwrap();
    let (plain, _) = sockets(Framing::OnePacket);
    let before = getsockopt(&plain, sockopt::SndBuf).unwrap();
    setsockopt(&plain, sockopt::SndBuf, &(1 << 20)).unwrap();
    let most = getsockopt(&plain, sockopt::SndBuf).unwrap();
    assert_eq!(getsockopt(&one, sockopt::SndBuf), Ok(most));
    assert!(most >= before);
    let (one, other) = (Link::from_fd(one).unwrap(), Link::from_fd(other).unwrap());
    assert_eq!((one.framing(), other.framing()), (Framing::OnePacket, Framing::OnePacket));
    assert_eq!(send(&other, 3, b"back", &[]), Ok(Sent::Now));
    assert_eq!(receive(&one, &mut Inbox::new(BODY, 0)).unwrap().body, b"back");
}
