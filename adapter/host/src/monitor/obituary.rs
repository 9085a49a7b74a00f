//! What stays of a host: a few words in `status_dir`, and a crash record in `crash_dir`.
//!
//! The client has been told by then, and waits for the monitor's end before it tells the HAL. So the
//! record is written by a child that outlives the monitor: no disk is in the way of the notice.

use std::os::fd::RawFd;
use std::path::Path;

use cami_record::{
    CrashRecord, Death as LastWords, FORMAT, Fault, Kind, Mapping, Module, Place, Register,
    Request, keep_newest, name, write,
};
use cami_vendor::activity::{PastRequest, Snapshot};
use nix::unistd::ForkResult;

use super::cause::signal_name;
use super::facts::{Facts, unix_ms, whole_ms, whole_us};
use super::output::printable;
use super::status::in_call;
use super::trace::Death;
use super::{fault, maps};

/// Deaths that `status_dir` keeps.
pub const KEEP_DEATHS: usize = 16;
/// Records that `crash_dir` keeps.
const KEEP_RECORDS: usize = 32;
/// Of a record's size, what mappings and modules may take each.
const MAX_MAPPING_BYTES: usize = 256 << 10;
/// The longest path that is noted whole.
const MAX_PATH_CHARS: usize = 1024;
/// A disk that takes longer has failed, and its record is given up.
const WRITING_SECONDS: u32 = 10;

/// A death with its circumstances.
#[derive(Debug)]
pub struct Obituary<'a> {
    /// The host.
    pub facts: &'a Facts,
    /// The vendor process.
    pub vendor_pid: i32,
    /// What it died of.
    pub death: &'a Death,
    /// The line of the log.
    pub cause: &'a str,
    /// Why the monitor killed it, if it did.
    pub killed_for: Option<&'a str>,
    /// What it was doing.
    pub snapshot: &'a Snapshot,
    /// How often the client had started a host anew before this one.
    pub restarts: u32,
    /// The last lines of standard error.
    pub stderr_tail: Vec<String>,
    /// The ends of the link that a recorder has, which a child must not hold.
    pub link: &'a [RawFd],
}

impl Obituary<'_> {
    /// Writes both. What cannot be written is only logged.
    pub fn publish(self) {
        let time_unix_ms = unix_ms();
        let monitor_pid = self.facts.monitor.pid;
        let record = name(Kind::Crash, time_unix_ms, monitor_pid);
        let crash_dir = self.facts.crash_dir.as_deref();
        let last_words = LastWords {
            format: FORMAT,
            time_unix_ms,
            monitor_pid,
            vendor_pid: self.vendor_pid,
            client_pid: self.facts.client_pid,
            library: self.facts.library.clone(),
            build_id: self.facts.build_id.clone(),
            profile: self.facts.profile.clone(),
            cause: self.cause.to_owned(),
            ran_for_ms: whole_ms(self.facts.started.elapsed()),
            restarts: self.restarts,
            crash_record: crash_dir.map(|folder| folder.join(&record).display().to_string()),
        };
        let status_dir = &self.facts.status_dir;
        let death = name(Kind::Death, time_unix_ms, monitor_pid);
        match write(status_dir, Kind::Death, &death, &last_words) {
            Ok(()) => keep_newest(status_dir, Kind::Death, KEEP_DEATHS),
            Err(error) => log::debug!("no status file in {}: {error}", status_dir.display()),
        }
        if let Some(folder) = crash_dir {
            aside(self.link, || {
                let crash = self.record(last_words);
                write_record(folder, &record, &crash);
            });
        }
    }

    fn record(&self, last_words: LastWords) -> CrashRecord {
        let LastWords { format, time_unix_ms, monitor_pid, vendor_pid, .. } = last_words;
        let Death { signal, exit_code, .. } = *self.death;
        let image = &self.death.image;
        let mappings = bounded(image.mappings.iter().map(mapping));
        CrashRecord {
            format,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel: kernel(),
            time_unix_ms,
            monitor_pid,
            vendor_pid,
            library: last_words.library,
            build_id: last_words.build_id,
            profile: last_words.profile,
            ran_for_ms: last_words.ran_for_ms,
            restarts: last_words.restarts,
            cause: last_words.cause,
            signal: (signal != 0).then(|| signal_name(signal)),
            exit_code: (signal == 0).then_some(exit_code),
            killed_for: self.killed_for.map(str::to_owned),
            fault: self.death.fault.as_ref().map(fault_of),
            registers: image.registers.iter().map(|(name, value)| register(name, *value)).collect(),
            in_call: in_call(self.snapshot),
            requests: self.snapshot.requests,
            callbacks: self.snapshot.callbacks,
            last_requests: self.snapshot.last_requests.iter().map(request).collect(),
            stderr_tail: self.stderr_tail.clone(),
            modules: bounded(image.modules.iter().map(module)),
            mappings_left_out: image.mappings.len() - mappings.len(),
            mappings,
            sandbox: self.facts.sandbox.clone(),
        }
    }
}

