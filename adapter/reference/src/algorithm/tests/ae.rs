//! AE follows the scene, at any lag, and keeps what it is told.

use virtual_camera::{
    Camera, ChartCamera, Light, SceneColumns, SceneModel, ScheduledLight, Source,
};

use super::{Loop, inputs, sensor_exposure, statistics};
use crate::algorithm::ae::{self, Flicker};
use crate::algorithm::{AE_TARGET, Exposure, GainModel};

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
