//! ChromeOS's service with our door in it, and a client that speaks `cros` on its stream by hand.

use std::fs::File;
use std::io::{IoSlice, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};

use cami_link::{Deadline, Inbox, Link, ReceiveError};
use cami_tests::{Log, PATIENCE, Room, artefact, host_program, under_filter};
use cami_wire::Header;
use cami_wire::cros::{
    DeregisterBuffers, Init, InitReply, PROTOCOL_VERSION, RegisterBuffer, Request, ReturnValue,
    Returned, Settings, UpdateReturn, Updated, command, event,
};

/// A running `algo_service` under the filter.
pub struct AlgoService {
    child: Child,
    pub log: Log,
    pub room: Room,
}

impl AlgoService {
    /// With a vendor library behind it and variables in its environment.
    #[track_caller]
    pub fn start(vendor: &str, variables: &[(&str, &str)]) -> Self {
        let room = Room::new();
        let library = room.install(vendor, "libvendor.so");
        let mut command = under_filter(&host_program("algo_service"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CAMI_IPA_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .arg(room.path("algo.sock"))
            .arg(artefact("libcamera_ipa_proxy.so"))
            .env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"))
            .env("CAMI_IPA_STATUS_DIR", room.path("status"))
            .env("CAMI_IPA_VENDOR_LIBRARY", library)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::collect(child.stderr.take().unwrap());
        log.wait(&["listening"]);
        Self { child, log, room }
    }

    pub fn connect(&self) -> Client {
        Client::connect(&self.room.path("algo.sock"))
    }

    /// It must be alive still, whatever its children did.
    #[track_caller]
    pub fn finish(mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "{}", self.log.text());
    }
}

impl Drop for AlgoService {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    Reply(u32, Vec<u8>),
    Returned(Returned),
    Updated(u32, Vec<u8>, bool),
    Closed,
}

pub struct Client {
    pub stream: Link,
    inbox: Inbox,
    cookie: u32,
    pub last_fd: Option<OwnedFd>,
}

impl Client {
    pub fn connect(path: &Path) -> Self {
        let stream = Link::from_fd(UnixStream::connect(path).unwrap().into()).unwrap();
        Self { stream, inbox: Inbox::new(70_000, 1), cookie: 0, last_fd: None }
    }

    pub fn send(&self, bytes: &[u8], fds: &[&OwnedFd]) {
        let fds: Vec<_> = fds.iter().map(|fd| fd.as_fd()).collect();
        self.stream.send(&[IoSlice::new(bytes)], &fds, PATIENCE).unwrap();
    }

    #[track_caller]
    pub fn next(&mut self) -> Incoming {
        let deadline = Deadline::after(PATIENCE);
        let message = match self.stream.receive(&mut self.inbox, Some(deadline)) {
            Ok(message) => message,
            Err(ReceiveError::Closed) => return Incoming::Closed,
            Err(error) => panic!("{error}"),
        };
        match (message.cookie, message.command) {
            (0, event::RETURNED) => Incoming::Returned(Returned::decode(message.body).unwrap()),
            (0, event::UPDATED) => {
                let update = Updated::decode(message.body).unwrap();
                let (id, header, has_fd) = (update.upd_id, update.header.to_vec(), update.has_fd);
                self.last_fd = message.fds.take_one();
                Incoming::Updated(id, header, has_fd)
            }
            (0, other) => panic!("unknown event {other}"),
            (cookie, _) => Incoming::Reply(cookie, message.body.to_vec()),
        }
    }

    #[track_caller]
    pub fn call(&mut self, message: impl FnOnce(u32) -> Vec<u8>, fds: &[&OwnedFd]) -> Vec<u8> {
        self.cookie += 1;
        let cookie = self.cookie;
        self.send(&message(cookie), fds);
        loop {
            match self.next() {
                Incoming::Reply(found, body) if found == cookie => return body,
                // Unasked callbacks may come first.
                Incoming::Returned(_) => {}
                other => panic!("expected the reply {cookie}, got {other:?}"),
            }
        }
    }

    #[track_caller]
    pub fn value(&mut self, message: impl FnOnce(u32) -> Vec<u8>, fds: &[&OwnedFd]) -> i32 {
        ReturnValue::decode(&self.call(message, fds)).unwrap().0
    }

    #[track_caller]
    pub fn init(&mut self) -> InitReply {
        let settings = Settings { protocol_version: PROTOCOL_VERSION, client: "test".to_owned() };
        let body = self.call(|cookie| Init { settings }.encode(cookie), &[]);
        InitReply::decode(&body).unwrap()
    }

    /// `init` and `start`.
    #[track_caller]
    pub fn begin(&mut self) {
        let reply = self.init();
        assert_eq!(reply.ret, 0, "{}", reply.info.reason);
        let start = |cookie| Header { command: command::START, cookie }.encode().to_vec();
        assert_eq!(self.value(start, &[]), 0);
    }

    #[track_caller]
    pub fn stop(&mut self) {
        let stop = |cookie| Header { command: command::STOP, cookie }.encode().to_vec();
        self.call(stop, &[]);
    }

    #[track_caller]
    pub fn register(&mut self, fd: &OwnedFd) -> i32 {
        self.value(|cookie| RegisterBuffer { has_fd: true }.encode(cookie).to_vec(), &[fd])
    }

    #[track_caller]
    pub fn deregister(&mut self, handles: &[i32]) {
        self.call(|cookie| DeregisterBuffers::encode(handles, cookie), &[]);
    }

    pub fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        let parts = Request { req_id, header, buffer_handle }.parts(9999);
        self.send(&[&parts.head[..], parts.header, &parts.tail].concat(), &[]);
    }

    pub fn update_return(&self, upd_id: u32, status: u32, fd: &OwnedFd) {
        let message = UpdateReturn { upd_id, status, has_fd: true }.encode(9999);
        self.send(&message, &[fd]);
    }

    /// The status of an answered request.
    #[track_caller]
    pub fn status(&mut self, req_id: u32, header: &[u8]) -> u32 {
        self.request(req_id, header, -1);
        match self.next() {
            Incoming::Returned(returned) if returned.req_id == req_id => returned.status,
            other => panic!("expected the answer of {req_id}, got {other:?}"),
        }
    }
}

/// Shared memory of a size, as a HAL makes it.
pub fn buffer(size: usize) -> OwnedFd {
    // SAFETY: a C string and no pointers that stay.
    let fd = unsafe { libc::memfd_create(c"buffer".as_ptr(), libc::MFD_CLOEXEC) };
    // SAFETY: just made, and owned by nobody else.
    let mut file = unsafe { <File as std::os::fd::FromRawFd>::from_raw_fd(fd) };
    file.write_all(&vec![0; size]).unwrap();
    file.into()
}
