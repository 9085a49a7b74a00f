//! The algorithms in closed loops with the virtual camera.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test may state what it expects of its own set-up"
)]

use std::collections::VecDeque;

use virtual_camera::{
    Camera, ChartCamera, Grids, Light, SceneColumns, SceneModel, ScheduledLight, Source,
};

use super::ae::{self, Flicker, Limits, Metering, SensorTiming};
use super::{af, awb};
use super::{AE_TARGET, AfStatistics, Cell, Exposure, GainModel, Statistics, Window};

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
pub fn inputs<'a>(gains: &'a GainModel, statistics: Option<&'a Statistics>) -> ae::Inputs<'a> {
    ae::Inputs {
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
    state: ae::State,
    results: VecDeque<Exposure>,
    frame: u64,
}

impl<'a> Loop<'a> {
    fn new(camera: &'a dyn Camera, lag: usize) -> Self {
        Self {
            camera,
            lag,
            flicker: Flicker::Auto,
            state: ae::State::default(),
            results: VecDeque::new(),
            frame: 0,
        }
    }

    /// One frame: its true mean level (255 scale) if it has statistics, and AE's answer.
    fn step(&mut self) -> (Option<f64>, ae::Outcome) {
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
        let inputs = ae::Inputs { flicker: self.flicker, ..inputs(&gains, measured.as_ref()) };
        let outcome = self.state.run(&inputs);
        self.results.push_back(outcome.exposure);
        self.frame += 1;
        (level, outcome)
    }
}

/// A scene of the model whose brightness changes at frame 40.
fn scene(before: f64, after: f64) -> SceneModel {
    let columns = |brightness| SceneColumns {
        brightness,
        r_per_g: 0.58,
        b_per_g: 0.68,
        right_brightness: brightness,
        right_r_per_g: 0.58,
        right_b_per_g: 0.68,
        lens: 300,
    };
    let frames = (0..=40).map(|n| columns(if n < 40 { before } else { after })).collect();
    SceneModel::from_frames(frames).expect("frames")
}

/// A chart in daylight whose illuminance changes at frame 40.
fn chart(before: f64, after: f64) -> ChartCamera {
    let light = |lux| Light { source: Source::Daylight(6504.0), lux };
    let at = |first_frame, lux| ScheduledLight { first_frame, light: light(lux) };
    ChartCamera::new(&[at(0, before), at(40, after)], 7).expect("a light")
}

/// Runs to frame 40, then asserts that the change is followed within 30 frames, that it is not
/// overshot by more than 20 %, and that AE stays at rest after it.
fn follows(camera: &dyn Camera, lag: usize, brighter: bool) {
    let mut all = Loop::new(camera, lag);
    for _ in 0..40 {
        all.step();
    }
    let (mut levels, mut outcomes) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        let (level, outcome) = all.step();
        levels.push(level.expect("statistics") / AE_TARGET);
        outcomes.push(outcome);
    }
    let name = format!("lag {lag}, brighter {brighter}: {levels:.2?}");
    assert!(if brighter { levels[0] > 4.0 } else { levels[0] < 0.05 }, "a real step; {name}");
    for level in &levels[30..] {
        assert!((level - 1.0).abs() <= 0.05, "within 30 frames and for good; {name}");
    }
    let extreme = levels.iter().copied().fold(1.0, if brighter { f64::min } else { f64::max });
    assert!((extreme - 1.0_f64).abs() <= 0.2, "overshoot to {extreme}; {name}");
    assert!(outcomes[30..].iter().all(|outcome| outcome.converged), "{name}");
    assert!(outcomes[50..].windows(2).all(|pair| pair[0].sensor == pair[1].sensor), "{name}");
}

#[test]
fn ae_follows_a_hundredfold_change_of_the_scene_model_at_any_lag() {
    for lag in 1..=3 {
        follows(&scene(0.0008, 0.08), lag, true);
        follows(&scene(0.08, 0.0008), lag, false);
    }
}

#[test]
fn ae_follows_a_hundredfold_change_of_the_chart_s_light_at_any_lag() {
    for lag in 1..=3 {
        follows(&chart(100.0, 10_000.0), lag, true);
        follows(&chart(10_000.0, 100.0), lag, false);
    }
}

