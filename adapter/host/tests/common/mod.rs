//! A client that speaks the link by hand, and the library that it has run.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: a failure here is the test's failure, and each test uses a part of it"
)]

pub mod outer;

use std::fs::File;
use std::io::{IoSlice, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use cami_link::{Deadline, Inbox, Link, ReceiveError, seqpacket_pair};
use cami_wire::Header;
use cami_wire::control::FromMonitor;
use cami_wire::cros::{
    Init, InitReply, PROTOCOL_VERSION, RegisterBuffer, Request, ReturnValue, Returned, Settings,
    command, event,
};

/// Nothing in these tests takes this long; it only keeps a failure from hanging.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The library of library.c.
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Test programs run at the same time: each has its own copy.
        let path = target.join(format!("libhost_test_{}.so", std::process::id()));
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-g", "-Wall", "-Wl,--build-id", "-I"])
            .arg(root.join("../../include"))
            .arg("-o")
            .arg(&path)
            .arg(root.join("tests/common/library.c"))
            .status()
            .expect("cc runs");
        assert!(status.success(), "library.c compiles");
        path
    })
}

/// What came on the link.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    Reply(u32, Vec<u8>),
    Returned(Returned),
    Updated(u32, Vec<u8>, bool),
    Closed,
}

/// A host and the client's ends of its sockets.
pub struct Host {
    pub process: Child,
    pub link: Link,
    pub control: Option<Link>,
    inbox: Inbox,
    cookie: u32,
    pub last_fd: Option<OwnedFd>,
}

/// How to start a host.
pub struct Setup {
    pub module: PathBuf,
    pub variables: Vec<(String, String)>,
    pub pair: (OwnedFd, OwnedFd),
    pub control: bool,
    /// Runs the host through a shell that waits for it and can be killed.
    pub through_shell: bool,
    /// Runs it under a filter that answers `ptrace` with EPERM.
    pub refuse_ptrace: bool,
    /// The most descriptors that the host and its vendor process may have.
    pub max_files: Option<u64>,
    /// An outer filter, as of a container.
    outer: Option<outer::Program>,
}

impl Setup {
    pub fn new() -> Self {
        Self {
            module: library().to_path_buf(),
            variables: Vec::new(),
            pair: seqpacket_pair().unwrap(),
            control: true,
            through_shell: false,
            refuse_ptrace: false,
            max_files: None,
            outer: None,
        }
    }

