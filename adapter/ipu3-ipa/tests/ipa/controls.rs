//! Every control that is advertised does what libcamera says that it does.

use cami_ipu3::Command;
use cami_ipu3::payload::{AfRunParams, SetStatisticsParams, Transport};
use cami_ipu3_ipa::{ControlName, IdSet};
use cami_wire::libcamera::{ControlValue, Rectangle};

use crate::camera::{Frame, Session, exposure, lights, scalar};
use crate::faulty::Faulty;

/// Frames after which an order has certainly taken effect.
const SETTLED: u32 = 12;

fn converged(set: IdSet) -> Session {
    let mut session = Session::reference(set);
    session.run(40);
    session
}

/// The lines nearest to a time.
fn lines(time_us: f64) -> i32 {
    (time_us * 432.0 / 4480.0).round() as i32
}

#[test]
fn exposure_time_and_gain_by_hand_are_kept_exactly_in_every_version() {
    for set in IdSet::ALL {
        let mut session = converged(set);
        session.ask(&[
            (ControlName::AeEnable, scalar(false)),
            (ControlName::ExposureTime, scalar(5000_i32)),
            (ControlName::AnalogueGain, scalar(4.0_f32)),
        ]);
        let last = session.run(SETTLED);
        assert!((last.in_effect.exposure_lines - lines(5000.0)).abs() <= 1, "{set:?}");
        assert_eq!(last.in_effect.analogue_gain_code, 512, "{set:?}");
        assert_eq!(session.get::<f32>(&last, ControlName::AnalogueGain), Some(4.0));
        if set == IdSet::From0_5 {
            assert_eq!(session.get::<i32>(&last, ControlName::ExposureTimeMode), Some(1));
            assert_eq!(session.get::<i32>(&last, ControlName::AeState), Some(0), "idle");
        }
        // And back to AE.
        session.ask(&[
            (ControlName::AeEnable, scalar(true)),
            (ControlName::ExposureTime, scalar(0_i32)),
            (ControlName::AnalogueGain, scalar(0.0_f32)),
        ]);
        let last = session.run(30);
        assert_ne!(last.in_effect.analogue_gain_code, 512, "{set:?}");
    }
}

#[test]
fn one_of_two_by_hand_leaves_the_other_to_ae() {
    let mut session = converged(IdSet::From0_5);
    let before = session.run(1);
    session.ask(&[
        (ControlName::AnalogueGainMode, scalar(1_i32)),
        (ControlName::AnalogueGain, scalar(8.0_f32)),
    ]);
    let after = session.run(40);
    assert_eq!(after.in_effect.analogue_gain_code, 1024);
    let ratio = exposure(&after.in_effect).product() / exposure(&before.in_effect).product();
    assert!((ratio - 1.0).abs() < 0.1, "AE makes up for it by time: {ratio}");
}

#[test]
fn ae_switched_off_stays_where_it_is() {
    let mut session = converged(IdSet::From0_2To0_4);
    let before = session.run(1).in_effect;
    session.ask(&[(ControlName::AeEnable, scalar(false))]);
    session.chart = virtual_camera::ChartCamera::new(
        &lights(50.0, virtual_camera::Source::Daylight(6504.0)),
        1,
    )
    .unwrap();
    let after = session.run(30).in_effect;
    assert!((before.exposure_lines - after.exposure_lines).abs() <= 1);
    assert_eq!(before.analogue_gain_code, after.analogue_gain_code);
}

#[test]
fn exposure_values_beyond_the_sensor_are_limited() {
    let mut session = converged(IdSet::From0_5);
    session.ask(&[
        (ControlName::AeEnable, scalar(false)),
        (ControlName::ExposureTime, scalar(i32::MAX)),
        (ControlName::AnalogueGain, scalar(f32::MAX)),
    ]);
    let last = session.run(SETTLED);
    assert!(last.in_effect.exposure_lines >= 3200);
    assert_eq!(last.in_effect.analogue_gain_code, 2048);
}

#[test]
fn compensation_and_metering_change_the_exposure() {
    let product = |asked: &[(ControlName, ControlValue)]| {
        let mut session = converged(IdSet::From0_5);
        session.ask(asked);
        exposure(&session.run(40).in_effect).product()
    };
    let normal = product(&[]);
    let brighter = product(&[(ControlName::ExposureValue, scalar(1.0_f32))]);
    assert!((brighter / normal - 2.0).abs() < 0.2, "one stop: {}", brighter / normal);
    let darker = product(&[(ControlName::ExposureValue, scalar(-1.0_f32))]);
    assert!((darker / normal - 0.5).abs() < 0.05, "{}", darker / normal);
    let metered = |mode: i32| product(&[(ControlName::AeMeteringMode, scalar(mode))]);
    let (centre, spot, matrix) = (metered(0), metered(1), metered(2));
    assert!((matrix / normal - 1.0).abs() < 1e-6);
    assert!((centre / matrix - 1.0).abs() > 0.01 && (spot / matrix - 1.0).abs() > 0.01);
}

