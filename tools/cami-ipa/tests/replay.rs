//! Sessions recorded, and made again: against the same library, against a changed one, and with
//! `libcam_algo_replay.so` in a library's place.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{built, cami_ipa, code, output, reference, stderr};

/// The AE target of a changed library: 30 % in place of 18 %.
const CHANGED: &str = "CAMI_REFERENCE_AE_TARGET_PERCENT=30";
const FRAMES: &str = "6";

fn is_isolated() -> bool {
    let beside = Path::new(env!("CARGO_BIN_EXE_cami-ipa"));
    let names = ["libcam_algo.so", "cros_ipa_proxy"];
    let there = names.iter().all(|name| beside.with_file_name(name).exists());
    if !there {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: libcam_algo.so and cros_ipa_proxy are not built beside cami-ipa"
        );
    }
    there
}

fn replay_library() -> PathBuf {
    built("libcam_algo_replay.so").expect("cargo built the replay library")
}

/// Waits until whoever writes a recording has let go of it: its end may be written after the run.
fn written(file: &Path) {
    std::fs::File::open(file).and_then(|file| file.lock_shared()).expect("a recording");
}

/// A recorded run of the reference library, and its trace.
struct Recorded {
    folder: tempfile::TempDir,
    file: PathBuf,
}

impl Recorded {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("session.camr");
        let recorded = Self { folder, file };
        let mut command = recorded.run("recorded.csv", &reference());
        let output = output(command.env("CAMI_IPA_RECORD", &recorded.file));
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        written(&recorded.file);
        recorded
    }

    /// A run of some library, with a trace.
    fn run(&self, trace: &str, library: &Path) -> Command {
        let mut command = cami_ipa(&["run", "--frames", FRAMES, "--trace"]);
        command.arg(self.folder.path().join(trace)).arg("--vendor-library").arg(library);
        command
    }

    fn trace(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect("a trace")
    }

    fn replay(&self, arguments: &[&str]) -> Command {
        let mut command = cami_ipa(&["replay"]);
        command.arg(&self.file).arg("--vendor-library").arg(reference()).args(arguments);
        command
    }

    /// What a host is told for `libcam_algo_replay.so`.
    fn answering<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let file = self.file.display();
        command
            .env("CAMI_IPA_ENVIRONMENT", format!("CAMI_REPLAY_FILE={file}"))
            .env("CAMI_IPA_SANDBOX__READ", self.file.as_os_str())
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_recorded_run_of_the_same_library_has_no_differences() {
    if !is_isolated() {
        return;
    }
    let recorded = Recorded::new();
    for mode in [&["--compare"][..], &["--compare", "--in-process"]] {
        let output = output(&mut recorded.replay(mode));
        let told = stdout(&output);
        assert_eq!(code(&output), 0, "{told}{}", stderr(&output));
        assert!(told.starts_with("no difference in "), "{told}");
        assert!(!told.contains("ends before"), "{told}");
    }
    let output = output(&mut recorded.replay(&["--compare", "--json", "-"]));
    let data: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(data["frames"].to_string(), FRAMES);
    assert!(data["answers"].as_u64() > Some(9 * 6), "{data}");
    assert_eq!(data["different_answers"], 0);
}

