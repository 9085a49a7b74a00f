//! What stands in the folders, put together.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cami_record::{CrashRecord, Death, FORMAT, Kind, Life, Status, read};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Files of one kind that are read: hosts keep fewer.
const LIMIT: usize = 256;

/// All that `status` shows.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// When it was made, in milliseconds since 1970 (UTC).
    pub time_unix_ms: u64,
    /// The folder of status files.
    pub status_dir: PathBuf,
    /// The folder of crash records, if one is known.
    pub crash_dir: Option<PathBuf>,
    /// Hosts that run.
    pub hosts: Vec<Host>,
    /// Deaths, the newest first.
    pub deaths: Vec<KnownDeath>,
    /// Files that are none of ours, or broken.
    pub unreadable: Vec<Unreadable>,
    /// Whether a folder holds more files than are read.
    pub more: bool,
}

/// A host.
#[derive(Debug, Serialize)]
pub struct Host {
    /// What its monitor says.
    #[serde(flatten)]
    pub status: Status,
    /// `running`, or `elsewhere`: of another PID namespace, so that it may have ended.
    pub life: &'static str,
    /// How old that is, in microseconds; ages in it are as of then.
    pub updated_us_ago: u64,
}

/// A death.
#[derive(Debug, Serialize)]
pub struct KnownDeath {
    /// What is known.
    #[serde(flatten)]
    pub death: Death,
    /// `status_dir`, `crash_dir`, or `left_over`: a status file whose monitor was killed. Its time
    /// is then when it was last written.
    pub source: &'static str,
    /// The file.
    pub file: PathBuf,
}

/// A file that cannot be understood.
#[derive(Debug, Serialize)]
pub struct Unreadable {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

/// Reads both folders; one that is not there is empty.
pub fn collect(
    status_dir: PathBuf,
    crash_dir: Option<PathBuf>,
) -> Result<Report, (PathBuf, io::Error)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut report = Report {
        format: FORMAT,
        time_unix_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        status_dir,
        crash_dir,
        hosts: Vec::new(),
        deaths: Vec::new(),
        unreadable: Vec::new(),
        more: false,
    };
    let folder = report.status_dir.clone();
    for (file, status) in report.read::<Status>(&folder, Kind::Status)? {
        report.add_status(file, status);
    }
    for (file, death) in report.read::<Death>(&folder, Kind::Death)? {
        report.deaths.push(KnownDeath { death, source: "status_dir", file });
    }
    if let Some(folder) = report.crash_dir.clone() {
        for (file, record) in report.read::<CrashRecord>(&folder, Kind::Crash)? {
            report.add_record(file, record);
        }
    }
    report.hosts.sort_by_key(|host| host.status.started_unix_ms);
    report.deaths.sort_by_key(|known| std::cmp::Reverse(known.death.time_unix_ms));
    Ok(report)
}

impl Report {
    fn read<T: DeserializeOwned>(
        &mut self,
        folder: &Path,
        kind: Kind,
    ) -> Result<Vec<(PathBuf, T)>, (PathBuf, io::Error)> {
        let files = match read::<T>(folder, kind, LIMIT) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err((folder.to_path_buf(), error)),
        };
        self.more |= files.more;
        let mut good = Vec::new();
        for file in files.found {
            match file.content {
                Ok(content) => good.push((file.path, content)),
                // A host that ended at this moment took its file along.
                Err(_) if !file.path.exists() => {}
                Err(reason) => self.unreadable.push(Unreadable { file: file.path, reason }),
            }
        }
        Ok(good)
    }

    fn add_status(&mut self, file: PathBuf, status: Status) {
        let life = match status.monitor.life() {
            Life::Running => "running",
            Life::Elsewhere => "elsewhere",
            Life::Ended => {
                let death = left_over(&status);
                self.deaths.push(KnownDeath { death, source: "left_over", file });
                return;
            }
        };
        let ago = self.time_unix_ms.saturating_sub(status.updated_unix_ms);
        self.hosts.push(Host { status, life, updated_us_ago: ago.saturating_mul(1000) });
    }

    /// A record whose few words are in `status_dir` too is one death.
    fn add_record(&mut self, file: PathBuf, record: CrashRecord) {
        let same = |known: &KnownDeath| {
            known.death.monitor_pid == record.monitor_pid
                && known.death.time_unix_ms == record.time_unix_ms
        };
        if self.deaths.iter().any(same) {
            return;
        }
        let death = Death {
            format: record.format,
            time_unix_ms: record.time_unix_ms,
            monitor_pid: record.monitor_pid,
            vendor_pid: record.vendor_pid,
            client_pid: 0,
            library: record.library,
            build_id: record.build_id,
            profile: record.profile,
            cause: record.cause,
            ran_for_ms: record.ran_for_ms,
            restarts: record.restarts,
            crash_record: Some(file.display().to_string()),
        };
        self.deaths.push(KnownDeath { death, source: "crash_dir", file });
    }
}

/// What can be said of a host whose monitor was killed.
fn left_over(status: &Status) -> Death {
    let doing = match &status.in_call {
        Some(call) => format!("in {}", super::human::call(call)),
        None => status.state.clone(),
    };
    Death {
        format: status.format,
        time_unix_ms: status.updated_unix_ms,
        monitor_pid: status.monitor.pid,
        vendor_pid: status.vendor_pid,
        client_pid: status.client_pid,
        library: status.library.clone(),
        build_id: status.build_id.clone(),
        profile: status.profile.clone(),
        cause: format!(
            "the monitor {} was killed, or the machine went down: no cause is known; last seen \
             {doing}",
            status.monitor.pid
        ),
        ran_for_ms: status.updated_unix_ms.saturating_sub(status.started_unix_ms),
        restarts: status.restarts,
        crash_record: None,
    }
}
