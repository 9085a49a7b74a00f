//! What came of a replay: the differences, and a summary of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cami_replay::{Difference, Protocol, Side, Tolerances, compare};
use serde::Serialize;

use super::driver::Answered;
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
    /// The frame, if the request is in one.
    pub frame: Option<u64>,
    /// The request's number in the recording.
    pub request: u64,
    /// The command.
    pub command: String,
    /// The field; `bytes` where none is known, `status`, `size`.
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
    /// Answers in which it differs.
    pub answers: u64,
    /// The first of them in a frame.
    pub first_frame: Option<u64>,
    /// The first of them: its number in the recording.
    pub first_request: u64,
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
        for difference in differences {
            self.add(host, exchange.frame, exchange.number, &command, difference);
        }
    }

    fn add(
        &mut self,
        host: u32,
        frame: Option<u64>,
        request: u64,
        command: &str,
        difference: Difference,
    ) {
        let Difference { field, place, recorded, now, percent, count } = difference;
        let line = self.lines.entry((command.to_owned(), field.clone())).or_insert_with(|| Line {
            command: command.to_owned(),
            field: field.clone(),
            answers: 0,
            first_frame: None,
            first_request: request,
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

    /// When all is taken.
    pub fn finish(&mut self) {
        self.summary = self.lines.values().cloned().collect();
        self.summary.sort_by_key(|line| line.first_request);
        for (command, latencies) in &self.latencies {
            let ms = |percent| latencies.percentile_us(percent).unwrap_or(0) as f64 / 1000.0;
            let latency =
                Latency { answers: latencies.len() as u64, median: ms(50), largest: ms(100) };
            self.latency_ms.insert(command.clone(), latency);
        }
    }

    /// The whole as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for told in &self.differences {
            let _ = writeln!(text, "{}", told.line(self.hosts > 1));
        }
        if self.compared && !self.summary.is_empty() {
            if !self.differences.is_empty() {
                text.push('\n');
            }
            let _ = writeln!(text, "{} of {} answers differ", self.different_answers, self.answers);
            let widest = |of: fn(&Line) -> &str| {
                self.summary.iter().map(|line| of(line).len()).max().unwrap_or(0)
            };
            let (command, field) = (widest(|line| &line.command), widest(|line| &line.field));
            for line in &self.summary {
                let first = line.first_frame.map_or_else(
                    || format!("first request {}", line.first_request),
                    |frame| format!("first frame {frame}"),
                );
                let most = line
                    .largest_percent
                    .map_or_else(String::new, |percent| format!(", at most {}", signed(percent)));
                let times = if line.answers == 1 { "answer" } else { "answers" };
                let _ = writeln!(
                    text,
                    "  {:command$}  {:field$}  {} {times}, {first}{most}",
                    line.command, line.field, line.answers
                );
            }
        } else if self.compared {
            let _ = writeln!(text, "no difference in {} answers", self.answers);
        } else {
            let _ = writeln!(text, "{} requests answered, {} frames", self.answers, self.frames);
            for (command, latency) in &self.latency_ms {
                let _ = writeln!(
                    text,
                    "  {command:28} {:6} answers, median {:9.3} ms, longest {:9.3} ms",
                    latency.answers, latency.median, latency.largest
                );
            }
        }
        for ending in self.endings.iter().chain(&self.notes) {
            let _ = writeln!(text, "{ending}");
        }
        for excluded in &self.not_compared {
            let _ = writeln!(text, "not compared: {excluded}");
        }
        text
    }
}

impl Told {
    /// One line: `frame 12 AIQ_AE_RUN exposure_time_us 33019 → 32988, -0.09 %`.
    fn line(&self, hosts: bool) -> String {
        let mut line = String::new();
        if hosts {
            let _ = write!(line, "host {} ", self.host);
        }
        match self.frame {
            Some(frame) => {
                let _ = write!(line, "frame {frame} ");
            }
            None => {
                let _ = write!(line, "request {} ", self.request);
            }
        }
        let _ = write!(line, "{} {} {} → {}", self.command, self.place, self.recorded, self.now);
        if let Some(percent) = self.percent {
            let _ = write!(line, ", {}", signed(percent));
        }
        if self.count > 1 {
            let what = if self.field == "bytes" { "bytes" } else { "values" };
            let _ = write!(line, " ({} {what} differ)", self.count);
        }
        line
    }
}

/// Per cent with as many digits as it takes to be seen.
fn signed(percent: f64) -> String {
    let digits = if percent.abs() < 0.01 { 6 } else { 2 };
    format!("{percent:+.digits$} %")
}