#[test]
fn another_ae_target_is_named_by_field_and_frame() {
    if !is_isolated() {
        return;
    }
    let recorded = Recorded::new();
    let changed = |arguments: &[&str]| {
        let mut command = recorded.replay(arguments);
        output(command.env("CAMI_IPA_ENVIRONMENT", CHANGED))
    };
    let output = changed(&["--compare"]);
    let told = stdout(&output);
    assert_eq!(code(&output), 1, "{told}{}", stderr(&output));
    // Statistics come with frame 1: until then AE has no target.
    let line = |line: &&str| line.starts_with("frame 1 AIQ_AE_RUN exposure_time_us ");
    let line = told.lines().find(line).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains(" → ") && line.ends_with(" %") && line.contains(", +"), "{line}");
    assert!(!told.contains("frame 0 "), "{told}");
    // The other algorithms are given the recorded exposure, and do not change.
    assert!(!told.contains("AIQ_AWB_RUN ") && !told.contains("AIQ_SA_RUN "), "{told}");

    let output = changed(&["--compare", "--json", "-"]);
    let data: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let summary = data["summary"].as_array().expect("a list");
    let exposure = summary
        .iter()
        .find(|line| line["command"] == "AIQ_AE_RUN" && line["field"] == "exposure_time_us")
        .unwrap_or_else(|| panic!("{data}"));
    assert_eq!(exposure["first_frame"], 1);
    assert!(summary.iter().all(|line| line["command"] == "AIQ_AE_RUN"), "{data}");

    let output = changed(&["--compare", "--tolerance", "AIQ_AE_RUN.*=any"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let output = changed(&[]);
    assert_eq!(code(&output), 0, "differences count only where they are asked for");
}

#[test]
fn the_replay_library_serves_the_run_that_was_recorded() {
    if !is_isolated() {
        return;
    }
    let recorded = Recorded::new();
    let mut command = recorded.run("again.csv", &replay_library());
    let output = output(recorded.answering(&mut command));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(recorded.trace("again.csv"), recorded.trace("recorded.csv"));
    assert!(stderr(&output).contains("requests, 6 frames, profile intel-ipu3, strict"));
}

#[test]
fn a_hal_that_behaves_otherwise_is_told_where() {
    if !is_isolated() {
        return;
    }
    let recorded = Recorded::new();
    // Another seed is another noise in the statistics of frame 1.
    let mut command = recorded.run("again.csv", &replay_library());
    let output = output(recorded.answering(command.args(["--seed", "2"])));
    let told = stderr(&output);
    assert_eq!(code(&output), 1, "{told}");
    assert!(told.contains("frame 1 AIQ_STATISTICS_SET: rgbs_grids.blocks_ptr["), "{told}");
    assert!(told.contains("answered with status 1"), "{told}");
}

#[test]
fn a_hal_recovers_from_the_recorded_deaths_as_it_did() {
    if !is_isolated() {
        return;
    }
    // Between two frames, and in the middle of one; a HAL that is told, and one that is not.
    for (recovery, kill) in
        [("resume", "--kill-once"), ("resume", "--kill-every"), ("notify", "--kill-once")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, deaths) = (folder.path().join("session.camr"), folder.path().join("deaths"));
        let recorded = Recorded { folder, file };
        let mut command = recorded.run("recorded.csv", &reference());
        command.args(["--recovery", recovery, kill, "3"]);
        command.env("CAMI_IPA_RECORD", &recorded.file);
        let output = output(&mut command);
        assert_eq!(code(&output), 0, "{recovery} {kill}: {}", stderr(&output));
        written(&recorded.file);
        std::fs::write(&deaths, "").expect("a file");
        let mut command = recorded.run("again.csv", &replay_library());
        recorded.answering(command.args(["--recovery", recovery]));
        let environment = format!(
            "CAMI_REPLAY_FILE={}:CAMI_REPLAY_DEATHS={}",
            recorded.file.display(),
            deaths.display()
        );
        command.env("CAMI_IPA_ENVIRONMENT", environment).env("CAMI_IPA_SANDBOX__WRITE", &deaths);
        let output = support::output(&mut command);
        let told = stderr(&output);
        assert_eq!(code(&output), 0, "{recovery} {kill}: {told}");
        assert!(told.contains("host 1: dies of signal 9"), "{recovery} {kill}: {told}");
        assert!(told.contains("killed by SIGKILL"), "{recovery} {kill}: {told}");
        assert_eq!(recorded.trace("again.csv"), recorded.trace("recorded.csv"), "{told}");
        let hosts = told.matches("answers from").count() as u64;
        let count = std::fs::read_to_string(&deaths).expect("a file");
        assert_eq!(count, format!("{}\n", hosts - 1), "{told}");
    }
}

#[test]
fn a_recording_of_the_replay_library_is_the_recording_it_answers_from() {
    if !is_isolated() {
        return;
    }
    let recorded = Recorded::new();
    let mut command = cami_ipa(&["replay", "--compare"]);
    command.arg(&recorded.file).arg("--vendor-library").arg(replay_library());
    let output = output(recorded.answering(&mut command));
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
}

