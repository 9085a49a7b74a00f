//! `cami-ipa replay` against libraries that do what they should not.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cami_recording::block::{
    Answered, Bytes, Call, Called, Died, Host, Requested, Returned, UpdateReturned, Updated,
};
use cami_recording::{Buffer, Snapshot, Writer};
use cami_tests::{artefact, digest, vendor_library};

/// The recorded handle of the one buffer; no library gives this number.
const HANDLE: i32 = 77;
const BYTES: u64 = 64;

/// A recording of the `plain` library: it answers with the header's digest, and counts in the
/// buffer's first byte.
struct Session {
    folder: tempfile::TempDir,
    writer: Writer<File>,
    number: u64,
    host: u32,
}

impl Session {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::create(folder.path().join("session.camr")).expect("a file");
        let writer = Writer::begin(file, 0).expect("a file");
        let mut session = Self { folder, writer, number: 0, host: 0 };
        session.host();
        session
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("session.camr")
    }

    /// Another host begins, with a buffer.
    fn host(&mut self) {
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

    fn now(&self) -> u64 {
        (self.number + 1) * 1_000_000
    }

    fn content(&mut self, count: u8) -> u64 {
        let mut held = [7; 64];
        held[0] = count;
        let buffer = Buffer(self.host.into());
        self.writer.content(buffer, &Snapshot::of(&held)).expect("a content")
    }

    /// A request with this header, and its answer if there was one.
    fn request(&mut self, header: &[u8], count: u8, answered: bool) {
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

    fn replay(&self, library: &Path, arguments: &[&str]) -> (i32, String, String) {
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
        let Output { status, stdout, stderr } = command.output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (status.code().expect("it ended by itself"), text(stdout), text(stderr))
    }
}

#[test]
fn handles_are_mapped_and_each_host_is_a_process() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    session.request(b"bc", 1, true);
    session.host();
    session.request(b"a", 5, true);
    let (code, told, log) = session.replay(&vendor_library("plain"), &[]);
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.starts_with("no difference in 3 answers"), "{told}");
    assert_eq!(log.matches("profile generic").count(), 2, "two processes: {log}");
    let (code, told, _) = session.replay(&vendor_library("plain"), &["--host", "2"]);
    assert_eq!(code, 0);
    assert!(told.starts_with("no difference in 1 answers"), "{told}");
    let (code, _, log) = session.replay(&vendor_library("plain"), &["--host", "3"]);
    assert_eq!(code, 2);
    assert!(log.contains("has no host 3; it has 2"), "{log}");
}

#[test]
fn statuses_and_bytes_of_an_unknown_protocol_are_compared() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    // The library counts, and did not when this was recorded.
    let (at_ns, content) = (session.now(), session.content(9));
    session.number += 1;
    let requested = Requested {
        host: 1,
        at_ns,
        number: 2,
        req_id: 6,
        handle: HANDLE,
        content,
        header: Bytes(b"a".to_vec()),
        ..Requested::default()
    };
    session.writer.write(&requested.into()).expect("a block");
    let returned = Returned {
        host: 1,
        at_ns: at_ns + 1,
        request: 2,
        req_id: 6,
        status: digest(b"a"),
        handle: HANDLE,
        content,
        ..Returned::default()
    };
    session.writer.write(&returned.into()).expect("a block");
    session.request(b"a", 1, true);
    let (code, told, log) = session.replay(&vendor_library("plain"), &[]);
    assert_eq!(code, 1, "{told}{log}");
    assert!(told.starts_with("request 2 command 6 byte 0 09 → 0a\n"), "{told}");
    assert!(told.contains("1 of 3 answers differ"), "{told}");
}

#[test]
fn a_death_is_named_with_its_request_and_its_cause() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    session.request(b"X", 1, true);
    session.request(b"b", 2, true);
    let (code, told, log) = session.replay(&vendor_library("crash_request"), &[]);
    assert_eq!(code, 1, "{told}{log}");
    let line = "the library died with command 5 (request 2 of the recording)";
    assert!(told.contains(line) && log.contains(line), "{told}{log}");
    assert!(log.contains("SIGSEGV"), "{log}");
    assert!(told.contains("no difference in 1 answers"), "{told}");
}

#[test]
fn a_death_that_was_recorded_is_expected() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    session.request(b"X", 1, false);
    let died = Died { host: 1, at_ns: session.now(), signal: 11, ..Died::default() };
    session.writer.write(&died.into()).expect("a block");
    let (code, told, log) = session.replay(&vendor_library("crash_request"), &[]);
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.contains("died with command 5 (request 2 of the recording), as recorded"));
    let (code, told, _) = session.replay(&vendor_library("plain"), &[]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("the recorded library died at its end; this one did not"), "{told}");
}

#[test]
fn an_answer_that_does_not_come_is_named_and_ends_the_replay() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    session.request(b"X", 1, true);
    let library = vendor_library("hang_request");
    let (code, told, log) = session.replay(&library, &["--timeout", "300"]);
    assert_eq!(code, 1, "{told}{log}");
    assert!(log.contains("no answer in time to command 5 (request 2 of the recording)"), "{log}");
}

