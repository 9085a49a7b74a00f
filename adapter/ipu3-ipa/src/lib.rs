//! libcamera's IPU3 IPA interface, carried out by a closed `CAMI` IPU3 library.
//!
//! [`Ipa`] is the seam: who serves libcamera (sockets, the wire's dialects, buffers, deadlines of
//! events) is on one side, what is asked of the library and what its answers mean on the other.
#![forbid(unsafe_code)]

mod apply;
mod codec;
mod complaints;
mod connection;
mod control_ids;
mod errno;
mod files;
mod focus;
mod gains;
mod handover;
mod history;
mod ipa;
mod keeper;
mod latch;
mod limits;
// Tests inside and outside have the same camera.
#[cfg(test)]
extern crate self as cami_ipu3_ipa;
#[cfg(test)]
mod made_up;
mod metadata;
mod numbers;
mod ranges;
mod running;
mod sensor;
mod settings;
mod support;
mod three_a;
mod translation;
mod trouble;
mod tuning;
mod v4l2;
mod wishes;

pub use control_ids::{ControlIds, ControlName, IdSet};
pub use files::{Files, SystemFiles};
pub use ipa::{Ipa, IpaError, Mode, PARAMS_BYTES, Processed, STATISTICS_BYTES, SensorSettings};
pub use support::{Support, support};
pub use translation::Translation;
pub use tuning::Places;
