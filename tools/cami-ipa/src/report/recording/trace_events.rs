//! Trace events, as Chrome's tools and the Perfetto UI read them ("Trace Event Format", the array of
//! `traceEvents`): a process for each host, with a thread for each row of the timeline and counters of
//! what it uses; and one for the camera, with counters of what was answered. Times are µs since the
//! recording's begin.
//!
//! What Perfetto's importer (src/trace_processor/importers/json) wants beyond the format: threads are
//! named by their number alone, so each number is of one process only; what lies in one thread nests or is
//! apart, also when times have been made whole nanoseconds by cutting off; number 0 is the idle
//! process's. `displayTimeUnit` is left out: releases of 2020 took it for the unit of the times.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::collect::Collected;
use super::timeline::words;
use crate::failure::Failure;
use crate::outputs::LineWriter;
use crate::recorded::{Item, Recorded};
use crate::status::human::name;

/// A line of the library is cut there.
const LONGEST: usize = 500;

/// Writes the file.
pub fn write(path: &Path, recorded: &Recorded, collected: &Collected<'_>) -> Result<(), Failure> {
    let mut file = Events { out: LineWriter::create(path)?, first: true };
    file.out.put("{\"traceEvents\":[\n")?;
    let threads = threads(recorded, collected);
    names(&mut file, recorded, collected, &threads)?;
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
            "tid": threads.get(&(requested.host, request.lane, request.line)),
            "ts": us(begin),
            "dur": request.end_ns.saturating_sub(begin) as f64 / 1000.0,
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
    let camera = camera(recorded);
    for frame in &collected.frames {
        let Some(at) = frame.at_ns else { continue };
        let counters = [
            ("exposure_time_us", frame.exposure_us),
            ("analogue_gain", frame.analogue_gain),
            ("cct_k", frame.cct_k),
            ("lens_position", frame.lens),
        ];
        for (name, value) in counters.into_iter().filter(|(_, value)| value.is_finite()) {
            file.put(&counter(camera, name, us(at), json!(value)))?;
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
        if matches!(mark, Item::Died(_) | Item::Ended(_)) {
            // A counter holds until the next of its name.
            for name in ["resident_bytes", "threads"] {
                file.put(&counter(mark.host(), name, us(mark.at_ns()), json!(0)))?;
            }
        }
    }
    for (line, _) in &collected.lines {
        let text = name(&line.text, LONGEST);
        file.put(&instant(line.host, "line", us(line.at_ns), &text))?;
    }
    file.out.put("\n]}\n")?;
    file.out.flush()
}

/// The number of a process that is none: what the camera did, whichever host answered.
fn camera(recorded: &Recorded) -> u32 {
    let hosts = recorded.session.hosts.iter().map(|life| life.host.host);
    hosts.max().unwrap_or(0).saturating_add(1)
}

/// The numbers of threads, by host, row and line: in their order, and none of them a host's.
type Threads = BTreeMap<(u32, usize, u32), u64>;

fn threads(recorded: &Recorded, collected: &Collected<'_>) -> Threads {
    let requests = collected.requests.iter();
    let used =
        requests.map(|request| (request.exchange.requested.host, request.lane, request.line));
    let mut threads: Threads = used.map(|thread| (thread, 0)).collect();
    let first = u64::from(camera(recorded)) + 1;
    for (number, free) in threads.values_mut().zip(first..) {
        *number = free;
    }
    threads
}

/// What processes and threads are called.
fn names(
    file: &mut Events,
    recorded: &Recorded,
    collected: &Collected<'_>,
    threads: &Threads,
) -> Result<(), Failure> {
    let mut process = |number: u32, text: &str| {
        file.put(&metadata("process_name", number, number.into(), json!({ "name": text })))?;
        let place = json!({ "sort_index": number });
        file.put(&metadata("process_sort_index", number, number.into(), place))
    };
    for life in &recorded.session.hosts {
        let host = &life.host;
        let library = host.library.rsplit('/').next().unwrap_or_default();
        process(host.host, &format!("host {}: {}", host.host, name(library, LONGEST)))?;
    }
    if !collected.frames.is_empty() {
        process(camera(recorded), "camera")?;
    }
    for (&(host, lane, line), thread) in threads {
        let Some((row, _)) = collected.lanes.get(lane) else { continue };
        let text = match line {
            0 => row.name.clone(),
            line => format!("{} ({})", row.name, line + 1),
        };
        file.put(&metadata("thread_name", host, *thread, json!({ "name": text })))?;
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

fn metadata(kind: &str, host: u32, thread: u64, arguments: Value) -> Value {
    json!({ "ph": "M", "name": kind, "pid": host, "tid": thread, "args": arguments })
}

fn counter(host: u32, name: &str, at: f64, value: Value) -> Value {
    json!({ "ph": "C", "cat": "counter", "name": name, "pid": host, "tid": host, "ts": at, "args": { "value": value } })
}

fn instant(host: u32, name: &str, at: f64, text: &str) -> Value {
    json!({
        "ph": "i", "s": "p", "cat": "event", "name": name, "pid": host, "tid": host, "ts": at,
        "args": { "text": text },
    })
}
