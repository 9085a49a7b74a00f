//! What the vendor process is to be confined to.

use serde::{Deserialize, Serialize};

use crate::files::Files;
use crate::layer::Layers;
use crate::limits::Limits;

/// A sandbox, described: it crosses the vendor process's `execve` as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The layers to build. The host asks for all of them; [`crate::probe`] says which can be had.
    /// No configuration key takes one away.
    pub layers: Layers,
    /// The files that are left.
    pub files: Files,
    /// Resource limits.
    pub limits: Limits,
    /// `ioctl` numbers that the filter lets through.
    pub ioctls: Vec<u32>,
    /// Whether the process ends where the second, tighter filter cannot be installed: a library that
    /// has put a thread of its own under a filter prevents it.
    pub seccomp_required: bool,
}

impl Plan {
    /// All layers around `files`.
    #[must_use]
    pub fn new(files: Files, ioctls: Vec<u32>) -> Self {
        Self {
            layers: Layers::ALL,
            files,
            limits: Limits::for_this_machine(),
            ioctls,
            seccomp_required: false,
        }
    }
}
