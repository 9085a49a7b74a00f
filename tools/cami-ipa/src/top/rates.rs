//! What changes from one look at the status files to the next.

use std::collections::HashMap;

use cami_record::{Latency, Memory};
use serde::Serialize;

use crate::status::Report;

/// A file that is older has nothing new to say: no request came or went since.
const STALE_US: u64 = 2_500_000;

/// The looks before.
#[derive(Debug, Default)]
pub struct Rates {
    before: HashMap<(i32, u64), Before>,
}

/// A host, as it was when its file changed last.
#[derive(Clone, Copy, Debug)]
struct Before {
    updated_unix_ms: u64,
    requests: u64,
    rate: f64,
}

/// One look.
#[derive(Debug, Serialize)]
pub struct Look {
    /// When, in milliseconds since 1970 (UTC).
    pub time_unix_ms: u64,
    /// The folder.
    pub status_dir: String,
    /// The hosts.
    pub hosts: Vec<HostLook>,
    /// Deaths that are known.
    pub deaths: usize,
}

/// A host.
#[derive(Debug, Serialize)]
pub struct HostLook {
    /// The monitor's process id.
    pub monitor_pid: i32,
    /// The vendor process's.
    pub vendor_pid: i32,
    /// The client's.
    pub client_pid: i32,
    /// Path of the vendor library.
    pub library: String,
    /// The profile.
    pub profile: String,
    /// What it does.
    pub state: String,
    /// Since its start, in microseconds.
    pub up_us: u64,
    /// Requests per second lately.
    pub requests_per_second: f64,
    /// Requests so far.
    pub requests: u64,
    /// Callbacks so far.
    pub callbacks: u64,
    /// Requests without their callback; 64 are counted.
    pub in_flight: usize,
    /// How long the oldest of them has been waiting, in microseconds.
    pub oldest_us: Option<u64>,
    /// How long the last answers took.
    pub latency: Option<Latency>,
    /// How often the client had started a host anew.
    pub restarts: u32,
    /// What the vendor process takes.
    pub memory: Option<Memory>,
    /// Why the host before died.
    pub last_cause: Option<String>,
}

impl Look {
    /// As a line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl Rates {
    /// Takes what stands in the folders.
    pub fn look(&mut self, report: &Report) -> Look {
        let mut now = HashMap::new();
        let mut hosts = Vec::new();
        for host in &report.hosts {
            let status = &host.status;
            let key = (status.monitor.pid, status.monitor.start_ticks);
            let before = self.before.get(&key).copied();
            let rate = match before {
                Some(before) if before.updated_unix_ms == status.updated_unix_ms => before.rate,
                Some(before) => per_second(before, status.updated_unix_ms, status.requests),
                None => status.requests_per_second,
            };
            let rate = if rate.is_finite() { rate.max(0.0) } else { 0.0 };
            let (updated_unix_ms, requests) = (status.updated_unix_ms, status.requests);
            now.insert(key, Before { updated_unix_ms, requests, rate });
            let oldest = status.in_flight.first().map(|oldest| oldest.age_us);
            hosts.push(HostLook {
                monitor_pid: status.monitor.pid,
                vendor_pid: status.vendor_pid,
                client_pid: status.client_pid,
                library: status.library.clone(),
                profile: status.profile.clone(),
                state: if host.life == "running" {
                    status.state.clone()
                } else {
                    "elsewhere".into()
                },
                up_us: report
                    .time_unix_ms
                    .saturating_sub(status.started_unix_ms)
                    .saturating_mul(1000),
                requests_per_second: if host.updated_us_ago > STALE_US { 0.0 } else { rate },
                requests: status.requests,
                callbacks: status.callbacks,
                in_flight: status.in_flight.len(),
                oldest_us: oldest.map(|age| age.saturating_add(host.updated_us_ago)),
                latency: status.latency,
                restarts: status.restarts,
                memory: status.memory,
                last_cause: status.last_cause.clone(),
            });
        }
        self.before = now;
        Look {
            time_unix_ms: report.time_unix_ms,
            status_dir: report.status_dir.display().to_string(),
            hosts,
            deaths: report.deaths.len(),
        }
    }
}

/// Between two times at which the file was written.
fn per_second(before: Before, updated_unix_ms: u64, requests: u64) -> f64 {
    let ms = updated_unix_ms.saturating_sub(before.updated_unix_ms).max(1);
    let rate = requests.saturating_sub(before.requests) as f64 * 1000.0 / ms as f64;
    (rate * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::{Before, per_second};

    #[test]
    fn a_rate_is_of_the_time_between_two_files() {
        let before = Before { updated_unix_ms: 1000, requests: 100, rate: 0.0 };
        assert!((per_second(before, 3000, 640) - 270.0).abs() < 0.01);
        assert!(per_second(before, 1000, 100).abs() < 0.01);
        // A file that goes back in time is somebody's joke, not a negative rate.
        assert!(per_second(before, 500, 50).abs() < 0.01);
    }
}
