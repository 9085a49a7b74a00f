//! The buffers that a client registered.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use cami_link::sought_size;
use nix::errno::Errno;

/// A registered buffer. It is read and written through its file, which is closed once it is
/// deregistered and no request uses it.
#[derive(Debug)]
pub struct Buffer {
    /// The file.
    pub file: File,
    /// Its bytes.
    pub bytes: u64,
}

/// Buffers by handle. Handles count up from 1 and are never used again.
#[derive(Debug)]
pub struct Buffers {
    by_handle: BTreeMap<i32, Arc<Buffer>>,
    last: i32,
}

impl Buffers {
    /// None.
    pub const fn new() -> Self {
        Self { by_handle: BTreeMap::new(), last: 0 }
    }

    /// Takes a buffer and returns its handle. `EINVAL` for a number that is registered already,
    /// `EBADFD` for what has no bytes.
    pub fn register(&mut self, fd: OwnedFd) -> Result<i32, Errno> {
        let number = fd.as_raw_fd();
        if self.by_handle.values().any(|buffer| buffer.file.as_raw_fd() == number) {
            // The caller gave away a number that is this table's: it stays open and stays here.
            let _ = fd.into_raw_fd();
            return Err(Errno::EINVAL);
        }
        let bytes = sought_size(fd.as_fd()).unwrap_or(0);
        if bytes == 0 {
            return Err(Errno::EBADFD);
        }
        let handle = self.last.checked_add(1).ok_or(Errno::ENOSPC)?;
        self.last = handle;
        self.by_handle.insert(handle, Arc::new(Buffer { file: File::from(fd), bytes }));
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

    /// A buffer.
    pub fn get(&self, handle: i32) -> Option<Arc<Buffer>> {
        self.by_handle.get(&handle).map(Arc::clone)
    }
}
