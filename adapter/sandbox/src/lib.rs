//! The sandbox of the vendor process: what it is made of, whether it engages here, and the truth
//! about what did.
//!
//! Ten layers ([`Layer`]), each of use without the others.
//!
//! 1. The vendor process builds them around itself, after its `execve` and before anything of the
//!    vendor's runs: [`Plan::enter`], [`split`], [`Plan::confine`].
//! 2. The monitor reads from `/proc/PID` what engaged, and does not believe it: [`verify`].
//! 3. Where the vendor process fails, or an outer filter kills it, a short-lived child tries layer by
//!    layer: [`probe`]. What it cannot build is left out, with the reason, and another vendor process
//!    takes the place of the first. So the common case pays for one sandbox and not for two.
//!
//! The result is a [`Report`]: for the log, for `sandbox.require`, for `cami-ipa doctor`.

mod apply;
mod capabilities;
mod file_rules;
mod files;
mod init;
mod layer;
mod limits;
mod mounts;
mod namespaces;
mod plan;
mod probe;
mod reason;
mod report;
mod root;
pub mod system;
mod system_calls;
mod verify;

pub use apply::Outcomes;
pub use files::{Access, Files, PathRule, loader_path};
pub use init::{Split, split};
pub use layer::{Layer, LayerError, Layers};
pub use limits::Limits;
pub use plan::Plan;
pub use probe::probe;
pub use report::{LayerReport, Report};
pub use system_calls::RunningFilter;
pub use verify::verify;
