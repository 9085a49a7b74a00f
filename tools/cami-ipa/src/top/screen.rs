//! A look as text.

use std::fmt::Write;

use super::rates::{HostLook, Look};
use crate::status::human::{bytes, name, time};

const LONGEST_NAME: usize = 28;
const LONGEST_CAUSE: usize = 300;
const COLUMNS: [&str; 11] = [
    "VENDOR", "LIBRARY", "REQ/S", "FLIGHT", "P50", "P90", "MAX", "RESTARTS", "MEMORY", "UP",
    "STATE",
];

/// The text; with a size in columns and rows it is cut to fit, and takes the place of the one before.
pub fn render(look: &Look, size: Option<(usize, usize)>) -> String {
    let mut text = String::new();
    let total = look.hosts.iter().fold(0.0, |sum, host| sum + host.requests_per_second);
    let _ = writeln!(
        text,
        "{} hosts, {total:.1} requests per second, {} deaths known (by {})",
        look.hosts.len(),
        look.deaths,
        name(&look.status_dir, 200)
    );
    let rows: Vec<[String; 11]> = look.hosts.iter().map(row).collect();
    let header = COLUMNS.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    for (place, row) in std::iter::once(&header).chain(&rows).enumerate() {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            let is_figure = (2..=8).contains(&column);
            if is_figure { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        let host = place.checked_sub(1).and_then(|place| look.hosts.get(place));
        if let Some(cause) = host.and_then(|host| host.last_cause.as_deref()) {
            let _ = writeln!(text, "  before: {}", name(cause, LONGEST_CAUSE));
        }
    }
    match size {
        None => text + "\n",
        Some((columns, rows)) => in_place(&text, columns, rows),
    }
}

fn row(host: &HostLook) -> [String; 11] {
    let latency = |of: fn(&cami_record::Latency) -> u64| {
        host.latency.as_ref().map_or_else(|| "-".to_owned(), |latency| time(of(latency)))
    };
    let library = host.library.rsplit('/').next().unwrap_or_default();
    let state = match host.oldest_us.filter(|us| *us > 1_000_000) {
        Some(us) => format!("{}, oldest request {}", host.state, time(us)),
        None => host.state.clone(),
    };
    [
        host.vendor_pid.to_string(),
        name(library, LONGEST_NAME),
        format!("{:.1}", host.requests_per_second),
        host.in_flight.to_string(),
        latency(|latency| latency.p50_us),
        latency(|latency| latency.p90_us),
        latency(|latency| latency.max_us),
        host.restarts.to_string(),
        host.memory.map_or_else(|| "?".to_owned(), |memory| bytes(memory.resident_bytes)),
        time(host.up_us),
        name(&state, 80),
    ]
}

/// From the upper left corner on; what was there before is written over (ECMA-48: CUP, EL, ED).
fn in_place(text: &str, columns: usize, rows: usize) -> String {
    let mut out = "\x1b[H".to_owned();
    for (place, line) in text.lines().take(rows.saturating_sub(1).max(1)).enumerate() {
        let line: String = line.chars().take(columns).collect();
        let (bold, plain) = if place == 1 { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let _ = write!(out, "{bold}{line}{plain}\x1b[K\r\n");
    }
    out.push_str("\x1b[J");
    out
}
