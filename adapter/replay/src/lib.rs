//! Recorded sessions made again: for `cami-ipa replay`, which asks a library what a recording was
//! asked, and for `libcam_algo_replay.so`, which answers as a recording was answered.
//!
//! * [`protocol`]: what is known of the commands: names, fields, addresses, what varies.
//! * [`exchanges`]: one host's requests, each with its frame and its answer.
//! * [`updates`]: the library's own calls, and where among the requests each came; [`death`]: where it
//!   died.
//! * [`addresses`]: addresses of the recorded process to those of the one that is asked now.
//! * [`compare`]: two contents of a buffer, and what differs between them; [`tolerance`].
//!
//! A recording may come from anybody, and so may a library's answers: nothing here trusts a number of
//! either.
#![forbid(unsafe_code)]

pub mod addresses;
pub mod compare;
pub mod death;
pub mod exchanges;
pub mod protocol;
pub mod tolerance;
pub mod updates;

pub use compare::{Brought, Difference, Held, Side, compare, compare_update};
pub use death::{Death, Place};
pub use exchanges::{Answer, Exchange, Host, Step};
pub use protocol::{NoProfile, Protocol};
pub use tolerance::Tolerances;
pub use updates::{After, Back, Update};
