//! Which AE answer exposed which frame.
//!
//! The statistics of a frame must name the answer by which it was exposed: without it AE never
//! leaves its cold start (spec/ipu3-protocol.md, 0.8). The sensor takes some frames to do what it is
//! told, and how many differs; what it did for a frame comes with the frame's statistics.

use std::collections::VecDeque;

use cami_ipu3::sequence::ae::AeAnswer;

/// Answers that are remembered: more frames than a sensor and a pipeline hold.
const MOST: usize = 16;
/// Frames from an answer to the one that it exposes, before any was seen: 2 for the sensor, 1 for
/// the statistics.
const USUAL_LAG: i64 = 3;
/// The frame before the first.
const BEFORE: i64 = -1;

#[derive(Debug)]
struct Entry {
    /// The frame after whose statistics it was given.
    frame: i64,
    answer: AeAnswer,
}

/// The last answers of AE.
#[derive(Debug)]
pub struct History {
    /// The newest last.
    entries: VecDeque<Entry>,
    lag: i64,
}

impl History {
    /// No answer yet.
    pub fn new() -> Self {
        Self { entries: VecDeque::new(), lag: USUAL_LAG }
    }

    /// Remembers an answer that was given after a frame; `None` for one before the first.
    pub fn push(&mut self, frame: Option<u32>, answer: AeAnswer) {
        if self.entries.len() >= MOST {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { frame: frame.map_or(BEFORE, i64::from), answer });
    }

    /// Frames begin anew: only the newest answer may still expose one.
    pub fn restart(&mut self) {
        let newest = self.entries.pop_back();
        self.entries.clear();
        self.entries.extend(newest.map(|entry| Entry { frame: BEFORE, ..entry }));
    }

    /// The newest answer.
    pub fn newest(&self) -> Option<&AeAnswer> {
        self.entries.back().map(|entry| &entry.answer)
    }

    /// The answer that exposed a frame for which the sensor had this exposure time and gain; the
    /// newest of several.
    pub fn in_effect(&mut self, frame: u32, lines: i32, code: i32) -> Option<&AeAnswer> {
        let frame = i64::from(frame);
        let entry = self.entries.iter().rev().find(|entry| {
            let (coarse, gain) = entry.answer.sensor();
            entry.frame < frame && (i32::from(coarse), i32::from(gain)) == (lines, code)
        })?;
        if entry.frame > BEFORE {
            self.lag = frame.saturating_sub(entry.frame);
        }
        Some(&entry.answer)
    }

    /// The answer that most likely exposed a frame whose statistics are not there yet.
    pub fn expected(&self, frame: u32) -> Option<&AeAnswer> {
        let given = i64::from(frame).saturating_sub(self.lag);
        let entry = self.entries.iter().rev().find(|entry| entry.frame <= given);
        entry.or_else(|| self.entries.front()).map(|entry| &entry.answer)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::made_up::ae_answer;

    fn lines(answer: Option<&AeAnswer>) -> Option<u16> {
        answer.map(|answer| answer.sensor().0)
    }

    #[test]
    fn an_answer_is_found_by_what_the_sensor_did() {
        let mut history = History::new();
        history.push(None, ae_answer(100, 128));
        history.push(Some(0), ae_answer(200, 128));
        history.push(Some(1), ae_answer(300, 256));
        assert_eq!(lines(history.in_effect(2, 200, 128)), Some(200));
        assert_eq!(lines(history.in_effect(2, 200, 256)), None);
        assert_eq!(lines(history.in_effect(1, 300, 256)), None, "it was given after the frame");
        assert_eq!(lines(history.newest()), Some(300));
        history.restart();
        assert_eq!(lines(history.in_effect(0, 300, 256)), Some(300));
        assert_eq!(lines(history.in_effect(5, 200, 128)), None);
    }

    #[test]
    fn the_lag_is_learnt() {
        let mut history = History::new();
        for frame in 0..6_u16 {
            history.push(Some(frame.into()), ae_answer(100 + frame, 128));
        }
        assert_eq!(lines(history.expected(5)), Some(102), "three frames before anything is seen");
        history.in_effect(5, 104, 128).unwrap();
        assert_eq!(lines(history.expected(5)), Some(104));
        assert_eq!(lines(history.expected(0)), Some(100), "the oldest for want of an older one");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut history = History::new();
        for frame in 0..100 {
            history.push(Some(frame), ae_answer(100, 128));
        }
        assert_eq!(history.entries.len(), MOST);
    }
}
