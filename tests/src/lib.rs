//! What the conformance tests share: the built artefacts, a scripted HAL, processes.
//!
//! The tests themselves are in `tests/conformance`. They drive `hosts/hal.c`, an unmodified C
//! program that dlopens the built `libcam_algo.so` as any camera HAL does, with one of the
//! libraries in `vendors/` behind it, and see both sides from outside.

mod artefacts;
mod hal;
mod log;
mod processes;
mod recording;
mod room;
mod service;

pub use artefacts::{artefact, filter_list, host_program, under_filter, vendor_library};
pub use hal::{Hal, Setup};
pub use log::Log;
pub use processes::{Resources, SignalState};
pub use recording::Recorded;
pub use room::Room;
pub use service::{Service, ServiceSetup};

use std::time::Duration;

/// When a test gives up waiting for an event. Nothing waits for this long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// FNV-1a with 32 bits, as `digest.h` has it: the status that most vendor libraries answer.
#[must_use]
pub fn digest(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(2_166_136_261, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619))
}
