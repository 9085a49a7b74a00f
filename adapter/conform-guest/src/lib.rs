//! `libcam_algo_conform.so`: looks at a vendor library from beside it, in its process.
//!
//! A host loads it as if it were the vendor library, builds the whole sandbox around it, watches it and
//! names its death. The environment says which library is under test and which rule is to be looked at
//! (`cami_conform::Ask`); the guest loads that library, calls it as a host would, or as no host should,
//! and tells what it sees by the callback `update`.
//!
//! A rule's set-up runs in `initialize`, the rest in the first `request`, so that a library under test
//! is initialised before and used under the second system call filter, as in any host.
//!
//! * `bench`: the library under test with all that an experiment needs.
//! * `experiments`: one function for each rule.
//! * `target`: the library's functions, called with what is asked for and not with what is right.
//! * `witness`: the callback tables, and what came in by them.
//! * `memory`, `descriptors`, `machine`: pages with a guard, the descriptor table, the thread's modes.
//!
//! Everything that a library under test may still refer to is never freed here: whether a library keeps
//! what it must not keep is the question of one rule and not the death of the others.

mod bench;
mod code;
mod descriptors;
mod experiments;
mod machine;
mod memory;
mod target;
mod witness;

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use cami_abi::{Callbacks, CameraAlgorithm, Exported};
use cami_conform::{Ask, VARIABLE};

use crate::bench::Bench;

/// The instance behind `CAMI`.
static GUEST: Guest = Guest { bench: Mutex::new(None) };

/// What a host calls.
#[derive(Debug)]
pub struct Guest {
    bench: Mutex<Option<Bench>>,
}

impl Exported for Guest {
    fn instance() -> &'static dyn CameraAlgorithm {
        &GUEST
    }
}

#[cfg(feature = "export")]
cami_abi::export_cami!(Guest);

impl CameraAlgorithm for Guest {
    /// Loads the library under test, and looks as far as can be looked before it is initialised, or
    /// initialises it. -EINVAL where there is nothing to do.
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        let text = std::env::var(VARIABLE).unwrap_or_default();
        let Ok(ask) = Ask::decode(&text) else { return -libc::EINVAL };
        let Some(experiment) = experiments::of(&ask.rule) else { return -libc::EINVAL };
        let mut bench = Bench::new(ask, callbacks);
        match bench.prepare(experiment) {
            Ok(()) => *self.bench.lock().unwrap_or_else(PoisonError::into_inner) = Some(bench),
            Err(verdict) => bench.conclude(verdict),
        }
        0
    }

    fn register_buffer(&self, _fd: OwnedFd) -> i32 {
        -libc::ENOSYS
    }

    /// The rest. The answer means that it is over.
    fn request(&self, _req_id: u32, _header: &[u8], _buffer_handle: i32) {
        let bench = self.bench.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(bench) = bench {
            bench.go_on();
        }
    }

    fn deregister_buffers(&self, _buffer_handles: &[i32]) {}

    fn update_return(&self, _upd_id: u32, _status: u32, _fd: Option<OwnedFd>) {}

    fn deinitialize(&self) {}
}
