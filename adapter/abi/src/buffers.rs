//! The buffers of a library that implements the ABI.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

/// What a library keeps of each buffer that its client has registered, by handle. Handles count up from
/// 1 and are never used again.
///
/// `register_buffer` gives descriptors away by number. A client can therefore give away a number that is
/// not its own any more but this table's: that one stays open and stays here.
#[derive(Debug)]
pub struct Buffers<T> {
    by_handle: BTreeMap<i32, T>,
    last: i32,
}

impl<T> Default for Buffers<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Buffers<T> {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { by_handle: BTreeMap::new(), last: 0 }
    }

    /// Forgets a buffer; an unknown handle is none.
    pub fn deregister(&mut self, handle: i32) {
        self.by_handle.remove(&handle);
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.by_handle.clear();
    }

    /// What is kept of a buffer.
    #[must_use]
    pub fn get(&self, handle: i32) -> Option<&T> {
        self.by_handle.get(&handle)
    }
}

impl<T: AsRawFd> Buffers<T> {
    /// Takes a buffer, of which `keep` makes what is kept; it holds the descriptor. Returns the handle,
    /// or what the original server answers: -EINVAL for a number that is registered already, -EBADFD for
    /// what `keep` cannot use.
    pub fn register(&mut self, fd: OwnedFd, keep: impl FnOnce(OwnedFd) -> Option<T>) -> i32 {
        let number = fd.as_raw_fd();
        if self.by_handle.values().any(|kept| kept.as_raw_fd() == number) {
            let _ = fd.into_raw_fd();
            return -libc::EINVAL;
        }
        let Some(kept) = keep(fd) else { return -libc::EBADFD };
        let Some(handle) = self.last.checked_add(1) else { return -libc::ENOSPC };
        self.last = handle;
        self.by_handle.insert(handle, kept);
        handle
    }
}
