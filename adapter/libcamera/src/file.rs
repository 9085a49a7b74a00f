//! Files that are looked at.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// libcamera.so has two megabytes, its modules less; more is none of them.
const MAX_BYTES: u64 = 128 << 20;

/// The contents of a regular file.
pub(crate) fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
