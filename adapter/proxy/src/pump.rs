//! Between the client's stream and a host that the service keeps.
//!
//! The messages are the same on both; only the framing differs. One thread carries those of the
//! client, the other those of the vendor process, and sees every end. Each waits for the slower side,
//! as the sockets themselves would.

use std::convert::Infallible;
use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use cami_link::{
    Deadline, Event, Framing, Inbox, Interest, Link, ReceiveError, Received, SendError, Waiter,
    Waker,
};
use cami_spawn::Connected;
use cami_wire::Header;
use cami_wire::control::{Died, Refused, from_monitor};
use cami_wire::cros::MAX_HEADER_BYTES;
use nix::errno::Errno;

use crate::door::Refusal;

/// The largest body: a request or an update with the largest header, and what is around it.
const MAX_BODY_BYTES: usize = MAX_HEADER_BYTES + 1024;
/// Messages and bytes that may wait for a side that does not read: those of a vendor process.
const BACKLOG: (usize, usize) = (4096, 4 << 20);
/// How long a side may not read at all with its backlog full, until the client is let go.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest control message.
const CONTROL_BYTES: usize = 16 << 10;
/// How long the monitor's word on a death is waited for.
const LAST_WORDS: Duration = Duration::from_millis(250);

struct Pump {
    stream: Link,
    link: Link,
    control: Link,
    /// Wakes the thread that flushes.
    waker: Waker,
}

/// Carries messages until one side ends, which ends the process.
///
/// # Errors
/// Only before anything was received.
pub fn run(stream: OwnedFd, host: Connected) -> Result<Infallible, Refusal> {
    let failed = |what: &str, errno: Errno| Refusal::new(errno, format!("{what}: {errno}"));
    let (messages, bytes) = BACKLOG;
    let stream = Link::of_known_type(stream, Framing::TwoWrites, messages, bytes)
        .map_err(|error| Refusal::new(Errno::EBADF, format!("the stream: {error}")))?;
    let waker = Waker::new().map_err(|errno| failed("eventfd", errno))?;
    let mut waiter = Waiter::new().map_err(|errno| failed("epoll", errno))?;
    let pump = Arc::new(Pump { stream, link: host.link, control: host.control, waker });
    let up = Arc::clone(&pump);
    std::thread::Builder::new()
        .name("cami-pump".to_owned())
        .spawn(move || up.carry_up())
        .map_err(|error| Refusal::new(Errno::EAGAIN, format!("a thread: {error}")))?;
    pump.carry_down(&mut waiter)
}

impl Pump {
    /// From the client to the vendor process.
    fn carry_up(&self) -> ! {
        let mut inbox = Inbox::new(MAX_BODY_BYTES, 1);
        loop {
            match self.stream.receive(&mut inbox, None) {
                Ok(message) => self.forward(message, &self.link),
                Err(ReceiveError::Closed) => end(0),
                Err(error) => {
                    log::error!("the client's stream: {error}");
                    end(1);
                }
            }
        }
    }

    /// From the vendor process to the client.
    fn carry_down(&self, waiter: &mut Waiter) -> ! {
        let mut inbox = Inbox::new(MAX_BODY_BYTES, 1);
        let mut control = Inbox::new(CONTROL_BYTES, 0);
        let mut word_interest = Interest::Message;
        loop {
            let room =
                |link: &Link, otherwise, both| if link.has_backlog() { both } else { otherwise };
            let mut watched = [
                (
                    self.link.as_fd(),
                    room(&self.link, Interest::Message, Interest::MessageOrRoom),
                    Event::default(),
                ),
                (
                    self.stream.as_fd(),
                    room(&self.stream, Interest::HangUp, Interest::RoomToSend),
                    Event::default(),
                ),
                (self.control.as_fd(), word_interest, Event::default()),
                (self.waker.as_fd(), Interest::Message, Event::default()),
            ];
            if let Err(errno) = waiter.wait(&mut watched, None) {
                log::error!("the pump cannot wait: {errno}");
                end(1);
            }
            let [(.., link), (.., stream), (.., word), (.., woken)] = watched;
            if woken.readable {
                self.waker.drain();
            }
            for (event, side) in [(link, &self.link), (stream, &self.stream)] {
                if event.writable && side.flush().is_err() {
                    end(1);
                }
            }
            if (word.readable || word.hung_up) && !self.hear(&mut control, Deadline::now()) {
                // The monitor has ended; what is left is on the link.
                word_interest = Interest::None;
            }
            if link.readable || link.hung_up {
                match self.link.receive(&mut inbox, Some(Deadline::now())) {
                    Ok(message) => self.forward(message, &self.stream),
                    Err(ReceiveError::TimedOut) => {}
                    Err(error) => {
                        // Says why, if the monitor does.
                        let until = Deadline::after(LAST_WORDS);
                        while self.hear(&mut control, until) && !until.has_passed() {}
                        log::debug!("the host's link: {error}");
                        end(1);
                    }
                }
            }
            if stream.hung_up {
                end(0);
            }
        }
    }

    fn forward(&self, message: Received<'_>, to: &Link) {
        let Received { command, cookie, body, fds, fds_lost, .. } = message;
        if fds_lost {
            log::error!("a descriptor is lost: this process has no free one (RLIMIT_NOFILE)");
        }
        let header = Header { command, cookie }.encode();
        let fds = fds.into_vec();
        let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        match to.send(&[IoSlice::new(&header), IoSlice::new(body)], &fds, PATIENCE) {
            Ok(_) => {}
            // The other thread sees it, and what it said before is carried first.
            Err(SendError::Closed) => {}
            Err(error) => {
                log::error!("a message cannot be passed on: {error}");
                end(1);
            }
        }
        if to.has_backlog() {
            self.waker.wake();
        }
    }

    /// What the monitor says, for the log: the client of a stream has no control socket. False once
    /// it says nothing more.
    fn hear(&self, inbox: &mut Inbox, until: Deadline) -> bool {
        let message = match self.control.receive(inbox, Some(until)) {
            Ok(message) => message,
            Err(error) => return error == ReceiveError::TimedOut,
        };
        match message.command {
            from_monitor::DIED => {
                if let Ok(died) = Died::decode(message.body) {
                    log::error!("the camera algorithm's process died: {}", died.cause);
                }
            }
            from_monitor::REFUSED => {
                if let Ok(refused) = Refused::decode(message.body) {
                    log::error!("the host refused: {}", refused.reason);
                }
            }
            _ => {}
        }
        true
    }
}

/// Ends the process: the stream's end of file is what the client gets.
fn end(code: i32) -> ! {
    // SAFETY: _exit has no preconditions; nothing of ours needs an orderly end.
    unsafe { libc::_exit(code) }
}
