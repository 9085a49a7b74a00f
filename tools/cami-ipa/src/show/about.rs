//! What a recording is, in words.

use std::fmt::Write as _;
use std::path::Path;

use cami_recording::Ending;
use cami_replay::protocol::PROFILE_TEXT;

use crate::recorded::Recorded;
use crate::status::human::{bytes, name, time};

/// Texts of a file are cut there.
const LONGEST: usize = 512;
/// Hosts that are listed.
const HOSTS: usize = 20;

/// The pairs of a name and a value that tell what it is.
pub fn pairs(recorded: &Recorded, file: &Path) -> Vec<(String, String)> {
    let session = &recorded.session;
    let recording = &recorded.recording;
    let mut pairs = vec![
        ("recording".to_owned(), file.display().to_string()),
        ("begun".to_owned(), human_time(recording.begun_ns())),
    ];
    for annotation in session.annotations.iter().take(HOSTS) {
        let key = name(&annotation.key, 40).replace('_', " ");
        let value = match annotation.key.as_str() {
            PROFILE_TEXT => format!("a copy of {}", bytes(annotation.value.len() as u64)),
            _ => name(&annotation.value, LONGEST),
        };
        pairs.push((key, value));
    }
    let ending = match recording.ending() {
        Ending::Complete => format!("complete, {}", bytes(recording.good_bytes())),
        torn => format!("{torn} ({})", bytes(recording.good_bytes())),
    };
    pairs.push(("file".to_owned(), ending));
    let (mut requests, mut unanswered, mut failed) = (0_u64, 0_u64, 0_u64);
    for exchange in recorded.exchanges() {
        requests += 1;
        unanswered += u64::from(exchange.returned.is_none());
        failed += u64::from(exchange.returned.is_some() && !exchange.done);
    }
    let frames = if recorded.has_frames() {
        format!(" in {} frames", recorded.frame_count())
    } else {
        String::new()
    };
    pairs.extend(
        recorded.read_as.iter().map(|profile| ("read as".to_owned(), name(profile, LONGEST))),
    );
    for reason in recorded.unknown_profiles.values().take(HOSTS) {
        pairs.push((
            "unknown".to_owned(),
            format!("{}; name one with --profile", name(reason, LONGEST)),
        ));
    }
    pairs.push(("span".to_owned(), time(recorded.span_ns() / 1000)));
    pairs.push((
        "requests".to_owned(),
        format!("{requests}{frames}; {failed} failed, {unanswered} unanswered"),
    ));
    let deaths = session.hosts.iter().filter(|life| life.died.is_some()).count();
    pairs.push(("deaths".to_owned(), deaths.to_string()));
    let missing = missing(recorded);
    let missing = if missing.is_empty() { "nothing".to_owned() } else { missing.join("; ") };
    pairs.push(("missing".to_owned(), missing));
    for life in session.hosts.iter().take(HOSTS) {
        let host = &life.host;
        let build_id = match host.build_id.as_str() {
            "" => "no build-id".to_owned(),
            id => format!("build-id {}", name(id, 64)),
        };
        let value = format!(
            "{}, {build_id}; profile {}, revision {}; processes {} and {}; restarts {}",
            if host.library.is_empty() { "unknown".into() } else { name(&host.library, LONGEST) },
            name(&host.profile, LONGEST),
            name(&host.revision, 8),
            host.monitor_pid,
            host.vendor_pid,
            host.restarts,
        );
        pairs.push((format!("host {}", host.host), value));
    }
    if let Some(more) = session.hosts.len().checked_sub(HOSTS).filter(|more| *more > 0) {
        pairs.push(("hosts".to_owned(), format!("{more} more")));
    }
    pairs
}

/// What is not in the file, one sentence each.
pub fn missing(recorded: &Recorded) -> Vec<String> {
    let session = &recorded.session;
    let mut missing = Vec::new();
    let (dropped, until) = session.dropped;
    if dropped > 0 {
        let until = time(recorded.since_begin(until) / 1000);
        missing.push(format!("the ring dropped {dropped} events of the first {until}"));
    }
    let lost = session.lost.iter().map(|lost| lost.events).fold(0, u64::saturating_add);
    if let Some(last) = session.lost.last() {
        missing.push(format!("{lost} events were lost ({})", name(&last.reason, LONGEST)));
    }
    if recorded.recording.ending() != Ending::Complete {
        missing.push("what came behind the last complete block".to_owned());
    }
    match recorded.recording.unknown_blocks() {
        0 => {}
        blocks => {
            missing.push(format!("{blocks} blocks are of kinds that this release does not know"));
        }
    }
    missing
}

/// The lines in front of the events.
pub fn text(recorded: &Recorded, file: &Path) -> String {
    let pairs = pairs(recorded, file);
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in pairs {
        let _ = writeln!(text, "{name:<width$}  {value}");
    }
    text.push('\n');
    text
}

/// A time of the real-time clock.
fn human_time(ns: u64) -> String {
    let since = std::time::Duration::from_nanos(ns);
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since).to_string()
}
