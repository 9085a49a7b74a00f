//! Starting a worker and talking to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests state what they expect"
)]

use std::collections::VecDeque;
use std::io::IoSlice;
use std::io::Write as _;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use cami_link::{Event, Framing, Inbox, Interest, Link, ProcessFd, ReceiveError, Sent, wait};
use cami_wire::libcamera::Dialect;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::support::{BODY, far, sockets};

/// A worker executable and the module that goes with it.
pub struct Installed {
    worker: PathBuf,
    module: PathBuf,
    pub dialect: Dialect,
}

/// Looks for the worker of `pipeline` where distributions put it; says so if there is none.
pub fn installed(pipeline: &str) -> Option<Installed> {
    let mut roots: Vec<PathBuf> =
        ["/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/local/lib"].map(PathBuf::from).into();
    // Debian's multiarch folders.
    let below = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    roots.extend(below.map(|entry| entry.path()).filter(|path| path.is_dir()));
    let find = |names: &[String]| {
        let paths = roots.iter().flat_map(|root| names.iter().map(move |name| root.join(name)));
        paths.into_iter().find(|path| path.is_file())
    };
    let worker = find(&[format!("libcamera/{pipeline}_ipa_proxy")]);
    let module =
        find(&[format!("libcamera/ipa_{pipeline}.so"), format!("libcamera/ipa/ipa_{pipeline}.so")]);
    let dialect = roots.iter().find_map(|root| dialect_of(root));
    if let (Some(worker), Some(module), Some(dialect)) = (worker, module, dialect) {
        return Some(Installed { worker, module, dialect });
    }
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: no {pipeline}_ipa_proxy here; install the package libcamera-ipa"
    );
    None
}

/// The wire that the libcamera in `folder` speaks, by its soname.
fn dialect_of(folder: &Path) -> Option<Dialect> {
    let names = std::fs::read_dir(folder).ok()?.flatten();
    names.into_iter().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let mut numbers = name.strip_prefix("libcamera.so.")?.split('.').map(str::parse::<u32>);
        match (numbers.next()?.ok()?, numbers.next()?.ok()?) {
            (0, 0) => Some(Dialect::V0_0),
            (0, 1..=3) => Some(Dialect::V0_1),
            (0, 4..=5) => Some(Dialect::V0_4),
            (0, 6) => Some(Dialect::V0_6),
            _ => Some(Dialect::V0_7_1),
        }
    })
}

/// A message that the worker sent.
#[derive(Debug)]
pub struct Message {
    pub command: u32,
    pub body: Vec<u8>,
}

/// A running worker. It ends with this value, if not before.
pub struct Worker {
    child: Child,
    process: ProcessFd,
    link: Link,
    inbox: Inbox,
    last_cookie: u32,
    events: VecDeque<Message>,
}

impl Worker {
    /// `WORKER MODULE FD`, as libcamera does it, and of our descriptors only the socket.
    pub fn start(installed: &Installed) -> Self {
        let (ours, theirs) = sockets(Framing::TwoDatagrams);
        let mut command = Command::new(&installed.worker);
        command
            .arg(&installed.module)
            .arg(theirs.as_raw_fd().to_string())
            .env("LIBCAMERA_LOG_LEVELS", "*:ERROR")
            .stdin(Stdio::null());
        let keep = move || {
            fcntl(&theirs, FcntlArg::F_SETFD(FdFlag::empty())).map(drop).map_err(Into::into)
        };
        // SAFETY: fcntl is async-signal-safe, and the conversion of its error allocates nothing.
        unsafe { command.pre_exec(keep) };
        let child = command.spawn().unwrap();
        let process = ProcessFd::open(i32::try_from(child.id()).unwrap()).unwrap();
        Self {
            child,
            process,
            link: Link::from_fd(ours).unwrap(),
            inbox: Inbox::new(BODY, 0),
            last_cookie: 0,
            events: VecDeque::new(),
        }
    }

    /// The next cookie. 0 is that of events.
    pub fn cookie(&mut self) -> u32 {
        self.last_cookie += 1;
        self.last_cookie
    }

    /// Sends a call that is not answered.
    pub fn send(&self, message: &[u8], fds: &[BorrowedFd<'_>]) {
        // In pieces, as a client would hand over header and body.
        let (header, body) = message.split_at(8);
        let parts = [IoSlice::new(header), IoSlice::new(body)];
        assert_eq!(self.link.send(&parts, fds, Duration::ZERO), Ok(Sent::Now));
    }

    /// Sends a call and returns the body of its answer. Events that come before it are kept.
    pub fn call(&mut self, message: &[u8], fds: &[BorrowedFd<'_>]) -> Vec<u8> {
        self.send(message, fds);
        loop {
            let (cookie, answer) = self.receive().expect("the worker ended");
            if cookie == 0 {
                self.events.push_back(answer);
                continue;
            }
            assert_eq!(cookie, self.last_cookie);
            assert_eq!(answer.command.to_le_bytes(), message[..4]);
            return answer.body;
        }
    }

    /// The next event.
    pub fn event(&mut self) -> Message {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        let (cookie, event) = self.receive().expect("the worker ended");
        assert_eq!(cookie, 0, "an answer that nobody waits for");
        event
    }

    /// The next message and its cookie; `None` once the worker has ended: the socket never tells.
    pub fn receive(&mut self) -> Option<(u32, Message)> {
        let deadline = far();
        let mut polled = [
            (self.link.as_fd(), Interest::Message, Event::default()),
            (self.process.as_fd(), Interest::Message, Event::default()),
        ];
        assert!(wait(&mut polled, deadline).unwrap() > 0, "neither message nor end");
        // A frame header may have come alone so far; its message follows, or the worker's end.
        let deadline = if polled[1].2.readable { crate::support::passed() } else { deadline };
        match self.link.receive(&mut self.inbox, deadline) {
            Ok(message) => {
                assert!(message.fds.is_empty() && !message.fds_lost);
                let (cookie, command) = (message.cookie, message.command);
                Some((cookie, Message { command, body: message.body.to_vec() }))
            }
            Err(ReceiveError::TimedOut) if polled[1].2.readable => None,
            Err(error) => panic!("{error}"),
        }
    }

    pub fn kill(&self) {
        self.process.kill();
    }

    /// Waits for the worker to end.
    pub fn end(mut self) -> ExitStatus {
        let mut polled = [(self.process.as_fd(), Interest::Message, Event::default())];
        assert_eq!(wait(&mut polled, far()), Ok(1), "the worker does not end");
        self.child.wait().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill();
        self.child.wait().unwrap();
    }
}
