//! What came of a replay, as text.

use std::fmt::Write as _;

use super::verdict::{Line, Told, Verdict};

impl Verdict {
    /// The whole as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for told in &self.differences {
            let _ = writeln!(text, "{}", told.line(self.hosts > 1));
        }
        if self.compared && (!self.summary.is_empty() || self.dropped_updates > 0) {
            if !self.differences.is_empty() {
                text.push('\n');
            }
            let _ = write!(text, "{} of {} answers", self.different_answers, self.answers);
            let updates = self.updates.max(self.recorded_updates);
            if updates > 0 {
                let _ = write!(text, " and {} of {updates} updates", self.different_updates);
            }
            text.push_str(" differ\n");
            let widest = |of: fn(&Line) -> &str| {
                self.summary.iter().map(|line| of(line).len()).max().unwrap_or(0)
            };
            let (command, field) = (widest(|line| &line.command), widest(|line| &line.field));
            for line in &self.summary {
                let first = match (line.first_frame, line.first_request, line.first_update) {
                    (Some(frame), ..) => format!("first frame {frame}"),
                    (None, Some(request), _) => format!("first request {request}"),
                    (None, None, update) => format!("first update {}", update.unwrap_or(0)),
                };
                let most = line
                    .largest_percent
                    .map_or_else(String::new, |percent| format!(", at most {}", signed(percent)));
                let times = match (line.first_update.is_some(), line.answers) {
                    (true, 1) => "update",
                    (true, _) => "updates",
                    (false, 1) => "answer",
                    (false, _) => "answers",
                };
                let _ = writeln!(
                    text,
                    "  {:command$}  {:field$}  {} {times}, {first}{most}",
                    line.command, line.field, line.answers
                );
            }
        } else if self.compared {
            let _ = write!(text, "no difference in {} answers", self.answers);
            if self.updates > 0 {
                let _ = write!(text, " and {} updates", self.updates);
            }
            text.push('\n');
        } else {
            let _ = writeln!(text, "{} requests answered, {} frames", self.answers, self.frames);
            let (updates, recorded) = (self.updates, self.recorded_updates);
            if updates.max(recorded) > 0 {
                let _ = writeln!(text, "{updates} updates, {recorded} in the recording");
            }
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
        match (self.frame, self.request) {
            (Some(frame), _) => {
                let _ = write!(line, "frame {frame} ");
            }
            (None, Some(request)) => {
                let _ = write!(line, "request {request} ");
            }
            (None, None) => {}
        }
        line.push_str(&self.command);
        if let Some(number) = self.update {
            let _ = write!(line, " {number}");
        }
        let _ = write!(line, " {} {} → {}", self.place, self.recorded, self.now);
        if let Some(percent) = self.percent {
            let _ = write!(line, ", {}", signed(percent));
        }
        if self.count > 1 {
            let is_bytes = self.field == "bytes" || self.field == "header";
            let what = if is_bytes { "bytes" } else { "values" };
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