#[test]
fn ae_converges_from_a_cold_start() {
    // 0.46 and 46 × 20 at the cold start's 1000 µs: 100 times too dark, and as bright as the
    // shortest exposure of 41 µs allows.
    for (brightness, lag) in [(0.00046, 1), (0.00046, 3), (0.92, 1), (0.92, 3)] {
        let scene = scene(brightness, brightness);
        let mut all = Loop::new(&scene, lag);
        let levels: Vec<f64> =
            (0..40).filter_map(|_| all.step().0).map(|level| level / AE_TARGET).collect();
        for level in &levels[30 - lag..] {
            assert!((level - 1.0).abs() <= 0.05, "{brightness} lag {lag}: {levels:.2?}");
        }
    }
}

#[test]
fn ae_without_an_echo_stays_at_the_cold_start() {
    let camera = scene(0.0001, 0.0001);
    let gains = GainModel::linear();
    let mut state = ae::State::default();
    for exposure in [None, Some(f64::NAN), Some(0.0), Some(-5.0), Some(f64::INFINITY)] {
        let echo =
            exposure.map(|time_us| Exposure { time_us, analog_gain: 1.0, digital_gain: 1.0 });
        let cold = Exposure { time_us: 995.0, analog_gain: 1.0, digital_gain: 1.0 };
        let measured = statistics(&camera.grids(0, &sensor_exposure(&cold), 0), 1_000_000, echo);
        for _ in 0..5 {
            let outcome = state.run(&inputs(&gains, Some(&measured)));
            assert_eq!((outcome.exposure.time_us, outcome.exposure.analog_gain), (995.0, 1.0));
            assert!(!outcome.converged);
        }
    }
}

#[test]
fn ae_goes_on_from_the_echo_after_a_restart() {
    let camera = scene(0.0008, 0.0008);
    let mut all = Loop::new(&camera, 1);
    for _ in 0..30 {
        all.step();
    }
    let before = all.results[0];
    all.state = ae::State::default();
    let (_, after) = all.step();
    let (before, after) = (before.total_us().unwrap(), after.exposure.total_us().unwrap());
    assert!((after / before - 1.0).abs() < 0.01, "{before} {after}");
}

#[test]
fn ae_settles_on_whole_periods_of_the_flicker() {
    let line = 4480.0 / 432.0;
    for (flicker, period, reported) in [
        (Flicker::Hz50, 10_000.0, Flicker::Hz50),
        (Flicker::Hz60, 1e6 / 120.0, Flicker::Hz60),
        (Flicker::Auto, 10_000.0, Flicker::Hz50),
    ] {
        for brightness in [0.0004, 0.0011, 0.0019, 0.0037] {
            let camera = scene(brightness, brightness);
            let mut all = Loop { flicker, ..Loop::new(&camera, 2) };
            let (level, outcome) = (0..40).map(|_| all.step()).last().unwrap();
            let time = f64::from(outcome.sensor.coarse_integration_time) * line;
            let rest = (time / period - (time / period).round()).abs() * period;
            assert!(time > period - line && rest < line, "{flicker:?} {brightness}: {time}");
            assert!((level.unwrap() / AE_TARGET - 1.0).abs() < 0.05, "gain makes up for it");
            assert_eq!(outcome.flicker, reported);
        }
    }
}

#[test]
fn ae_keeps_what_is_set_by_hand() {
    let camera = scene(0.0008, 0.0008);
    let gains = GainModel::linear();
    let exposure = Exposure { time_us: 995.0, analog_gain: 1.0, digital_gain: 1.0 };
    let grids = camera.grids(0, &sensor_exposure(&exposure), 0);
    let measured = statistics(&grids, 1_000_000, Some(exposure));
    let mut state = ae::State::default();
    let auto = inputs(&gains, Some(&measured));
    let both = ae::Inputs { manual_time_us: Some(10_000.0), manual_analog_gain: Some(2.0), ..auto };
    let outcome = state.run(&both);
    assert_eq!(outcome.sensor.coarse_integration_time, 964, "10 ms are 964.3 lines");
    assert_eq!((outcome.exposure.analog_gain, outcome.exposure.digital_gain), (2.0, 1.0));
    assert!(outcome.converged, "there is nothing to search");
    let iso = ae::Inputs { manual_iso: Some(400.0), manual_analog_gain: Some(2.0), ..auto };
    let outcome = state.run(&iso);
    assert_eq!((outcome.iso, outcome.exposure.analog_gain), (400, 4.0), "ISO comes first");
    let time = ae::Inputs { manual_time_us: Some(20_000.0), ..auto };
    let outcomes: Vec<_> = (0..20).map(|_| state.run(&time)).collect();
    assert!(outcomes.iter().all(|outcome| outcome.sensor.coarse_integration_time == 1929));
    assert!(outcomes[19].exposure.analog_gain > 1.2, "gain follows the scene");
}

