//! A running host.

use serde::{Deserialize, Serialize};

use crate::identity::ProcessIdentity;

/// What a monitor says of its host, at most once per second and at each change of its state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// [`crate::FORMAT`].
    pub format: u32,
    /// Version of cami-ipa.
    pub tool_version: String,
    /// The monitor, which writes this file.
    pub monitor: ProcessIdentity,
    /// The process in which the library runs.
    pub vendor_pid: i32,
    /// The process that started the monitor.
    pub client_pid: i32,
    /// Path of the vendor library.
    pub library: String,
    /// Its build-id, in hexadecimal digits.
    pub build_id: Option<String>,
    /// Name of the profile.
    pub profile: String,
    /// When the host started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// When this was written, likewise.
    pub updated_unix_ms: u64,
    /// `starting`, `idle` (in none of our calls), `in_call`, `stopped` (by a signal), or `unknown`
    /// (the library wrote nonsense where the monitor reads).
    pub state: String,
    /// The call that the library is in.
    pub in_call: Option<Call>,
    /// Requests so far.
    pub requests: u64,
    /// Callbacks so far, solicited or not.
    pub callbacks: u64,
    /// Requests without their callback, oldest first; at most 64.
    pub in_flight: Vec<InFlight>,
    /// Requests per second since the file was written before, or since the start; as long as nothing
    /// changes, the file is not written and this gets old.
    pub requests_per_second: f64,
    /// How long the last answers took; none before the first.
    pub latency: Option<Latency>,
    /// How often the client had started a host anew before this one.
    pub restarts: u32,
    /// Why the host before this one of the same client died.
    pub last_cause: Option<String>,
    /// What the vendor process takes; none where the kernel does not say.
    pub memory: Option<Memory>,
    /// After which time what is killed.
    pub deadlines: Deadlines,
    /// Whether the monitor traces the vendor process, so that a crash is named with its place.
    pub traced: bool,
    /// The layers of the sandbox, as they engaged.
    pub sandbox: Option<serde_json::Value>,
}

/// A call of the library.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Call {
    /// `load`, `initialize`, `register_buffer`, `request`, `deregister_buffers`, `update_return` or
    /// `deinitialize`.
    pub name: String,
    /// The number of the request, if it is one.
    pub req_id: Option<u32>,
    /// Its buffer, if it is one.
    pub handle: Option<i32>,
    /// How long it has been running, in microseconds.
    pub for_us: u64,
}

/// A request without its callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InFlight {
    /// Its number.
    pub req_id: u32,
    /// Its buffer.
    pub handle: i32,
    /// How long ago the library got it, in microseconds.
    pub age_us: u64,
}

/// Times from request to callback, of those among the last 64 requests that have theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// How many they are: 1 to 64.
    pub answers: u32,
    /// Half of them took no longer, in microseconds.
    pub p50_us: u64,
    /// 90 % of them took no longer, in microseconds.
    pub p90_us: u64,
    /// The longest, in microseconds.
    pub max_us: u64,
}

impl Latency {
    /// Of some times in microseconds; `None` of none.
    #[must_use]
    pub fn of(mut times_us: Vec<u64>) -> Option<Self> {
        times_us.sort_unstable();
        let rank = |percent: usize| (times_us.len() * percent).div_ceil(100).saturating_sub(1);
        Some(Self {
            answers: u32::try_from(times_us.len()).unwrap_or(u32::MAX),
            p50_us: *times_us.get(rank(50))?,
            p90_us: *times_us.get(rank(90))?,
            max_us: *times_us.last()?,
        })
    }
}

/// Memory of the vendor process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Resident now, in bytes.
    pub resident_bytes: u64,
    /// The most that was ever resident, in bytes.
    pub peak_resident_bytes: u64,
    /// Its threads.
    pub threads: u32,
}

/// Milliseconds; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deadlines {
    /// Loading the library, and `initialize`.
    pub initialize_ms: u64,
    /// `register_buffer`, `deregister_buffers`, `update_return`, `deinitialize`.
    pub register_ms: u64,
    /// A request.
    pub request_ms: u64,
    /// Stopped by a signal.
    pub stopped_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::Latency;

    #[test]
    fn latency_is_of_the_nearest_rank() {
        assert_eq!(Latency::of(Vec::new()), None);
        let ten = Latency::of((1..=10).rev().collect());
        assert_eq!(ten, Some(Latency { answers: 10, p50_us: 5, p90_us: 9, max_us: 10 }));
        let one = Latency::of(vec![7]);
        assert_eq!(one, Some(Latency { answers: 1, p50_us: 7, p90_us: 7, max_us: 7 }));
    }
}
