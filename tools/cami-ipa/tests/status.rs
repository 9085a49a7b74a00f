//! `cami-ipa status` on folders of all kinds.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{SystemTime, UNIX_EPOCH};

use cami_record::{
    Call, CrashRecord, Death, InFlight, Kind, Memory, ProcessIdentity, Status, name, write,
};
use support::{cami_ipa, code, output, stderr};

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A host whose monitor is this test.
fn running(pid: i32) -> Status {
    Status {
        monitor: ProcessIdentity::own(),
        vendor_pid: pid,
        client_pid: 77,
        library: "/opt/vendor/libvendor.so".to_owned(),
        profile: "intel-ipu3".to_owned(),
        started_unix_ms: now() - 192_000,
        updated_unix_ms: now(),
        state: "in_call".to_owned(),
        in_call: Some(Call {
            name: "request".to_owned(),
            req_id: Some(8),
            handle: Some(3),
            for_us: 3_100_000,
        }),
        requests: 1234,
        callbacks: 1233,
        in_flight: vec![InFlight { req_id: 8, handle: 3, age_us: 3_100_000 }],
        restarts: 2,
        memory: Some(Memory {
            resident_bytes: 20 << 20,
            peak_resident_bytes: 21 << 20,
            threads: 3,
        }),
        traced: true,
        ..Status::default()
    }
}

fn put_status(folder: &Path, pid: i32, status: &Status) {
    write(folder, Kind::Status, &name(Kind::Status, 0, pid), status).unwrap();
}

fn put_death(folder: &Path, death: &Death) {
    let name = name(Kind::Death, death.time_unix_ms, death.monitor_pid);
    write(folder, Kind::Death, &name, death).unwrap();
}

fn status(folder: &Path, more: &[&str]) -> Output {
    let folder = folder.to_str().unwrap();
    output(cami_ipa(&["status", "--status-dir", folder]).args(more))
}

fn text(output: &Output) -> String {
    assert_eq!(code(output), 0, "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(folder: &Path, more: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["--json", "-"];
    arguments.extend(more);
    serde_json::from_str(&text(&status(folder, &arguments))).unwrap()
}

#[test]
fn nothing_is_said_of_a_folder_that_is_not_there() {
    let text = text(&status(Path::new("/nowhere/at/all"), &[]));
    assert_eq!(text, "No host runs (by /nowhere/at/all).\n\nNo death is known.\n");
}

#[test]
fn running_hosts_are_an_aligned_table() {
    let room = tempfile::tempdir().unwrap();
    put_status(room.path(), 1, &running(41));
    let cause = Some("vendor process 9 killed by SIGSEGV".to_owned());
    put_status(room.path(), 2, &Status { last_cause: cause, traced: false, ..running(123_456) });
    let text = text(&status(room.path(), &[]));
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("MONITOR  VENDOR  CLIENT  LIBRARY       PROFILE     UP"),
        "{text}"
    );
    for (title, cell) in [("LIBRARY", "libvendor.so"), ("MEMORY", "20 MiB"), ("REQUESTS", "1234")] {
        let at = lines[0].find(title).unwrap();
        assert_eq!(&lines[1][at..at + cell.len()], cell, "{text}");
    }
    assert!(lines[1].contains("3 min 12 s") && lines[1].contains("1 since 3 s"), "{text}");
    assert!(lines[1].contains("in request 8 (buffer 3) for 3 s"), "{text}");
    assert!(text.contains(", not traced"), "{text}");
    assert!(text.contains("\n  before: vendor process 9 killed by SIGSEGV\n"), "{text}");
}

#[test]
fn data_has_documented_fields() {
    let room = tempfile::tempdir().unwrap();
    put_status(room.path(), 1, &running(41));
    let report = json(room.path(), &[]);
    let host = &report["hosts"][0];
    assert_eq!(host["life"], "running");
    assert_eq!(host["vendor_pid"], 41);
    assert_eq!(host["in_flight"][0]["age_us"], 3_100_000);
    assert_eq!(host["memory"]["resident_bytes"], 20 << 20);
    assert_eq!(report["deaths"], serde_json::json!([]));
    let file = room.path().join("out");
    let to_file = status(room.path(), &["--json", file.to_str().unwrap()]);
    assert!(text(&to_file).starts_with("MONITOR"));
    let again: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(again["hosts"][0]["vendor_pid"], 41);
}

