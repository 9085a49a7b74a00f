//! The timeline: its frame in the page, and the data that its script draws.

use std::fmt::Write;

use serde::Serialize;

use super::collect::{Collected, Request};
use crate::recorded::{Item, Recorded};
use crate::report::document;
use crate::report::text::Escaped;
use crate::status::human::name;

/// Requests that are drawn: the last ones. More make a page that opens slowly.
const MOST_REQUESTS: usize = 120_000;
/// Texts are cut there.
const LONGEST: usize = 300;
/// Marks that are drawn.
const MOST_MARKS: usize = 2_000;

/// What the script gets. Columns of equal length, one value for each request, in the order of time.
#[derive(Debug, Default, Serialize)]
struct Data {
    /// All of it, in µs.
    span: u64,
    /// Names of rows, and how many lines each has.
    lanes: Vec<(String, u32)>,
    /// Names of commands.
    commands: Vec<String>,
    /// µs since the request before.
    since: Vec<u64>,
    /// µs to its end.
    took: Vec<u64>,
    command: Vec<usize>,
    lane: Vec<usize>,
    line: Vec<u32>,
    /// -1: none.
    frame: Vec<i64>,
    /// `null`: no answer.
    status: Vec<Option<u32>>,
    /// Places of requests that were not carried out.
    bad: Vec<usize>,
    /// Places of requests that the client made in a recovery.
    again: Vec<usize>,
    /// Deaths and the like.
    marks: Vec<Mark>,
}

/// A moment.
#[derive(Debug, Serialize)]
struct Mark {
    at: u64,
    kind: &'static str,
    text: String,
}

/// Writes the section.
pub fn render(page: &mut String, recorded: &Recorded, collected: &Collected<'_>) {
    let all = collected.requests.len();
    let shown = collected.requests.get(all.saturating_sub(MOST_REQUESTS)..).unwrap_or_default();
    page.push_str("<section id=\"timeline\">\n<h2>Requests</h2>\n");
    if shown.is_empty() {
        page.push_str("<p>There was no request.</p>\n</section>\n");
        return;
    }
    if shown.len() < all {
        let _ = writeln!(
            page,
            "<p class=\"note\">The last {} of {all} requests are drawn; --frame makes a page of \
             others.</p>",
            shown.len()
        );
    }
    let buttons = [
        ("in", "Zoom in", "+"),
        ("out", "Zoom out", "−"),
        ("earlier", "Earlier", "◀"),
        ("later", "Later", "▶"),
        ("whole", "Show everything", "Whole"),
        ("before", "Previous request", "‹ Request"),
        ("after", "Next request", "Request ›"),
        ("fault", "Next death or failure", "Next fault"),
    ];
    page.push_str("<div class=\"controls\" role=\"group\" aria-label=\"Timeline\">\n");
    for (action, label, text) in buttons {
        let _ = writeln!(
            page,
            "<button type=\"button\" data-action=\"{action}\" aria-label=\"{label}\">{text}</button>"
        );
    }
    let _ = writeln!(
        page,
        "</div>\n<canvas id=\"lanes\" tabindex=\"0\" role=\"img\" aria-describedby=\"lanes-help\" \
         aria-label=\"Timeline of {} requests in {} rows\"></canvas>\n\
         <output id=\"chosen\" class=\"chosen\" aria-live=\"polite\">Choose a request with the \
         pointer, or with N and P.</output>\n<ul class=\"legend\" id=\"legend\"></ul>\n\
         <p class=\"note\" id=\"lanes-help\">Drag, or ← and →: move. + and −, or Ctrl and the wheel: \
         zoom. 0: everything. N and P: next and previous request. F: next death or failure.</p>",
        shown.len(),
        collected.lanes.len()
    );
    document::data(page, "requests", &data(recorded, collected, shown));
    page.push_str("</section>\n");
}

fn data(recorded: &Recorded, collected: &Collected<'_>, shown: &[Request<'_>]) -> Data {
    let begin = match shown.first() {
        Some(first) if shown.len() < collected.requests.len() => first.exchange.requested.at_ns,
        _ => collected.window_ns.0,
    };
    let us = |at: u64| at.saturating_sub(begin) / 1000;
    let ends = shown.iter().map(|request| us(request.end_ns));
    let mut data = Data {
        span: ends.max().unwrap_or(0).max(us(collected.window_ns.1)).max(1),
        lanes: collected.lanes.iter().map(|(lane, lines)| (lane.name.clone(), *lines)).collect(),
        commands: collected.commands.iter().map(|figures| figures.name.clone()).collect(),
        ..Data::default()
    };
    let mut before = 0;
    for (place, request) in shown.iter().enumerate() {
        let exchange = &request.exchange;
        let at = us(exchange.requested.at_ns);
        data.since.push(at.saturating_sub(before));
        before = at;
        data.took.push(us(request.end_ns).saturating_sub(at));
        data.command.push(request.command);
        data.lane.push(request.lane);
        data.line.push(request.line);
        data.frame.push(exchange.frame.map_or(-1, i64::from));
        data.status.push(exchange.returned.map(|answer| answer.status));
        data.bad.extend((!exchange.done).then_some(place));
        data.again.extend(exchange.again.then_some(place));
    }
    let marks = collected.landmarks.iter().filter(|mark| mark.at_ns() >= begin);
    data.marks = marks
        .take(MOST_MARKS)
        .map(|mark| {
            let (kind, text) = words(recorded, mark);
            Mark { at: us(mark.at_ns()), kind, text }
        })
        .collect();
    data
}

/// A landmark's class, and what happened.
pub fn words(recorded: &Recorded, mark: &Item<'_>) -> (&'static str, String) {
    let host = mark.host();
    match mark {
        Item::Died(died) => ("fault", format!("host {host} died: {}", name(&died.cause, LONGEST))),
        Item::Lost(lost) => (
            "fault",
            format!("{} events are missing: {}", lost.events, name(&lost.reason, LONGEST)),
        ),
        Item::Resumed(_) => ("good", format!("host {host} has taken over")),
        Item::Ended(_) => ("light", format!("host {host} ended with its client")),
        _ => {
            let process = recorded.host(host).map_or(0, |(life, _)| life.host.vendor_pid);
            ("light", format!("host {host} began (vendor process {process})"))
        }
    }
}

/// The list of everything that is not a request.
pub fn events(page: &mut String, recorded: &Recorded, collected: &Collected<'_>) {
    /// More are not read by anybody.
    const MOST: usize = 500;
    page.push_str("<section id=\"events\">\n<h2>Hosts</h2>\n<ol class=\"events\">\n");
    for mark in collected.landmarks.iter().take(MOST) {
        let (class, text) = words(recorded, mark);
        let frame = collected.frame_at(mark.at_ns());
        let frame = frame.map_or_else(String::new, |frame| format!("frame {frame} · "));
        let _ = writeln!(
            page,
            "<li class=\"{class}\"><span class=\"when\">{frame}{:.3} s</span> <span>{}</span></li>",
            seconds(recorded.since_begin(mark.at_ns())),
            Escaped(text)
        );
    }
    page.push_str("</ol>\n");
    if let Some(more) = collected.landmarks.len().checked_sub(MOST).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p class=\"note\">{more} more are not shown.</p>");
    }
    page.push_str("</section>\n");
}

/// Nanoseconds as seconds.
pub fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
