//! The status file of a running host.

use std::fs;
use std::time::{Duration, Instant};

use cami_record::{
    Call, Deadlines, Death, FORMAT, InFlight, Kind, Latency, Life, Memory, Status, name, read,
    remove, write,
};
use cami_vendor::activity::{Snapshot, Stage};

use super::facts::{Facts, unix_ms, whole_us};
use super::watchdog::call_name;

/// While requests run.
const INTERVAL: Duration = Duration::from_secs(1);
/// Files of killed monitors that stay, so that it is known of them.
const KEEP_STALE: usize = 16;
/// Files that are looked at to find those.
const LOOK_AT: usize = 256;

/// What changes while a host runs, besides what stands in the activity page.
#[derive(Clone, Copy, Debug)]
pub struct Changing<'a> {
    /// The activity page.
    pub snapshot: &'a Snapshot,
    /// The vendor process.
    pub vendor_pid: i32,
    /// Whether it is traced.
    pub traced: bool,
    /// Whether a signal keeps it stopped.
    pub stopped: bool,
    /// How often the client had started a host anew.
    pub restarts: u32,
    /// The deadlines.
    pub deadlines: Deadlines,
}

/// What a change is seen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    requests: u64,
    callbacks: u64,
    stage: Option<Stage>,
}

/// Keeps the file. Where the folder cannot be written there is none, and only a debug line says so.
#[derive(Debug)]
pub struct StatusFile {
    name: String,
    last_cause: Option<String>,
    started: Instant,
    written: Option<(Instant, Mark, bool, u32)>,
    failed: bool,
}

impl StatusFile {
    /// Nothing is written yet.
    pub fn new(facts: &Facts) -> Self {
        clean(facts);
        Self {
            name: name(Kind::Status, 0, facts.monitor.pid),
            last_cause: cause_of_the_one_before(facts),
            started: Instant::now(),
            written: None,
            failed: false,
        }
    }

    /// How often it wants to be refreshed; `None` where it is not written at all.
    pub fn interval(&self) -> Option<Duration> {
        (!self.failed).then_some(INTERVAL)
    }

    /// Writes the file if there is something new to say: at once if its process was stopped,
    /// continued or counted as restarted, otherwise at most once per [`INTERVAL`].
    pub fn refresh(&mut self, facts: &Facts, now: Changing<'_>) {
        if self.failed {
            return;
        }
        let Snapshot { requests, callbacks, stage, .. } = *now.snapshot;
        let mark = Mark { requests, callbacks, stage };
        if let Some((when, before, stopped, restarts)) = self.written {
            let urgent = stopped != now.stopped || restarts != now.restarts;
            if !urgent && (before == mark || when.elapsed() < INTERVAL) {
                return;
            }
        }
        let before =
            self.written.map_or((self.started, 0), |(when, mark, ..)| (when, mark.requests));
        self.written = Some((Instant::now(), mark, now.stopped, now.restarts));
        let status = self.status(facts, now, before);
        if let Err(error) = write(&facts.status_dir, Kind::Status, &self.name, &status) {
            log::debug!("no status file in {}: {error}", facts.status_dir.display());
            self.failed = true;
        }
    }

    /// The host has ended.
    pub fn remove(&self, facts: &Facts) {
        if !self.failed {
            remove(&facts.status_dir, &self.name);
        }
    }

    /// `before`: when it was written last, and how many requests there were then.
    fn status(&self, facts: &Facts, now: Changing<'_>, before: (Instant, u64)) -> Status {
        let in_call = in_call(now.snapshot);
        let state = match now.snapshot.stage {
            _ if now.stopped => "stopped",
            None => "unknown",
            Some(Stage::Starting) => "starting",
            Some(_) if in_call.is_some() => "in_call",
            Some(_) => "idle",
        };
        Status {
            format: FORMAT,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            monitor: facts.monitor.clone(),
            vendor_pid: now.vendor_pid,
            client_pid: facts.client_pid,
            library: facts.library.clone(),
            build_id: facts.build_id.clone(),
            profile: facts.profile.clone(),
            started_unix_ms: facts.started_unix_ms,
            updated_unix_ms: unix_ms(),
            state: state.to_owned(),
            in_call,
            requests: now.snapshot.requests,
            callbacks: now.snapshot.callbacks,
            in_flight: now
                .snapshot
                .in_flight
                .iter()
                .map(|request| InFlight {
                    req_id: request.req_id,
                    handle: request.handle,
                    age_us: whole_us(request.age),
                })
                .collect(),
            requests_per_second: rate(now.snapshot.requests, before),
            latency: latency(now.snapshot),
            restarts: now.restarts,
            last_cause: self.last_cause.clone(),
            memory: memory(now.vendor_pid),
            deadlines: now.deadlines,
            traced: now.traced,
            sandbox: facts.sandbox.clone(),
        }
    }
}

/// Requests per second since there were fewer.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rate(requests: u64, (since, fewer): (Instant, u64)) -> f64 {
    let seconds = since.elapsed().as_secs_f64().max(1e-3);
    let rate = requests.saturating_sub(fewer) as f64 / seconds;
    (rate * 10.0).round() / 10.0
}

/// How long the last answers took.
fn latency(snapshot: &Snapshot) -> Option<Latency> {
    let answers = snapshot.last_requests.iter().filter_map(|request| request.answer);
    Latency::of(answers.map(|(took, _)| whole_us(took)).collect())
}

/// The call that the library is in.
pub fn in_call(snapshot: &Snapshot) -> Option<Call> {
    let stage = snapshot.stage?;
    let request = (stage == Stage::Request).then_some((snapshot.req_id, snapshot.handle));
    Some(Call {
        name: call_name(stage)?.to_owned(),
        req_id: request.map(|(req_id, _)| req_id),
        handle: request.map(|(_, handle)| handle),
        for_us: whole_us(snapshot.in_call_for),
    })
}

/// Of all that killed monitors left, the newest stays.
fn clean(facts: &Facts) {
    let Ok(files) = read::<Status>(&facts.status_dir, Kind::Status, LOOK_AT) else { return };
    let mut stale: Vec<_> = files
        .found
        .into_iter()
        .filter_map(|file| Some((file.content.ok()?, file.path)))
        .filter(|(status, _)| status.monitor.life() == Life::Ended)
        .collect();
    stale.sort_by_key(|(status, _)| std::cmp::Reverse(status.updated_unix_ms));
    for (_, path) in stale.iter().skip(KEEP_STALE) {
        let _ = fs::remove_file(path);
    }
}

/// The last death of a host that ran the same library for the same client.
fn cause_of_the_one_before(facts: &Facts) -> Option<String> {
    let deaths =
        read::<Death>(&facts.status_dir, Kind::Death, super::obituary::KEEP_DEATHS).ok()?;
    deaths
        .found
        .into_iter()
        .filter_map(|file| file.content.ok())
        .find(|death| death.client_pid == facts.client_pid && death.library == facts.library)
        .map(|death| death.cause)
}

/// From `/proc/PID/status`, whose sizes are in KiB.
fn memory(pid: i32) -> Option<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let number = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory {
        resident_bytes: number("VmRSS:")?.saturating_mul(1024),
        peak_resident_bytes: number("VmHWM:")?.saturating_mul(1024),
        threads: u32::try_from(number("Threads:")?).unwrap_or(u32::MAX),
    })
}
