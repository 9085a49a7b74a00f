//! libcamera's side.

use std::collections::VecDeque;
use std::fs::File;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cami_ipu3_ipa::PARAMS_BYTES;
use cami_link::{Deadline, Event, Inbox, Interest, Link, ProcessFd, ReceiveError, wait};
use cami_wire::libcamera::ipu3::{self, Call, Reply};
use cami_wire::libcamera::{ControlSerializer, Dialect, Role};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use tempfile::TempDir;

use crate::worker::{JOURNAL, NO_HURRY, SCRIPT, SOCKET};

pub const V4L2_CID_EXPOSURE: u32 = 0x0098_0911;
pub const V4L2_CID_ANALOGUE_GAIN: u32 = 0x009e_0903;
pub const V4L2_CID_FOCUS_ABSOLUTE: u32 = 0x009a_090a;
/// Nothing that is promised takes so long.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// What a machine may add that is busy with other tests: less than any wait of the IPA's here.
pub const SLACK: Duration = Duration::from_millis(250);

/// In a folder of each host's own.
const JOURNAL_FILE: &str = "journal";

/// A message, and when it came.
#[derive(Clone, Debug)]
pub struct Message {
    pub command: u32,
    pub cookie: u32,
    pub body: Vec<u8>,
    pub at: Instant,
}

/// libcamera with a worker.
pub struct Host {
    pub child: Child,
    pub process: ProcessFd,
    pub link: Link,
    pub dialect: Dialect,
    pub serializer: ControlSerializer,
    pub params: Vec<File>,
    pub statistics: Vec<File>,
    inbox: Inbox,
    next_cookie: u32,
    events: VecDeque<(ipu3::Event, Instant)>,
    /// Where its IPA writes.
    room: TempDir,
    /// How long frames took to be answered.
    pub times: Vec<Duration>,
}

/// A pair as libcamera makes it.
pub fn sockets() -> (OwnedFd, OwnedFd) {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    socketpair(AddressFamily::Unix, SockType::Datagram, None, flags).unwrap()
}

/// This program as the worker.
pub fn command(theirs: OwnedFd, script: &str, journal: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "worker::scripted_worker", "--nocapture", "--test-threads=1"])
        .env(SOCKET, theirs.as_raw_fd().to_string())
        .env(SCRIPT, script)
        .env(JOURNAL, journal)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let keep =
        move || fcntl(&theirs, FcntlArg::F_SETFD(FdFlag::empty())).map(drop).map_err(Into::into);
    if !matches!(script.split('@').next(), Some("hang" | "slow" | "late" | "panic")) {
        command.env(NO_HURRY, "1");
    }
    // SAFETY: fcntl is async-signal-safe, and the conversion of its error allocates nothing.
    unsafe { command.pre_exec(keep) };
    command
}

impl Host {
    pub fn start(script: &str, dialect: Dialect) -> Self {
        let (ours, theirs) = sockets();
        let room = tempfile::tempdir().unwrap();
        let child = command(theirs, script, &room.path().join(JOURNAL_FILE)).spawn().unwrap();
        let process = ProcessFd::open(i32::try_from(child.id()).unwrap()).unwrap();
        Self {
            child,
            process,
            link: Link::from_fd(ours).unwrap(),
            dialect,
            serializer: ControlSerializer::new(Role::Proxy),
            params: Vec::new(),
            statistics: Vec::new(),
            inbox: Inbox::new(1 << 20, 0),
            next_cookie: 0,
            events: VecDeque::new(),
            room,
            times: Vec::new(),
        }
    }

    /// A frame's answer came in time, but for what the machine may add.
    pub fn in_time(&mut self, call: Instant, event: Instant) {
        let took = event.saturating_duration_since(call);
        assert!(took <= cami_door::limits::FRAME + SLACK, "{took:?}");
        self.times.push(took);
    }

    /// Nine of ten were in time to the millisecond; the rest is the machine's.
    pub fn was_in_time(&mut self) {
        self.times.sort_unstable();
        let ninth = self.times[self.times.len() * 9 / 10];
        assert!(ninth <= cami_door::limits::FRAME, "{:?}", self.times);
    }

