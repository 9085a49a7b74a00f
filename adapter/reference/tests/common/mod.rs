//! A HAL as small as can be: buffers in memfds, requests, answers as events.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs,
    missing_debug_implementations,
    reason = "test helpers; each test file uses some of them"
)]

pub mod camera;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use cam_algo_reference::Server;
use cami_abi::{Callbacks, CameraAlgorithm};
use cami_ipu3::{Command, HEADER, Pod, bytes_of, bytes_of_mut, zeroed_box};
use nix::sys::memfd::{MFdFlags, memfd_create};
use parking_lot::Mutex;

/// A test that waits this long has failed; none waits for time to pass.
const NEVER: Duration = Duration::from_secs(120);

/// One `return_callback`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub req_id: u32,
    pub status: u32,
    pub handle: i32,
    pub thread: String,
}

/// What a callback does besides reporting; it may call back in.
type Hook = Box<dyn Fn(&Answer) + Send + Sync>;

/// Callbacks that report each answer.
pub struct Events {
    answers: Mutex<Sender<Answer>>,
    hook: Option<Hook>,
}

impl Events {
    pub fn new() -> (Arc<Self>, Receiver<Answer>) {
        Self::build(None)
    }

    pub fn with_hook(hook: Hook) -> (Arc<Self>, Receiver<Answer>) {
        Self::build(Some(hook))
    }

    fn build(hook: Option<Hook>) -> (Arc<Self>, Receiver<Answer>) {
        let (sender, answers) = channel();
        (Arc::new(Self { answers: Mutex::new(sender), hook }), answers)
    }
}

impl Callbacks for Events {
    fn returned(&self, req_id: u32, status: u32, handle: i32) {
        let thread = thread::current().name().unwrap_or("").to_owned();
        let answer = Answer { req_id, status, handle, thread };
        if let Some(hook) = &self.hook {
            hook(&answer);
        }
        let _ = self.answers.lock().send(answer);
    }
    fn notify(&self, message: u32) {
        panic!("notify {message}");
    }
    fn update(&self, upd_id: u32, _header: &[u8], _fd: Option<OwnedFd>) {
        panic!("update {upd_id}");
    }
}

/// Waits for an answer.
pub fn wait(answers: &Receiver<Answer>) -> Answer {
    answers.recv_timeout(NEVER).expect("no answer came")
}

/// A buffer as its owner sees it: reads and writes go through the file, not through a mapping.
pub struct Buffer {
    pub file: File,
    pub handle: i32,
    pub size: usize,
}

pub fn memfd(size: usize) -> File {
    let fd = memfd_create(c"test", MFdFlags::MFD_CLOEXEC).expect("a memfd");
    let file = File::from(fd);
    file.set_len(size as u64).expect("a size");
    file
}

impl Buffer {
    pub fn register(server: &dyn CameraAlgorithm, size: usize) -> Self {
        let file = memfd(size);
        let handle = server.register_buffer(file.try_clone().expect("a second fd").into());
        assert!(handle > 0, "register_buffer returned {handle}");
        Self { file, handle, size }
    }

    pub fn fill(&self, bytes: &[u8]) {
        self.file.write_all_at(bytes, 0).expect("written");
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size];
        self.file.read_exact_at(&mut bytes, 0).expect("read");
        bytes
    }

    pub fn payload<T: Pod>(&self) -> Box<T> {
        let mut payload = zeroed_box::<T>();
        self.file.read_exact_at(bytes_of_mut(&mut *payload), 0).expect("read");
        payload
    }
}

/// A client of one server that has one buffer per command, as the HAL has.
pub struct Hal {
    pub server: Server,
    pub answers: Receiver<Answer>,
}

impl Hal {
    pub fn new() -> Self {
        let (events, answers) = Events::new();
        let server = Server::new();
        assert_eq!(server.initialize(events), 0);
        Self { server, answers }
    }

    pub fn buffer(&self, size: usize) -> Buffer {
        Buffer::register(&self.server, size)
    }

    /// Requests and waits for the status.
    pub fn status(&self, command: Command, handle: i32) -> u32 {
        self.server.request(command.number(), &HEADER, handle);
        let answer = wait(&self.answers);
        assert_eq!((answer.req_id, answer.handle), (command.number(), handle));
        answer.status
    }

    /// One request in a buffer of its own: the status and the payload afterwards.
    pub fn call<T: Pod>(&self, command: Command, payload: &T) -> (u32, Box<T>) {
        assert!(size_of::<T>() >= command.payload_bytes());
        let buffer = self.buffer(size_of::<T>());
        buffer.fill(bytes_of(payload));
        let status = self.status(command, buffer.handle);
        let payload = buffer.payload();
        self.server.deregister_buffers(&[buffer.handle]);
        (status, payload)
    }

    /// The same of a request that must succeed.
    pub fn good<T: Pod>(&self, command: Command, payload: &T) -> Box<T> {
        let (status, payload) = self.call(command, payload);
        assert_eq!(status, 0, "{}", command.name());
        payload
    }

    /// The same, filled in place.
    pub fn fill<T: Pod>(&self, command: Command, fill: impl FnOnce(&mut T)) -> Box<T> {
        let mut payload = zeroed_box::<T>();
        fill(&mut payload);
        self.good(command, &*payload)
    }
}

impl Drop for Hal {
    fn drop(&mut self) {
        self.server.deinitialize();
    }
}
