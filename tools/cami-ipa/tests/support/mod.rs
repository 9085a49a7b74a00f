//! Running the built program on what is built beside it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test may state what it expects; not every test uses everything"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program with `run` and arguments, without settings of the caller's environment.
pub fn cami_ipa(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cami-ipa"));
    command
        .args(arguments)
        .env_remove("CAMI_IPA_VENDOR_LIBRARY")
        .env_remove("CAMI_IPA_CONFIG")
        // Nothing outside of the test's own folders.
        .env("CAMI_IPA_STATUS_DIR", "/nowhere/cami-ipa");
    command
}

/// Runs it.
pub fn output(command: &mut Command) -> Output {
    command.output().expect("the program can be started")
}

/// Its exit code.
pub fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

/// What it wrote to standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A file that was built beside the program, or among its dependencies.
pub fn built(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_BIN_EXE_cami-ipa")).with_file_name(name);
    let among = beside.with_file_name("deps").join(name);
    [beside, among].into_iter().find(|path| path.exists())
}

/// The reference library, which this crate's tests depend on.
pub fn reference() -> PathBuf {
    built("libcam_algo_reference.so").expect("cargo built the reference library")
}

/// One column of a trace.
pub fn column(trace: &str, name: &str) -> Vec<f64> {
    let mut lines = trace.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let index = header.iter().position(|column| *column == name).expect("a known column");
    lines
        .map(|line| line.split(',').nth(index).expect("a value").parse().expect("a number"))
        .collect()
}

/// Runs and gives the trace; the run must succeed.
pub fn trace(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trace.csv");
    let mut command = cami_ipa(&["run", "--trace"]);
    let output = output(command.arg(&file).args(arguments));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    std::fs::read_to_string(file).expect("a trace")
}
