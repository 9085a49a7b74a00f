//! The configuration, read by the monitor, the worker and the tools; never in the HAL's process.
//!
//! The file is `$CAMI_IPA_CONFIG` or `/etc/cami-ipa.toml`. Every key is also an environment
//! variable, which wins. A process that gained privileges ignores the environment.

mod config;
mod keys;
mod libcamera;
pub mod log_target;
mod profile;
mod source;

pub use config::{
    Config, LIBCAMERA_SECTION, OnDisconnect, Recovery, Restart, Sandbox, Service, ServiceClients,
    Timeouts,
};
pub use keys::{KEYS, Kind, Value, variable};
pub use libcamera::{Libcamera, LibcameraVersion, PerSensor};
pub use log_target::LogTarget;
pub use profile::{Command, Frames, Profile, ProfileError};
pub use source::{ConfigError, Environment, Source};

#[cfg(test)]
mod tests;
