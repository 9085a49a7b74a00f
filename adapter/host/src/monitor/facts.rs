//! What is known of a host from its start: it stands in all that it leaves behind.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cami_config::Config;
use cami_record::ProcessIdentity;

use crate::module::Module;

/// A host's unchanging facts.
#[derive(Debug)]
pub struct Facts {
    /// Path of the library.
    pub library: String,
    /// Its file name.
    pub name: String,
    /// Its build-id.
    pub build_id: Option<String>,
    /// The profile's name.
    pub profile: String,
    /// The monitor.
    pub monitor: ProcessIdentity,
    /// Who started it.
    pub client_pid: i32,
    /// When, for ages.
    pub started: Instant,
    /// When, for people.
    pub started_unix_ms: u64,
    /// How the sandbox's layers engaged.
    pub sandbox: Option<serde_json::Value>,
    /// `crash_dir`.
    pub crash_dir: Option<PathBuf>,
    /// `status_dir`.
    pub status_dir: PathBuf,
}

impl Facts {
    /// The facts of a host that starts now.
    pub fn new(config: &Config, module: &Module) -> Self {
        Self {
            library: module.path.display().to_string(),
            name: module.name(),
            build_id: module.table.build_id.clone(),
            profile: config.profile.name.to_owned(),
            monitor: ProcessIdentity::own(),
            client_pid: nix::unistd::getppid().as_raw(),
            started: Instant::now(),
            started_unix_ms: unix_ms(),
            sandbox: None,
            crash_dir: config.crash_dir.clone(),
            status_dir: config.status_dir.clone(),
        }
    }
}

/// Now, in milliseconds since 1970.
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, whole_ms)
}

/// Whole milliseconds.
pub fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whole microseconds.
pub fn whole_us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