    /// Starts the host under an outer filter that lets everything through but `calls`.
    pub fn outer(mut self, answer: outer::Answer, calls: &[i64]) -> Self {
        self.outer = Some(outer::Program::new(answer, calls));
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn start(self) -> Host {
        let (near, far) = self.pair;
        let (control, far_control) = seqpacket_pair().unwrap();
        let mut arguments: Vec<std::ffi::OsString> =
            vec![self.module.into(), far.as_raw_fd().to_string().into()];
        let mut inherited = vec![far.as_raw_fd()];
        if self.control {
            arguments.extend(["--control".into(), far_control.as_raw_fd().to_string().into()]);
            inherited.push(far_control.as_raw_fd());
        }
        let program = env!("CARGO_BIN_EXE_cros_ipa_proxy");
        let mut command = if self.through_shell {
            let mut shell = Command::new("sh");
            shell.args(["-c", "\"$@\" & wait", "sh", program]);
            shell
        } else {
            Command::new(program)
        };
        command
            .args(arguments)
            .env_remove("CAMI_IPA_CONFIG")
            .env("CAMI_IPA_LOG", "debug,stderr")
            // Nothing outside of the test's own folders.
            .env("CAMI_IPA_STATUS_DIR", "/nowhere/cami-ipa")
            .envs(self.variables)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let outer = self.outer;
        let inherit = move || {
            for fd in &inherited {
                // SAFETY: fcntl is async-signal-safe; it clears close-on-exec in the child alone,
                // so that no other test's child inherits the sockets.
                unsafe { libc::fcntl(*fd, libc::F_SETFD, 0) };
            }
            outer.as_ref().map_or(Ok(()), outer::Program::install)
        };
        // SAFETY: the closure makes system calls alone.
        unsafe { command.pre_exec(inherit) };
        if self.refuse_ptrace {
            // SAFETY: the closure does nothing but prctl.
            unsafe { command.pre_exec(refuse_ptrace) };
        }
        if let Some(files) = self.max_files {
            let limit = libc::rlimit { rlim_cur: files, rlim_max: files };
            let set = move || {
                // SAFETY: setrlimit is async-signal-safe, and `limit` is readable.
                let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
                if set == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
            };
            // SAFETY: the closure makes one system call.
            unsafe { command.pre_exec(set) };
        }
        let process = command.spawn().unwrap();
        Host {
            process,
            link: Link::from_fd(near).unwrap(),
            control: self.control.then(|| Link::from_fd(control).unwrap()),
            inbox: Inbox::new(70_000, 1),
            cookie: 0,
            last_fd: None,
        }
    }
}

/// Between fork and exec: a filter that answers `ptrace` with EPERM, for this process and its
/// children.
fn refuse_ptrace() -> std::io::Result<()> {
    let number = u32::try_from(libc::SYS_ptrace).map_err(std::io::Error::other)?;
    let statement = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    // Load the number; is it ptrace's; no: allow; yes: an errno.
    let mut rules = [
        statement(0x20, 0, 0, 0),
        statement(0x15, 1, 0, number),
        statement(0x06, 0, 0, libc::SECCOMP_RET_ALLOW),
        statement(0x06, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned()),
    ];
    let program = libc::sock_fprog { len: 4, filter: rules.as_mut_ptr() };
    // SAFETY: prctl with numbers only.
    let privileges = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: the program points to the four rules above.
    let filter =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if privileges == 0 && filter == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

impl Host {
    /// Sends a control message.
    pub fn tell(&self, message: cami_wire::control::FromClient) {
        let control = self.control.as_ref().unwrap();
        control.send(&[IoSlice::new(&message.encode())], &[], PATIENCE).unwrap();
    }

    pub fn control_message(&mut self) -> Option<FromMonitor> {
        let control = self.control.as_ref().unwrap();
        match control.receive(&mut self.inbox, Some(Deadline::after(PATIENCE))) {
            Ok(message) => {
                let header = Header { command: message.command, cookie: message.cookie };
                let mut bytes = header.encode().to_vec();
                bytes.extend_from_slice(message.body);
                Some(FromMonitor::decode(&bytes).unwrap())
            }
            Err(ReceiveError::Closed) => None,
            Err(error) => panic!("control: {error}"),
        }
    }

    pub fn vendor_pid(&mut self) -> i32 {
        match self.control_message() {
            Some(FromMonitor::Ready(ready)) => ready.vendor_pid,
            other => panic!("expected ready, got {other:?}"),
        }
    }

    /// The line that names the cause of death.
    pub fn cause(&mut self) -> String {
        loop {
            match self.control_message() {
                Some(FromMonitor::Ready(_)) => {}
                Some(FromMonitor::Died(died)) => return died.cause,
                other => panic!("expected died, got {other:?}"),
            }
        }
    }

    pub fn send(&self, bytes: &[u8], fds: &[&OwnedFd]) {
        let fds: Vec<_> = fds.iter().map(|fd| fd.as_fd()).collect();
        self.link.send(&[IoSlice::new(bytes)], &fds, PATIENCE).unwrap();
    }

    pub fn next(&mut self) -> Incoming {
        let message = match self.link.receive(&mut self.inbox, Some(Deadline::after(PATIENCE))) {
            Ok(message) => message,
            Err(ReceiveError::Closed) => return Incoming::Closed,
            Err(error) => panic!("link: {error}"),
        };
        match (message.cookie, message.command) {
            (0, event::RETURNED) => Incoming::Returned(Returned::decode(message.body).unwrap()),
            (0, event::UPDATED) => {
                let update = cami_wire::cros::Updated::decode(message.body).unwrap();
                let incoming =
                    Incoming::Updated(update.upd_id, update.header.to_vec(), update.has_fd);
                self.last_fd = message.fds.take_one();
                incoming
            }
            (0, other) => panic!("unknown event {other}"),
            (cookie, _) => Incoming::Reply(cookie, message.body.to_vec()),
        }
    }

    pub fn call(&mut self, message: impl FnOnce(u32) -> Vec<u8>, fds: &[&OwnedFd]) -> Vec<u8> {
        self.cookie += 1;
        self.send(&message(self.cookie), fds);
        match self.next() {
            Incoming::Reply(cookie, body) if cookie == self.cookie => body,
            other => panic!("expected the reply {}, got {other:?}", self.cookie),
        }
    }

    pub fn value(&mut self, message: impl FnOnce(u32) -> Vec<u8>, fds: &[&OwnedFd]) -> i32 {
        ReturnValue::decode(&self.call(message, fds)).unwrap().0
    }

    pub fn init(&mut self, protocol_version: u32) -> InitReply {
        let settings = Settings { protocol_version, client: "host test".to_owned() };
        let body = self.call(|cookie| Init { settings }.encode(cookie), &[]);
        InitReply::decode(&body).unwrap()
    }

    pub fn start_library(&mut self) -> i32 {
        self.value(|cookie| Header { command: command::START, cookie }.encode().to_vec(), &[])
    }

    /// init, start, and one buffer of a page.
    pub fn ready(&mut self) -> OwnedFd {
        assert_eq!(self.init(PROTOCOL_VERSION).ret, 0);
        assert_eq!(self.start_library(), 0);
        let buffer = buffer(8192);
        assert_eq!(self.register(&[&buffer]), 7);
        buffer
    }

    pub fn register(&mut self, fds: &[&OwnedFd]) -> i32 {
        self.value(|cookie| RegisterBuffer { has_fd: true }.encode(cookie).to_vec(), fds)
    }

    pub fn request(&mut self, req_id: u32, header: &[u8]) {
        let request = Request { req_id, header, buffer_handle: -1 };
        let parts = request.parts(9999);
        let slices = [&parts.head[..], parts.header, &parts.tail].concat();
        self.send(&slices, &[]);
    }

    /// The status that the library answers a request with.
    pub fn status(&mut self, req_id: u32) -> u32 {
        self.request(req_id, &[0x56]);
        match self.next() {
            Incoming::Returned(returned) if returned.req_id == req_id => returned.status,
            other => panic!("expected the answer of {req_id}, got {other:?}"),
        }
    }

    /// Leaves as a client does: link first, then control.
    pub fn hang_up(&self) {
        self.link.shutdown();
        if let Some(control) = &self.control {
            control.shutdown();
        }
    }

    /// Waits for the end of the monitor; its exit code and all that it logged.
    pub fn wait(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.process.wait().unwrap().code(), log)
    }
}

/// Shared memory of a size.
pub fn buffer(size: u64) -> OwnedFd {
    let flags =
        nix::sys::memfd::MFdFlags::MFD_CLOEXEC | nix::sys::memfd::MFdFlags::MFD_ALLOW_SEALING;
    let file = File::from(nix::sys::memfd::memfd_create(c"buffer", flags).unwrap());
    file.set_len(size).unwrap();
    file.into()
}

/// Waits for the end of a process that is no child of ours.
pub fn wait_gone(pid: i32) {
    let Ok(process) = cami_link::ProcessFd::open(pid) else { return };
    let mut fds = [(process.as_fd(), cami_link::Interest::Message, cami_link::Event::default())];
    let ended = cami_link::wait(&mut fds, Some(Deadline::after(PATIENCE))).unwrap();
    assert_eq!(ended, 1, "process {pid} is still there");
}
