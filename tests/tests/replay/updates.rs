//! The library's updates.

use cami_recording::block::{Bytes, Requested, Returned, UpdateReturned, Updated};
use cami_recording::{Buffer, Snapshot};
use cami_tests::vendor_library;

use crate::session::Session;

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
fn the_replay_library_sends_the_recorded_updates_through_shim_and_host() {
    let mut session = Session::new();
    session.updated(session.now() - 1, b"before all", b"");
    session.update(b"text", &[(b"one", b"first"), (b"two", &[9; 100_000])]);
    session.update(b"more", &[]);
    session.updated(session.now(), b"behind all", b"x");
    let (code, told, log) = session.replay_of_itself();
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.starts_with("no difference in 2 answers and 4 updates\n"), "{told}{log}");
    assert!(!log.contains("cami-replay: update") && !log.contains("comes back"), "{log}");
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
fn an_update_behind_the_last_answer_is_compared_also_where_it_comes_with_the_end() {
    let library = vendor_library("updates_at_end");
    let mut session = Session::new();
    session.update(b"text", &[(b"text", b"text")]);
    let (code, told, log) = session.replay(&library, &[]);
    assert_eq!(code, 1, "{told}{log}");
    assert!(told.starts_with("update 2 call absent → present\n"), "{told}");
    assert!(told.contains("0 of 1 answers and 1 of 2 updates differ"), "{told}");

    let mut session = Session::new();
    session.update(b"text", &[(b"text", b"text")]);
    session.updated(session.now(), b"end", b"end");
    let (code, told, log) = session.replay(&library, &["--timeout", "300"]);
    assert_eq!(code, 1, "{told}{log}");
    assert!(told.starts_with("update 2 upd_id 5 → 9\n"), "it is there: {told}");
    assert!(!told.contains("call"), "{told}");
}