#[test]
fn exposure_compensation_moves_the_target_by_stops() {
    let camera = scene(0.0008, 0.0008);
    let gains = GainModel::linear();
    for (ev_shift, expected) in [(1.0, 2.0), (-1.0, 0.5), (f64::NAN, 1.0)] {
        let mut state = ae::State::default();
        let mut exposure = Exposure { time_us: 10_000.0, analog_gain: 1.0, digital_gain: 1.0 };
        for _ in 0..25 {
            let grids = camera.grids(0, &sensor_exposure(&exposure), 0);
            let measured = statistics(&grids, 1_000_000, Some(exposure));
            let inputs = ae::Inputs { ev_shift, ..inputs(&gains, Some(&measured)) };
            exposure = state.run(&inputs).exposure;
        }
        let level = 255.0 * camera.level(0, &sensor_exposure(&exposure)) / AE_TARGET;
        assert!((level / expected - 1.0).abs() < 0.05, "{ev_shift}: {level}");
    }
}

#[test]
fn an_unreachable_target_ends_at_the_limit_and_says_so() {
    for (brightness, negative) in [(1e-8, true), (100.0, false)] {
        let camera = scene(brightness, brightness);
        let mut all = Loop::new(&camera, 1);
        let (_, outcome) = (0..40).map(|_| all.step()).last().unwrap();
        assert!(outcome.converged);
        assert_eq!(outcome.distance_percent < 0.0, negative);
        let total = outcome.exposure.total_us().unwrap();
        assert!(if negative { total > 9e5 } else { total <= 41.0 }, "{total}");
    }
}

#[test]
fn the_lux_estimate_is_right_within_its_factor() {
    let camera = chart(500.0, 500.0);
    let mut all = Loop::new(&camera, 1);
    let (_, outcome) = (0..40).map(|_| all.step()).last().unwrap();
    assert!((170..1500).contains(&outcome.lux), "{}", outcome.lux);
}

/// AWB's answer after `frames` frames of a camera exposed like this, with no exposure loop.
fn balanced(camera: &dyn Camera, exposure: &Exposure, frames: u64) -> awb::Outcome {
    let mut state = awb::State::default();
    let run = |frame| {
        let grids = camera.grids(frame, &sensor_exposure(exposure), 0);
        let measured = statistics(&grids, 1_000_000 + 33_333 * frame, Some(*exposure));
        state.run(&awb::Inputs {
            statistics: Some(&measured),
            mode: awb::Mode::Auto,
            convergence_time_s: None,
        })
    };
    (0..frames).map(run).last().expect("a frame")
}

/// Asserts that every grey of the scene is neutral within 3 %.
fn assert_neutral(camera: &dyn Camera, outcome: &awb::Outcome, name: &str) {
    for grey in camera.greys(0) {
        let red = grey.r_per_g / outcome.final_r_per_g - 1.0;
        let blue = grey.b_per_g / outcome.final_b_per_g - 1.0;
        assert!(red.abs() < 0.03 && blue.abs() < 0.03, "{name}: {red:.4} {blue:.4} {outcome:?}");
    }
}

