//! What came of a replay: the differences, and a summary of them.

use std::collections::BTreeMap;

use cami_replay::compare::{UPDATE, absence};
use cami_replay::{Brought, Difference, Held, Protocol, Side, Tolerances, compare, compare_update};
use serde::Serialize;

use super::driver::{Answered, Updated};
use crate::latency::Latencies;

/// Differences of one field that are told one by one, unless all are asked for.
const SHOWN: u64 = 5;

/// Everything that is told.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    /// The recording.
    pub recording: String,
    /// The library.
    pub vendor_library: String,
    /// The profile.
    pub profile: String,
    /// Whether answers were compared.
    pub compared: bool,
    /// Hosts that were made again.
    pub hosts: u64,
    /// Requests that were answered.
    pub answers: u64,
    /// Frames in them.
    pub frames: u64,
    /// Answers that differ.
    pub different_answers: u64,
    /// The library's updates.
    pub updates: u64,
    /// Those of the recording.
    pub recorded_updates: u64,
    /// Updates that differ, are missing, or are more than there were.
    pub different_updates: u64,
    /// Updates of the library that were dropped: more came at once than are kept. They count as different.
    pub dropped_updates: u64,
    /// What is not compared.
    pub not_compared: Vec<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// How a host ended before its time, or otherwise than the recorded one.
    pub endings: Vec<String>,
    /// The differences, in order.
    pub differences: Vec<Told>,
    /// The same by command and field.
    pub summary: Vec<Line>,
    #[serde(skip)]
    lines: BTreeMap<(String, String), Line>,
    #[serde(skip)]
    all: bool,
    /// Milliseconds from request to answer, by command.
    pub latency_ms: BTreeMap<String, Latency>,
    #[serde(skip)]
    latencies: BTreeMap<String, Latencies>,
}

/// One difference.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The host.
    pub host: u32,
    /// The frame, if the request is in one; of an update that in which the recorded one came.
    pub frame: Option<u64>,
    /// The request's number in the recording.
    pub request: Option<u64>,
    /// Of an update its number among its host's, from 1.
    pub update: Option<u64>,
    /// The command, or `update`.
    pub command: String,
    /// The field; `bytes` where none is known, `status`, `size`; of an update `upd_id`, `header`,
    /// `header_size`, `bytes`, `size`, `buffer`, or `call`: whether it came.
    pub field: String,
    /// The first place of it that differs.
    pub place: String,
    /// What was recorded.
    pub recorded: String,
    /// What it is now.
    pub now: String,
    /// How far it is off, per cent of what was recorded; of a table the most.
    pub percent: Option<f64>,
    /// Values, or bytes, that differ.
    pub count: usize,
}

/// One line of the summary.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The command.
    pub command: String,
    /// The field.
    pub field: String,
    /// Answers, or updates, in which it differs.
    pub answers: u64,
    /// The first of them in a frame.
    pub first_frame: Option<u64>,
    /// The first of them: the request's number in the recording.
    pub first_request: Option<u64>,
    /// The first of them, if it is an update: its number among its host's.
    pub first_update: Option<u64>,
    /// How far it is off at most, per cent.
    pub largest_percent: Option<f64>,
}

/// Times of a command.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Answers.
    pub answers: u64,
    /// Half of them came in so long.
    pub median: f64,
    /// The longest.
    pub largest: f64,
}

impl Verdict {
    /// Before the first answer.
    pub fn new(protocol: &Protocol, compared: bool, all: bool) -> Self {
        Self {
            profile: protocol.profile().name.clone(),
            not_compared: if compared { protocol.excluded() } else { Vec::new() },
            compared,
            all,
            ..Self::default()
        }
    }

    /// Takes an answer.
    pub fn take(
        &mut self,
        host: u32,
        protocol: &Protocol,
        tolerances: &Tolerances,
        answered: &Answered<'_>,
    ) {
        let exchange = answered.exchange;
        let command = protocol.name(exchange.command);
        self.answers += 1;
        self.frames = self.frames.max(exchange.frame.map_or(0, |frame| frame + 1));
        self.latencies.entry(command.clone()).or_default().push(answered.took);
        if !self.compared {
            return;
        }
        let (recorded, now) = (answered.recorded_status, answered.reply.status);
        let mut differences = Vec::new();
        if recorded != now {
            differences.push(Difference {
                field: "status".into(),
                place: "status".into(),
                recorded: recorded.to_string(),
                now: now.to_string(),
                percent: None,
                count: 1,
            });
        }
        // What a refused request leaves in its buffer means nothing.
        if recorded == now
            && let (Some(recorded), Some(Ok(now))) = (&answered.recorded, &answered.reply.content)
        {
            let side = Side::Answer;
            differences.extend(compare(
                protocol,
                exchange.command,
                side,
                tolerances,
                recorded,
                now,
            ));
        }
        self.different_answers += u64::from(!differences.is_empty());
        let (frame, request) = (exchange.frame, Some(exchange.number));
        let what = What { host, frame, request, update: None, command: &command };
        for difference in differences {
            self.add(what, difference);
        }
    }

