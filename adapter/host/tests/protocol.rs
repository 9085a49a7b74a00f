//! The link as a client sees it, and what a bad client gets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::os::fd::AsRawFd;

use cami_wire::Header;
use cami_wire::cros::{PROTOCOL_VERSION, UpdateReturn, command};
use common::{Incoming, Setup, buffer};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

const ENOTCONN: i32 = -libc::ENOTCONN;

#[test]
fn init_right_version_describes_the_library() {
    let mut host = Setup::new().start();
    let reply = host.init(PROTOCOL_VERSION);
    assert_eq!((reply.ret, reply.info.table_size), (0, 48));
    assert_eq!(reply.info.protocol_version, PROTOCOL_VERSION);
    assert_eq!(reply.info.build_id.len(), 40);
    assert!(reply.info.library.ends_with(".so"), "{}", reply.info.library);
}

#[test]
fn init_other_version_is_eproto_and_names_both() {
    let mut host = Setup::new().start();
    let reply = host.init(77);
    assert_eq!(reply.ret, -libc::EPROTO);
    assert!(reply.info.reason.contains("77"), "{}", reply.info.reason);
    assert!(reply.info.reason.contains("version 1"), "{}", reply.info.reason);
}

#[test]
fn calls_before_start_are_refused_and_requests_dropped() {
    let mut host = Setup::new().start();
    assert_eq!(host.start_library(), ENOTCONN);
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    let fd = buffer(4096);
    assert_eq!(host.register(&[&fd]), ENOTCONN);
    host.request(1, &[0x56]);
    assert_eq!(host.start_library(), 0);
    // Nothing of the dropped request comes before this.
    assert_eq!(host.status(4), 1);
}

#[test]
fn every_framing_carries_the_same_session() {
    for kind in [SockType::SeqPacket, SockType::Datagram, SockType::Stream] {
        let mut setup = Setup::new();
        setup.pair = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap();
        let mut host = setup.start();
        let _buffer = host.ready();
        host.request(1, &[0x56; 3000]);
        let expected = [0x56u8; 3000]
            .iter()
            .fold(3000u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
        let Incoming::Returned(returned) = host.next() else { panic!("{kind:?}") };
        assert_eq!((returned.status, returned.buffer_handle), (expected, -1), "{kind:?}");
    }
}

#[test]
fn register_without_or_with_an_unusable_descriptor_is_refused() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    assert_eq!(host.register(&[]), -libc::EBADF);
    let empty = buffer(0);
    assert_eq!(host.register(&[&empty]), -libc::EBADFD);
    let good = buffer(1);
    assert_eq!(host.register(&[&good]), 7);
}

#[test]
fn malformed_messages_are_dropped_and_the_link_goes_on() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    let mut bad: Vec<Vec<u8>> = vec![vec![1], vec![0xff; 7]];
    for number in 1..=8 {
        let mut message = Header { command: number, cookie: 5 }.encode().to_vec();
        if matches!(number, command::START | command::STOP) {
            // Bytes behind the last argument: they have none.
            message.push(0);
        } else {
            message.extend_from_slice(&[0xff; 5]);
        }
        bad.push(message);
    }
    for message in &bad {
        // Past our own link, which would refuse to send the first two.
        let socket = host.link.as_fd().as_raw_fd();
        let sent = nix::sys::socket::send(socket, message, nix::sys::socket::MsgFlags::empty());
        assert_eq!(sent, Ok(message.len()));
    }
    assert_eq!(host.status(4), 1);
    let (_, log) = end(host);
    assert_eq!(log.matches("dropped").count(), bad.len(), "{log}");
}

#[test]
fn stop_deinitializes_and_silences_the_library() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    host.send(&Header { command: command::STOP, cookie: 50 }.encode(), &[]);
    assert!(matches!(host.next(), Incoming::Returned(returned) if returned.req_id == 2000));
    assert_eq!(host.next(), Incoming::Reply(50, Vec::new()));
    let fd = buffer(4096);
    assert_eq!(host.register(&[&fd]), ENOTCONN);
}

#[test]
fn update_descriptor_comes_back_under_its_old_number() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        host.request(23, &[]);
        assert_eq!(host.next(), Incoming::Updated(5, vec![1, 2], true));
        assert!(matches!(host.next(), Incoming::Returned(returned) if returned.req_id == 23));
        let fd = host.last_fd.take().unwrap();
        host.send(&UpdateReturn { upd_id: 5, status: 0, has_fd: true }.encode(60), &[&fd]);
        let Incoming::Returned(returned) = host.next() else { panic!() };
        assert_eq!(returned.req_id, 1005);
        numbers.push(returned.status);
    }
    // The library keeps what it got back, so each time another number is free.
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "{numbers:?}");
    assert!(numbers.iter().all(|number| *number > 2), "{numbers:?}");
}

#[test]
fn exit_command_ends_the_host() {
    // As libcamera does it: without a control socket.
    let mut setup = Setup::new();
    setup.control = false;
    let mut host = setup.start();
    let _buffer = host.ready();
    host.send(&Header { command: 0, cookie: 1 }.encode(), &[]);
    assert_eq!(host.next(), Incoming::Closed);
    assert_eq!(host.wait().0, Some(0));
}

fn end(host: common::Host) -> (Option<i32>, String) {
    host.hang_up();
    host.wait()
}