#[test]
fn awb_makes_the_chart_s_greys_neutral_under_lamps_and_daylight() {
    for (source, cct) in [
        (Source::Planckian(2400.0), 2400.0),
        (Source::Planckian(2856.0), 2856.0),
        (Source::Planckian(3100.0), 3100.0),
        (Source::Planckian(4000.0), 4000.0),
        (Source::Daylight(5000.0), 5000.0),
        (Source::Daylight(6070.0), 6070.0),
        (Source::Daylight(6504.0), 6504.0),
        (Source::Daylight(8000.0), 8000.0),
    ] {
        let light = Light { source, lux: 500.0 };
        let camera = ChartCamera::new(&[ScheduledLight { first_frame: 0, light }], 3).unwrap();
        // The exposure at AE's target, and others that rounding hits differently.
        let unit = Exposure { time_us: 10_000.0, analog_gain: 1.0, digital_gain: 1.0 };
        let level = 255.0 * camera.level(0, &sensor_exposure(&unit));
        for share in [0.9, 0.95, 0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03, 1.05, 1.1] {
            let time_us = 10_000.0 * share * AE_TARGET / level;
            let outcome = balanced(&camera, &Exposure { time_us, ..unit }, 3);
            assert_neutral(&camera, &outcome, &format!("{source:?} at {share}"));
            let found = f64::from(outcome.cct);
            assert!((found / cct - 1.0).abs() < 0.06, "{source:?}: {found} K");
        }
    }
}

#[test]
fn awb_follows_a_change_of_light_within_twenty_frames() {
    let camera = ChartCamera::new(&ChartCamera::usual_lights(10), 1).unwrap();
    let mut ae = Loop::new(&camera, 2);
    let mut state = awb::State::default();
    for frame in 0..40 {
        let exposure = if ae.results.len() >= 2 { Some(ae.results[0]) } else { None };
        ae.step();
        let measured = exposure.map(|exposure| {
            let grids = camera.grids(frame, &sensor_exposure(&exposure), 0);
            statistics(&grids, 1_000_000 + 33_333 * frame, Some(exposure))
        });
        let outcome = state.run(&awb::Inputs {
            statistics: measured.as_ref(),
            mode: awb::Mode::Auto,
            convergence_time_s: None,
        });
        if frame == 9 || frame > 30 {
            for grey in camera.greys(frame) {
                let red = grey.r_per_g / outcome.final_r_per_g - 1.0;
                let blue = grey.b_per_g / outcome.final_b_per_g - 1.0;
                assert!(red.abs() < 0.03 && blue.abs() < 0.03, "{frame}: {red} {blue}");
            }
        }
    }
}

#[test]
fn awb_finds_the_white_of_the_scene_model() {
    for (r_per_g, b_per_g) in
        [(0.5136, 0.7782), (0.83, 0.527), (0.58, 0.68), (1.1468, 0.5105), (0.64, 0.61), (0.7, 0.56)]
    {
        let columns = SceneColumns {
            brightness: 0.004,
            r_per_g,
            b_per_g,
            right_brightness: 0.004,
            right_r_per_g: r_per_g,
            right_b_per_g: b_per_g,
            lens: 0,
        };
        let scene = SceneModel::from_frames(vec![columns]).unwrap();
        let exposure = Exposure { time_us: 11_600.0, analog_gain: 1.0, digital_gain: 1.0 };
        assert_neutral(&scene, &balanced(&scene, &exposure, 2), &format!("{r_per_g} {b_per_g}"));
    }
}

#[test]
fn awb_modes_are_kept() {
    let camera = ChartCamera::new(&ChartCamera::usual_lights(1000), 1).unwrap();
    let exposure = Exposure { time_us: 12_000.0, analog_gain: 1.0, digital_gain: 1.0 };
    let grids = camera.grids(0, &sensor_exposure(&exposure), 0);
    let measured = statistics(&grids, 0, Some(exposure));
    let run = |mode, convergence_time_s| {
        let statistics = Some(&measured);
        awb::State::default().run(&awb::Inputs { statistics, mode, convergence_time_s })
    };
    let fixed = run(awb::Mode::CctRange { min: 3000.0, max: 3000.0 }, None);
    assert_eq!(fixed.cct, 3000);
    assert_eq!(run(awb::Mode::from_scene(5), None).cct, 3100, "incandescent ends at 3100 K");
    let daylight = run(awb::Mode::from_scene(1), None);
    let free = run(awb::Mode::Auto, None);
    assert!((daylight.final_r_per_g / free.final_r_per_g - 1.0).abs() < 0.01, "it is daylight");
    assert_eq!(awb::Mode::from_scene(8), awb::Mode::Auto);
    // Patch 15 of the chart, red: columns 31 to 38, rows 31 to 38 of 80 × 60 cells.
    let red = run(awb::Mode::WhitePoint { x: 35 * 8192 / 80, y: 35 * 8192 / 60 }, None);
    assert!(red.final_r_per_g > 1.2, "{red:?}");
    for coordinate in [i32::MIN, -1, 0, 8192, i32::MAX] {
        let edge = run(awb::Mode::WhitePoint { x: coordinate, y: coordinate }, None);
        assert!((edge.final_r_per_g - 0.49).abs() < 0.02, "the wall: {edge:?}");
    }
}

