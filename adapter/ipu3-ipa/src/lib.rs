//! libcamera's IPU3 IPA interface, carried out by a closed `CAMI` IPU3 library.
//!
//! [`Ipa`] is the seam: who serves libcamera (sockets, the wire's dialects, buffers, deadlines of
//! events) is on one side, what is asked of the library and what its answers mean on the other.
#![forbid(unsafe_code)]

mod control_ids;
mod ipa;

pub use control_ids::{ControlIds, ControlName, IdSet};
pub use ipa::{Ipa, IpaError, Mode, PARAMS_BYTES, Processed, STATISTICS_BYTES, SensorSettings};