impl Session {
    /// The library's update, which is returned at once.
    fn updated(&mut self, at_ns: u64, header: &[u8], held: &[u8]) {
        let (host, upd_id, buffer) = (self.host, 5, Buffer(1000 + self.number));
        let content = self.writer.content(buffer, &Snapshot::of(held)).expect("a content");
        let header = Bytes(header.to_vec());
        let updated = Updated { host, at_ns, upd_id, content, header, ..Updated::default() };
        self.writer.write(&updated.into()).expect("a block");
        let at_ns = at_ns + 1;
        let back = UpdateReturned { host, at_ns, upd_id, status: u32::MAX };
        self.writer.write(&back.into()).expect("a block");
    }

    /// A request of the `updates` library: it sends its header, as a header and in a buffer, and answers
    /// once that is returned, with the HAL's status as the handle. `sent` is what is recorded of it.
    fn update(&mut self, header: &[u8], sent: &[(&[u8], &[u8])]) {
        let at_ns = self.now();
        self.number += 1;
        let (host, number, req_id, handle) = (self.host, self.number, 5, -1);
        let requested = Requested {
            host,
            at_ns,
            number,
            req_id,
            handle,
            header: Bytes(header.to_vec()),
            ..Requested::default()
        };
        self.writer.write(&requested.into()).expect("a block");
        for (header, held) in sent {
            self.updated(at_ns + 1, header, held);
        }
        let returned = Returned {
            host,
            at_ns: at_ns + 3,
            request: number,
            req_id,
            status: 7,
            handle,
            ..Returned::default()
        };
        self.writer.write(&returned.into()).expect("a block");
    }
}

#[test]
fn updates_are_returned_with_the_recorded_status_and_compared() {
    let mut session = Session::new();
    for text in [&b"text"[..], b"more"] {
        session.update(text, &[(text, text)]);
    }
    let (code, told, log) = session.replay(&vendor_library("updates"), &[]);
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.starts_with("no difference in 2 answers and 2 updates\n"), "{told}");
}

#[test]
fn updates_are_compared_by_their_own_order_wherever_they_come_among_the_answers() {
    let mut session = Session::new();
    session.update(b"text", &[]);
    session.update(b"more", &[]);
    // This library sends each before its answer; the recorded one sent them from another thread.
    for text in [&b"text"[..], b"more"] {
        session.updated(session.now(), text, text);
    }
    let (code, told, log) = session.replay(&vendor_library("updates"), &[]);
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.starts_with("no difference in 2 answers and 2 updates\n"), "{told}");
}

#[test]
fn an_update_that_differs_is_named_by_its_number_and_part() {
    let mut session = Session::new();
    session.update(b"text", &[(b"text", b"text")]);
    session.update(b"more", &[(b"mere", b"more of it")]);
    let (code, told, log) = session.replay(&vendor_library("updates"), &[]);
    assert_eq!(code, 1, "{told}{log}");
    assert!(told.contains("update 2 header byte 1 65 → 6f\n"), "{told}");
    assert!(told.contains("update 2 size 10 bytes → 4 bytes\n"), "{told}");
    assert!(told.contains("0 of 2 answers and 1 of 2 updates differ"), "{told}");
    assert!(told.contains("  update  header  1 update, first update 2"), "{told}");
    assert!(log.contains("one update differs"), "{log}");
    let rules = ["--tolerance", "update.*=any"];
    assert_eq!(session.replay(&vendor_library("updates"), &rules).0, 0);
    let (code, told, _) = session
        .replay(&vendor_library("updates"), &["--tolerance", "update.bytes=any", "--json", "-"]);
    assert_eq!(code, 1, "the header is still compared");
    let data: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let differences = data["differences"].as_array().expect("a list");
    assert_eq!(differences.len(), 1, "{data}");
    let told = ["command", "update", "field", "place"].map(|key| differences[0][key].to_string());
    assert_eq!(told, ["\"update\"", "2", "\"header\"", "\"header byte 1\""]);
    assert_eq!((&data["different_updates"], &data["updates"]), (&1.into(), &2.into()));
}

#[test]
fn updates_that_are_missing_or_more_than_recorded_are_differences() {
    let mut session = Session::new();
    session.update(b"text", &[]);
    let (code, told, log) = session.replay(&vendor_library("updates"), &["--timeout", "300"]);
    assert_eq!(code, 1, "{told}{log}");
    assert!(told.contains("update 1 call absent → present\n"), "{told}");

    let mut session = Session::new();
    session.update(b"text", &[(b"text", b"text"), (b"one more", b"")]);
    let (code, told, log) = session.replay(&vendor_library("updates"), &["--timeout", "300"]);
    assert_eq!(code, 1, "{told}{log}");
    assert!(told.starts_with("update 2 call present → absent\n"), "{told}");
    assert!(told.contains("0 of 1 answers and 1 of 2 updates differ"), "{told}");
}

#[test]
fn a_library_that_does_not_come_up_is_no_difference() {
    let session = Session::new();
    let (code, _, log) = session.replay(&vendor_library("crash_initialize"), &[]);
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("initialize failed"), "{log}");
    let (code, _, log) = session.replay(Path::new("/nowhere/lib.so"), &[]);
    assert_eq!(code, 2, "{log}");
}