#[test]
fn flicker_periods_make_exposures_whole_multiples() {
    for (period, longest) in [(10_000_i32, 3.0), (8333, 3.0)] {
        let mut session = converged(IdSet::From0_2To0_4);
        session.ask(&[
            (ControlName::AeFlickerMode, scalar(1_i32)),
            (ControlName::AeFlickerPeriod, scalar(period)),
        ]);
        let last = session.run(40);
        let periods = f64::from(exposure(&last.in_effect).time_us) / f64::from(period);
        assert!((periods - periods.round()).abs() < 0.01, "{periods} periods of {period}");
        assert!((1.0..=longest + 0.01).contains(&periods));
        let told = session.get::<i32>(&last, ControlName::AeFlickerDetected);
        assert_eq!(told, Some(period));
    }
    let mut session = converged(IdSet::From0_2To0_4);
    session.ask(&[(ControlName::AeFlickerMode, scalar(0_i32))]);
    let last = session.run(SETTLED);
    assert_eq!(session.get::<i32>(&last, ControlName::AeFlickerDetected), Some(0));
}

#[test]
fn white_balance_by_mode_temperature_and_gains() {
    let mut session = converged(IdSet::From0_5);
    let kelvin = |session: &Session, frame: &Frame| {
        session.get::<i32>(frame, ControlName::ColourTemperature).unwrap()
    };
    session.ask(&[(ControlName::AwbMode, scalar(1_i32))]);
    let last = session.run(40);
    assert!((2600..3200).contains(&kelvin(&session, &last)), "{}", kelvin(&session, &last));

    session.ask(&[
        (ControlName::AwbEnable, scalar(false)),
        (ControlName::ColourTemperature, scalar(4000_i32)),
    ]);
    let last = session.run(40);
    assert!((3900..4100).contains(&kelvin(&session, &last)), "{}", kelvin(&session, &last));
    assert_eq!(session.get::<bool>(&last, ControlName::AwbEnable), Some(false));

    let before = last.params.unwrap();
    let gains = ControlValue::array(&[3.0_f32, 1.25]).unwrap();
    session.ask(&[(ControlName::ColourGains, gains)]);
    let last = session.run(SETTLED);
    let found = session.array::<f32>(&last, ControlName::ColourGains).unwrap();
    assert_eq!(found, [3.0, 1.25]);
    let temperature = session.get::<i32>(&last, ControlName::ColourTemperature);
    assert_eq!(temperature, None, "that of other gains");
    assert!(last.params.unwrap() != before, "they are in the ISP's parameters");

    session.ask(&[(ControlName::AwbEnable, scalar(true)), (ControlName::AwbMode, scalar(0_i32))]);
    let last = session.run(40);
    assert!(kelvin(&session, &last) > 5000);
}

#[test]
fn the_picture_s_adjustments_reach_the_parameters_of_their_frame() {
    for (control, expected) in [
        (ControlName::Brightness, [51, 0, 0, 0]),
        (ControlName::Contrast, [0, -76, 0, 0]),
        (ControlName::Saturation, [0, 0, -76, 0]),
        (ControlName::Sharpness, [0, 0, 0, -76]),
    ] {
        let library = Faulty::new();
        let day = lights(500.0, virtual_camera::Source::Daylight(6504.0));
        let mut session = Session::started(library.clone(), IdSet::From0_5, &day);
        session.ask_for(2, &[(control, scalar(0.4_f32))]);
        let asked = [(); 4].map(|()| {
            session.step();
            let base = library.payload::<Transport>(Command::AicRun).input.base;
            [
                base.manual_brightness,
                base.manual_contrast,
                base.manual_saturation,
                base.manual_sharpness,
            ]
            .map(u8::cast_signed)
        });
        assert_eq!(asked, [[0; 4], [0; 4], expected, expected], "{}", control.name());
    }
    // And what the library makes of them reaches the ISP.
    let mut session = converged(IdSet::From0_5);
    let before = session.step().params.unwrap();
    session.ask(&[(ControlName::Contrast, scalar(0.4_f32))]);
    let after = session.step().params.unwrap();
    assert!(before != after, "another contrast, another gamma table");
}

#[test]
fn the_lens_goes_where_an_application_wants_it() {
    let mut session = converged(IdSet::From0_5);
    let manual = (ControlName::AfMode, scalar(0_i32));
    let mut at = |dioptres: f32| {
        session.ask(&[manual.clone(), (ControlName::LensPosition, scalar(dioptres))]);
        let last = session.run(SETTLED);
        assert_eq!(session.get::<i32>(&last, ControlName::AfState), Some(0), "idle");
        let told = session.get::<f32>(&last, ControlName::LensPosition).unwrap();
        assert!((told - dioptres).abs() < 0.05 * dioptres.max(0.1), "{told} for {dioptres}");
        session.lens
    };
    let (far, near) = (at(0.0), at(5.0));
    assert!(far < near, "{far} {near}");
    assert_eq!(far, 0);
    let middle = at(2.0);
    assert!((far..near).contains(&middle), "{middle}");
}

