//! The last words of a host: they outlive its status file.

use serde::{Deserialize, Serialize};

/// One death of a vendor process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Death {
    /// [`crate::FORMAT`].
    pub format: u32,
    /// When, in milliseconds since 1970 (UTC).
    pub time_unix_ms: u64,
    /// The monitor's process id.
    pub monitor_pid: i32,
    /// The vendor process's, as the monitor saw it.
    pub vendor_pid: i32,
    /// The process id of the client.
    pub client_pid: i32,
    /// Path of the vendor library.
    pub library: String,
    /// Its build-id, in hexadecimal digits.
    pub build_id: Option<String>,
    /// Name of the profile.
    pub profile: String,
    /// The line of the log.
    pub cause: String,
    /// How long the host had been running, in milliseconds.
    pub ran_for_ms: u64,
    /// How often the client had started a host anew before this one.
    pub restarts: u32,
    /// The file of the crash record in `crash_dir`, if one was to be written.
    pub crash_record: Option<String>,
}
