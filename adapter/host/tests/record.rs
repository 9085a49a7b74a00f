//! What a host leaves: crash records, deaths, and its status while it runs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use cami_link::Deadline;
use cami_record::{CrashRecord, Death, Kind, Life, Status, read};
use cami_wire::control::{FromClient, Restarts};
use common::{Host, Incoming, Setup};

struct Folders {
    room: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        Self { room: tempfile::tempdir().unwrap() }
    }

    fn setup(&self) -> Setup {
        let folder = |name: &str| self.room.path().join(name).to_str().unwrap().to_owned();
        Setup::new()
            .variable("CAMI_IPA_CRASH_DIR", &folder("crash"))
            .variable("CAMI_IPA_STATUS_DIR", &folder("status"))
    }

    fn crash(&self) -> std::path::PathBuf {
        self.room.path().join("crash")
    }

    fn status(&self) -> std::path::PathBuf {
        self.room.path().join("status")
    }

    /// Dies of a request; the record is written once the log has ended.
    fn record_of(&self, mut host: Host, request: u32) -> CrashRecord {
        host.request(request, &[0x56]);
        while host.next() != Incoming::Closed {}
        let (code, log) = host.wait();
        assert_eq!(code, Some(1));
        assert!(log.contains("crash record: "), "{log}");
        let mut records = read::<CrashRecord>(&self.crash(), Kind::Crash, 99).unwrap();
        assert_eq!(records.found.len(), 1);
        let size = fs::metadata(&records.found[0].path).unwrap().len();
        assert!(size <= cami_record::MAX_FILE_BYTES, "{size}");
        records.found.remove(0).content.unwrap()
    }
}

fn ready(setup: Setup) -> (Host, std::os::fd::OwnedFd) {
    let mut host = setup.start();
    let buffer = host.ready();
    (host, buffer)
}

fn name() -> &'static str {
    common::library().file_name().unwrap().to_str().unwrap()
}

#[test]
fn crash_record_has_everything() {
    let folders = Folders::new();
    let (mut host, _buffer) = ready(folders.setup());
    let monitor = host.process.id().cast_signed();
    host.tell(FromClient::Restarts(Restarts { count: 2 }));
    for _ in 0..70 {
        host.status(1);
    }
    let record = folders.record_of(host, 36);
    assert_eq!((record.format, record.monitor_pid, record.restarts), (1, monitor, 2));
    assert_eq!(record.library, common::library().to_str().unwrap());
    assert!(record.cause.contains("killed by SIGSEGV accessing 0x10"), "{}", record.cause);
    assert_eq!((record.signal.as_deref(), record.exit_code), (Some("SIGSEGV"), None));
    assert!(record.kernel.starts_with("Linux "), "{}", record.kernel);
    assert_eq!(record.profile, "generic");

    let fault = record.fault.unwrap();
    assert_eq!((fault.address.as_deref(), fault.thread.as_str()), (Some("0x10"), "cami-vendor"));
    let place = fault.place.unwrap();
    assert_eq!((place.file.as_str(), &place.build_id), (name(), &record.build_id));
    assert!(record.build_id.is_some());

    let instruction = if cfg!(target_arch = "x86_64") { "rip" } else { "pc" };
    let register = record.registers.iter().find(|register| register.name == instruction).unwrap();
    let address = |text: &str| u64::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap();
    let within = record
        .mappings
        .iter()
        .find(|m| (address(&m.start)..address(&m.end)).contains(&address(&register.value)))
        .unwrap();
    assert!(within.file.ends_with(name()) && within.permissions == "r-xp", "{within:?}");
    assert_eq!(record.mappings_left_out, 0);
    let module = record.modules.iter().find(|module| module.file.ends_with(name())).unwrap();
    assert_eq!(module.build_id, record.build_id);
    assert!(record.modules.iter().any(|m| m.file.contains("libc.so") && m.build_id.is_some()));

    assert_eq!((record.requests, record.callbacks), (71, 70));
    assert_eq!(record.last_requests.len(), 64);
    let (last, before) = record.last_requests.split_last().unwrap();
    assert_eq!((last.req_id, last.handle, last.duration_us), (36, -1, None));
    assert!(before.iter().all(|r| r.req_id == 1 && r.status == Some(0x75)), "{before:?}");
    assert_eq!(record.in_call.unwrap().req_id, Some(36));

    let expected: Vec<String> = (136..200).map(|line| format!("line {line}")).collect();
    assert_eq!(record.stderr_tail, expected);
}

