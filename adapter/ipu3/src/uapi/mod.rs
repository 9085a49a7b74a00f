//! The driver's structs: `ipu3_uapi_params`, which the ISP is configured by for one frame, and
//! `ipu3_uapi_stats_3a`, which it measures of one.
//!
//! They are those of the Linux kernel (`drivers/staging/media/ipu3/include/uapi/intel-ipu3.h`), by
//! measured layout. Any bytes make a valid struct. Bit fields lie in words (`…Words`), which are
//! packed from, and unpacked into, structs of their fields.
#![allow(
    missing_debug_implementations,
    reason = "of the hidden types that zerocopy's derive makes; all of ours are Debug"
)]

#[macro_use]
mod layout;

mod bayer;
mod colour;
mod luma;
mod measuring;
mod noise;
mod parameters;
mod statistics;

pub use bayer::*;
pub use colour::*;
pub use layout::{BitField, Entry, Listed, Value};
pub use luma::*;
pub use measuring::*;
pub use noise::*;
pub use parameters::*;
pub use statistics::*;
