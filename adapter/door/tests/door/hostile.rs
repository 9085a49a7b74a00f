//! A libcamera that sends what it should not, or does not read.

use std::os::fd::AsFd;
use std::time::Duration;

use cami_wire::Header;
use cami_wire::libcamera::ipu3::{Call, Event, Reply, command};
use nix::sys::socket::{MsgFlags, send};
use std::os::fd::AsRawFd;

use crate::calls::memory;
use crate::host::{Host, PATIENCE};

fn raw(host: &Host, bytes: &[u8]) {
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    assert_eq!(send(host.link.as_fd().as_raw_fd(), bytes, flags), Ok(bytes.len()));
}

fn frame_header(bytes: u32, fds: u8) -> [u8; 8] {
    let [a, b, c, d] = bytes.to_le_bytes();
    [a, b, c, d, fds, 0xa5, 0xa5, 0xa5]
}

fn still_serves(host: &mut Host, number: u32) {
    host.compute(number);
    assert_eq!(host.next(), Event::ParamsComputed { frame: number });
}

/// Numbers 12 and 13: libcamera's own worker aborts, crashes or is deaf afterwards.
#[test]
fn malformed_messages_cost_themselves_only() {
    let mut host = Host::streaming("");
    host.next();
    for (number, bodies) in [
        // Too short for a message; a count of four billion; a descriptor that did not come; nothing.
        &b""[..],
        &[0xff; 3],
        &[0xff; 4],
        &[0xff; 64],
        &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    ]
    .into_iter()
    .enumerate()
    {
        for number_of_command in (4..=9).chain([10, 77, u32::MAX]) {
            let header = Header { command: number_of_command, cookie: 5000 }.encode();
            host.send(&[&header, bodies].concat(), &[]);
            // Those that wait are answered.
            if (4..=6).contains(&number_of_command) {
                let answer = host.answer(number_of_command, 5000);
                if number_of_command == command::CONFIGURE {
                    assert!(i32::from_le_bytes(answer.body[..4].try_into().unwrap()) < 0);
                }
            }
            // A frame whose number can be read is answered; libcamera would wait for it.
            if number_of_command == command::COMPUTE_PARAMS && bodies.len() >= 64 {
                assert_eq!(host.next(), Event::ParamsComputed { frame: u32::MAX });
            }
            if number_of_command == command::PROCESS_STATS && bodies.len() >= 64 {
                assert!(matches!(host.next(), Event::MetadataReady { frame: u32::MAX, .. }));
            }
        }
        still_serves(&mut host, u32::try_from(number).unwrap());
    }
    host.exit();
}

/// Numbers 9, 11 and 13: half a message, or one that is not as long as it says.
#[test]
fn broken_framing_heals() {
    let mut host = Host::streaming("");
    host.next();
    let orphan = frame_header(300, 0);
    let short = [&frame_header(100, 0)[..], &[1; 50]];
    let long = [&frame_header(20, 0)[..], &[1; 50]];
    let no_fd = [&frame_header(20, 1)[..], &[5; 20]];
    let cases: [&[&[u8]]; 7] =
        [&[&orphan], &[&orphan[..3]], &[&[]], &short, &long, &no_fd, &[&[7; 30_000]]];
    for (number, datagrams) in (0..).zip(cases) {
        for datagram in datagrams {
            raw(&host, datagram);
        }
        still_serves(&mut host, number);
    }
    host.exit();
}

/// Descriptors where none belong, too few, and too many: none stays open, and the next call is well.
#[test]
fn stray_descriptors_are_closed() {
    let mut host = Host::streaming("");
    host.next();
    let open =
        |host: &Host| std::fs::read_dir(format!("/proc/{}/fd", host.child.id())).unwrap().count();
    let file = memory(10, 0);
    let fds = [file.as_fd(); 3];
    // A first answer shows that all descriptors of the set-up are there.
    still_serves(&mut host, 0);
    let before = open(&host);
    let message = Call::UnmapBuffers(vec![99]).encode(9000, host.dialect).unwrap();
    host.send(&message, &fds);
    assert_eq!(host.answer(command::UNMAP_BUFFERS, 9000).body, b"");
    let message = Call::MapBuffers(vec![crate::calls::buffer(77, 10)]).encode(9001, host.dialect);
    host.send(&message.unwrap(), &fds);
    assert_eq!(host.answer(command::MAP_BUFFERS, 9001).body, b"");
    // A message is dropped after its answer, and before the next one is taken.
    let message = Call::UnmapBuffers(vec![99]).encode(9002, host.dialect).unwrap();
    host.send(&message, &[]);
    assert_eq!(host.answer(command::UNMAP_BUFFERS, 9002).body, b"");
    assert_eq!(open(&host), before);
    still_serves(&mut host, 1);
    host.exit();
}

/// Numbers 9 and 10: a libcamera that does not read for a while misses nothing, and finds every
/// message whole and in its order.
#[test]
fn nothing_is_lost_for_a_host_that_does_not_read() {
    const FRAMES: u32 = 2000;
    let mut host = Host::streaming("");
    host.next();
    let mut sent = 0;
    let mut seen = 0;
    while seen < FRAMES {
        // As many as its socket takes; the worker stops to read while nobody reads from it.
        while sent < FRAMES {
            let call = Call::ComputeParams { frame: sent, buffer_id: 1 };
            let message = call.encode(1, host.dialect).unwrap();
            let sending = host.link.send(&[std::io::IoSlice::new(&message)], &[], Duration::ZERO);
            sending.unwrap();
            sent += 1;
            if host.link.has_backlog() {
                break;
            }
        }
        for _ in 0..50 {
            if seen == sent {
                break;
            }
            host.link.flush().unwrap();
            assert_eq!(host.next(), Event::ParamsComputed { frame: seen });
            seen += 1;
        }
    }
    let cookie = host.cookie();
    let message = Call::Stop.encode(cookie, host.dialect).unwrap();
    host.link.send(&[std::io::IoSlice::new(&message)], &[], PATIENCE).unwrap();
    assert_eq!(host.answer(command::STOP, cookie).body, b"");
    assert_eq!(host.ask(&Call::UnmapBuffers(vec![])), Reply::UnmapBuffers);
    host.exit();
}

/// A host that calls without end and never reads costs the worker no memory to speak of.
#[test]
fn a_flood_is_bounded() {
    let mut host = Host::streaming("");
    host.next();
    let resident = |host: &Host| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", host.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    still_serves(&mut host, 0);
    let before = resident(&host);
    let mut refused = 0;
    for number in 0..200_000_u32 {
        let body = [4_u32.to_le_bytes(), 4_u32.to_le_bytes(), number.to_le_bytes(), [1, 0, 0, 0]];
        let message = [&Header { command: 8, cookie: 1 }.encode()[..], &body.concat()].concat();
        let header = frame_header(u32::try_from(message.len()).unwrap(), 0);
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        let socket = host.link.as_fd().as_raw_fd();
        if send(socket, &header, flags).and_then(|_| send(socket, &message, flags)).is_err() {
            refused += 1;
            if refused > 1000 {
                break;
            }
        }
    }
    assert!(refused > 0, "the worker takes in a flood without end");
    let after = resident(&host);
    assert!(after < before + 16 * 1024, "{before} KiB, then {after} KiB");
}
