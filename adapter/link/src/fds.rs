//! The descriptors of one received message.

use std::os::fd::OwnedFd;

/// Descriptors that came with a message, owned: those not taken are closed on drop.
#[derive(Debug, Default)]
pub struct Fds(Vec<OwnedFd>);

impl Fds {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, fd: OwnedFd) {
        self.0.push(fd);
    }

    pub(crate) fn append(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    /// How many came.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only descriptor; `None` (and all closed) where there is not exactly one.
    #[must_use]
    pub fn take_one(self) -> Option<OwnedFd> {
        match <[OwnedFd; 1]>::try_from(self.0) {
            Ok([fd]) => Some(fd),
            Err(_) => None,
        }
    }

    /// All of them, in the order in which they were sent.
    #[must_use]
    pub fn into_vec(self) -> Vec<OwnedFd> {
        self.0
    }
}
