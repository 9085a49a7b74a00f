//! `libcam_algo_replay.so`: answers as a vendor library did, from a recording, so that a HAL and its
//! tests run where no vendor library may go.
//!
//! It is told by its environment ([`Settings`]) and documented for users in docs/replay.md.
//!
//! * [`Replay`]: the six calls, the buffers; `worker.rs`: the one thread that answers.
//! * [`Script`]: which recorded answer a request gets; `book.rs`: what that is made of; `patch.rs`: what it
//!   changes in the buffer.
//! * `lent.rs`: the recorded library's updates; `deaths.rs`: its deaths.
//!
//! The peer may write into a shared buffer at any time, and the recording may come from anybody: a
//! request is read once, compared, and answered with bytes of the recording or not at all.

mod book;
mod buffers;
mod deaths;
mod lent;
mod log;
mod patch;
mod script;
mod server;
mod settings;
mod worker;

use cami_abi::{CameraAlgorithm, Exported};

pub use book::Reply;
pub use script::{Script, Turn};
pub use server::Replay;
pub use settings::{End, Mode, Pace, Settings};

/// The instance behind `CAMI`. It is never dropped.
static REPLAY: Replay = Replay::new();

/// The library as the type that a `CAMI` table is made of.
#[derive(Debug)]
pub struct Library;

impl Exported for Library {
    fn instance() -> &'static dyn CameraAlgorithm {
        &REPLAY
    }
}

#[cfg(feature = "export")]
cami_abi::export_cami!(Library);
