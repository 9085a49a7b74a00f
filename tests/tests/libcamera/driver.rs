//! libcamera's side of a worker: starts it as libcamera does, and sends it what was recorded.

use std::fs::File;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use cami_link::{Deadline, Event, Inbox, Interest, Link, ProcessFd, wait};
use cami_tests::{PATIENCE, artefact};

use crate::captures::{Direction, Message, messages};

/// A running worker.
pub struct Worker {
    pub child: Child,
    pub process: ProcessFd,
    pub link: Link,
    inbox: Inbox,
}

/// A pair as libcamera makes it.
pub fn sockets() -> (OwnedFd, OwnedFd) {
    let mut pair = [0; 2];
    let kind = libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: an array of two numbers.
    assert_eq!(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) }, 0);
    pair.map(|fd| {
        // SAFETY: just made, and nobody else's.
        unsafe { OwnedFd::from_raw_fd(fd) }
    })
    .into()
}

/// `ipu3_ipa_proxy MODULE FD`, with nothing of ours in its environment.
pub fn command(worker: &Path, module: &Path, socket: &OwnedFd) -> Command {
    let mut command = Command::new(worker);
    command.arg(module).arg(socket.as_raw_fd().to_string()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CAMI_IPA_")) {
            command.env_remove(name);
        }
    }
    // A configuration of the machine must not decide a test, and nothing is left on it.
    command.env("CAMI_IPA_CONFIG", "/dev/null").env("CAMI_IPA_STATUS_DIR", "/nowhere/cami-ipa");
    let number = socket.as_raw_fd();
    let keep = move || {
        // SAFETY: numbers only; async-signal-safe.
        unsafe { libc::fcntl(number, libc::F_SETFD, 0) };
        Ok(())
    };
    // SAFETY: see there.
    unsafe { command.pre_exec(keep) };
    command
}

impl Worker {
    /// Our worker with our module.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let (ours, theirs) = sockets();
        let module = artefact(cami_libcamera::MODULE_NAME);
        let mut command = command(&artefact(cami_libcamera::WORKER), &module, &theirs);
        command.envs(settings.iter().copied()).stderr(Stdio::null());
        Self::adopt(command, ours)
    }

    pub fn adopt(mut command: Command, ours: OwnedFd) -> Self {
        let child = command.spawn().unwrap();
        let process = ProcessFd::open(i32::try_from(child.id()).unwrap()).unwrap();
        Self { child, process, link: Link::from_fd(ours).unwrap(), inbox: Inbox::new(1 << 20, 0) }
    }

    pub fn send(&self, message: &[u8], files: &[File]) {
        let fds: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        self.link.send(&[IoSlice::new(message)], &fds, PATIENCE).unwrap();
    }

    /// The next message: command, cookie, body.
    pub fn receive(&mut self) -> (u32, u32, Vec<u8>) {
        let until = Some(Deadline::after(PATIENCE));
        let message = self.link.receive(&mut self.inbox, until).expect("no answer");
        (message.command, message.cookie, message.body.to_vec())
    }

    /// The return value of the recorded `init` of a libcamera.
    pub fn init(&mut self, capture: &str) -> i32 {
        let init = calls(capture).remove(0);
        self.send(&init.bytes, &[]);
        let (command, cookie, body) = self.receive();
        assert_eq!((command, cookie), (1, 0));
        i32::from_le_bytes(body[..4].try_into().unwrap())
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        let mut polled = [(self.process.as_fd(), Interest::Message, Event::default())];
        assert_eq!(wait(&mut polled, Some(Deadline::after(PATIENCE))), Ok(1), "it does not end");
        self.child.wait().unwrap()
    }

    /// `Exit`.
    pub fn exit(mut self) {
        self.send(&[0; 8], &[]);
        assert_eq!(self.end().code(), Some(0));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill();
        let _ = self.child.wait();
    }
}

/// libcamera's side of a recording.
pub fn calls(capture: &str) -> Vec<Message> {
    messages(capture)
        .into_iter()
        .filter(|message| message.direction == Direction::HostToWorker)
        .collect()
}

/// A file in memory, as a stand-in for a dma-buf.
pub fn memory(bytes: usize, content: u8) -> File {
    // SAFETY: a C string and flags.
    let fd = unsafe { libc::memfd_create(c"buffer".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0);
    // SAFETY: just made, and nobody else's.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.write_all_at(&vec![content; bytes], 0).unwrap();
    file
}
