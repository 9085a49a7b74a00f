//! libcamera's side of a worker (`IPAProxyIPU3` and `IPCPipeUnixSocket`): starts it as libcamera does,
//! calls it, and takes its events.

use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cami_link::{Deadline, Event as Polled, Inbox, Interest, Link, ProcessFd, ReceiveError, wait};
use cami_wire::libcamera::ipu3::{Call, Event, Reply};
use cami_wire::libcamera::{ControlSerializer, Dialect, Role};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

/// Time that libcamera waits for a reply (`IPCPipeUnixSocket`, since ever). Set-up gets more: how long a
/// library takes to come up on a busy machine is not what is compared.
pub const PATIENCE: Duration = Duration::from_secs(2);
const SET_UP: Duration = Duration::from_secs(20);
/// Largest message: metadata and maps have some 100 bytes, and no socket takes more.
const MOST_BYTES: usize = 1 << 20;
/// Messages that are taken between two of ours. A frame has three; those of frames that were given up
/// may come with them. A worker that floods would otherwise be listened to for ever.
const MOST_MESSAGES: u32 = 64;

/// What goes wrong between libcamera and a worker.
#[derive(Debug)]
pub struct WorkerError(String);

impl WorkerError {
    /// An error with that text.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }

    /// The same of something that has failed.
    pub fn at<E: fmt::Display>(what: &'static str) -> impl Fn(E) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event, and when it came.
#[derive(Debug)]
pub struct Dated {
    /// The event.
    pub event: Event,
    /// When it was received.
    pub at: Instant,
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    process: ProcessFd,
    link: Link,
    inbox: Inbox,
    dialect: Dialect,
    /// What both sides know of each other's control maps.
    pub serializer: ControlSerializer,
    next_cookie: u32,
    events: VecDeque<Dated>,
    /// Messages that may still come before the next of ours.
    allowed: u32,
}

impl Worker {
    /// Starts `command` with the number of a socket as its last argument.
    pub fn start(mut command: Command, dialect: Dialect) -> Result<Self, WorkerError> {
        let failed = WorkerError::at::<nix::errno::Errno>("a socket pair");
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let (ours, theirs): (OwnedFd, OwnedFd) =
            socketpair(AddressFamily::Unix, SockType::Datagram, None, flags).map_err(&failed)?;
        let link = Link::from_fd(ours).map_err(WorkerError::at("a socket"))?;
        // This program has no other thread that could start something meanwhile.
        fcntl(&theirs, FcntlArg::F_SETFD(FdFlag::empty())).map_err(&failed)?;
        command.arg(theirs.as_raw_fd().to_string()).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().map_err(|error| {
            let program = command.get_program().display();
            WorkerError::new(format!("{program} cannot be started: {error}"))
        })?;
        drop(theirs);
        let pid = i32::try_from(child.id()).map_err(WorkerError::at("a process"))?;
        let process = ProcessFd::open(pid).map_err(WorkerError::at("the worker's process"))?;
        let serializer = ControlSerializer::new(Role::Proxy);
        let inbox = Inbox::new(MOST_BYTES, 0);
        let events = VecDeque::new();
        let (next_cookie, allowed) = (0, MOST_MESSAGES);
        let own =
            Self { child, process, link, inbox, dialect, serializer, next_cookie, events, allowed };
        Ok(own)
    }

    /// Number of its process.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    fn send(&mut self, call: &Call, fds: &[BorrowedFd<'_>]) -> Result<u32, WorkerError> {
        let cookie = self.next_cookie;
        self.next_cookie = cookie.wrapping_add(1);
        let message = call.encode(cookie, self.dialect).map_err(WorkerError::at("a message"))?;
        let sent = self.link.send(&[IoSlice::new(&message)], fds, PATIENCE);
        sent.map_err(WorkerError::at("the worker does not take a message"))?;
        self.allowed = MOST_MESSAGES;
        Ok(cookie)
    }

    /// A call that is not answered.
    pub fn tell(&mut self, call: &Call) -> Result<Instant, WorkerError> {
        self.send(call, &[])?;
        Ok(Instant::now())
    }

    /// A call that is answered, and its answer. Events that come before it are kept.
    pub fn ask(&mut self, call: &Call, fds: &[BorrowedFd<'_>]) -> Result<Reply, WorkerError> {
        let cookie = self.send(call, fds)?;
        let command = call.command();
        let until = Deadline::after(SET_UP);
        loop {
            // The deadline of an empty socket is the link's; here is that of one that is never empty.
            let message = if until.has_passed() { None } else { self.receive(until)? };
            let (number, found, body) = message
                .ok_or_else(|| WorkerError::new(format!("call {command} is not answered")))?;
            // libcamera tells answers by their cookie alone; that of `init` is an event's too.
            if found == cookie && number == command {
                return Reply::decode(command, &body, self.dialect)
                    .map_err(WorkerError::at("an answer"));
            }
            self.keep(number, &body)?;
        }
    }

    /// The next event, waited for until the deadline; `None` if there is none by then.
    pub fn event(&mut self, until: Deadline) -> Result<Option<Dated>, WorkerError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        let Some((number, _, body)) = self.receive(until)? else { return Ok(None) };
        self.keep(number, &body)?;
        Ok(self.events.pop_front())
    }

    fn keep(&mut self, number: u32, body: &[u8]) -> Result<(), WorkerError> {
        let event = Event::decode(number, body, self.dialect);
        let event = event.map_err(WorkerError::at("an event"))?;
        self.events.push_back(Dated { event, at: Instant::now() });
        Ok(())
    }

    /// The next message: number, cookie, body. A worker that has ended is an error at once: its socket,
    /// being of datagrams, says nothing of it (spec/libcamera-ipa.md, 5, number 3).
    fn receive(&mut self, until: Deadline) -> Result<Option<(u32, u32, Vec<u8>)>, WorkerError> {
        let mut polled = [
            (self.link.as_fd(), Interest::Message, Polled::default()),
            (self.process.as_fd(), Interest::Message, Polled::default()),
        ];
        wait(&mut polled, Some(until)).map_err(WorkerError::at("waiting"))?;
        let [(_, _, message), (_, _, ended)] = polled;
        if ended.readable && !message.readable {
            let status = self.child.wait().map_err(WorkerError::at("the worker"))?;
            return Err(WorkerError::new(format!("the worker has ended: {status}")));
        }
        match self.link.receive(&mut self.inbox, Some(until)) {
            Ok(_) if self.allowed == 0 => Err(WorkerError::new(format!(
                "the worker sends more than {MOST_MESSAGES} messages that nobody waits for"
            ))),
            Ok(message) => {
                self.allowed -= 1;
                Ok(Some((message.command, message.cookie, message.body.to_vec())))
            }
            Err(ReceiveError::TimedOut) => Ok(None),
            Err(error) => Err(WorkerError::new(error)),
        }
    }

    /// `Exit`, and the worker's end.
    pub fn exit(mut self) -> Result<(), WorkerError> {
        self.tell(&Call::Exit)?;
        let mut polled = [(self.process.as_fd(), Interest::Message, Polled::default())];
        wait(&mut polled, Some(Deadline::after(PATIENCE))).map_err(WorkerError::at("waiting"))?;
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
pub mod fake {
    //! A worker that is a thread of the test.

    use super::*;

    /// A worker whose side of the socket is returned. Its process does nothing.
    pub fn worker() -> (Worker, Link) {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::Datagram, None, flags).expect("a pair");
        let child = Command::new("sleep").arg("600").spawn().expect("a process");
        let process =
            ProcessFd::open(i32::try_from(child.id()).expect("a pid")).expect("a process");
        let worker = Worker {
            child,
            process,
            link: Link::from_fd(ours).expect("a link"),
            inbox: Inbox::new(MOST_BYTES, 0),
            dialect: Dialect::V0_7_1,
            serializer: ControlSerializer::new(Role::Proxy),
            // An event's cookie is 0.
            next_cookie: 7,
            events: VecDeque::new(),
            allowed: MOST_MESSAGES,
        };
        (worker, Link::from_fd(theirs).expect("a link"))
    }

    /// Sends one event as fast as it is taken, until nobody does.
    pub fn flood(link: Link, event: &Event) -> std::thread::JoinHandle<()> {
        let message = event.encode(Dialect::V0_7_1).expect("an event");
        std::thread::spawn(move || {
            while link.send(&[IoSlice::new(&message)], &[], Duration::from_secs(20)).is_ok() {}
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_floods_is_given_up() {
        let (mut worker, theirs) = fake::worker();
        let flood = fake::flood(theirs, &Event::ParamsComputed { frame: 7 });
        let error = worker.ask(&Call::Start, &[]).expect_err("no answer among so much");
        assert!(error.to_string().contains("nobody waits for"), "{error}");
        assert!(worker.events.len() <= MOST_MESSAGES as usize);
        drop(worker);
        flood.join().expect("the flood ends with the socket");
    }
}
