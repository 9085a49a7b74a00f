//! One event as a line of text.

use cami_recording::session::Event;

use super::filter::call_name;
use crate::recorded::{Exchange, Item, Recorded};
use crate::status::human::{bytes, name, time};

/// Texts of a file are cut there.
const LONGEST: usize = 2048;
/// Handles that are listed.
const HANDLES: usize = 8;

/// The line.
pub fn of(recorded: &Recorded, item: &Item<'_>, fields: &[String]) -> String {
    let at = recorded.since_begin(item.at_ns()) / 1000;
    let frame = item.frame().map_or_else(|| "-".to_owned(), |frame| frame.to_string());
    let mut line = format!(
        "{:>6}.{:06}  {:>2}  {frame:>6}  {}",
        at / 1_000_000,
        at % 1_000_000,
        item.host(),
        what(item)
    );
    for field in fields {
        line.push_str("\n                           ");
        line.push_str(field);
    }
    line
}

fn what(item: &Item<'_>) -> String {
    match item {
        Item::Request(exchange) => request(exchange),
        Item::Began(life) => {
            format!("host {} begins: vendor process {}", life.host.host, life.host.vendor_pid)
        }
        Item::Resumed(_) => "the client's recovery is over".to_owned(),
        Item::Ended(_) => "the client left; the host ended".to_owned(),
        Item::Died(died) => format!("DIED: {}", name(&died.cause, LONGEST)),
        Item::Lost(lost) => {
            format!("LOST: {} events: {}", lost.events, name(&lost.reason, LONGEST))
        }
        Item::Event(event, _) => other(event),
    }
}

fn request(exchange: &Exchange<'_>) -> String {
    let requested = exchange.requested;
    let mut line = format!(
        "{:<26} {:<6} req {:<4} buffer {:<4}",
        exchange.name(),
        exchange.protocol.lane(exchange.command).name,
        requested.req_id,
        requested.handle
    );
    match exchange.returned {
        None => line.push_str(" UNANSWERED"),
        Some(answer) => {
            let took = exchange.latency_ns().map(|ns| time(ns / 1000)).unwrap_or_default();
            line.push_str(&format!(" status {:<3} {took:>9}", answer.status));
            if !exchange.done {
                line.push_str("  FAILED");
            }
        }
    }
    let content = |content: u64, errno: u32| match (content, errno) {
        (0, 0) => "none".to_owned(),
        (0, errno) => format!("errno {errno}"),
        (content, _) => content.to_string(),
    };
    let before = content(requested.content, requested.content_errno);
    let after = exchange
        .returned
        .map_or_else(|| "-".to_owned(), |answer| content(answer.content, answer.content_errno));
    line.push_str(&format!("  contents {before} {after}"));
    if exchange.again {
        line.push_str("  (said again)");
    }
    line
}

fn other(event: &Event) -> String {
    match event {
        Event::Call { called, answered } => {
            let mut line = call_name(called.call);
            if called.buffer_bytes > 0 {
                line.push_str(&format!(" of {}", bytes(called.buffer_bytes)));
            }
            let handles: Vec<String> =
                called.handles.iter().take(HANDLES).map(i32::to_string).collect();
            if !handles.is_empty() {
                let more = if called.handles.len() > HANDLES { ", …" } else { "" };
                line.push_str(&format!(" {}{more}", handles.join(", ")));
            }
            match answered {
                None => line.push_str(": UNANSWERED"),
                Some(answer) => {
                    let took = answer.at_ns.saturating_sub(called.at_ns) / 1000;
                    line.push_str(&format!(": {} after {}", answer.value, time(took)));
                }
            }
            line
        }
        Event::Unsolicited(answer) => format!(
            "answer to no request: req {} buffer {} status {}",
            answer.req_id, answer.handle, answer.status
        ),
        Event::Update { updated, returned } => {
            let back = returned.as_ref().map_or_else(
                || "not returned".to_owned(),
                |back| format!("returned with status {}", back.status),
            );
            format!("update {}, content {}, {back}", updated.upd_id, updated.content)
        }
        Event::Line(line) => {
            let stream = match line.stream {
                1 => "stdout",
                2 => "stderr",
                _ => "log",
            };
            format!("{stream}: {}", name(&line.text, LONGEST))
        }
        Event::Usage(usage) => format!(
            "usage: {} resident, {} CPU, {} threads",
            bytes(usage.resident_bytes),
            time(usage.cpu_us),
            usage.threads
        ),
        Event::Exchange { requested, .. } => format!("request {}", requested.req_id),
    }
}