#[test]
fn a_search_is_made_when_it_is_triggered_and_not_before() {
    let mut session = Session::reference(IdSet::UpTo0_1);
    session.ask(&[(ControlName::AfMode, scalar(1_i32))]);
    let last = session.run(20);
    assert_eq!(session.get::<i32>(&last, ControlName::AfState), Some(0));
    assert_eq!(session.lens, 0, "nobody has asked");
    session.ask(&[(ControlName::AfTrigger, scalar(0_i32))]);
    let scanning = session.step();
    assert_eq!(session.get::<i32>(&scanning, ControlName::AfState), Some(1));
    let last = session.run(80);
    assert_eq!(session.get::<i32>(&last, ControlName::AfState), Some(2), "focused");
    let found = session.lens;
    assert!(found > 0);
    assert_eq!(session.run(20).lens, found, "and it stays there");
}

#[test]
fn continuous_focus_can_be_halted() {
    let mut session = Session::reference(IdSet::From0_5);
    session.run(5);
    session.ask(&[(ControlName::AfPause, scalar(0_i32))]);
    let last = session.step();
    assert_eq!(session.get::<i32>(&last, ControlName::AfPauseState), Some(2));
    let lens = session.lens;
    session.run(20);
    assert_eq!(session.lens, lens);
    session.ask(&[(ControlName::AfPause, scalar(2_i32))]);
    let last = session.run(80);
    assert_eq!(session.get::<i32>(&last, ControlName::AfState), Some(2));
}

#[test]
fn windows_and_ranges_say_where_focus_is_searched() {
    let library = Faulty::new();
    let day = lights(500.0, virtual_camera::Source::Daylight(6504.0));
    let mut session = Session::started(library.clone(), IdSet::From0_5, &day);
    session.run(60);
    let asked = library.payload::<AfRunParams>(Command::AfRun);
    assert_eq!((asked.base.focus_metering_mode, asked.base.focus_range), (0, 0));
    let manual = (ControlName::AfMode, scalar(0_i32));
    session.ask(&[manual, (ControlName::LensPosition, scalar(10.0_f32))]);
    session.run(6);
    let window = Rectangle { x: 2112, y: 1568, width: 1056, height: 784 };
    session.ask(&[
        (ControlName::AfMode, scalar(2_i32)),
        (ControlName::AfMetering, scalar(1_i32)),
        (ControlName::AfWindows, ControlValue::array(&[window]).unwrap()),
        (ControlName::AfRange, scalar(1_i32)),
    ]);
    let mut least = i32::MAX;
    for _ in 0..60 {
        if let Some(position) = session.step().processed.sensor.unwrap().lens_position {
            least = least.min(position);
        }
    }
    let asked = library.payload::<AfRunParams>(Command::AfRun);
    assert_eq!((asked.base.focus_metering_mode, asked.base.focus_range), (1, 1));
    let found = asked.focus_rect;
    assert_eq!([found.left, found.top, found.right, found.bottom], [4096, 4096, 6144, 6144]);
    assert!(least >= 400, "macro is the near half: {least}");
}

#[test]
fn digital_gain_goes_into_the_shading_table() {
    let library = Faulty::new();
    let night = lights(0.2, virtual_camera::Source::Planckian(2856.0));
    let mut session = Session::started(library.clone(), IdSet::From0_5, &night);
    let shading = || {
        let results = library.payload::<Transport>(Command::AicRun).input.sa_results;
        (results.channel_gr[0], results.base.lsc_update)
    };
    let mut last = session.step();
    let (mut table, _) = shading();
    for _ in 0..30 {
        last = session.step();
        let (now, update) = shading();
        assert_eq!(update != 0, now != table, "new tables are told to be new, and no others");
        table = now;
    }
    let digital = session.get::<f32>(&last, ControlName::DigitalGain).unwrap();
    assert!(digital > 1.5, "it is dark: {digital}");
    assert!((table / digital - 1.0).abs() < 0.01, "{table} for a gain of {digital}");
    // And the statistics name it as the frame's.
    let told = library.payload::<SetStatisticsParams>(Command::StatisticsSet).input;
    let exposure = told.frame_ae_parameters.exposure;
    assert!((exposure.digital_gain / digital - 1.0).abs() < 0.01);
    let sent = last.in_effect;
    let sensor = told.frame_ae_parameters.sensor_exposure;
    assert_eq!(i32::from(sensor.coarse_integration_time), sent.exposure_lines);
    assert_eq!(i32::from(sensor.analog_gain_code_global), sent.analogue_gain_code);
    let began = told.base.frame_timestamp + u64::try_from(exposure.exposure_time_us).unwrap();
    let number = u64::from(session.frame) - 1;
    assert_eq!(began, 5_000_000 + 33_330_370 * number / 1000, "µs, from its exposure's begin");
}
