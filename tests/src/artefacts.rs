//! Where the programs and libraries under test are.

#![allow(clippy::panic, clippy::expect_used, reason = "a test without artefacts cannot go on")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file that `cargo build --workspace` leaves in the target folder.
///
/// # Panics
/// With a sentence that says what to do, if it is not there.
#[must_use]
pub fn artefact(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the running test");
    // …/target/debug/deps/conformance-0123456789abcdef
    let folder = test.ancestors().nth(2).expect("a test in a target folder");
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is missing: build the workspace first (`./x test` does, or `cargo build --workspace`)",
        path.display()
    );
    path
}

/// A program of `hosts/`, which the build script compiled.
#[must_use]
pub fn host_program(name: &str) -> PathBuf {
    compiled(name)
}

/// A library of `vendors/`, which the build script compiled.
#[must_use]
pub fn vendor_library(name: &str) -> PathBuf {
    compiled(&format!("{name}.so"))
}

fn compiled(name: &str) -> PathBuf {
    let path = Path::new(env!("OUT_DIR")).join(name);
    assert!(path.exists(), "{} is missing: it is not in build.rs", path.display());
    path
}

/// The system calls that ChromeOS's camera services may make on this machine's architecture.
#[must_use]
pub fn filter_list() -> PathBuf {
    let name = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("filters");
    lists.join(format!("cros-camera-algo-{name}.txt"))
}

/// A program under those, where every other system call kills it. Arguments are appended.
#[must_use]
pub fn under_filter(program: &Path) -> Command {
    let mut command = Command::new(artefact("under_filter"));
    command.arg(filter_list()).arg(program);
    command
}