#[test]
fn crash_record_is_private_and_the_death_names_it() {
    let folders = Folders::new();
    let (host, _buffer) = ready(folders.setup());
    let monitor = host.process.id();
    let record = folders.record_of(host, 15);
    assert_eq!((record.signal, record.exit_code), (None, Some(3)));
    assert!(record.fault.unwrap().called_near.unwrap().file.contains(name()));
    let deaths = read::<Death>(&folders.status(), Kind::Death, 99).unwrap();
    assert_eq!(deaths.found.len(), 1);
    let death = deaths.found[0].content.as_ref().unwrap();
    assert_eq!(death.cause, record.cause);
    let file = Path::new(death.crash_record.as_ref().unwrap());
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folders.status().join(format!("{monitor}.json")).exists());
}

#[test]
fn crash_record_of_a_hostile_page_and_ten_thousand_mappings_is_bounded() {
    let folders = Folders::new();
    let (host, _buffer) = ready(folders.setup());
    let record = folders.record_of(host, 37);
    assert!(record.cause.contains("overwritten"), "{}", record.cause);
    assert!(record.last_requests.len() <= 64);

    let folders = Folders::new();
    let (host, _buffer) = ready(folders.setup());
    let record = folders.record_of(host, 38);
    assert!(record.cause.contains("SIGSEGV"), "{}", record.cause);
    assert!(record.mappings_left_out > 1000, "{}", record.mappings_left_out);
}

#[test]
fn crash_records_and_deaths_are_bounded_in_number() {
    let folders = Folders::new();
    for folder in [folders.crash(), folders.status()] {
        fs::create_dir(&folder).unwrap();
        for number in 0..40 {
            fs::write(folder.join(format!("crash-2000{number:02}.json")), "{}").unwrap();
            fs::write(folder.join(format!("death-2000{number:02}.json")), "{}").unwrap();
        }
    }
    let (mut host, _buffer) = ready(folders.setup());
    host.request(13, &[]);
    assert_eq!(host.next(), Incoming::Closed);
    host.wait();
    let count = |folder: &Path, start: &str| {
        let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with(start)).count()
    };
    assert_eq!(count(&folders.crash(), "crash-"), 32);
    assert_eq!(count(&folders.status(), "death-"), 16);
    assert_eq!(count(&folders.crash(), "crash-2000"), 31);
    assert_eq!(count(&folders.status(), "death-2000"), 15);
}

#[test]
fn folders_that_cannot_be_written_are_only_logged() {
    let setup = Setup::new().variable("CAMI_IPA_CRASH_DIR", "/proc/nowhere");
    let (mut host, _buffer) = ready(setup);
    host.request(13, &[]);
    assert!(host.cause().contains("SIGSEGV"));
    let (code, log) = host.wait();
    assert_eq!(code, Some(1));
    assert!(log.contains("no crash record in /proc/nowhere"), "{log}");
    assert!(log.contains("no status file in /nowhere/cami-ipa"), "{log}");
}

#[test]
fn leaving_client_leaves_no_files() {
    let folders = Folders::new();
    let (host, _buffer) = ready(folders.setup());
    let monitor = host.process.id();
    // Written by now: a client that leaves at once finds not even the folder.
    status_when(&folders.status(), monitor, |_| true);
    host.hang_up();
    assert_eq!(host.wait().0, Some(0));
    assert_eq!(fs::read_dir(folders.status()).unwrap().count(), 0);
    assert!(!folders.crash().exists());
}

