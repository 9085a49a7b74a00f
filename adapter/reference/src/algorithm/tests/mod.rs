//! The algorithms in closed loops with the virtual camera.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test may state what it expects of its own set-up"
)]

mod ae;
mod af;
mod awb;
mod hostile;

use std::collections::VecDeque;

use virtual_camera::{Camera, Grids};

use super::ae::{Flicker, Inputs, Limits, Metering, Outcome, SensorTiming, State};
use super::{AfStatistics, Cell, Exposure, GainModel, Statistics, Window};

/// Statistics of a virtual camera's grids.
pub fn statistics(grids: &Grids, timestamp_us: u64, exposure: Option<Exposure>) -> Statistics {
    let cells = grids
        .rgbs
        .iter()
        .map(|c| Cell { gr: c.gr, r: c.r, b: c.b, gb: c.gb, sat: c.sat })
        .collect();
    let af = AfStatistics {
        width: virtual_camera::AF_WIDTH,
        height: virtual_camera::AF_HEIGHT,
        fr1: grids.af.iter().map(|cell| cell.response_1).collect(),
        fr2: grids.af.iter().map(|cell| cell.response_2).collect(),
    };
    Statistics {
        width: virtual_camera::RGBS_WIDTH,
        height: virtual_camera::RGBS_HEIGHT,
        cells,
        timestamp_us,
        exposure,
        af: Some(af),
    }
}

/// An exposure as it crosses the protocol: whole µs and `f32`.
pub fn sensor_exposure(exposure: &Exposure) -> virtual_camera::Exposure {
    virtual_camera::Exposure {
        time_us: exposure.time_us as i32,
        analogue_gain: exposure.analog_gain as f32,
        digital_gain: exposure.digital_gain as f32,
    }
}

/// Inputs of a preview at 30 frames per second.
pub fn inputs<'a>(gains: &'a GainModel, statistics: Option<&'a Statistics>) -> Inputs<'a> {
    Inputs {
        statistics,
        sensor: SensorTiming::GENERIC,
        gains,
        base_iso: 100.0,
        metering: Metering::Evaluative,
        window: Window::default(),
        flicker: Flicker::Auto,
        ev_shift: 0.0,
        manual_time_us: None,
        manual_analog_gain: None,
        manual_iso: None,
        limits: Limits {
            frame_min_us: Some(33_333.0),
            frame_max_us: Some(33_334.0),
            ..Limits::default()
        },
    }
}

/// AE in a loop with a camera; a result takes effect `lag` frames later.
struct Loop<'a> {
    camera: &'a dyn Camera,
    lag: usize,
    flicker: Flicker,
    state: State,
    results: VecDeque<Exposure>,
    frame: u64,
}

impl<'a> Loop<'a> {
    fn new(camera: &'a dyn Camera, lag: usize) -> Self {
        Self {
            camera,
            lag,
            flicker: Flicker::Auto,
            state: State::default(),
            results: VecDeque::new(),
            frame: 0,
        }
    }

    /// One frame: its true mean level (255 scale) if it has statistics, and AE's answer.
    fn step(&mut self) -> (Option<f64>, Outcome) {
        let gains = GainModel::linear();
        let effective =
            if self.results.len() >= self.lag { self.results.pop_front() } else { None };
        let (mut level, mut measured) = (None, None);
        if let Some(exposure) = effective {
            let sensor = sensor_exposure(&exposure);
            level = Some(255.0 * self.camera.level(self.frame, &sensor));
            let grids = self.camera.grids(self.frame, &sensor, 0);
            measured = Some(statistics(&grids, 1_000_000 + 33_333 * self.frame, Some(exposure)));
        }
        let inputs = Inputs { flicker: self.flicker, ..inputs(&gains, measured.as_ref()) };
        let outcome = self.state.run(&inputs);
        self.results.push_back(outcome.exposure);
        self.frame += 1;
        (level, outcome)
    }
}