/// The requests that were recorded from Intel's library, in a folder of their own.
fn requests() -> Option<tempfile::TempDir> {
    let Some(vectors) = std::env::var_os("CAMI_IPA_VECTORS") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is not set");
        return None;
    };
    let tar = Path::new(&vectors).join("requests/ov13858_tfc13myhce_12frames.tar.xz");
    let folder = tempfile::tempdir().expect("a folder");
    let unpacked = Command::new("tar")
        .args(["--strip-components=1", "-xJf"])
        .arg(tar)
        .arg("-C")
        .arg(folder.path())
        .status();
    assert!(unpacked.expect("tar is installed").success());
    Some(folder)
}

fn import(folder: &Path, file: &Path) -> Output {
    let mut command = cami_ipa(&["replay", "--import"]);
    output(command.arg(folder).arg("--output").arg(file))
}

#[test]
fn the_whole_ipu3_sequence_of_the_real_library_is_served_byte_for_byte() {
    let Some(requests) = requests() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("intel.camr");
    let imported = import(requests.path(), &file);
    assert_eq!(code(&imported), 0, "{}", stderr(&imported));
    assert!(stdout(&imported).ends_with(": 128 requests\n"));
    if !is_isolated() {
        return;
    }
    let recorded = Recorded { folder, file };
    // Its own recording of the replay, so that every byte that crossed is seen.
    let again = recorded.folder.path().join("again.camr");
    let mut command = cami_ipa(&["replay", "--compare"]);
    command.arg(&recorded.file).arg("--vendor-library").arg(replay_library());
    let output = output(recorded.answering(&mut command).env("CAMI_IPA_RECORD", &again));
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    written(&again);
    let (one, other) = (contents(&recorded.file), contents(&again));
    assert_eq!(one.len(), 256, "128 requests and 128 answers");
    for (place, (one, other)) in one.iter().zip(&other).enumerate() {
        assert!(one == other, "content {place} differs");
    }
    assert_eq!(one.len(), other.len());
}

/// What all buffers held, in order: before each request and at its callback; none is an empty one.
fn contents(file: &Path) -> Vec<Vec<u8>> {
    let recording = cami_recording::Recording::open(file).expect("a recording");
    let read = |number| recording.content(number).unwrap_or_default();
    let events = recording.events().map(|event| event.expect("a block"));
    events
        .filter_map(|event| match event {
            cami_recording::Block::Requested(requested) => Some(read(requested.content)),
            cami_recording::Block::Returned(returned) => Some(read(returned.content)),
            _ => None,
        })
        .collect()
}

#[test]
fn what_is_no_folder_of_requests_is_not_imported() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.camr");
    let told = |arguments: &Path| {
        let output = import(arguments, &file);
        assert_eq!(code(&output), 2);
        stderr(&output)
    };
    assert!(told(Path::new("/nowhere/at/all")).contains("/nowhere/at/all"));
    assert!(told(folder.path()).contains("has no NNN_cmdCC_in.bin"));
    std::fs::write(folder.path().join("000_cmd08_out.bin"), [0; 4]).expect("a file");
    assert!(told(folder.path()).contains("000_cmd08_in.bin is missing"));
    std::fs::write(folder.path().join("000_cmd08_in.bin"), [0; 4]).expect("a file");
    std::fs::write(folder.path().join("manifest.tsv"), "seq\tcmd\n0\tx\n").expect("a file");
    assert!(told(folder.path()).contains("manifest.tsv: line 2 is no request"));
    std::fs::remove_file(folder.path().join("manifest.tsv")).expect("it is there");
    assert_eq!(code(&import(folder.path(), &file)), 0);
}

#[test]
fn what_is_no_recording_is_told_and_is_no_difference() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("text.camr");
    std::fs::write(&file, "this is a text and not a recording of anything").expect("a file");
    for (path, told) in [
        (file.as_path(), "is no recording of cami-ipa"),
        (Path::new("/nowhere/at/all.camr"), "cannot be read"),
    ] {
        let output = output(cami_ipa(&["replay", "--compare"]).arg(path));
        assert_eq!(code(&output), 2, "a script can tell it from a difference");
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
}
