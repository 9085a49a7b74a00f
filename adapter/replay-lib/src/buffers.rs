//! What is kept of a buffer that a client registered.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use cami_link::sought_size;

/// A registered buffer. It is read and written through its file, which is closed once it is
/// deregistered and no request uses it.
#[derive(Debug)]
pub struct Buffer {
    /// The file.
    pub file: File,
    /// Its bytes.
    pub bytes: u64,
}

impl Buffer {
    /// Takes what has bytes.
    pub fn take(fd: OwnedFd) -> Option<Arc<Self>> {
        let bytes = sought_size(fd.as_fd()).unwrap_or(0);
        (bytes > 0).then(|| Arc::new(Self { file: File::from(fd), bytes }))
    }
}

impl AsRawFd for Buffer {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}