    /// Takes an update.
    pub fn take_update(&mut self, host: u32, tolerances: &Tolerances, updated: &Updated<'_>) {
        let Updated { number, recorded, content, now } = updated;
        self.updates += u64::from(now.is_some());
        self.recorded_updates += u64::from(recorded.is_some());
        if !self.compared {
            return;
        }
        let differences = match (recorded, now) {
            (Some(recorded), Some(now)) => {
                let was = match content {
                    Some(content) => Held::Bytes(content),
                    None if recorded.content_errno != 0 => Held::Unknown,
                    None => Held::Nothing,
                };
                let is = match &now.content {
                    Some(Ok(content)) => Held::Bytes(content),
                    Some(Err(_)) => Held::Unknown,
                    None => Held::Nothing,
                };
                for (held, whose) in [(was, "the recorded one's"), (is, "this library's")] {
                    if held == Held::Unknown {
                        self.notes.push(format!(
                            "update {number}: what its buffer held is not known, {whose}"
                        ));
                    }
                }
                let header = recorded.header.as_slice();
                let recorded = Brought { upd_id: recorded.upd_id, header, buffer: was };
                let now = Brought { upd_id: now.upd_id, header: &now.header, buffer: is };
                compare_update(tolerances, recorded, now)
            }
            (recorded, _) => vec![absence("call", recorded.is_some())],
        };
        self.different_updates += u64::from(!differences.is_empty());
        let frame = recorded.and_then(|recorded| recorded.frame);
        let what = What { host, frame, request: None, update: Some(*number), command: UPDATE };
        for difference in differences {
            self.add(what, difference);
        }
    }

    /// Takes that so many updates came faster than they could be looked at. Of the recorded library's none is
    /// like that: they differ.
    pub fn drop_updates(&mut self, host: u32, dropped: u64) {
        if dropped == 0 {
            return;
        }
        self.updates += dropped;
        self.dropped_updates += dropped;
        if self.compared {
            self.different_updates += dropped;
        }
        self.notes.push(format!(
            "host {host}: {dropped} updates were dropped: they came faster than they could be taken"
        ));
    }

    fn add(&mut self, what: What<'_>, difference: Difference) {
        let What { host, frame, request, update, command } = what;
        let Difference { field, place, recorded, now, percent, count } = difference;
        let line = self.lines.entry((command.to_owned(), field.clone())).or_insert_with(|| Line {
            command: command.to_owned(),
            field: field.clone(),
            answers: 0,
            first_frame: None,
            first_request: request,
            first_update: update,
            largest_percent: None,
        });
        line.answers += 1;
        line.first_frame = line.first_frame.or(frame);
        line.largest_percent = match (line.largest_percent, percent) {
            (Some(one), Some(other)) if one.abs() >= other.abs() => Some(one),
            (one, other) => other.or(one),
        };
        if self.all || line.answers <= SHOWN {
            let command = command.to_owned();
            self.differences.push(Told {
                host,
                frame,
                request,
                update,
                command,
                field,
                place,
                recorded,
                now,
                percent,
                count,
            });
        }
    }

    /// What differs in one line; `None` where nothing does.
    pub fn differs(&self) -> Option<String> {
        let count = |count: u64, what: &str| match count {
            0 => None,
            1 => Some(format!("one {what}")),
            count => Some(format!("{count} {what}s")),
        };
        let answers = count(self.different_answers, "answer");
        let updates = count(self.different_updates, "update");
        let verb = if self.different_answers + self.different_updates == 1 { "s" } else { "" };
        match (answers, updates) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(format!("{one} differ{verb}")),
            (Some(answers), Some(updates)) => Some(format!("{answers} and {updates} differ")),
        }
    }

    /// When all is taken.
    pub fn finish(&mut self) {
        self.summary = self.lines.values().cloned().collect();
        // Updates behind the answers.
        self.summary.sort_by_key(|line| (line.first_update, line.first_request));
        for (command, latencies) in &self.latencies {
            let ms = |percent| latencies.percentile_us(percent).unwrap_or(0) as f64 / 1000.0;
            let latency =
                Latency { answers: latencies.len() as u64, median: ms(50), largest: ms(100) };
            self.latency_ms.insert(command.clone(), latency);
        }
    }
}

/// Where a difference is.
#[derive(Clone, Copy, Debug)]
struct What<'a> {
    host: u32,
    frame: Option<u64>,
    request: Option<u64>,
    update: Option<u64>,
    command: &'a str,
}
