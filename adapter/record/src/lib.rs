//! What hosts leave in folders, for `cami-ipa status` and for people with a crash to explain.
//!
//! * [`Status`]: one file for each running host, in `status_dir`.
//! * [`Death`]: one small file for each of the last deaths, in `status_dir`.
//! * [`CrashRecord`]: everything that is known of a death, in `crash_dir`.
//!
//! All are JSON objects with fields in snake_case and units in the names. A field may be added in
//! any version; [`FORMAT`] changes when one changes its meaning. Addresses are strings of
//! hexadecimal digits (`0x…`), since JSON's numbers end at 2^53.
//!
//! Files are written by trusted monitors, but the folders may be anybody's: they are read as
//! hostile data, and what is written never follows what somebody else has put there.
#![forbid(unsafe_code)]

mod crash;
mod death;
mod folder;
mod identity;
mod status;

pub use crash::{CrashRecord, Fault, Mapping, Module, Place, Register, Request};
pub use death::Death;
pub use folder::{Bounded, Found, Kind, MAX_FILE_BYTES, keep_newest, name, read, remove, write};
pub use identity::{Life, ProcessIdentity, start_of};
pub use status::{Call, Deadlines, InFlight, Latency, Memory, Status};

/// The version of all three formats.
pub const FORMAT: u32 = 1;