/// The status once it is as wanted. The monitor writes it at most once per second.
fn status_when(folder: &Path, monitor: u32, wanted: impl Fn(&Status) -> bool) -> Status {
    let deadline = Deadline::after(common::PATIENCE);
    let file = folder.join(format!("{monitor}.json"));
    loop {
        if let Ok(text) = fs::read(&file) {
            // It appears whole: it can always be read.
            let status: Status = serde_json::from_slice(&text).unwrap();
            if wanted(&status) {
                return status;
            }
        }
        assert!(!deadline.has_passed(), "{:?}", fs::read_to_string(&file));
        std::thread::yield_now();
    }
}

#[test]
fn status_of_a_running_host_follows_it() {
    let folders = Folders::new();
    let (mut host, _buffer) = ready(folders.setup());
    let monitor = host.process.id();
    let Some(cami_wire::control::FromMonitor::Ready(told)) = host.control_message() else {
        panic!("expected ready")
    };
    for _ in 0..3 {
        host.status(1);
    }
    let status = status_when(&folders.status(), monitor, |status| status.callbacks == 3);
    assert_eq!((status.state.as_str(), status.requests), ("idle", 3));
    assert!(status.requests_per_second > 0.0);
    let latency = status.latency.unwrap();
    assert_eq!(latency.answers, 3);
    assert!(latency.p50_us <= latency.p90_us && latency.p90_us <= latency.max_us);
    assert_eq!((status.monitor.pid.cast_unsigned(), status.vendor_pid), (monitor, told.vendor_pid));
    assert_eq!(status.client_pid.cast_unsigned(), std::process::id());
    assert_eq!(status.monitor.life(), Life::Running);
    assert!(status.memory.unwrap().resident_bytes > 0 && status.traced);
    assert_eq!(status.deadlines.register_ms, 5000);

    host.tell(FromClient::Restarts(Restarts { count: 5 }));
    status_when(&folders.status(), monitor, |status| status.restarts == 5);
    host.request(16, &[]);
    let status = status_when(&folders.status(), monitor, |status| status.state == "in_call");
    assert_eq!(status.in_call.unwrap().req_id, Some(16));
    assert_eq!((status.in_flight.len(), status.in_flight[0].req_id), (1, 16));

    // SAFETY: kill touches no memory, and the process is there.
    unsafe { libc::kill(told.vendor_pid, libc::SIGSTOP) };
    status_when(&folders.status(), monitor, |status| status.state == "stopped");
}

#[test]
fn next_host_of_the_client_knows_what_the_last_one_died_of() {
    let folders = Folders::new();
    let (mut host, _buffer) = ready(folders.setup());
    host.request(13, &[]);
    let cause = host.cause();
    host.wait();
    let (host, _buffer) = ready(folders.setup());
    let status = status_when(&folders.status(), host.process.id(), |_| true);
    assert_eq!(status.last_cause, Some(cause));
}

#[test]
fn status_of_a_killed_monitor_stays_and_shows_that_it_ended() {
    let folders = Folders::new();
    let (mut host, _buffer) = ready(folders.setup());
    let monitor = host.process.id();
    status_when(&folders.status(), monitor, |_| true);
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    let status = status_when(&folders.status(), monitor, |_| true);
    assert_eq!(status.monitor.life(), Life::Ended);
}

#[test]
fn death_is_told_before_the_record_is_written() {
    // A folder that does not answer: a FUSE or network file system is not to be had here, but a
    // record of ten thousand mappings takes longer to write than the client waits for the monitor.
    let folders = Folders::new();
    let (mut host, _buffer) = ready(folders.setup());
    host.request(38, &[]);
    assert_eq!(host.next(), Incoming::Closed);
    let control = host.control.take().unwrap();
    let mut inbox = cami_link::Inbox::new(70_000, 0);
    let mut causes = 0;
    // The end of the control socket is the monitor's, whatever its child still does.
    while control.receive(&mut inbox, Some(Deadline::after(Duration::from_secs(20)))).is_ok() {
        causes += 1;
    }
    assert_eq!(causes, 2, "ready and died");
    host.process.wait().unwrap();
    assert_eq!(host.wait().0, Some(1));
    assert_eq!(read::<CrashRecord>(&folders.crash(), Kind::Crash, 9).unwrap().found.len(), 1);
}
