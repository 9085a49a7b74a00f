//! What a report needs of a recording, gathered in one pass.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cami_recording::PageCache;
use cami_recording::block::{Line, Usage};
use cami_recording::session::Event;

use crate::latency::Latencies;
use crate::recorded::{Exchange, FrameRange, Item, Lane, Recorded, Values};

/// Everything, within the frames that were asked for.
#[derive(Debug)]
pub struct Collected<'a> {
    /// From and to, in nanoseconds of the recording's clock.
    pub window_ns: (u64, u64),
    /// Requests, by time.
    pub requests: Vec<Request<'a>>,
    /// Rows of the timeline, in order, and how many requests run at once in each.
    pub lanes: Vec<(Lane, u32)>,
    /// Commands, by row and number.
    pub commands: Vec<CommandFigures>,
    /// The first frame.
    pub first_frame: u32,
    /// Frames from the first on.
    pub frames: Vec<Frame>,
    /// What vendor processes used.
    pub usage: Vec<&'a Usage>,
    /// What they printed.
    pub lines: Vec<(&'a Line, Option<u32>)>,
    /// What became of hosts, and what is missing.
    pub landmarks: Vec<Item<'a>>,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All that is known of it.
    pub exchange: Exchange<'a>,
    /// Its command's place in [`Collected::commands`].
    pub command: usize,
    /// Its row's place in [`Collected::lanes`].
    pub lane: usize,
    /// Which of those that run at once it is.
    pub line: u32,
    /// When it was over: with its answer, or with its host.
    pub end_ns: u64,
}

/// The figures of a command.
#[derive(Debug)]
pub struct CommandFigures {
    /// Its name.
    pub name: String,
    /// Its row.
    pub lane: Lane,
    /// Requests with an answer.
    pub latencies: Latencies,
    /// Those whose status was not that of success.
    pub failed: u64,
    /// Those without an answer.
    pub unanswered: u64,
}

/// What a library answered in a frame; not a number where it did not.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// When its first request came, in nanoseconds.
    pub at_ns: Option<u64>,
    /// Exposure time in µs.
    pub exposure_us: f64,
    /// Gain of the sensor.
    pub analogue_gain: f64,
    /// Gain behind it.
    pub digital_gain: f64,
    /// Colour temperature in kelvin.
    pub cct_k: f64,
    /// Gains over green.
    pub red_gain: f64,
    /// See above.
    pub blue_gain: f64,
    /// Where the lens is to go, in steps.
    pub lens: f64,
}

impl Default for Frame {
    fn default() -> Self {
        const NONE: f64 = f64::NAN;
        Self {
            at_ns: None,
            exposure_us: NONE,
            analogue_gain: NONE,
            digital_gain: NONE,
            cct_k: NONE,
            red_gain: NONE,
            blue_gain: NONE,
            lens: NONE,
        }
    }
}

/// The most frames whose answers are looked at; more are not to be seen in a page.
pub const MOST_FRAMES: u32 = 20_000;

impl<'a> Collected<'a> {
    /// Gathers it.
    pub fn of(recorded: &'a Recorded, frames: Option<&FrameRange>) -> Self {
        let window_ns = window(recorded, frames);
        let is_in = |at: u64| (window_ns.0..=window_ns.1).contains(&at);
        let landmarks = recorded.landmarks().into_iter().filter(|mark| is_in(mark.at_ns()));
        let mut collected = Self {
            window_ns,
            requests: Vec::new(),
            lanes: Vec::new(),
            commands: Vec::new(),
            first_frame: 0,
            frames: Vec::new(),
            usage: Vec::new(),
            lines: Vec::new(),
            landmarks: landmarks.collect(),
        };
        let ends = host_ends(recorded);
        let mut exchanges: Vec<Exchange<'a>> = Vec::new();
        for (event, frame) in recorded.events().filter(|(event, _)| is_in(event.at_ns())) {
            match event {
                Event::Exchange { requested, returned } => {
                    exchanges.push(recorded.exchange(requested, returned.as_ref(), frame));
                }
                Event::Usage(usage) => collected.usage.push(usage),
                Event::Line(line) => collected.lines.push((line, frame)),
                _ => {}
            }
        }
        exchanges.sort_by_key(|exchange| exchange.requested.at_ns);
        collected.rows(&exchanges);
        collected.requests(&exchanges, &ends);
        collected.answers(recorded, &exchanges);
        collected
    }

