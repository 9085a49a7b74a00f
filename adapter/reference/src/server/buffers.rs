//! The buffers that a client registered.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::shared_memory::SharedMemory;

/// A registered buffer. Its fd is closed when it is deregistered; its memory stays mapped for as
/// long as a request uses it.
#[derive(Debug)]
struct Buffer {
    fd: OwnedFd,
    memory: Arc<SharedMemory>,
}

/// Buffers by handle. Handles count up from 1 and are never used again.
#[derive(Debug)]
pub struct Buffers {
    by_handle: BTreeMap<i32, Buffer>,
    last: i32,
}

impl Buffers {
    /// None.
    pub const fn new() -> Self {
        Self { by_handle: BTreeMap::new(), last: 0 }
    }

    /// Maps a buffer and returns its handle, or the errno that the original answers:
    /// EINVAL for a number that is registered already, EBADFD for what cannot be mapped.
    pub fn register(&mut self, fd: OwnedFd) -> Result<i32, Errno> {
        let number = fd.as_raw_fd();
        if self.by_handle.values().any(|buffer| buffer.fd.as_raw_fd() == number) {
            // The caller gave away a number that is not its own any more, but this table's: it
            // stays open and stays here.
            let _ = fd.into_raw_fd();
            return Err(Errno::EINVAL);
        }
        let memory = Arc::new(SharedMemory::map(&fd).map_err(|_| Errno::EBADFD)?);
        let handle = self.last.checked_add(1).ok_or(Errno::ENOSPC)?;
        self.last = handle;
        self.by_handle.insert(handle, Buffer { fd, memory });
        Ok(handle)
    }

    /// Forgets a buffer; an unknown handle is none.
    pub fn deregister(&mut self, handle: i32) {
        self.by_handle.remove(&handle);
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.by_handle.clear();
    }

    /// The memory of a buffer.
    pub fn memory(&self, handle: i32) -> Option<Arc<SharedMemory>> {
        self.by_handle.get(&handle).map(|buffer| Arc::clone(&buffer.memory))
    }
}
