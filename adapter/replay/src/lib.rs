//! Recorded sessions made again: for `cami-ipa replay`, which asks a library what a recording was
//! asked, and for `libcam_algo_replay.so`, which answers as a recording was answered.
//!
//! * [`protocol`]: what is known of the commands: names, fields, addresses, what varies.
//! * [`exchanges`]: one host's requests, each with its frame and its answer.
//! * [`addresses`]: addresses of the recorded process to those of the one that is asked now.
//! * [`compare`]: two contents of a buffer, and what differs between them; [`tolerance`].
//!
//! A recording may come from anybody, and so may a library's answers: nothing here trusts a number of
//! either.
#![forbid(unsafe_code)]

pub mod addresses;
pub mod compare;
pub mod exchanges;
pub mod protocol;
pub mod tolerance;

pub use compare::{Difference, Side, compare};
pub use exchanges::{Answer, Exchange, Host, Step};
pub use protocol::{NoProfile, Protocol};
pub use tolerance::Tolerances;
