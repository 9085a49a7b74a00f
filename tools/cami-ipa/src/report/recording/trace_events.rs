//! Trace events, as Chrome's tools and the Perfetto UI read them ("Trace Event Format", the array of
//! `traceEvents`): a process for each host, a thread for each row of the timeline, counters for
//! what the library answered and what it uses. Times are µs since the recording's begin.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::collect::Collected;
use super::timeline::words;
use crate::failure::Failure;
use crate::outputs::LineWriter;
use crate::recorded::{Item, Recorded};
use crate::status::human::name;

/// Threads of one row; the timeline has no more lines in it.
const LINES: u32 = 16;
/// A line of the library is cut there.
const LONGEST: usize = 500;

/// Writes the file.
pub fn write(path: &Path, recorded: &Recorded, collected: &Collected<'_>) -> Result<(), Failure> {
    let mut file = Events { out: LineWriter::create(path)?, first: true };
    file.out.put("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")?;
    names(&mut file, recorded, collected)?;
    let us = |at: u64| recorded.since_begin(at) as f64 / 1000.0;
    for request in &collected.requests {
        let exchange = &request.exchange;
        let requested = exchange.requested;
        let begin = requested.at_ns;
        file.put(&json!({
            "ph": "X",
            "name": exchange.name(),
            "cat": if exchange.done { "request" } else { "failed request" },
            "pid": requested.host,
            "tid": thread(request.lane, request.line),
            "ts": us(begin),
            "dur": us(request.end_ns) - us(begin),
            "args": {
                "frame": exchange.frame,
                "req_id": requested.req_id,
                "handle": requested.handle,
                "number": requested.number,
                "answered": exchange.returned.is_some(),
                "status": exchange.returned.map(|answer| answer.status),
                "again": exchange.again,
            },
        }))?;
    }
    let host = collected.requests.first().map_or(0, |request| request.exchange.requested.host);
    for frame in &collected.frames {
        let Some(at) = frame.at_ns else { continue };
        let counters = [
            ("exposure_time_us", frame.exposure_us),
            ("analogue_gain", frame.analogue_gain),
            ("cct_k", frame.cct_k),
            ("lens_position", frame.lens),
        ];
        for (name, value) in counters.into_iter().filter(|(_, value)| value.is_finite()) {
            file.put(&counter(host, name, us(at), json!(value)))?;
        }
    }
    for usage in &collected.usage {
        let at = us(usage.at_ns);
        file.put(&counter(usage.host, "resident_bytes", at, json!(usage.resident_bytes)))?;
        file.put(&counter(usage.host, "threads", at, json!(usage.threads)))?;
    }
    for mark in &collected.landmarks {
        let (_, text) = words(recorded, mark);
        let name = match mark {
            Item::Died(_) => "died",
            other => other.kind(),
        };
        file.put(&instant(mark.host(), name, us(mark.at_ns()), &text))?;
    }
    for (line, _) in &collected.lines {
        let text = name(&line.text, LONGEST);
        file.put(&instant(line.host, "line", us(line.at_ns), &text))?;
    }
    file.out.put("\n]}\n")?;
    file.out.flush()
}

/// What processes and threads are called.
fn names(file: &mut Events, recorded: &Recorded, collected: &Collected<'_>) -> Result<(), Failure> {
    let used: BTreeSet<(u32, usize, u32)> = collected
        .requests
        .iter()
        .map(|request| (request.exchange.requested.host, request.lane, request.line))
        .collect();
    for life in &recorded.session.hosts {
        let host = &life.host;
        let library = host.library.rsplit('/').next().unwrap_or_default();
        let text = format!("host {}: {}", host.host, name(library, LONGEST));
        file.put(&metadata("process_name", host.host, 0, &text))?;
    }
    for (host, lane, line) in used {
        let Some((row, _)) = collected.lanes.get(lane) else { continue };
        let text = match line {
            0 => row.name.clone(),
            line => format!("{} ({})", row.name, line + 1),
        };
        file.put(&metadata("thread_name", host, thread(lane, line), &text))?;
    }
    Ok(())
}

/// The file, with commas between events.
struct Events {
    out: LineWriter,
    first: bool,
}

impl Events {
    fn put(&mut self, event: &Value) -> Result<(), Failure> {
        if !self.first {
            self.out.put(",\n")?;
        }
        self.first = false;
        self.out.put(&event.to_string())
    }
}

fn thread(lane: usize, line: u32) -> u32 {
    let lane = u32::try_from(lane).unwrap_or(u32::MAX);
    lane.saturating_mul(LINES).saturating_add(line).saturating_add(1)
}

fn metadata(kind: &str, host: u32, thread: u32, text: &str) -> Value {
    json!({ "ph": "M", "name": kind, "pid": host, "tid": thread, "args": { "name": text } })
}

fn counter(host: u32, name: &str, at: f64, value: Value) -> Value {
    json!({ "ph": "C", "name": name, "pid": host, "ts": at, "args": { "value": value } })
}

fn instant(host: u32, name: &str, at: f64, text: &str) -> Value {
    json!({
        "ph": "i", "s": "p", "name": name, "pid": host, "tid": 0, "ts": at,
        "args": { "text": text },
    })
}
