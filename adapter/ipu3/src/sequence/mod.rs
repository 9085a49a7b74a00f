//! What a HAL puts into each request, and what it takes out of the answers.
//!
//! Everything here works on payload structs in memory; who shares them with the library, makes
//! the requests and waits for the answers is the caller. The rules were observed on the ChromeOS
//! IPU3 HAL (platform2 `camera/hal/intel/ipu3` at `ba9afa5e84~1`: its sequence in
//! `psl/ipu3/Intel3aCore.cpp`, the flattening in `psl/ipu3/ipc`); requests recorded from its code
//! are reproduced byte by byte, but for words that hold addresses.
//!
//! Order of a camera's life, spec/ipu3-protocol.md, section 2:
//!
//! 1. [`set_up`]: CMC_INIT, gain conversions, MKN_INIT, MKN_ENABLE, AIQ_INIT; [`aic`]: AIC_INIT.
//! 2. Per frame: [`statistics`] (once there are any), [`ae`], [`gbce`], [`awb`], [`pa`], [`sa`],
//!    [`af`], then [`aic`]: AIC_RUN and AIC_GETAICCONFIG.
//! 3. [`set_up`]: AIQ_DEINIT, MKN_UNINIT, CMC_DEINIT.
//!
//! An answer is a stranger's data: every value that is used is checked, and an answer that fails a
//! check is a [`BadAnswer`]. A payload may change while it is looked at if it is shared; take a
//! copy first.

pub mod ae;
pub mod af;
pub mod aic;
mod answer;
pub mod awb;
pub mod gbce;
#[cfg(test)]
#[allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]
mod hostile;
pub mod pa;
mod parts;
mod pointer;
#[cfg(test)]
#[allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]
mod recorded;
pub mod sa;
pub mod set_up;
pub mod statistics;

pub use answer::BadAnswer;
pub use parts::Parts;
pub(crate) use parts::items;
