//! Deadlines of `receive` and `wait`.

mod support;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use cami_link::{Deadline, Event, Framing, Inbox, Interest, MAX_WAIT, ReceiveError, Waker, wait};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use support::*;

#[test]
fn receive_passed_deadline_takes_what_is_there_and_else_times_out_at_once() {
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        let mut inbox = Inbox::new(BODY, 0);
        let result = other.receive(&mut inbox, passed());
        assert_eq!(result.unwrap_err(), ReceiveError::TimedOut, "{framing:?}");
        send(&one, 1, b"there", &[]).unwrap();
        assert_eq!(other.receive(&mut inbox, passed()).unwrap().body, b"there");
    }
}

#[test]
fn receive_times_out_at_its_deadline_and_not_before() {
    for framing in FRAMINGS {
        let (_one, other) = links(framing);
        let (start, timeout) = (Instant::now(), Duration::from_millis(5));
        let mut inbox = Inbox::new(BODY, 0);
        let result = other.receive(&mut inbox, Some(Deadline::after(timeout)));
        assert_eq!(result.unwrap_err(), ReceiveError::TimedOut);
        assert!(start.elapsed() >= timeout, "{framing:?}");
    }
}

#[test]
fn receive_half_a_message_at_the_deadline_stays_for_the_next_call() {
    for framing in TWO_PART_FRAMINGS {
        let (link, peer) = link_and_socket(framing);
        let mut inbox = Inbox::new(BODY, 1);
        let message = message(0x8000_0005, 5, b"the rest");
        put(&peer, &frame_header(message.len(), 1), &[]);
        for _ in 0..2 {
            let result = link.receive(&mut inbox, passed());
            assert_eq!(result.unwrap_err(), ReceiveError::TimedOut, "{framing:?}");
        }
        let file = file(b"kept");
        let rest = if framing == Framing::TwoWrites {
            put(&peer, &message[..10], &[file.as_fd()]);
            let result = link.receive(&mut inbox, passed());
            assert_eq!(result.unwrap_err(), ReceiveError::TimedOut);
            put(&peer, &message[10..], &[]);
            receive(&link, &mut inbox).unwrap()
        } else {
            put(&peer, &message, &[file.as_fd()]);
            receive(&link, &mut inbox).unwrap()
        };
        assert_eq!(rest.body, b"the rest");
        assert_eq!(content(&rest.fds.take_one().unwrap()), b"kept");
    }
}

#[test]
fn receive_non_blocking_socket_without_deadline_waits() {
    for framing in FRAMINGS {
        let (one, other) = links(framing);
        let flags = nix::fcntl::OFlag::O_NONBLOCK;
        fcntl(other.as_fd(), FcntlArg::F_SETFL(flags)).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                other.receive(&mut Inbox::new(BODY, 0), None).map(|message| message.body.to_vec())
            });
            send(&one, 1, b"at last", &[]).unwrap();
            assert_eq!(waiting.join().unwrap().unwrap(), b"at last", "{framing:?}");
        });
    }
}

#[test]
fn deadline_beyond_the_clock_is_far_away() {
    let deadline = Deadline::after(Duration::MAX);
    assert!(!deadline.has_passed());
    assert!(deadline.remaining() > Duration::from_secs(300 * 24 * 3600));
    assert!(Deadline::now().has_passed());
    assert_eq!(Deadline::now().remaining(), Duration::ZERO);
    assert!(Deadline::now().instant() <= Instant::now());
}

#[test]
fn wait_reports_each_descriptor_for_itself() {
    let (woken, quiet) = (Waker::new().unwrap(), Waker::new().unwrap());
    woken.wake();
    let mut polled = [
        (quiet.as_fd(), Interest::Message, Event::default()),
        (woken.as_fd(), Interest::None, Event { readable: true, writable: true, hung_up: true }),
        (woken.as_fd(), Interest::HangUp, Event::default()),
        (woken.as_fd(), Interest::Message, Event::default()),
        (quiet.as_fd(), Interest::RoomToSend, Event::default()),
    ];
    assert_eq!(wait(&mut polled, passed()), Ok(2));
    let readable = Event { readable: true, ..Event::default() };
    let writable = Event { writable: true, ..Event::default() };
    let nothing = Event::default();
    assert_eq!(polled.map(|entry| entry.2), [nothing, nothing, nothing, readable, writable]);
}