#[test]
fn awb_takes_the_time_that_it_is_given() {
    let camera = ChartCamera::new(&ChartCamera::usual_lights(1), 1).unwrap();
    let exposure = Exposure { time_us: 20_000.0, analog_gain: 1.0, digital_gain: 1.0 };
    let frame = |n| statistics(&camera.grids(n, &sensor_exposure(&exposure), 0), n, Some(exposure));
    let (day, lamp) = (frame(0), frame(1));
    let distance_after_a_second = |convergence_time_s| {
        let mut state = awb::State::default();
        let mode = awb::Mode::Auto;
        state.run(&awb::Inputs { statistics: Some(&day), mode, convergence_time_s });
        let inputs = awb::Inputs { statistics: Some(&lamp), mode, convergence_time_s };
        (0..30).map(|_| state.run(&inputs)).last().unwrap().distance
    };
    assert!(distance_after_a_second(Some(0.0)) < 1e-9);
    assert!(distance_after_a_second(None) < 0.001);
    assert!((0.02..0.06).contains(&distance_after_a_second(Some(1.0))), "5 % of the way are left");
    assert!(distance_after_a_second(Some(10.0)) > 0.4);
}

#[test]
fn awb_keeps_its_white_where_there_is_none_to_see() {
    let mut state = awb::State::default();
    let mut run = |statistics: Option<&Statistics>| {
        state.run(&awb::Inputs { statistics, mode: awb::Mode::Auto, convergence_time_s: None })
    };
    assert_eq!(run(None).cct, 4500);
    let flat = |v: u8| Statistics {
        width: 80,
        height: 60,
        cells: vec![Cell { gr: v, r: v, b: v, gb: v, sat: if v == 255 { 255 } else { 0 } }; 4800],
        ..Statistics::default()
    };
    for value in [0, 1, 255] {
        assert_eq!(run(Some(&flat(value))).cct, 4500);
    }
    assert_ne!(run(Some(&flat(100))).cct, 4500);
}

/// AF in a loop with a camera whose exposure is right; the lens is at once where it shall be.
struct Focus<'a> {
    camera: &'a dyn Camera,
    state: af::State,
    lens: i32,
    frame: u64,
    moved_us: u64,
}

impl<'a> Focus<'a> {
    fn new(camera: &'a dyn Camera) -> Self {
        Self { camera, state: af::State::default(), lens: 0, frame: 0, moved_us: 0 }
    }

