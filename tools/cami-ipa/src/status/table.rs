//! The report as text.

use std::fmt::Write;

use super::collect::{Host, KnownDeath, Report};
use super::human::{self, bytes, name, time};

/// Deaths that are shown; the data has all.
const DEATHS: usize = 10;
/// Names are cut there, causes at the length of a log line.
const LONGEST_NAME: usize = 40;
const LONGEST_CAUSE: usize = 2048;

const COLUMNS: [&str; 11] = [
    "MONITOR",
    "VENDOR",
    "CLIENT",
    "LIBRARY",
    "PROFILE",
    "UP",
    "REQUESTS",
    "IN FLIGHT",
    "RESTARTS",
    "MEMORY",
    "STATE",
];

/// The whole text.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    let _ = hosts(report, &mut text);
    let _ = deaths(report, &mut text);
    for file in &report.unreadable {
        let path = name(&file.file.display().to_string(), LONGEST_CAUSE);
        let _ = writeln!(text, "\nnot understood: {path}: {}", name(&file.reason, LONGEST_CAUSE));
    }
    if report.more {
        text.push_str("\nThere are more files than are read.\n");
    }
    text
}

fn hosts(report: &Report, text: &mut String) -> std::fmt::Result {
    if report.hosts.is_empty() {
        return writeln!(text, "No host runs (by {}).", report.status_dir.display());
    }
    let rows: Vec<[String; 11]> = report.hosts.iter().map(|host| row(host, report)).collect();
    let header = COLUMNS.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    for (index, row) in std::iter::once(&header).chain(&rows).enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(text, "{}", line.trim_end())?;
        let host = index.checked_sub(1).and_then(|index| report.hosts.get(index));
        if let Some(cause) = host.and_then(|host| host.status.last_cause.as_deref()) {
            writeln!(text, "  before: {}", name(cause, LONGEST_CAUSE))?;
        }
    }
    Ok(())
}

fn row(host: &Host, report: &Report) -> [String; 11] {
    let status = &host.status;
    let up = report.time_unix_ms.saturating_sub(status.started_unix_ms).saturating_mul(1000);
    // As long as nothing changes the file is not written: what stands there got older meanwhile.
    let since = |age: u64| time(age.saturating_add(host.updated_us_ago));
    let in_flight = match status.in_flight.first() {
        Some(oldest) => format!("{} since {}", status.in_flight.len(), since(oldest.age_us)),
        None => "0".to_owned(),
    };
    let mut state = match &status.in_call {
        Some(call) if status.state == "in_call" => {
            format!("in {} for {}", human::call(call), since(call.for_us))
        }
        _ => status.state.clone(),
    };
    if !status.traced {
        state.push_str(", not traced");
    }
    if host.life == "elsewhere" {
        state = format!("{state}, {} ago, in another container", time(host.updated_us_ago));
    }
    [
        status.monitor.pid.to_string(),
        status.vendor_pid.to_string(),
        status.client_pid.to_string(),
        name(base_name(&status.library), LONGEST_NAME),
        name(&status.profile, LONGEST_NAME),
        time(up),
        status.requests.to_string(),
        in_flight,
        status.restarts.to_string(),
        status.memory.map_or_else(|| "?".to_owned(), |memory| bytes(memory.resident_bytes)),
        name(&state, LONGEST_CAUSE),
    ]
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn deaths(report: &Report, text: &mut String) -> std::fmt::Result {
    if report.deaths.is_empty() {
        return writeln!(text, "\nNo death is known.");
    }
    writeln!(text, "\nLast deaths:")?;
    for KnownDeath { death, source, .. } in report.deaths.iter().take(DEATHS) {
        let ago = report.time_unix_ms.saturating_sub(death.time_unix_ms).saturating_mul(1000);
        let ran = time(death.ran_for_ms.saturating_mul(1000));
        let library = name(base_name(&death.library), LONGEST_NAME);
        let seen = if *source == "left_over" { "last seen " } else { "" };
        writeln!(text, "  {seen}{} ago, {library}, after {ran}", time(ago))?;
        writeln!(text, "      {}", name(&death.cause, LONGEST_CAUSE))?;
        if let Some(record) = &death.crash_record {
            writeln!(text, "      crash record: {}", name(record, LONGEST_CAUSE))?;
        }
    }
    if let Some(left) = report.deaths.len().checked_sub(DEATHS).filter(|left| *left > 0) {
        writeln!(text, "  and {left} more (--json shows them)")?;
    }
    Ok(())
}
