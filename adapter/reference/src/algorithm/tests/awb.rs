//! AWB makes greys neutral, under lamps and daylight, and keeps what it is told.

use virtual_camera::{
    Camera, ChartCamera, Light, SceneColumns, SceneModel, ScheduledLight, Source,
};

use super::{Loop, sensor_exposure, statistics};
use crate::algorithm::{AE_TARGET, Cell, Exposure, Statistics, awb};

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