    /// Up to a running stream.
    pub fn streaming(script: &str) -> Self {
        let mut host = Self::start(script, Dialect::V0_6);
        assert_eq!(host.init().0, 0);
        assert_eq!(host.configure(false).0, 0);
        host.map();
        assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 });
        host
    }

    /// As libcamera: from 0 on.
    pub fn cookie(&mut self) -> u32 {
        let cookie = self.next_cookie;
        self.next_cookie += 1;
        cookie
    }

    pub fn tell(&mut self, call: &Call) -> Instant {
        let cookie = self.cookie();
        let message = call.encode(cookie, self.dialect).unwrap();
        self.send(&message, &[]);
        Instant::now()
    }

    pub fn send(&self, message: &[u8], fds: &[BorrowedFd<'_>]) {
        self.link.send(&[IoSlice::new(message)], fds, PATIENCE).unwrap();
    }

    pub fn ask(&mut self, call: &Call) -> Reply {
        self.ask_with(call, &[]).0
    }

    /// The answer, and how long it took.
    pub fn ask_with(&mut self, call: &Call, fds: &[BorrowedFd<'_>]) -> (Reply, Duration) {
        let cookie = self.cookie();
        let message = call.encode(cookie, self.dialect).unwrap();
        let before = Instant::now();
        self.send(&message, fds);
        let answer = self.answer(call.command(), cookie);
        let reply = Reply::decode(call.command(), &answer.body, self.dialect).unwrap();
        // Number 20: what we would have written is what came, reserved bytes and all.
        let again = reply.encode(cookie, self.dialect).unwrap();
        assert_eq!(again[8..], answer.body, "padding is not zero");
        (reply, answer.at - before)
    }

    /// The next message with that cookie; events that come before it are kept.
    pub fn answer(&mut self, command: u32, cookie: u32) -> Message {
        loop {
            let message = self.receive(PATIENCE).expect("no answer");
            // While `init` waits, what has cookie 0 is its answer for libcamera (number 6).
            if message.cookie == cookie && (cookie != 0 || command == ipu3::command::INIT) {
                assert_eq!(message.command, command, "an answer to another call: {message:?}");
                return message;
            }
            let event = self.event_of(&message);
            self.events.push_back((event, message.at));
        }
    }

    fn event_of(&self, message: &Message) -> ipu3::Event {
        assert_eq!(message.cookie, 0, "an answer that nobody waits for: {message:?}");
        let event = ipu3::Event::decode(message.command, &message.body, self.dialect).unwrap();
        let again = event.encode(self.dialect).unwrap();
        assert_eq!(again[8..], message.body, "padding is not zero");
        event
    }

    /// The next event, and when it came.
    pub fn event(&mut self) -> (ipu3::Event, Instant) {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        let message = self.receive(PATIENCE).expect("no event");
        (self.event_of(&message), message.at)
    }

    pub fn next(&mut self) -> ipu3::Event {
        self.event().0
    }

    /// Nothing has come, and nothing comes for that long.
    pub fn silent(&mut self, time: Duration) {
        assert!(self.events.is_empty(), "{:?}", self.events);
        let message = self.receive(time);
        assert!(message.is_none(), "{message:?}");
    }

    /// The next message within that time.
    pub fn receive(&mut self, time: Duration) -> Option<Message> {
        match self.link.receive(&mut self.inbox, Some(Deadline::after(time))) {
            Ok(message) => Some(Message {
                command: message.command,
                cookie: message.cookie,
                body: message.body.to_vec(),
                at: Instant::now(),
            }),
            Err(ReceiveError::TimedOut) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// First and last byte of the parameters that a frame got.
    pub fn params_of(&self, frame: u32) -> [u8; 2] {
        let file = &self.params[(frame % 4) as usize];
        let mut bytes = vec![0; PARAMS_BYTES];
        file.read_exact_at(&mut bytes, 0).unwrap();
        [bytes[0], bytes[PARAMS_BYTES - 1]]
    }

    /// The lines that the IPA has written.
    pub fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.room.path().join(JOURNAL_FILE)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for the worker to end.
    pub fn end(&mut self) -> ExitStatus {
        let mut polled = [(self.process.as_fd(), Interest::Message, Event::default())];
        let until = Some(Deadline::after(PATIENCE));
        assert_eq!(wait(&mut polled, until), Ok(1), "the worker does not end");
        self.child.wait().unwrap()
    }

    /// It still lives, and serves.
    pub fn exit(mut self) {
        self.tell(&Call::Exit);
        assert_eq!(self.end().code(), Some(0));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.process.kill();
        let _ = self.child.wait();
    }
}
