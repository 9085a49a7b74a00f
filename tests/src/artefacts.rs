//! Where the programs and libraries under test are.

#![allow(clippy::panic, clippy::expect_used, reason = "a test without artefacts cannot go on")]

use std::path::{Path, PathBuf};

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
