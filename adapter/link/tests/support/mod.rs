//! What the tests of this crate share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, of which each test binary uses some"
)]

use std::io::{IoSlice, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::time::Duration;

use cami_link::{Deadline, Framing, Inbox, Link, ReceiveError, Received, SendError, Sent};
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, setsockopt, socketpair,
    sockopt,
};

pub const FRAMINGS: [Framing; 3] = [Framing::OnePacket, Framing::TwoDatagrams, Framing::TwoWrites];

pub const TWO_PART_FRAMINGS: [Framing; 2] = [Framing::TwoDatagrams, Framing::TwoWrites];

/// A body limit for inboxes that need no particular one.
pub const BODY: usize = 64 << 10;

/// Far enough away that only a message that never comes reaches it.
pub fn far() -> Option<Deadline> {
    Some(Deadline::after(Duration::from_secs(60)))
}

/// What waits on it looks once.
pub fn passed() -> Option<Deadline> {
    Some(Deadline::now())
}

/// Two raw ends of a socket pair.
pub fn sockets(framing: Framing) -> (OwnedFd, OwnedFd) {
    let kind = match framing {
        Framing::OnePacket => SockType::SeqPacket,
        Framing::TwoDatagrams => SockType::Datagram,
        Framing::TwoWrites => SockType::Stream,
    };
    socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap()
}

/// Two raw ends whose send buffers are the smallest that the kernel allows, or near it.
pub fn small_sockets(framing: Framing) -> (OwnedFd, OwnedFd) {
    let (one, other) = sockets(framing);
    setsockopt(&one, sockopt::SndBuf, &8192).unwrap();
    setsockopt(&other, sockopt::SndBuf, &8192).unwrap();
    (one, other)
}

pub fn links(framing: Framing) -> (Link, Link) {
    let (one, other) = sockets(framing);
    (Link::from_fd(one).unwrap(), Link::from_fd(other).unwrap())
}

/// One end as a link, the other raw.
pub fn link_and_socket(framing: Framing) -> (Link, OwnedFd) {
    let (one, other) = sockets(framing);
    (Link::from_fd(one).unwrap(), other)
}

pub fn message_header(command: u32, cookie: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&command.to_le_bytes());
    bytes[4..].copy_from_slice(&cookie.to_le_bytes());
    bytes
}

/// The frame header of the two-part framings, its padding not zero.
pub fn frame_header(data_len: usize, fds: u8) -> [u8; 8] {
    let mut bytes = [0xa5; 8];
    bytes[..4].copy_from_slice(&u32::try_from(data_len).unwrap().to_le_bytes());
    bytes[4] = fds;
    bytes
}

/// A whole message: header and body.
pub fn message(command: u32, cookie: u32, body: &[u8]) -> Vec<u8> {
    [&message_header(command, cookie), body].concat()
}

/// Sends header and body as two parts, without patience.
pub fn send(
    link: &Link,
    cookie: u32,
    body: &[u8],
    fds: &[BorrowedFd<'_>],
) -> Result<Sent, SendError> {
    send_patiently(link, cookie, body, fds, Duration::ZERO)
}

pub fn send_patiently(
    link: &Link,
    cookie: u32,
    body: &[u8],
    fds: &[BorrowedFd<'_>],
    patience: Duration,
) -> Result<Sent, SendError> {
    let header = message_header(cookie ^ 0x8000_0000, cookie);
    link.send(&[IoSlice::new(&header), IoSlice::new(body)], fds, patience)
}

/// Receives a message of [`send`], and its cookie.
pub fn receive<'a>(link: &Link, inbox: &'a mut Inbox) -> Result<Received<'a>, ReceiveError> {
    let received = link.receive(inbox, far())?;
    assert_eq!(received.command, received.cookie ^ 0x8000_0000, "header torn");
    Ok(received)
}

/// One `sendmsg` of a peer that keeps no rules. `EMSGSIZE` and `EAGAIN` are the test's to judge.
pub fn send_raw(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<usize, Errno> {
    let raw: Vec<i32> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    sendmsg::<()>(
        socket.as_fd().as_raw_fd(),
        &[IoSlice::new(bytes)],
        if raw.is_empty() { &[] } else { &rights },
        MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        None,
    )
}

/// The same where it must go out whole.
pub fn put(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
    assert_eq!(send_raw(socket, bytes, fds), Ok(bytes.len()));
}

/// One message as its framing lays it on the socket, with a claim of `claimed` descriptors.
pub fn put_message(
    framing: Framing,
    socket: impl AsFd,
    bytes: &[u8],
    claimed: u8,
    fds: &[BorrowedFd<'_>],
) {
    if framing != Framing::OnePacket {
        put(socket.as_fd(), &frame_header(bytes.len(), claimed), &[]);
    }
    put(socket.as_fd(), bytes, fds);
}

/// An anonymous file with `content`.
pub fn file(content: &[u8]) -> OwnedFd {
    let fd = memfd_create(c"cami-link-test", MFdFlags::MFD_CLOEXEC).unwrap();
    let mut file = std::fs::File::from(fd);
    file.write_all(content).unwrap();
    OwnedFd::from(file)
}

pub fn content(fd: &OwnedFd) -> Vec<u8> {
    let mut file = std::fs::File::from(fd.try_clone().unwrap());
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    content
}

/// The open descriptors of this process: only where nothing else runs in it.
pub fn open_fds() -> Vec<i32> {
    let own = std::fs::read_dir("/proc/self/fd").unwrap();
    let mut open: Vec<i32> =
        own.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    open.sort_unstable();
    open
}

const ALONE: &str = "CAMI_LINK_TEST_ALONE";

/// Runs `body` in a process in which nothing else runs: this executable again, with this test only.
/// `test` is the test's name. For whatever counts descriptors or changes the process's state.
pub fn in_own_process(test: &str, body: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test} alone: {}\n{out}\n{err}", output.status);
    assert!(out.contains("1 passed"), "no test is called {test}:\n{out}");
}
