//! The sandbox of the vendor process: what it is made of, whether it engages here, and the truth
//! about what did.
//!
//! Ten layers ([`Layer`]), each of use without the others. Three steps, in three processes:
//!
//! 1. [`probe`], by the monitor: a short-lived child builds the whole sandbox. What it cannot build
//!    is left out, with the reason; a layer that an outer filter kills for is known by the child's
//!    death.
//! 2. [`Plan::enter`] and [`Plan::confine`], by the vendor process itself, after its `execve` and
//!    before anything of the vendor's runs.
//! 3. [`verify`], by the monitor: what engaged is read from `/proc/PID`, not believed.
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
