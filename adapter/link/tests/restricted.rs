//! Where system calls are restricted: waiting by epoll, ending without `shutdown`.
//!
//! The restriction is the process's, so these tests have a program of their own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test states what it expects")]

use std::fs::File;
use std::io::{IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use cami_link::{
    Deadline, Event, Framing, Inbox, Interest, Link, MAX_WAIT, ReceiveError, SendError, Waiter,
    Waker, restrict_system_calls, seqpacket_pair, wait,
};
use nix::errno::Errno;

/// Bytes of a message header without arguments.
const BARE: [u8; 8] = [7, 0, 0, 0, 9, 0, 0, 0];

fn pipe() -> (File, File) {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    (File::from(reader), File::from(writer))
}

fn entry(fd: BorrowedFd<'_>, interest: Interest) -> (BorrowedFd<'_>, Interest, Event) {
    (fd, interest, Event::default())
}

/// Both ways: with a descriptor that is kept, and with one for the call.
fn both(
    fds: &mut [(BorrowedFd<'_>, Interest, Event)],
    deadline: Option<Deadline>,
) -> (usize, Vec<Event>) {
    restrict_system_calls();
    let ready = Waiter::new().unwrap().wait(fds, deadline).unwrap();
    let events: Vec<Event> = fds.iter().map(|(.., event)| *event).collect();
    assert_eq!(wait(fds, deadline).unwrap(), ready);
    assert_eq!(fds.iter().map(|(.., event)| *event).collect::<Vec<_>>(), events);
    (ready, events)
}

#[test]
fn what_is_ready_is_told_and_what_is_not_is_not() {
    let (reader, mut writer) = pipe();
    let mut fds = [
        entry(reader.as_fd(), Interest::Message),
        entry(writer.as_fd(), Interest::RoomToSend),
        entry(reader.as_fd(), Interest::None),
    ];
    let (ready, events) = both(&mut fds, None);
    assert_eq!((ready, events[0].readable, events[1].writable), (1, false, true));
    writer.write_all(b"x").unwrap();
    let mut fds = [entry(reader.as_fd(), Interest::Message)];
    let (ready, events) = both(&mut fds, None);
    assert_eq!((ready, events[0].readable, events[0].hung_up), (1, true, false));
}

#[test]
fn hang_up_is_told_whatever_is_waited_for() {
    for interest in [Interest::HangUp, Interest::Message, Interest::MessageOrRoom] {
        let (near, far) = seqpacket_pair().unwrap();
        drop(far);
        let (_, events) = both(&mut [entry(near.as_fd(), interest)], None);
        assert!(events[0].hung_up, "{interest:?}");
    }
}

#[test]
fn deadline_ends_the_wait_and_not_before_its_time() {
    let (reader, _writer) = pipe();
    let since = Instant::now();
    let deadline = Some(Deadline::after(Duration::from_micros(2500)));
    restrict_system_calls();
    assert_eq!(wait(&mut [entry(reader.as_fd(), Interest::Message)], deadline), Ok(0));
    assert!(since.elapsed() >= Duration::from_micros(2500));
    assert_eq!(wait(&mut [], Some(Deadline::now())), Ok(0));
}

#[test]
fn file_is_always_ready_as_for_poll() {
    let file = File::open("/proc/self/exe").unwrap();
    let (reader, _writer) = pipe();
    let mut fds =
        [entry(reader.as_fd(), Interest::Message), entry(file.as_fd(), Interest::Message)];
    let (ready, events) = both(&mut fds, None);
    assert_eq!((ready, events[0].readable, events[1].readable), (1, false, true));
}

#[test]
fn too_many_descriptors_and_one_that_is_there_twice_are_errors() {
    restrict_system_calls();
    let (reader, _writer) = pipe();
    let mut many = [entry(reader.as_fd(), Interest::Message); MAX_WAIT + 1];
    assert_eq!(Waiter::new().unwrap().wait(&mut many, None), Err(Errno::EINVAL));
    assert_eq!(wait(&mut many, None), Err(Errno::EINVAL));
    let mut twice = [entry(reader.as_fd(), Interest::Message); 2];
    assert_eq!(Waiter::new().unwrap().wait(&mut twice, None), Err(Errno::EEXIST));
}

/// Sets that grow, shrink and move, as those of the client's reader do.
#[test]
fn kept_waiter_follows_every_change_of_its_set() {
    restrict_system_calls();
    let mut waiter = Waiter::new().unwrap();
    let now = Some(Deadline::now());
    let (one, mut to_one) = pipe();
    let (other, mut to_other) = pipe();
    to_one.write_all(b"1").unwrap();
    let mut sight = |fds: &mut [(BorrowedFd<'_>, Interest, Event)]| -> Vec<bool> {
        waiter.wait(fds, now).unwrap();
        fds.iter().map(|(.., event)| event.readable).collect()
    };
    let message = Interest::Message;
    let pair = &mut [entry(one.as_fd(), message), entry(other.as_fd(), message)];
    assert_eq!(sight(pair), [true, false]);
    assert_eq!(sight(pair), [true, false], "again, without a change");
    let swapped = &mut [entry(other.as_fd(), message), entry(one.as_fd(), message)];
    assert_eq!(sight(swapped), [false, true]);
    assert_eq!(sight(&mut [entry(other.as_fd(), message)]), [false]);
    to_other.write_all(b"2").unwrap();
    assert_eq!(sight(&mut [entry(other.as_fd(), message)]), [true]);
    let skipped = &mut [entry(one.as_fd(), Interest::None), entry(other.as_fd(), message)];
    assert_eq!(sight(skipped), [false, true]);
    assert_eq!(sight(&mut [entry(one.as_fd(), Interest::HangUp)]), [false]);
    assert_eq!(sight(pair), [true, true]);
}

/// A forked child may keep a closed descriptor's file open: the kernel would go on reporting it.
#[test]
fn forgotten_descriptor_is_not_reported_under_the_number_of_another() {
    restrict_system_calls();
    let mut waiter = Waiter::new().unwrap();
    let (reader, mut writer) = pipe();
    let copy = reader.try_clone().unwrap();
    let number = reader.as_raw_fd();
    writer.write_all(b"x").unwrap();
    let now = Some(Deadline::now());
    assert_eq!(waiter.wait(&mut [entry(reader.as_fd(), Interest::Message)], now), Ok(1));
    waiter.forget();
    drop(reader);
    let (fresh, _other) = pipe();
    if fresh.as_raw_fd() != number {
        // Another test took the number: nothing to see.
        return;
    }
    assert_eq!(waiter.wait(&mut [entry(fresh.as_fd(), Interest::Message)], now), Ok(0));
    drop(copy);
}

#[test]
fn wake_of_another_thread_ends_the_wait() {
    restrict_system_calls();
    let waker = Waker::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| waker.wake());
        let mut fds = [entry(waker.as_fd(), Interest::Message)];
        assert_eq!(Waiter::new().unwrap().wait(&mut fds, None), Ok(1));
    });
}

fn link(fd: OwnedFd, framing: Framing) -> Link {
    Link::of_known_type(fd, framing, 4, 1 << 20).unwrap()
}

#[test]
fn link_of_known_type_carries_messages_and_sees_its_end() {
    restrict_system_calls();
    let (near, far) = seqpacket_pair().unwrap();
    let (near, far) = (link(near, Framing::OnePacket), link(far, Framing::OnePacket));
    let mut inbox = Inbox::new(64, 0);
    near.send(&[IoSlice::new(&BARE)], &[], Duration::ZERO).unwrap();
    let message = far.receive(&mut inbox, Some(Deadline::after(Duration::from_secs(20)))).unwrap();
    assert_eq!((message.command, message.cookie), (7, 9));
    let late = far.receive(&mut inbox, Some(Deadline::after(Duration::from_millis(1))));
    assert_eq!(late.unwrap_err(), ReceiveError::TimedOut);
    drop(near);
    assert_eq!(far.receive(&mut inbox, None).unwrap_err(), ReceiveError::Closed);
}

#[test]
fn link_that_was_shut_down_sends_and_receives_nothing_more() {
    restrict_system_calls();
    let (near, far) = seqpacket_pair().unwrap();
    let (near, far) = (link(near, Framing::OnePacket), link(far, Framing::OnePacket));
    far.send(&[IoSlice::new(&BARE)], &[], Duration::ZERO).unwrap();
    near.shutdown();
    let sent = near.send(&[IoSlice::new(&BARE)], &[], Duration::ZERO);
    assert_eq!(sent.unwrap_err(), SendError::Closed);
    let mut inbox = Inbox::new(64, 0);
    // What had been sent before still comes.
    assert!(near.receive(&mut inbox, Some(Deadline::now())).is_ok());
    let end = near.receive(&mut inbox, Some(Deadline::after(Duration::from_secs(20))));
    assert_eq!(end.unwrap_err(), ReceiveError::Closed);
}

#[test]
fn full_link_waits_for_room() {
    restrict_system_calls();
    let (near, far) = seqpacket_pair().unwrap();
    let (near, far) = (link(near, Framing::OnePacket), link(far, Framing::OnePacket));
    let message = [&BARE[..], &[0; 4000]].concat();
    let parts = [IoSlice::new(&message)];
    let mut sent = 0;
    while near.send(&parts, &[], Duration::ZERO).is_ok() {
        sent += 1;
    }
    assert_eq!(near.send(&parts, &[], Duration::from_millis(1)), Err(SendError::Full));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut inbox = Inbox::new(5000, 0);
            // All that is in the socket: it has room again when three quarters of it are read.
            for _ in 0..sent - 4 {
                far.receive(&mut inbox, None).unwrap();
            }
        });
        assert!(near.send(&parts, &[], Duration::from_secs(20)).is_ok());
    });
}

#[test]
fn stream_without_a_deadline_blocks_until_all_of_a_message_is_there() {
    restrict_system_calls();
    let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
    let far = link(far.into(), Framing::TwoWrites);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut near = &near;
            for byte in [&[8, 0, 0, 0, 0, 0, 0, 0][..], &BARE].concat() {
                near.write_all(&[byte]).unwrap();
            }
        });
        let mut inbox = Inbox::new(64, 0);
        let message = far.receive(&mut inbox, None).unwrap();
        assert_eq!((message.command, message.cookie), (7, 9));
    });
    far.send(&[IoSlice::new(&BARE)], &[], Duration::ZERO).unwrap();
    let mut bytes = [0; 16];
    (&near).read_exact(&mut bytes).unwrap();
    assert_eq!(bytes[8..], BARE);
}
