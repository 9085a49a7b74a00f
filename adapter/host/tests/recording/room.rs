//! A host that records, and what its file says.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::{Host, Incoming, Setup};
use cami_link::Deadline;
use cami_recording::block::{Requested, Returned};
use cami_recording::session::{Event, HostLife};
use cami_recording::{Recording, Session};
use cami_wire::cros::Request;

pub struct Room {
    pub folder: tempfile::TempDir,
}

impl Room {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn setup(&self, name: &str) -> Setup {
        Setup::new().variable("CAMI_IPA_RECORD", self.path(name).to_str().unwrap())
    }

    /// The host with its buffer of two pages, ready.
    pub fn host(&self, name: &str) -> (Host, File) {
        let mut host = self.setup(name).start();
        let buffer = host.ready();
        (host, File::from(buffer))
    }
}

/// A request with the buffer.
pub fn send(host: &Host, req_id: u32, header: &[u8]) {
    let request = Request { req_id, header, buffer_handle: 7 };
    let parts = request.parts(0);
    host.send(&[&parts.head[..], parts.header, &parts.tail].concat(), &[]);
}

pub fn answer(host: &mut Host) -> (u32, u32) {
    match host.next() {
        Incoming::Returned(returned) => (returned.req_id, returned.status),
        other => panic!("expected an answer, got {other:?}"),
    }
}

/// Leaves, and waits for the end.
pub fn leave(host: Host) -> String {
    host.hang_up();
    let (code, log) = host.wait();
    assert_eq!(code, Some(0), "{log}");
    log
}

/// Once no host has it any more: the writer outlives its monitor.
pub fn read(path: &Path) -> (Recording<File>, Session) {
    let deadline = Deadline::after(crate::common::PATIENCE);
    let recording = loop {
        assert!(!deadline.has_passed());
        std::thread::sleep(Duration::from_millis(5));
        // A killed monitor's writer may not have begun, or make it smaller: then it is another.
        let Ok(file) = File::open(path) else { continue };
        if file.try_lock_shared().is_err() {
            continue;
        }
        let (opened, named) = (file.metadata().unwrap(), fs::metadata(path).unwrap());
        if (opened.dev(), opened.ino()) == (named.dev(), named.ino()) && opened.len() > 0 {
            break Recording::read(file).unwrap();
        }
    };
    let session = Session::of(&recording).unwrap();
    (recording, session)
}

/// The host's writer: a child of the monitor, and so of its thread.
pub fn writer_of(host: &Host) -> i32 {
    let pid = host.process.id();
    let is_writer = |pid: &&str| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|&byte| byte == 0).nth(1) == Some(b"--recorder")
    };
    let deadline = Deadline::after(crate::common::PATIENCE);
    // The kernel may leave children out while others of them end (man 5 proc).
    loop {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        if let Some(found) = children.split_whitespace().find(is_writer) {
            return found.parse().unwrap();
        }
        assert!(!deadline.has_passed(), "{children}");
    }
}

pub fn exchanges(session: &Session) -> Vec<(&Requested, Option<&Returned>)> {
    let pairs = session.events.iter().filter_map(|event| match event {
        Event::Exchange { requested, returned } => Some((requested, returned.as_ref())),
        _ => None,
    });
    pairs.collect()
}

pub fn only(session: &Session) -> &HostLife {
    assert_eq!(session.hosts.len(), 1);
    &session.hosts[0]
}

/// As many bytes as the buffer has, which do not pack; others each time.
pub fn noise(seed: &mut u32) -> Vec<u8> {
    (0..8192)
        .map(|_| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        })
        .collect()
}
