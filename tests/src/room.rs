//! A folder of a test's own. Its unguessable name marks the processes that belong to the test.

#![allow(clippy::panic, clippy::expect_used, reason = "a test without a folder cannot go on")]

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{artefact, vendor_library};

/// Holds a copy of the vendor library, so that its path is found in the memory maps of the
/// processes that have loaded it, and in nobody else's.
#[derive(Debug)]
pub struct Room(TempDir);

impl Room {
    /// An empty room but for an empty configuration file.
    #[must_use]
    pub fn new() -> Self {
        let room = Self(tempfile::tempdir().expect("a temporary folder"));
        std::fs::write(room.path("cami-ipa.toml"), "").expect("a file in it");
        room
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path that marks its processes.
    #[must_use]
    pub fn mark(&self) -> &Path {
        self.0.path()
    }

    /// Puts a vendor library there. An earlier one is replaced as a package manager does it: under
    /// a new inode, since the old one may be mapped.
    pub fn install(&self, vendor: &str, name: &str) -> PathBuf {
        self.replace(&vendor_library(vendor), name)
    }

    /// Puts a copy of our shim there, under a name of its own.
    pub fn install_shim(&self, name: &str) -> PathBuf {
        self.replace(&artefact("libcam_algo.so"), name)
    }

    fn replace(&self, source: &Path, name: &str) -> PathBuf {
        let path = self.path(name);
        let fresh = self.path(&format!("{name}.new"));
        std::fs::copy(source, &fresh).expect("a copy of the library");
        std::fs::rename(&fresh, &path).expect("the copy in its place");
        path
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}
