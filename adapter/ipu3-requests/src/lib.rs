//! How a client makes IPU3 requests of a `CAMI` library: buffers shared with it, one request after
//! the other, and the wait for each answer.
//!
//! The HAL of `cami-ipa run` and libcamera's IPA both use it; what goes into the requests and what
//! is taken out of the answers is `cami_ipu3::sequence`'s.
#![forbid(unsafe_code)]

mod answers;
mod buffer;
mod buffers;
mod request;
mod set_up;

pub use answers::{Answer, Answers, Counts, NoAnswer};
pub use buffer::{PayloadBuffer, RegisterError, SharedBuffer};
pub use buffers::Buffers;
pub use request::{Cause, Observer, Patience, RequestError, Requester, checked};
pub use set_up::{Data, Engine, SetUp, SetUpError, register_all};