#[test]
fn wait_more_than_the_most_is_refused() {
    let waker = Waker::new().unwrap();
    waker.wake();
    let mut polled = [(waker.as_fd(), Interest::Message, Event::default()); MAX_WAIT + 1];
    assert_eq!(wait(&mut polled, passed()), Err(Errno::EINVAL));
    assert_eq!(wait(&mut polled[1..], passed()), Ok(MAX_WAIT));
}

#[test]
fn wait_and_receive_descriptors_above_1023_work() {
    in_own_process("wait_and_receive_descriptors_above_1023_work", || {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, hard.min(8192), hard).unwrap();
        let waker = Waker::new().unwrap();
        // All numbers below 1100 are taken, so everything that follows lies above.
        let mut taken = Vec::new();
        while taken.len() < 1100 {
            taken.push(waker.as_fd().try_clone_to_owned().unwrap());
        }
        for framing in FRAMINGS {
            let (link, peer) = links(framing);
            let mut polled = [(link.as_fd(), Interest::Message, Event::default())];
            assert!(std::os::fd::AsRawFd::as_raw_fd(&polled[0].0) > 1023);
            assert_eq!(wait(&mut polled, passed()), Ok(0));
            send(&peer, 1, b"high", &[file(b"high").as_fd()]).unwrap();
            assert_eq!(wait(&mut polled, far()), Ok(1));
            assert!(polled[0].2.readable);
            let mut inbox = Inbox::new(BODY, 1);
            let received = receive(&link, &mut inbox).unwrap();
            assert_eq!(content(&received.fds.take_one().unwrap()), b"high");
            let result = link.receive(&mut inbox, Some(Deadline::after(Duration::from_millis(1))));
            assert_eq!(result.unwrap_err(), ReceiveError::TimedOut);
        }
    });
}

#[test]
fn wait_and_receive_interrupted_by_signals_go_on() {
    in_own_process("wait_and_receive_interrupted_by_signals_go_on", || {
        extern "C" fn nothing(_: i32) {}
        let handler: extern "C" fn(i32) = nothing;
        let mut action = libc::sigaction {
            sa_sigaction: handler as libc::sighandler_t,
            // SAFETY: an empty signal set, and null for the obsolete restorer, are all zero.
            ..unsafe { std::mem::zeroed() }
        };
        // Without SA_RESTART every call that waits returns EINTR.
        action.sa_flags = 0;
        // SAFETY: the handler does nothing; `action` outlives the call.
        let result =
            unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
        assert_eq!(result, 0);
        for framing in FRAMINGS {
            for deadline in [None, far()] {
                let (one, other) = links(framing);
                std::thread::scope(|scope| {
                    let (id_out, id_in) = std::sync::mpsc::channel();
                    let waiting = scope.spawn(move || {
                        // SAFETY: asks for this thread's own handle.
                        id_out.send(unsafe { libc::pthread_self() }).unwrap();
                        let mut inbox = Inbox::new(BODY, 0);
                        other.receive(&mut inbox, deadline).map(|message| message.cookie)
                    });
                    let thread = id_in.recv().unwrap();
                    for _ in 0..200 {
                        // SAFETY: the thread lives: it waits for what is sent below.
                        unsafe { libc::pthread_kill(thread, libc::SIGUSR1) };
                        std::thread::yield_now();
                    }
                    send(&one, 7, b"", &[]).unwrap();
                    assert_eq!(waiting.join().unwrap(), Ok(7), "{framing:?}");
                });
            }
        }
    });
}
