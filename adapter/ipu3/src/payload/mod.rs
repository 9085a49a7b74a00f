//! Payloads: the structs that a request's shared memory holds.
//!
//! They are the C structs of the ChromeOS IPU3 HAL, x86_64 (platform2 `camera/hal/intel/ipu3`
//! at `ba9afa5e84~1`: `psl/ipu3/ipc` and `include/ia_imaging`), by measured layout: the size of each
//! and the offset of every field are checked when this crate is compiled. Field names are those of
//! the original in snake_case, so that they can be looked up there.
//!
//! Every value may come from a stranger: enumerations and booleans are plain numbers, and any bytes
//! make a valid struct. A pointer's value means nothing on the other side; only whether it is 0 says
//! whether the part that it points to is present (spec/ipu3-protocol.md, 1.4).

/// Checks a struct's size and the offset of each of its fields, and lets the struct tell of them.
macro_rules! layout {
    ($name:ident, $size:literal, $($field:ident $offset:literal),+ $(,)?) => {
        const _: () = {
            assert!(size_of::<$name>() == $size);
            $(assert!(std::mem::offset_of!($name, $field) == $offset);)+
        };

        impl $crate::fields::Described for $name {
            const SHAPE: $crate::fields::Shape = $crate::fields::Shape::Struct {
                members: &[$($crate::fields::Member {
                    name: stringify!($field),
                    offset: $offset,
                    shape: $crate::fields::shape_of(|payload: &Self| &payload.$field),
                },)+],
            };
        }
    };
}

mod ae;
mod af;
mod aic;
mod aic_config;
mod aiq;
mod awb;
mod cmc;
mod common;
mod coordinate;
mod exc;
mod face;
mod gbce;
mod isp_bayer;
mod isp_colour;
mod isp_luma;
mod isp_noise;
mod isp_statistics;
mod mkn;
mod pa;
mod sa;
mod statistics;

pub use ae::*;
pub use af::*;
pub use aic::*;
pub use aic_config::*;
pub use aiq::*;
pub use awb::*;
pub use cmc::*;
pub use common::*;
pub use coordinate::*;
pub use exc::*;
pub use face::*;
pub use gbce::*;
pub use isp_bayer::*;
pub use isp_colour::*;
pub use isp_luma::*;
pub use isp_noise::*;
pub use isp_statistics::*;
pub use mkn::*;
pub use pa::*;
pub use sa::*;
pub use statistics::*;