#[test]
fn left_over_file_of_a_killed_monitor_is_a_death_and_says_so() {
    let room = tempfile::tempdir().unwrap();
    let mut dead = running(41);
    dead.monitor.start_ticks -= 1;
    put_status(room.path(), dead.monitor.pid, &dead);
    let report = json(room.path(), &[]);
    assert_eq!(report["hosts"], serde_json::json!([]));
    assert_eq!(report["deaths"][0]["source"], "left_over");
    let text = text(&status(room.path(), &[]));
    assert!(text.starts_with("No host runs"), "{text}");
    assert!(text.contains("was killed, or the machine went down: no cause is known"), "{text}");
    assert!(text.contains("last seen in request 8 (buffer 3)"), "{text}");
}

#[test]
fn host_of_another_container_is_shown_as_last_seen() {
    let room = tempfile::tempdir().unwrap();
    let mut other = running(41);
    other.monitor.pid_namespace = 1;
    put_status(room.path(), 1, &other);
    assert_eq!(json(room.path(), &[])["hosts"][0]["life"], "elsewhere");
    assert!(text(&status(room.path(), &[])).contains("ago, in another container"));
}

#[test]
fn deaths_are_the_newest_first_and_each_once() {
    let room = tempfile::tempdir().unwrap();
    let crash = room.path().join("crash");
    for number in 1..=13 {
        let cause = format!("cause {number}.");
        let time_unix_ms = now() - number * 60_000;
        let death = Death { time_unix_ms, monitor_pid: 5, cause, ..Death::default() };
        put_death(room.path(), &death);
        if number == 1 {
            let Death { cause, .. } = death;
            let same =
                CrashRecord { time_unix_ms, monitor_pid: 5, cause, ..CrashRecord::default() };
            let name = name(Kind::Crash, time_unix_ms, 5);
            write(&crash, Kind::Crash, &name, &same).unwrap();
        }
    }
    let only = CrashRecord { time_unix_ms: now(), cause: "cause 0.".into(), ..Default::default() };
    write(&crash, Kind::Crash, &name(Kind::Crash, now(), 6), &only).unwrap();
    let crash_dir = ["--crash-dir", crash.to_str().unwrap()];
    let report = json(room.path(), &crash_dir);
    let causes: Vec<&str> = report["deaths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|death| death["cause"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (0..=13).map(|number| format!("cause {number}.")).collect();
    assert_eq!(causes, expected);
    let text = text(&status(room.path(), &crash_dir));
    assert!(text.contains("cause 9.") && !text.contains("cause 10."), "{text}");
    assert!(text.contains("2 min 0 s ago") && text.contains("and 4 more"), "{text}");
    assert!(text.contains(&format!("crash record: {}", crash.display())), "{text}");
}

#[test]
fn hostile_files_are_named_and_paint_nothing() {
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join("1.json"), "{").unwrap();
    fs::write(room.path().join("2.json"), r#"{"requests": "many"}"#).unwrap();
    std::os::unix::fs::symlink("/dev/zero", room.path().join("3.json")).unwrap();
    let cause = "\x1b[31mred\nMONITOR".to_owned();
    put_death(room.path(), &Death { cause, library: "\x1b]0;x".repeat(99), ..Death::default() });
    let far = Status { started_unix_ms: u64::MAX, updated_unix_ms: u64::MAX, ..running(41) };
    put_status(room.path(), 4, &far);
    let text = text(&status(room.path(), &[]));
    assert_eq!(text.matches("not understood: ").count(), 3, "{text}");
    assert!(!text.contains('\x1b') && !text.contains("\nMONITOR"), "{text}");
    assert_eq!(json(room.path(), &[])["unreadable"].as_array().unwrap().len(), 3);
}

#[test]
fn folder_that_is_none_is_2_and_named() {
    let output = status(Path::new("/dev/null"), &["--crash-dir", "/nowhere"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("/dev/null cannot be read"), "{}", stderr(&output));
}

#[test]
fn usage_names_its_options() {
    for arguments in [&["status", "--help"][..], &["help", "status"]] {
        let text = text(&output(&mut cami_ipa(arguments)));
        for option in ["--json FILE", "--status-dir DIR", "--crash-dir DIR"] {
            assert!(text.contains(option), "{option}");
        }
    }
    let wrong = output(&mut cami_ipa(&["status", "--bogus"]));
    assert_eq!(code(&wrong), 2);
    assert!(stderr(&wrong).contains("cami-ipa help status"));
}
