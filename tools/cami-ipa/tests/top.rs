//! `cami-ipa top`: on folders, and in a terminal.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use cami_record::{Kind, Latency, Memory, ProcessIdentity, Status, name, write};
use support::{cami_ipa, code, output, stderr};

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A host whose monitor is this test.
fn put(folder: &Path, requests: u64, updated_unix_ms: u64) {
    let status = Status {
        monitor: ProcessIdentity::own(),
        vendor_pid: 41,
        library: "/opt/vendor/libvendor.so".to_owned(),
        profile: "intel-ipu3".to_owned(),
        started_unix_ms: updated_unix_ms - 192_000,
        updated_unix_ms,
        state: "idle".to_owned(),
        requests,
        callbacks: requests,
        requests_per_second: 270.5,
        latency: Some(Latency { answers: 64, p50_us: 310, p90_us: 820, max_us: 4100 }),
        restarts: 2,
        memory: Some(Memory { resident_bytes: 20 << 20, ..Memory::default() }),
        last_cause: Some("vendor process 9 killed by \x1b[31mSIGSEGV".to_owned()),
        ..Status::default()
    };
    write(folder, Kind::Status, &name(Kind::Status, 0, 1), &status).unwrap();
}

fn top(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = cami_ipa(&["top", "--status-dir"]);
    command.arg(folder).args(arguments);
    command
}

#[test]
fn one_look_is_a_table() {
    let room = tempfile::tempdir().unwrap();
    put(room.path(), 1234, now());
    let output = output(&mut top(room.path(), &["--once"]));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("1 hosts, 270.5 requests per second, 0 deaths known"), "{text}");
    for (title, cell) in [
        ("REQ/S", "270.5"),
        ("P50", "310 us"),
        ("P90", "820 us"),
        ("MAX", "4.1 ms"),
        ("MEMORY", "20 MiB"),
    ] {
        let end = lines[1].find(title).unwrap() + title.len();
        assert!(lines[2][..end].ends_with(cell), "{title} is not {cell}:\n{text}");
    }
    assert!(text.contains("  before: vendor process 9 killed by \u{fffd}[31mSIGSEGV\n"), "{text}");
    assert!(!text.contains('\x1b'), "there is no terminal");
}

#[test]
fn rates_are_of_the_time_between_two_looks() {
    let room = tempfile::tempdir().unwrap();
    let begin = now();
    put(room.path(), 1000, begin);
    let mut child =
        top(room.path(), &["--every", "50", "--json", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next =
        || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let first = next();
    assert_eq!(first["hosts"][0]["requests_per_second"], 270.5);
    assert_eq!(first["hosts"][0]["latency"]["p90_us"], 820);
    put(room.path(), 1100, begin + 1000);
    let changed =
        std::iter::repeat_with(&mut next).find(|look| look["hosts"][0]["requests"] == 1100);
    let changed = changed.unwrap();
    assert_eq!(changed["hosts"][0]["requests_per_second"], 100.0, "{changed}");
    // A file that nobody writes any more is a host at rest.
    put(room.path(), 1200, begin - 60_000);
    let old = std::iter::repeat_with(&mut next).find(|look| look["hosts"][0]["requests"] == 1200);
    assert_eq!(old.unwrap()["hosts"][0]["requests_per_second"], 0.0);
    std::fs::remove_file(room.path().join("1.json")).unwrap();
    assert!(std::iter::repeat_with(&mut next).any(|look| look["hosts"] == serde_json::json!([])));
    // A reader that goes away ends it, and is no error.
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn nothing_runs_and_nothing_is_there() {
    let output = output(&mut top(Path::new("/nowhere/at/all"), &["--times", "2", "--every", "50"]));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("0 hosts, 0.0 requests per second").count(), 2, "{text}");
}

/// `top` in a terminal (that of script(1)), and then what the terminal is like.
///
/// script(1) runs the line in `$SHELL`, else in /bin/sh. ^C is for the whole foreground process group:
/// some shells end with it when the command does not, so the line has a handler for it. (It has to be
/// a handler: a signal that is ignored stays so in the command.)
fn in_terminal(folder: &Path) -> Child {
    let line = "trap : INT; stty rows 24 cols 80; \
                \"$PROGRAM\" top --every 50 --status-dir \"$FOLDER\"; echo exit $?; stty -a";
    Command::new("script")
        .args(["-q", "-e", "-c", line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("PROGRAM", env!("CARGO_BIN_EXE_cami-ipa"))
        .env("FOLDER", folder)
        .env("TERM", "xterm")
        // They would be taken for the size of the terminal.
        .env_remove("LINES")
        .env_remove("COLUMNS")
        .env_remove("CAMI_IPA_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_terminal_is_as_it_was_whatever_ends_it() {
    for key in ["q", "\x03", "\x1b"] {
        let room = tempfile::tempdir().unwrap();
        put(room.path(), 1234, now());
        let mut child = in_terminal(room.path());
        let mut out = child.stdout.take().unwrap();
        let mut seen = Vec::new();
        let mut byte = [0];
        // Two pictures, in place.
        while String::from_utf8_lossy(&seen).matches("libvendor.so").count() < 2 {
            assert_eq!(out.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
            seen.push(byte[0]);
        }
        child.stdin.as_mut().unwrap().write_all(key.as_bytes()).unwrap();
        child.stdin.as_mut().unwrap().flush().unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let text = String::from_utf8_lossy(&seen).into_owned() + &rest;
        assert!(text.starts_with("\x1b[?1049h\x1b[?25l\x1b[H1 hosts"), "{text:?}");
        let (_, after) = rest.split_once("\x1b[?25h\x1b[?1049l").unwrap();
        assert!(after.contains("exit 0"), "{key:?}: {after:?}");
        assert!(after.contains(" icanon") && after.contains(" echo "), "{key:?}: {after:?}");
        child.wait().unwrap();
    }
}

#[test]
fn mistakes_are_named() {
    for (arguments, named) in
        [(&["--every", "1"][..], "--every"), (&["--times", "0"], "--times"), (&["more"], "more")]
    {
        let output = output(&mut top(Path::new("/nowhere"), arguments));
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}
