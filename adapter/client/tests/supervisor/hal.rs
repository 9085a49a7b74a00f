//! What a HAL does, for scenarios.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use cami_abi::{Callbacks, CameraAlgorithm};
use cami_client::{Options, Supervisor};
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::fake_host::BEHAVIOUR;

/// What came through the callbacks.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Returned(u32, u32, i32),
    Notified(u32),
    /// Number, header, size of the buffer.
    Updated(u32, Vec<u8>, Option<i64>),
}

type Reaction = Box<dyn Fn(&Seen) + Send + Sync>;

/// Callbacks that hand on what they see, after doing what the scenario wants.
pub struct Recorder {
    seen: Mutex<Sender<Seen>>,
    reaction: Reaction,
    /// The buffer of the last update.
    pub buffer: Mutex<Option<OwnedFd>>,
}

impl Recorder {
    fn see(&self, seen: Seen) {
        (self.reaction)(&seen);
        // A scenario that has ended its receiver wants to see no more.
        let _ = self.seen.lock().unwrap().send(seen);
    }
}

impl Callbacks for Recorder {
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        self.see(Seen::Returned(req_id, status, buffer_handle));
    }

    fn notify(&self, message: u32) {
        self.see(Seen::Notified(message));
    }

    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        let size = fd.as_ref().map(|fd| {
            let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
            i64::try_from(std::fs::metadata(path).unwrap().len()).unwrap()
        });
        *self.buffer.lock().unwrap() = fd;
        self.see(Seen::Updated(upd_id, header.to_vec(), size));
    }
}

pub fn recorder() -> (Arc<Recorder>, Receiver<Seen>) {
    reacting(|_| {})
}

pub fn reacting(
    reaction: impl Fn(&Seen) + Send + Sync + 'static,
) -> (Arc<Recorder>, Receiver<Seen>) {
    let (sender, receiver) = channel();
    let recorder = Recorder {
        seen: Mutex::new(sender),
        reaction: Box::new(reaction),
        buffer: Mutex::new(None),
    };
    (Arc::new(recorder), receiver)
}

pub fn supervisor() -> Arc<Supervisor> {
    Arc::new(Supervisor::new(Options {
        module: PathBuf::from("/nowhere/libcam_algo.so"),
        environment_trusted: true,
        socket: None,
        host: None,
    }))
}

/// A supervisor with a running host.
pub fn running() -> (Arc<Supervisor>, Receiver<Seen>) {
    let supervisor = supervisor();
    let (callbacks, seen) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0, "{:?}", log_lines());
    (supervisor, seen)
}

/// Sets a variable for the next host.
pub fn set(name: &str, value: &str) {
    // SAFETY: only this thread reads or writes the environment, when it starts hosts.
    unsafe { std::env::set_var(name, value) };
}

/// How the next host behaves.
pub fn next_host(behaviour: &str) {
    set(BEHAVIOUR, behaviour);
}

pub fn buffer(size: i64) -> OwnedFd {
    let fd = memfd_create(c"buffer", MFdFlags::MFD_CLOEXEC).unwrap();
    nix::unistd::ftruncate(&fd, size).unwrap();
    fd
}

/// Open descriptors of this process, but for the one that counts them.
pub fn open_fds() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

pub fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// No host is left, not even as a zombie.
pub fn assert_no_children() {
    assert_eq!(waitpid(Pid::from_raw(-1), None), Err(Errno::ECHILD));
}

/// The only child: the host. Between two hosts there is none for a moment, which this waits for.
pub fn host_pid() -> i32 {
    loop {
        // Hosts are started by whichever thread initialises, or by the reader.
        let found = std::fs::read_dir("/proc/self/task")
            .unwrap()
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
            .find_map(|children| children.split_whitespace().next()?.parse().ok());
        if let Some(pid) = found {
            return pid;
        }
        std::thread::yield_now();
    }
}

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static PANIC_ON: Mutex<Option<&str>> = Mutex::new(None);

/// The logger panics on the next line with this part: the one piece of code of others that runs in
/// the midst of a recovery.
pub fn panic_on(part: &'static str) {
    *PANIC_ON.lock().unwrap() = Some(part);
}

struct Capture;

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{}: {}", record.level(), record.args());
        eprintln!("{line}");
        let wanted = PANIC_ON.lock().unwrap().take_if(|part| line.contains(*part));
        assert!(wanted.is_none(), "as the scenario wants");
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

pub fn capture_log() {
    log::set_logger(&Capture).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
}

pub fn log_lines() -> Vec<String> {
    LINES.lock().unwrap().clone()
}

pub fn forget_log() {
    LINES.lock().unwrap().clear();
}

/// Exactly one error line, and it has all these parts.
pub fn assert_one_error(parts: &[&str]) {
    let lines: Vec<String> =
        log_lines().into_iter().filter(|line| line.starts_with("ERROR")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in parts {
        assert!(lines[0].contains(part), "{part:?} is not in {lines:?}");
    }
}
