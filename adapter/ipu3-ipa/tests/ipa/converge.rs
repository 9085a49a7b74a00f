//! AE and AWB find the scene, through everything from raw statistics to parameters.

use std::sync::Arc;

use cami_abi::{CameraAlgorithm, VendorLibrary};
use cami_ipu3::uapi::Params;
use cami_ipu3::{bytes_of_mut, zeroed_box};
use cami_ipu3_ipa::{ControlName, IdSet};
use virtual_camera::{Camera as _, Source};

use crate::camera::{Session, exposure, lights};

/// The reference library's file, which cargo built for this test.
fn reference_file() -> Arc<dyn CameraAlgorithm> {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    let file =
        [folder.join("libcam_algo_reference.so"), folder.join("../libcam_algo_reference.so")]
            .into_iter()
            .find(|file| file.exists())
            .expect("cargo built the reference library");
    Arc::new(VendorLibrary::load(&file).unwrap())
}

#[test]
fn exposure_colour_and_focus_converge_through_the_library_s_table() {
    let day = lights(500.0, Source::Daylight(6504.0));
    let mut session = Session::started(reference_file(), IdSet::From0_5, &day);
    let last = session.run(60);
    let number = u64::from(session.frame) - 1;

    // The library's target is 45 of 255 in the linear picture.
    let level = session.chart.level(number, &exposure(&last.in_effect)) * 255.0;
    assert!((30.0..75.0).contains(&level), "level {level}");
    assert_eq!(session.get::<i32>(&last, ControlName::AeState), Some(2), "converged");

    let gains = session.array::<f32>(&last, ControlName::ColourGains).unwrap();
    for grey in session.chart.greys(number) {
        let (red, blue) = (grey.r_per_g * f64::from(gains[0]), grey.b_per_g * f64::from(gains[1]));
        assert!((red - 1.0).abs() < 0.06 && (blue - 1.0).abs() < 0.06, "{red} {blue}");
    }
    let kelvin = session.get::<i32>(&last, ControlName::ColourTemperature).unwrap();
    assert!((5000..8500).contains(&kelvin), "{kelvin} K");
    assert_eq!(session.get::<i32>(&last, ControlName::AfState), Some(2), "focused");
    assert_eq!(session.lens, last.lens, "the lens is at rest");
    assert!(session.lens > 0);
}

#[test]
fn metadata_and_parameters_are_those_of_the_frame() {
    let mut session = Session::reference(IdSet::From0_5);
    let first = session.step();
    assert!(first.params.is_some(), "the first exposure's parameters do not wait for statistics");
    let last = session.run(40);
    let taken = exposure(&last.in_effect);
    assert_eq!(session.get::<i32>(&last, ControlName::ExposureTime), Some(taken.time_us));
    assert_eq!(session.get::<f32>(&last, ControlName::AnalogueGain), Some(taken.analogue_gain));
    let digital = session.get::<f32>(&last, ControlName::DigitalGain).unwrap();
    assert!((1.0..1.05).contains(&digital), "only what whole lines leave open: {digital}");
    assert_eq!(session.get::<i64>(&last, ControlName::FrameDuration), Some(33_330));
    assert!(session.get::<f32>(&last, ControlName::Lux).unwrap() > 0.0);
    assert_eq!(session.get::<bool>(&last, ControlName::AwbEnable), Some(true));
    let levels = session.array::<i32>(&last, ControlName::SensorBlackLevels).unwrap();
    assert_eq!(levels, [4096; 4], "64 of 1023 in 16 bits");
    let matrix = session.array::<f32>(&last, ControlName::ColourCorrectionMatrix).unwrap();
    let rows: Vec<f32> = matrix.chunks(3).map(|row| row.iter().sum()).collect();
    assert!(rows.iter().all(|row| (row - 1.0).abs() < 0.01), "white stays white: {rows:?}");
    assert!(session.get::<f32>(&last, ControlName::LensPosition).is_some());
    for absent in [ControlName::AeLocked, ControlName::AeEnable, ControlName::SensorTimestamp] {
        assert_eq!(session.get::<bool>(&last, absent), None);
    }

    let mut params = zeroed_box::<Params>();
    bytes_of_mut(&mut *params).copy_from_slice(&last.params.unwrap());
    assert_ne!(params.use_flags.unpack().acc_bnr, 0);
    let gains = session.array::<f32>(&first, ControlName::ColourGains);
    assert!(gains.is_some());
    let white = &params.acc_param.bnr.wb_gains;
    assert!(white.r > white.gr && white.b > white.gr, "a white point has gains: {white:?}");
}

#[test]
fn older_versions_get_what_they_know() {
    for set in [IdSet::UpTo0_1, IdSet::From0_2To0_4] {
        let mut session = Session::reference(set);
        let last = session.run(40);
        assert_eq!(session.get::<bool>(&last, ControlName::AeLocked), Some(true));
        assert_eq!(session.get::<i32>(&last, ControlName::AeState), None);
        assert!(session.get::<i32>(&last, ControlName::ExposureTime).is_some());
    }
}

#[test]
fn a_change_of_light_is_followed() {
    let schedule = virtual_camera::ChartCamera::usual_lights(40);
    let library = Arc::new(cam_algo_reference::Server::new());
    let mut session = Session::started(library, IdSet::From0_5, &schedule);
    let day = session.run(40);
    let lamp = session.run(50);
    let kelvin = |frame| session.get::<i32>(frame, ControlName::ColourTemperature).unwrap();
    assert!(kelvin(&day) > 5000 && kelvin(&lamp) < 3500, "{} {}", kelvin(&day), kelvin(&lamp));
    assert!(exposure(&lamp.in_effect).product() > exposure(&day.in_effect).product());
}