    /// Finds all rows and commands.
    fn rows(&mut self, exchanges: &[Exchange<'_>]) {
        let kinds: BTreeSet<(Lane, u32, String)> = exchanges
            .iter()
            .map(|exchange| {
                let command = exchange.command;
                (exchange.protocol.lane(command), command, exchange.name())
            })
            .collect();
        for (lane, _, name) in kinds {
            if self.lanes.last().is_none_or(|(last, _)| *last != lane) {
                self.lanes.push((lane.clone(), 1));
            }
            let latencies = Latencies::default();
            self.commands.push(CommandFigures { name, lane, latencies, failed: 0, unanswered: 0 });
        }
    }

    fn requests(&mut self, exchanges: &[Exchange<'a>], ends: &BTreeMap<u32, u64>) {
        let mut known: BTreeMap<(Lane, String), (usize, usize)> = BTreeMap::new();
        for (command, figures) in self.commands.iter().enumerate() {
            let lane = self.lanes.iter().position(|(lane, _)| *lane == figures.lane).unwrap_or(0);
            known.insert((figures.lane.clone(), figures.name.clone()), (command, lane));
        }
        // When each of the lines of a row is free again.
        let mut free: Vec<Vec<u64>> = vec![Vec::new(); self.lanes.len()];
        for exchange in exchanges {
            let key = (exchange.protocol.lane(exchange.command), exchange.name());
            let Some(&(command, lane)) = known.get(&key) else { continue };
            if let Some(figures) = self.commands.get_mut(command) {
                match exchange.latency_ns() {
                    Some(ns) => figures.latencies.push(Duration::from_nanos(ns)),
                    None => figures.unanswered += 1,
                }
                figures.failed += u64::from(exchange.returned.is_some() && !exchange.done);
            }
            let begin = exchange.requested.at_ns;
            let end_ns = exchange.returned.map_or_else(
                || ends.get(&exchange.requested.host).copied().unwrap_or(begin),
                |answer| answer.at_ns,
            );
            let end_ns = end_ns.max(begin);
            let Some(lines) = free.get_mut(lane) else { continue };
            let line = line_for(lines, begin, end_ns);
            if let Some((_, count)) = self.lanes.get_mut(lane) {
                *count = (*count).max(line + 1);
            }
            self.requests.push(Request { exchange: *exchange, command, lane, line, end_ns });
        }
    }

    /// Reads what was answered in the last frames.
    fn answers(&mut self, recorded: &Recorded, exchanges: &[Exchange<'_>]) {
        let numbers = || exchanges.iter().filter_map(|exchange| exchange.frame);
        let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { return };
        self.first_frame = first.max(last.saturating_sub(MOST_FRAMES - 1));
        let count = last - self.first_frame + 1;
        self.frames = (0..count).map(|_| Frame::default()).collect();
        let mut cache = PageCache::default();
        for exchange in exchanges {
            let place = exchange.frame.and_then(|frame| frame.checked_sub(self.first_frame));
            let place = place.and_then(|place| usize::try_from(place).ok());
            let Some(frame) = place.and_then(|place| self.frames.get_mut(place)) else { continue };
            let at = exchange.requested.at_ns;
            frame.at_ns = Some(frame.at_ns.map_or(at, |first| first.min(at)));
            match recorded.values(exchange, &mut cache) {
                Some(Values::Ae(ae)) => {
                    frame.exposure_us = ae.exposure_time_us.into();
                    frame.analogue_gain = ae.analogue_gain.into();
                    frame.digital_gain = ae.digital_gain.into();
                }
                Some(Values::Awb(awb)) => frame.cct_k = awb.cct_k.into(),
                Some(Values::Pa(pa)) => {
                    frame.red_gain = pa.red_gain.into();
                    frame.blue_gain = pa.blue_gain.into();
                }
                Some(Values::Af(af)) => frame.lens = af.next_lens_position.into(),
                None => {}
            }
        }
    }

    /// The frame in which something happened: the last that had begun.
    pub fn frame_at(&self, at_ns: u64) -> Option<u32> {
        let begun = |frame: &Frame| frame.at_ns.is_none_or(|begin| begin <= at_ns);
        let before = self.frames.partition_point(begun);
        let place = u32::try_from(before.checked_sub(1)?).ok()?;
        self.first_frame.checked_add(place)
    }

    /// The last answered and failed figures of all commands.
    pub fn totals(&self) -> (u64, u64) {
        let sum = |of: fn(&CommandFigures) -> u64| self.commands.iter().map(of).sum();
        (sum(|figures| figures.failed), sum(|figures| figures.unanswered))
    }
}

/// Takes the first free line of a row. What ends in the nanosecond in which another begins has a line of
/// its own: a viewer of trace events that rounds would see them overlap.
fn line_for(lines: &mut Vec<u64>, begin: u64, end: u64) -> u32 {
    /// A row of more lines would be no row; the rest lies upon one another.
    const MOST: usize = 16;
    let free = lines.iter().position(|until| *until < begin);
    let place = match free {
        Some(place) => place,
        None if lines.len() < MOST => {
            lines.push(0);
            lines.len() - 1
        }
        None => MOST - 1,
    };
    if let Some(until) = lines.get_mut(place) {
        *until = (*until).max(end);
    }
    u32::try_from(place).unwrap_or(0)
}

/// When each host ended, as far as that is known.
fn host_ends(recorded: &Recorded) -> BTreeMap<u32, u64> {
    let last = recorded.begin_ns().saturating_add(recorded.span_ns());
    let lives = recorded.session.hosts.iter();
    lives
        .map(|life| {
            let died = life.died.as_ref().map(|died| died.at_ns);
            (life.host.host, died.or(life.ended_ns).unwrap_or(last))
        })
        .collect()
}

/// From the first request of the frames to the last answer.
fn window(recorded: &Recorded, frames: Option<&FrameRange>) -> (u64, u64) {
    let all = (recorded.begin_ns(), recorded.begin_ns().saturating_add(recorded.span_ns()));
    let Some(frames) = frames else { return all };
    let mut window: Option<(u64, u64)> = None;
    for exchange in recorded.exchanges() {
        if !exchange.frame.is_some_and(|frame| frames.has(frame)) {
            continue;
        }
        let begin = exchange.requested.at_ns;
        let (from, to) = window.unwrap_or((begin, begin));
        window = Some((from.min(begin), to.max(begin)));
    }
    window.unwrap_or((u64::MAX, 0))
}

#[cfg(test)]
mod tests {
    use super::line_for;

    #[test]
    fn what_runs_at_once_has_lines_of_its_own() {
        let mut lines = Vec::new();
        let times = [(0, 10), (5, 7), (7, 9), (10, 11), (10, 12), (10, 13)];
        let taken = times.map(|(begin, end)| line_for(&mut lines, begin, end));
        assert_eq!(taken, [0, 1, 2, 1, 2, 3]);
        for _ in 0..100 {
            assert!(line_for(&mut lines, 0, u64::MAX) < 16);
        }
    }
}
