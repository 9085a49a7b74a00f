//! What is kept of a buffer that a client registered.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use crate::shared_memory::SharedMemory;

/// A registered buffer. Its fd is closed when it is deregistered; its memory stays mapped for as
/// long as a request uses it.
#[derive(Debug)]
pub struct Buffer {
    fd: OwnedFd,
    /// Its memory.
    pub memory: Arc<SharedMemory>,
}

impl Buffer {
    /// Maps it.
    pub fn map(fd: OwnedFd) -> Option<Self> {
        let memory = Arc::new(SharedMemory::map(&fd).ok()?);
        Some(Self { fd, memory })
    }
}

impl AsRawFd for Buffer {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
