//! A recording that is made up for a test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cami_recording::block::{Answered, Bytes, Call, Called, Host, Requested, Returned};
use cami_recording::{Buffer, Snapshot, Writer};
use cami_tests::{artefact, digest};

/// The recorded handle of the one buffer; no library gives this number.
pub const HANDLE: i32 = 77;
const BYTES: u64 = 64;

/// A recording of the `plain` library: it answers with the header's digest, and counts in the
/// buffer's first byte.
pub struct Session {
    pub folder: tempfile::TempDir,
    pub writer: Writer<File>,
    pub number: u64,
    pub host: u32,
}

impl Session {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::create(folder.path().join("session.camr")).expect("a file");
        let writer = Writer::begin(file, 0).expect("a file");
        let mut session = Self { folder, writer, number: 0, host: 0 };
        session.host();
        session
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("session.camr")
    }

    /// Another host begins, with a buffer.
    pub fn host(&mut self) {
        self.host += 1;
        let (host, at_ns) = (self.host, self.now());
        let profile = "generic".to_owned();
        let begun = Host { host, at_ns, profile, ..Host::default() };
        self.writer.write(&begun.into()).expect("a block");
        let call = Call::RegisterBuffer.number();
        let called =
            Called { host, at_ns, cookie: 1, call, buffer_bytes: BYTES, handles: Vec::new() };
        self.writer.write(&called.into()).expect("a block");
        let answered = Answered { host, at_ns, cookie: 1, call, value: HANDLE };
        self.writer.write(&answered.into()).expect("a block");
    }

    pub fn now(&self) -> u64 {
        (self.number + 1) * 1_000_000
    }

    pub fn content(&mut self, count: u8) -> u64 {
        let mut held = [7; 64];
        held[0] = count;
        let buffer = Buffer(self.host.into());
        self.writer.content(buffer, &Snapshot::of(&held)).expect("a content")
    }

    /// A request with this header, and its answer if there was one.
    pub fn request(&mut self, header: &[u8], count: u8, answered: bool) {
        let (at_ns, content) = (self.now(), self.content(count));
        self.number += 1;
        let (host, number) = (self.host, self.number);
        let requested = Requested {
            host,
            at_ns,
            number,
            req_id: 5,
            handle: HANDLE,
            content,
            header: Bytes(header.to_vec()),
            ..Requested::default()
        };
        self.writer.write(&requested.into()).expect("a block");
        if answered {
            let returned = Returned {
                host,
                at_ns: at_ns + 1,
                request: number,
                req_id: 5,
                status: digest(header),
                handle: HANDLE,
                content: self.content(count + 1),
                ..Returned::default()
            };
            self.writer.write(&returned.into()).expect("a block");
        }
    }

    pub fn replay(&self, library: &Path, arguments: &[&str]) -> (i32, String, String) {
        run(&mut self.command(library, arguments))
    }

    /// `libcam_algo_replay.so` answers from this very recording.
    pub fn replay_of_itself(&self) -> (i32, String, String) {
        let environment = format!("CAMI_REPLAY_FILE={}", self.path().display());
        let mut command = self.command(&artefact("libcam_algo_replay.so"), &[]);
        command.env("CAMI_IPA_ENVIRONMENT", environment).env("CAMI_IPA_SANDBOX__READ", self.path());
        run(&mut command)
    }

    pub fn command(&self, library: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(artefact("cami-ipa"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CAMI_IPA_") {
                command.env_remove(name);
            }
        }
        command
            .arg("replay")
            .arg(self.path())
            .arg("--compare")
            .arg("--vendor-library")
            .arg(library)
            .args(arguments)
            .env("CAMI_IPA_STATUS_DIR", "/nowhere/cami-ipa");
        command
    }
}

/// Runs it: exit code, output, log.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().expect("it ended by itself"), text(stdout), text(stderr))
}
