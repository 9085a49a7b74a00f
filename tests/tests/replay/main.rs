//! `cami-ipa replay` against libraries that do what they should not, and recordings of such libraries.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

mod deaths;
mod session;
mod updates;

use std::path::Path;

use cami_recording::block::{Bytes, Died, Requested, Returned};
use cami_tests::{digest, vendor_library};

use crate::session::{HANDLE, Session};

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

#[test]
fn a_library_that_does_not_come_up_is_no_difference() {
    let session = Session::new();
    let (code, _, log) = session.replay(&vendor_library("crash_initialize"), &[]);
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("initialize failed"), "{log}");
    let (code, _, log) = session.replay(Path::new("/nowhere/lib.so"), &[]);
    assert_eq!(code, 2, "{log}");
}