fn write_record(folder: &Path, name: &str, record: &CrashRecord) {
    match write(folder, Kind::Crash, name, record) {
        Ok(()) => {
            log::info!("crash record: {}", folder.join(name).display());
            keep_newest(folder, Kind::Crash, KEEP_RECORDS);
        }
        Err(error) => log::warn!("no crash record in {}: {error}", folder.display()),
    }
}

/// Does something in a child that nobody waits for; here, where there can be none.
fn aside(ends: &[RawFd], work: impl FnOnce()) {
    // SAFETY: the monitor has one thread, so that the child may do whatever the parent may. While it
    // records it has one more: they share the log, which that one hardly uses, and memory, whose locks
    // libc puts in order.
    match unsafe { nix::unistd::fork() } {
        Ok(ForkResult::Parent { .. }) => {}
        Ok(ForkResult::Child) => {
            nix::unistd::alarm::set(WRITING_SECONDS);
            // The link ends with the monitor.
            for &fd in ends {
                // SAFETY: a descriptor of the other thread's, which is not in this process.
                unsafe { libc::close(fd) };
            }
            work();
            // SAFETY: _exit has no preconditions; the parent's destructors are not the child's.
            unsafe { libc::_exit(0) };
        }
        Err(error) => {
            log::debug!("fork: {error}");
            work();
        }
    }
}

/// As many as have room.
fn bounded<T: serde::Serialize>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut room = MAX_MAPPING_BYTES;
    items
        .take_while(|item| {
            let size = serde_json::to_vec_pretty(item).map_or(usize::MAX, |text| text.len() * 2);
            room = room.saturating_sub(size);
            room > 0
        })
        .collect()
}

fn kernel() -> String {
    let Ok(name) = nix::sys::utsname::uname() else { return String::new() };
    [name.sysname(), name.release(), name.version(), name.machine()]
        .map(|part| part.to_string_lossy().into_owned())
        .join(" ")
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// A name that the library chose: no control characters, and no end of it.
fn named(path: &str) -> String {
    printable(path.chars().take(MAX_PATH_CHARS).collect::<String>().as_bytes())
}

fn register(name: &str, value: u64) -> Register {
    Register { name: name.to_owned(), value: hex(value) }
}

fn request(request: &PastRequest) -> Request {
    let PastRequest { req_id, handle, age, answer } = *request;
    Request {
        req_id,
        handle,
        age_us: whole_us(age),
        duration_us: answer.map(|(duration, _)| whole_us(duration)),
        status: answer.map(|(_, status)| status),
    }
}

fn mapping(mapping: &maps::Mapping) -> Mapping {
    Mapping {
        start: hex(mapping.start),
        end: hex(mapping.end),
        permissions: named(&mapping.permissions),
        file: named(&mapping.file),
    }
}

fn module(module: &maps::MappedFile) -> Module {
    Module {
        file: named(&module.file),
        start: hex(module.start),
        build_id: module.build_id.clone(),
    }
}

fn place(place: &maps::Place) -> Place {
    Place { file: named(&place.file), offset: hex(place.offset), build_id: place.build_id.clone() }
}

fn fault_of(fault: &fault::Fault) -> Fault {
    let info = fault.info;
    Fault {
        signal: (info.signal != 0).then(|| signal_name(info.signal)),
        address: info.address.map(hex),
        system_call: info.system_call,
        system_call_name: fault.system_call_name().map(str::to_owned),
        sender_pid: info.sender,
        thread_id: info.thread,
        thread: named(&fault.thread_name),
        place: fault.place.as_ref().map(place),
        called_near: fault.caller.as_ref().map(place),
    }
}
