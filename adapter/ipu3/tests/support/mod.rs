//! The vectors: data of Intel's library, kept outside (docs/sources.md).
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    dead_code,
    reason = "a test may state what it expects; not every test uses everything"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_ipu3::{Pod, bytes_of_mut, zeroed_box};

/// A folder of the vectors, or a word that the test is skipped.
pub fn folder(name: &str) -> Option<PathBuf> {
    let vectors = std::env::var_os("CAMI_IPA_VECTORS");
    if vectors.is_none() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is not set");
    }
    Some(Path::new(&vectors?).join(name))
}

/// The names before `ending` of all files of a folder that have it, in order.
pub fn names(folder: &Path, ending: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of vectors")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// The bytes of an xz file.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let output = Command::new("xz").arg("-dc").arg(path).output().expect("xz is installed");
    assert!(output.status.success(), "{}: {}", path.display(), output.status);
    output.stdout
}

/// A struct of bytes that are as many.
pub fn of<T: Pod>(bytes: &[u8]) -> Box<T> {
    let mut value = zeroed_box::<T>();
    bytes_of_mut(&mut *value).copy_from_slice(bytes);
    value
}
