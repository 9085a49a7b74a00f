//! A whole session, frame by frame, as the HAL drives it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may state what it expects"
)]

mod common;

use cam_algo_reference::AE_TARGET;
use cami_ipu3::bytes_of;
use common::Hal;
use common::camera::{Camera, Scene};

const DAYLIGHT: Scene = Scene { brightness: 0.004, r_per_g: 0.58, b_per_g: 0.68, sharp_at: 300 };

/// Frames after which everything stands.
const SETTLED: usize = 90;

#[test]
fn three_lights_are_metered_balanced_and_focused() {
    let hal = Hal::new();
    let warm = Scene { brightness: 0.02, r_per_g: 0.83, b_per_g: 0.53, sharp_at: 120 };
    let dim = Scene { brightness: 0.0004, ..DAYLIGHT };
    for (name, scene) in [("daylight", DAYLIGHT), ("warm", warm), ("dim", dim)] {
        let mut camera = Camera::open(&hal, &[]);
        let mut last = camera.frame(&scene);
        assert!(last.level.is_none() && last.sa_updated);
        for _ in 0..SETTLED {
            last = camera.frame(&scene);
        }
        let level = last.level.unwrap();
        // Cells are whole numbers, of which the target is about 46.
        assert!((level / AE_TARGET - 1.0).abs() < 0.05, "{name}: {level}");
        assert!(last.ae.converged(), "{name}");
        assert!((f64::from(last.awb.final_r_per_g) / scene.r_per_g - 1.0).abs() < 0.03, "{name}");
        assert!((f64::from(last.awb.final_b_per_g) / scene.b_per_g - 1.0).abs() < 0.03, "{name}");
        let gains = last.pa.results().base.color_gains;
        let red = f64::from(gains.r / gains.gr) * f64::from(last.awb.final_r_per_g);
        assert!((red - 1.0).abs() < 0.001, "{name}: PA answers what AWB found");
        let lens = camera.lens();
        assert!((lens - scene.sharp_at).abs() <= 20, "{name}: the lens is at {lens}");
        assert_eq!(last.af.status, 3, "{name}");
        assert!(!last.sa_updated, "{name}: the shading table is new once");
        camera.close();
    }
}

#[test]
fn a_session_says_the_same_twice() {
    let run = |tuning: &[u8]| {
        let hal = Hal::new();
        let mut camera = Camera::open(&hal, tuning);
        let frames: Vec<_> = (0..10).map(|_| camera.frame(&DAYLIGHT)).collect();
        camera.close();
        frames
    };
    // A tuning file is accepted and changes nothing: it is not for this library to parse.
    for (one, other) in run(&[]).iter().zip(&run(b"a vendor's own format")) {
        assert_eq!(bytes_of(&*one.config), bytes_of(&*other.config));
        assert_eq!(bytes_of(one.ae.results()), bytes_of(other.ae.results()));
        assert_eq!(bytes_of(&one.awb), bytes_of(&other.awb));
        assert_eq!(bytes_of(&one.af), bytes_of(&other.af));
        assert_eq!(one.level, other.level);
    }
}

#[test]
fn the_isp_configuration_follows_the_results() {
    let hal = Hal::new();
    let mut camera = Camera::open(&hal, &[]);
    let first = camera.frame(&DAYLIGHT);
    assert!(bytes_of(&first.config.aic_config).iter().any(|byte| *byte != 0));
    let mut last = camera.frame(&DAYLIGHT);
    for _ in 0..30 {
        last = camera.frame(&DAYLIGHT);
    }
    assert_ne!(
        bytes_of(&first.config.aic_config.bnr_2500_config),
        bytes_of(&last.config.aic_config.bnr_2500_config),
        "the white balance gains are in the Bayer noise reduction's block"
    );
    camera.close();
}
