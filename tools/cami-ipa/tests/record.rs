//! `cami-ipa record`: what is recorded, and what is taken out again.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may state what it expects"
)]

mod support;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_recording::session::Event;
use cami_recording::{Ending, Recording, Session};
use support::{built, cami_ipa, code, output, reference, stderr};

/// Whether the shim and its host were built.
fn is_built() -> bool {
    let all = built("libcam_algo.so").is_some() && built("cros_ipa_proxy").is_some();
    if !all {
        eprintln!("SKIPPED: libcam_algo.so and cros_ipa_proxy are not built beside cami-ipa");
    }
    all
}

/// `cami-ipa record OPTIONS -- cami-ipa run ARGUMENTS`.
fn record(options: &[&str], arguments: &[&str]) -> Command {
    let mut command = cami_ipa(&["record"]);
    command.args(options).arg("--").arg(env!("CARGO_BIN_EXE_cami-ipa")).arg("run");
    command.args(arguments).env("CAMI_IPA_VENDOR_LIBRARY", reference());
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn session(file: &Path) -> (Recording<fs::File>, Session) {
    let recording = Recording::open(file).expect("a recording");
    assert_eq!(recording.ending(), Ending::Complete);
    let session = Session::of(&recording).expect("a session");
    (recording, session)
}

/// Every content that is named is there.
fn contents_are_there(recording: &Recording<fs::File>, session: &Session) -> usize {
    let mut count = 0;
    for event in &session.events {
        let Event::Exchange { requested, returned } = event else { continue };
        let contents =
            [requested.content, returned.as_ref().map_or(0, |returned| returned.content)];
        for content in contents.into_iter().filter(|&content| content != 0) {
            recording.content(content).expect("the content is there");
            count += 1;
        }
    }
    count
}

#[test]
fn a_recorded_run_is_the_same_as_an_unrecorded_one_and_all_of_it_is_there() {
    if !is_built() {
        return;
    }
    let room = tempfile::tempdir().expect("a folder");
    let (plain, recorded) = (room.path().join("plain.csv"), room.path().join("recorded.csv"));
    let file = room.path().join("x.camr");
    let library = reference();
    let mut direct = cami_ipa(&["run", "--frames", "12", "--trace", text(&plain)]);
    let direct = output(direct.arg("--vendor-library").arg(library));
    let run = ["--frames", "12", "--trace", text(&recorded)];
    let output = output(&mut record(&["--output", text(&file)], &run));
    assert_eq!(code(&output), code(&direct), "{}", stderr(&output));
    assert_eq!(fs::read(plain).expect("a trace"), fs::read(recorded).expect("a trace"));
    let told = stderr(&output);
    let line = told.lines().find(|line| line.contains("recording: ")).expect("what was recorded");
    assert!(line.contains(text(&file)) && line.contains("1 host, "), "{line}");
    assert!(line.contains("12 frames"), "{line}");
    let (recording, session) = session(&file);
    assert!(contents_are_there(&recording, &session) > 100);
    let open = session
        .events
        .iter()
        .filter(|event| matches!(event, Event::Exchange { returned: None, .. }));
    assert_eq!(open.count(), 0);
    assert!(session.lost.is_empty() && session.hosts[0].ended_ns.is_some());
    assert!(session.events.iter().all(|event| event.at_ns() > 0));
}

/// From the camera to what people look at.
#[test]
fn a_recorded_run_can_be_shown_and_reported() {
    if !is_built() {
        return;
    }
    let room = tempfile::tempdir().expect("a folder");
    let (file, page) = (room.path().join("x.camr"), room.path().join("x.html"));
    let recorded = output(&mut record(&["--output", text(&file)], &["--frames", "12"]));
    assert!(stderr(&recorded).contains("12 frames"), "{}", stderr(&recorded));
    let shown = output(&mut cami_ipa(&["show", text(&file)]));
    let lines = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(code(&shown), 0, "{lines}");
    // One for each run of AE, by its name, and the host's end.
    let runs = lines.lines().filter(|line| line.contains("AIQ_AE_RUN")).count();
    assert_eq!(runs, 12, "{lines}");
    let reported = output(&mut cami_ipa(&["report", text(&file), "--html", text(&page)]));
    assert_eq!(code(&reported), 0, "{}", stderr(&reported));
    let html = fs::read_to_string(&page).expect("a page");
    assert!(html.ends_with("</body>\n</html>\n"), "the page is whole");
    assert!(html.contains("12 frames") && html.contains("intel-ipu3"), "it tells of this run");
    // And once more: it says the same.
    let again = room.path().join("again.html");
    assert_eq!(code(&output(&mut cami_ipa(&["report", text(&file), "--html", text(&again)]))), 0);
    assert_eq!(html, fs::read_to_string(again).expect("a page"));
}

#[test]
fn a_recording_over_deaths_is_one_file_with_all_hosts() {
    if !is_built() {
        return;
    }
    for victim in ["vendor", "monitor"] {
        let room = tempfile::tempdir().expect("a folder");
        let file = room.path().join("x.camr");
        let run = [
            "--frames",
            "16",
            "--kill-every",
            "4",
            "--kill-victim",
            victim,
            "--recovery",
            "resume",
        ];
        let output = output(&mut record(&["--output", text(&file)], &run));
        let told = stderr(&output);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("0 lost and 0 doubled completions"), "{said}{told}");
        let (recording, session) = session(&file);
        assert!(session.hosts.len() > 2, "{victim}: {}", session.hosts.len());
        assert!(contents_are_there(&recording, &session) > 100);
        let numbers: Vec<u32> = session.hosts.iter().map(|life| life.host.host).collect();
        assert!(numbers.iter().zip(1..).all(|(&number, expected)| number == expected));
        // All but the first have taken over, and say so.
        let resumed = session.hosts.iter().skip(1).filter(|life| life.resumed_ns.is_some()).count();
        assert_eq!(resumed, session.hosts.len() - 1);
        assert!(session.hosts.iter().skip(1).all(|life| life.host.restarts > 0));
        let died = session.hosts.iter().filter(|life| life.died.is_some()).count();
        if victim == "vendor" {
            assert_eq!(died, session.hosts.len() - 1);
            assert!(session.lost.is_empty());
        }
        assert_eq!(fs::read_dir(room.path()).expect("a folder").count(), 1);
    }
}

