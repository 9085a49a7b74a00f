//! `libcam_algo_reference.so`: the open reference 3A library.
//!
//! It speaks the IPU3 request protocol (`cami-ipu3`) as the server of the ChromeOS IPU3 HAL does
//! (platform2 `camera/hal/intel/ipu3/psl/ipu3/ipc/server` at `ba9afa5e84~1`), so that a HAL, an
//! adapter or a test has a library that is small, open and never in the way. It needs no tuning
//! file: it describes one generic sensor (`command/cmc.rs`) and ignores the vendor data it is given.
//!
//! * `server`: the six calls, the buffers, three threads. [`Server`] is the whole library.
//! * `shared_memory`: a buffer, copied in and out; `refusal`: why a request is not served.
//! * `command`: one function per command, from the bytes of a payload to numbers and back.
//! * [`algorithm`]: the 3A itself, numbers only.
//!
//! The peer may write into a shared buffer at any time and may send anything: a request that makes
//! no sense is answered with status 1, and a number out of range is brought into it.

pub mod algorithm;
mod command;
mod log;
mod refusal;
mod server;
mod shared_memory;

use cami_abi::{CameraAlgorithm, Exported};

pub use algorithm::AE_TARGET;
pub use server::Server;

/// What the library says where a version is asked for.
pub const VERSION: &str = concat!("cami-reference ", env!("CARGO_PKG_VERSION"));

/// The instance behind `CAMI`. It is never dropped.
static SERVER: Server = Server::new();

/// The library as the type that a `CAMI` table is made of.
#[derive(Debug)]
pub struct Reference;

impl Exported for Reference {
    fn instance() -> &'static dyn CameraAlgorithm {
        &SERVER
    }
}

#[cfg(feature = "export")]
cami_abi::export_cami!(Reference);
