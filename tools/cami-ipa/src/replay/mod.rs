//! `cami-ipa replay`: a recorded session against a library.

mod answers;
mod driver;
pub mod import;
pub mod options;
mod text;
mod verdict;

use std::io::Write;
use std::path::Path;

use cami_recording::{Ending as FileEnding, Recording, Session};
use cami_replay::{Host, Protocol};

use crate::failure::Failure;
use crate::library::{Paths, Wanted};
use driver::{Driver, Ending, Seen};
pub use options::{ImportOptions, ReplayOptions};
use verdict::Verdict;

/// Answers between two signs of progress.
const STEP: u64 = 16;

/// Does it.
pub fn replay(options: &ReplayOptions) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::environment(format!("{}: {error}", options.file.display()))
    };
    let recording = Recording::open(&options.file).map_err(|error| wrong(&error))?;
    let session = Session::of(&recording).map_err(|error| wrong(&error))?;
    let lives: Vec<_> = session
        .hosts
        .iter()
        .filter(|life| options.host.is_none_or(|number| life.host.host == number))
        .collect();
    let Some(first) = lives.first() else {
        return Err(wrong(&match options.host {
            Some(number) => format!("has no host {number}; it has {}", session.hosts.len()),
            None => "has no host".to_owned(),
        }));
    };
    let protocol = Protocol::wanted(options.profile.as_deref(), &session, &first.host.profile);
    let protocol = protocol.map_err(|error| wrong(&format!("{error}; name one with --profile")))?;

    // The host is told by a name or a path; a profile that only the recording has is none for it.
    let profile = options.profile.as_deref().unwrap_or(&first.host.profile);
    let profile = if Protocol::named(profile).is_ok() { profile } else { "generic" };
    let wanted = Wanted {
        vendor_library: options.vendor_library.as_deref(),
        library: options.library.as_deref(),
        in_process: options.in_process,
        profile: Some(profile),
        recovery: Some("notify"),
        unlimited_restarts: false,
    };
    let paths = Paths::find(&wanted)?;
    let library = paths.load(&wanted)?;

    let mut verdict = Verdict::new(&protocol, options.compare, options.all);
    verdict.recording = options.file.display().to_string();
    verdict.vendor_library = paths.vendor.display().to_string();
    tell_gaps(&recording, &session, &mut verdict);
    let mut progress = Progress::new();
    let mut failed = false;
    for life in lives {
        let bytes = |content| recording.outline(content).ok().map(|outline| outline.bytes);
        let host = Host::of(&session, life, &protocol, bytes);
        if life.ended_ns.is_none() && life.died.is_none() {
            let line = format!("host {}: the recording ends before the host did", host.number);
            verdict.notes.push(line);
        }
        progress.begin(host.number, host.exchanges().count() as u64);
        let mut driver = Driver::new(&recording, &protocol, &*library);
        driver.recorded_pace = options.recorded_pace;
        if let Some(timeout) = options.timeout {
            driver.timeout = timeout;
        }
        let mut notes = Vec::new();
        let ending = driver.drive(
            &host,
            |seen| match seen {
                Seen::Answered(answered) => {
                    verdict.take(host.number, &protocol, &options.tolerances, &answered);
                    progress.step();
                }
                Seen::Updated(updated) => {
                    verdict.take_update(host.number, &options.tolerances, &updated);
                }
            },
            |note| notes.push(note),
        );
        progress.end();
        verdict.hosts += 1;
        verdict.notes.append(&mut notes);
        let (line, falls_short) = told(ending?);
        verdict.endings.extend(line.map(|line| format!("host {}: {line}", host.number)));
        let strangers = driver.strangers();
        if strangers > 0 {
            verdict.notes.push(format!("{strangers} callbacks answer no request"));
        }
        verdict.drop_updates(host.number, driver.dropped_updates());
        failed |= falls_short;
    }
    verdict.finish();
    tell(options, &verdict)?;
    if failed {
        return Err(Failure::falls_short(verdict.endings.join("; ")));
    }
    verdict.differs().map_or(Ok(()), |line| Err(Failure::falls_short(line)))
}

/// How a host ended in words, and whether the library falls short by it.
fn told(ending: Ending) -> (Option<String>, bool) {
    match ending {
        Ending::Complete => (None, false),
        Ending::DiedAsRecorded(what) => (Some(format!("died with {what}, as recorded")), false),
        Ending::Survived => {
            (Some("the recorded library died at its end; this one did not".into()), false)
        }
        Ending::Died(what) => (Some(format!("the library died with {what}")), true),
        Ending::Hung(what) => (Some(format!("no answer in time to {what}")), true),
    }
}

/// What of the session is not in the file.
fn tell_gaps(recording: &Recording, session: &Session, verdict: &mut Verdict) {
    if recording.ending() != FileEnding::Complete {
        verdict.notes.push(format!("the recording {}", recording.ending()));
    }
    let lost: u64 = session.lost.iter().map(|lost| lost.events).sum();
    if lost > 0 {
        verdict.notes.push(format!("the recording misses {lost} events"));
    }
    if session.dropped.0 > 0 {
        let (events, _) = session.dropped;
        verdict.notes.push(format!("the recording's ring has dropped {events} events"));
    }
}

fn tell(options: &ReplayOptions, verdict: &Verdict) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    if let Some(path) = options.json.as_deref() {
        let json = serde_json::to_string_pretty(verdict)
            .map_err(|error| Failure::environment(format!("the verdict: {error}")))?;
        if path == Path::new("-") {
            // A reader that goes away early is no error.
            let _ = writeln!(stdout, "{json}");
            return Ok(());
        }
        std::fs::write(path, json + "\n").map_err(|error| {
            Failure::environment(format!("{} cannot be written: {error}", path.display()))
        })?;
    }
    let _ = stdout.write_all(verdict.text().as_bytes());
    Ok(())
}

/// A line on standard error that counts, on a terminal; elsewhere one at the begin.
#[derive(Debug)]
struct Progress {
    terminal: bool,
    host: u32,
    done: u64,
    all: u64,
}

impl Progress {
    fn new() -> Self {
        Self { terminal: crate::terminal::can_draw(&std::io::stderr()), host: 0, done: 0, all: 0 }
    }

    fn begin(&mut self, host: u32, all: u64) {
        (self.host, self.done, self.all) = (host, 0, all);
        let _ = writeln!(std::io::stderr(), "host {host}: {all} requests");
    }

    fn step(&mut self) {
        self.done += 1;
        if self.terminal && self.done.is_multiple_of(STEP) {
            let _ = write!(std::io::stderr(), "\r{} of {}", self.done, self.all);
        }
    }

    fn end(&self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