#[test]
fn the_commands_exit_code_is_passed_on() {
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("x.camr");
    let run = |arguments: &[&str]| {
        let mut command = cami_ipa(&["record", "--output", text(&file)]);
        output(command.arg("--").args(arguments))
    };
    for (script, expected) in [("exit 7", 7), ("kill -9 $$", 137), ("exit 0", 1)] {
        let output = run(&["sh", "-c", script]);
        assert_eq!(code(&output), expected, "{script}");
        assert!(stderr(&output).contains("nothing was recorded"), "{}", stderr(&output));
    }
    assert_eq!(code(&run(&["/nowhere/program"])), 127);
    assert_eq!(code(&run(&[text(room.path())])), 126);
    fs::write(&file, "CAMR, or what else it may be").expect("a file");
    let refused = run(&["true"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("--force"), "{}", stderr(&refused));
    let variable = run_with_force(&file);
    assert_eq!(variable.trim(), text(&file));
}

/// What COMMAND finds in its environment.
fn run_with_force(file: &Path) -> String {
    let mut command = cami_ipa(&["record", "--force", "--output", text(file), "--", "sh", "-c"]);
    let output = output(command.arg("echo $CAMI_IPA_RECORD"));
    String::from_utf8(output.stdout).expect("text")
}

/// Bytes that nothing else holds.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(step).take(bytes).collect()
}

/// All pieces of 64 bytes of `data` in `bytes`, by a way that has nothing of the program's.
fn pieces_found(data: &[u8], bytes: &[u8]) -> usize {
    let says_something = |piece: &&[u8]| piece.iter().collect::<HashSet<_>>().len() >= 5;
    let known: HashSet<&[u8]> = data.windows(64).filter(says_something).collect();
    bytes.windows(64).filter(|piece| known.contains(piece)).count()
}

/// A recording of a library that is given `tuning`; its file.
fn recorded_with(room: &Path, tuning: &[u8]) -> PathBuf {
    let (file, data) = (room.join("x.camr"), room.join("x.aiqb"));
    fs::write(&data, tuning).expect("a file");
    let run = ["--frames", "3", "--tuning", text(&data)];
    let output = output(&mut record(&["--output", text(&file)], &run));
    assert!(stderr(&output).contains("recording: "), "{}", stderr(&output));
    file
}

/// Everything that can be had from a file: itself, and all that is packed in it.
fn everything(file: &Path) -> Vec<u8> {
    let (recording, session) = session(file);
    let mut all = fs::read(file).expect("a file");
    let mut seen = HashSet::new();
    for event in &session.events {
        let Event::Exchange { requested, returned } = event else { continue };
        for content in [requested.content, returned.as_ref().map_or(0, |found| found.content)] {
            if content != 0 && seen.insert(content) {
                all.extend(recording.content(content).expect("a content"));
                // No piece over a border.
                all.extend([0; 64]);
            }
        }
    }
    all
}

#[test]
fn nothing_of_the_tuning_data_is_in_a_copy_without_it() {
    if !is_built() {
        return;
    }
    let room = tempfile::tempdir().expect("a folder");
    let tuning = noise(20_000);
    let file = recorded_with(room.path(), &tuning);
    assert!(pieces_found(&tuning, &everything(&file)) > 10_000, "it was in the recording");
    let copy = room.path().join("copy.camr");
    let strip = |force: &[&str]| {
        let mut command = cami_ipa(&["record", "--strip-tuning"]);
        output(command.args(force).arg(&file).arg(&copy))
    };
    let stripped = strip(&[]);
    assert_eq!(code(&stripped), 0, "{}", stderr(&stripped));
    assert!(String::from_utf8_lossy(&stripped.stdout).contains("bytes of tuning data left out"));
    assert_eq!(pieces_found(&tuning, &everything(&copy)), 0);
    let (_, before) = session(&file);
    let (recording, after) = session(&copy);
    assert_eq!(after.events.len(), before.events.len());
    assert!(contents_are_there(&recording, &after) > 20);
    assert!(after.annotations.iter().any(|said| said.key == "stripped"));
    // It is not written over.
    assert_eq!(code(&strip(&[])), 2);
    assert_eq!(code(&strip(&["--force"])), 0);
}
