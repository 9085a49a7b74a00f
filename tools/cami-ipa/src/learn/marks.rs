//! The side of the process that is learnt from: it marks where the library is called, so that the
//! tracer tells the library's system calls from the program's own.
//!
//! A mark is a `close` of a number that no descriptor can have: the kernel answers EBADF, and the
//! tracer sees which number it was.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use cami_abi::{Callbacks, CameraAlgorithm, VendorLibrary};

use crate::failure::Failure;

/// The variable that says that a tracer waits.
pub const LEARNING: &str = "CAMI_IPA_LEARNING";

/// What the tracer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// This thread is in the library from now on.
    Enter,
    /// It is not any more.
    Leave,
    /// `initialize` has returned, with success.
    Initialized,
    /// All has been seen.
    Ended,
}

/// No descriptor is negative, and nobody closes these by mistake.
const FIRST: i32 = i32::MIN + 0x4341;

impl Mark {
    const ALL: [Self; 4] = [Self::Enter, Self::Leave, Self::Initialized, Self::Ended];

    fn set(self) {
        let _ = nix::unistd::close(FIRST + self as i32);
    }

    /// The mark that closing this argument is, if it is one.
    pub fn of(argument: u64) -> Option<Self> {
        let low = u32::try_from(argument & u64::from(u32::MAX)).ok()?.cast_signed();
        Self::ALL.into_iter().find(|mark| FIRST + *mark as i32 == low)
    }
}

/// Whether a tracer waits.
pub fn active() -> bool {
    std::env::var_os(LEARNING).is_some()
}

/// Loads a library once the tracer is ready, and marks all calls into it.
pub fn load(library: &Path) -> Result<Box<dyn CameraAlgorithm>, Failure> {
    // The tracer writes one byte.
    let _ = std::io::stdin().read(&mut [0]);
    let loaded = inside(|| VendorLibrary::load(library));
    let loaded = loaded.map_err(|error| Failure::environment(error.to_string()))?;
    Ok(Box::new(Marked(loaded)))
}

/// What `cami-ipa learn` without `--drive` does with a library: loads and initialises it, and ends
/// it again.
pub fn exercise(library: &Path) -> Result<(), Failure> {
    let library = load(library)?;
    let result = library.initialize(Arc::new(Deaf));
    if result < 0 {
        return Err(Failure::falls_short(format!("the library's initialize returned {result}")));
    }
    library.deinitialize();
    Mark::Ended.set();
    Ok(())
}

fn inside<T>(call: impl FnOnce() -> T) -> T {
    Mark::Enter.set();
    let result = call();
    Mark::Leave.set();
    result
}

struct Marked(VendorLibrary);

impl CameraAlgorithm for Marked {
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        let result = inside(|| self.0.initialize(callbacks));
        if result >= 0 {
            Mark::Initialized.set();
        }
        result
    }

    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        inside(|| self.0.register_buffer(fd))
    }

    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        inside(|| self.0.request(req_id, header, buffer_handle));
    }

    fn deregister_buffers(&self, buffer_handles: &[i32]) {
        inside(|| self.0.deregister_buffers(buffer_handles));
    }

    fn update_return(&self, upd_id: u32, status: u32, fd: Option<OwnedFd>) {
        inside(|| self.0.update_return(upd_id, status, fd));
    }

    fn deinitialize(&self) {
        inside(|| self.0.deinitialize());
    }
}

/// Callbacks that nobody waits for.
struct Deaf;

impl Callbacks for Deaf {
    fn returned(&self, _: u32, _: u32, _: i32) {}
    fn notify(&self, _: u32) {}
    fn update(&self, _: u32, _: &[u8], _: Option<OwnedFd>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_from_descriptors() {
        for mark in Mark::ALL {
            let as_register = u64::from((FIRST + mark as i32).cast_unsigned());
            assert_eq!(Mark::of(as_register), Some(mark));
            assert_eq!(Mark::of(as_register | 0xffff_ffff_0000_0000), Some(mark));
        }
        for fd in [0, 3, u64::MAX, u64::from(u32::MAX)] {
            assert_eq!(Mark::of(fd), None);
        }
    }
}