    fn step(&mut self, change: impl Fn(&mut af::Inputs<'_>)) -> af::Outcome {
        let exposure = Exposure { time_us: 12_000.0, analog_gain: 1.0, digital_gain: 1.0 };
        let now = 1_000_000 + 33_333 * self.frame;
        let grids = self.camera.grids(self.frame, &sensor_exposure(&exposure), self.lens);
        let measured = statistics(&grids, now, Some(exposure));
        let mut inputs = af::Inputs {
            statistics: Some(&measured),
            lens_position: self.lens,
            lens_movement_start_us: self.moved_us,
            mode: af::Mode::Auto,
            range: af::Range::Full,
            window: Window::default(),
            trigger_new_search: false,
        };
        change(&mut inputs);
        let outcome = self.state.run(&inputs);
        assert!(af::POSITIONS.contains(&outcome.next_position));
        if let Some(position) = outcome.move_to {
            (self.lens, self.moved_us) = (position, now + 13_000);
        }
        self.frame += 1;
        outcome
    }

    /// Runs until AF says that it is done; the last answer and the number of frames.
    fn finish(&mut self) -> (af::Outcome, u64) {
        let start = self.frame;
        loop {
            let outcome = self.step(|_| {});
            if outcome.final_position_reached {
                return (outcome, self.frame - start);
            }
            assert!(self.frame - start < 100, "a search ends");
        }
    }
}

/// A scene of the model that is sharp at a lens position.
fn sharp_at(lens: i32) -> SceneModel {
    let columns = SceneColumns {
        brightness: 0.004,
        r_per_g: 0.58,
        b_per_g: 0.68,
        right_brightness: 0.004,
        right_r_per_g: 0.58,
        right_b_per_g: 0.68,
        lens,
    };
    SceneModel::from_frames(vec![columns]).unwrap()
}

#[test]
fn af_finds_the_peak_wherever_it_is() {
    for lens in (0..=1023).step_by(31) {
        let scene = sharp_at(lens);
        let mut focus = Focus::new(&scene);
        let (outcome, frames) = focus.finish();
        assert_eq!(outcome.status, af::Status::Success);
        assert!((focus.lens - lens).abs() <= 30, "{lens}: {} of 1023", focus.lens);
        assert!(frames < 40, "{frames} frames");
        for _ in 0..20 {
            assert!(focus.step(|_| {}).move_to.is_none(), "it rests");
        }
    }
}

#[test]
fn af_finds_the_chart_and_searches_again_when_told() {
    let camera = ChartCamera::new(&ChartCamera::usual_lights(1000), 1).unwrap();
    let mut focus = Focus::new(&camera);
    let (outcome, _) = focus.finish();
    assert_eq!(outcome.status, af::Status::Success);
    assert!((focus.lens - 300).abs() <= 15, "{}", focus.lens);
    assert!((300..400).contains(&outcome.distance_mm), "{}", outcome.distance_mm);
    let again = focus.step(|inputs| inputs.trigger_new_search = true);
    assert_eq!((again.status, again.final_position_reached), (af::Status::ExtendedSearch, false));
    focus.finish();
    assert!((focus.lens - 300).abs() <= 15, "{}", focus.lens);
}

#[test]
fn af_searches_by_itself_when_the_scene_goes_out_of_focus() {
    let (near, far) = (sharp_at(700), sharp_at(100));
    let mut focus = Focus::new(&far);
    focus.finish();
    for _ in 0..3 {
        focus.step(|_| {});
    }
    focus.camera = &near;
    for _ in 0..60 {
        focus.step(|_| {});
    }
    assert!((focus.lens - 700).abs() <= 30, "{}", focus.lens);
}

#[test]
fn af_without_contrast_fails_and_says_so() {
    let mut scene = sharp_at(500).scene(0);
    scene.lens = i32::MAX;
    let scene = SceneModel::from_frames(vec![scene]).unwrap();
    let mut focus = Focus::new(&scene);
    let (outcome, _) = focus.finish();
    assert_eq!(outcome.status, af::Status::Fail);
    assert_eq!(focus.lens, 51, "at the hyperfocal distance");
}

#[test]
fn af_waits_for_the_lens_to_arrive() {
    let scene = sharp_at(500);
    let mut focus = Focus::new(&scene);
    let mut waiting = |late: u64| {
        let now = 1_000_000 + 33_333 * focus.frame;
        focus.step(|inputs| inputs.lens_movement_start_us = now + late).move_to.is_some()
    };
    // The first frame is not used as nothing is known of AE's movement before it.
    assert!(!waiting(0));
    for _ in 0..10 {
        assert!(!waiting(0), "frames from before the lens came to rest are not used");
    }
    assert!(focus.step(|_| {}).move_to.is_some());
}

#[test]
fn af_modes_go_where_they_say() {
    let scene = sharp_at(500);
    for (mode, expected) in [
        (af::Mode::from_protocol(1, 0, 0, 0), 0),
        (af::Mode::from_protocol(2, 0, 0, 0), 51),
        (af::Mode::from_protocol(3, 1, 200, 0), 512),
        (af::Mode::from_protocol(3, 1, 0, 0), 0),
        (af::Mode::from_protocol(3, 2, 0, 777), 777),
        (af::Mode::from_protocol(3, 2, 0, i32::MAX), 1023),
        (af::Mode::from_protocol(3, 0, 0, 0), 400),
    ] {
        let mut focus = Focus { lens: 400, ..Focus::new(&scene) };
        assert_eq!(focus.step(|inputs| inputs.mode = mode).next_position, expected, "{mode:?}");
        assert!(focus.step(|inputs| inputs.mode = mode).final_position_reached);
    }
    let mut focus = Focus::new(&scene);
    assert!(focus.step(|inputs| inputs.range = af::Range::from_protocol(1)).next_position >= 511);
}
