//! From an application's settings to what AE and AWB are asked.

use cami_ipu3::payload::{ColorChannels, Rectangle};
use cami_ipu3::sequence::ae::{AeAnswer, AeControls};
use cami_ipu3::sequence::awb::AwbControls;

use crate::ranges::FLICKER_PERIODS_US;
use crate::sensor::Sensor;
use crate::settings::{Flicker, Metering, Settings};

/// The middle eighth of the picture's width and height, in IA coordinates (0 to 8192): what a spot
/// meter looks at. The protocol has no such mode.
const SPOT: Rectangle = Rectangle { left: 3584, top: 3584, right: 4608, bottom: 4608 };
/// `ia_aiq_ae_metering_mode`.
const EVALUATIVE: i32 = 0;
const CENTRE: i32 = 1;
/// `ia_aiq_ae_flicker_reduction`.
const FLICKER_OFF: i32 = 0;
const FLICKER_50_HZ: i32 = 1;
const FLICKER_60_HZ: i32 = 2;
const FLICKER_AUTO: i32 = 3;
/// `ia_aiq_awb_operation_mode`: a range of colour temperatures.
const CCT_RANGE: i32 = 8;
/// What lamps indoors have, from warm white to neutral, in kelvin.
const INDOOR: (u32, u32) = (2700, 5000);

/// What AE is asked. A value that is kept wherever it is becomes known by `newest`.
pub fn ae(
    settings: &mut Settings,
    sensor: &Sensor,
    gains: Option<(f32, f32)>,
    newest: Option<&AeAnswer>,
) -> AeControls {
    let last = newest.map(|answer| answer.results().exposure);
    if settings.exposure.manual && settings.exposure.value.is_none() {
        settings.exposure.value = last.map(|last| last.exposure_time_us);
    }
    if settings.gain.manual && settings.gain.value.is_none() {
        settings.gain.value = last.map(|last| last.analog_gain);
    }
    let frame_us = sensor.frame_us();
    let mut controls = AeControls::preview(sensor.descriptor(), (frame_us, frame_us));
    let (shortest, longest) =
        (sensor.lines_to_us(sensor.exposure.min), sensor.lines_to_us(sensor.exposure.max));
    controls.manual_exposure_us =
        settings.exposure.at().map(|time| time.clamp(shortest, longest).into());
    controls.manual_analog_gain = settings.gain.at().map(|gain| match gains {
        Some((least, most)) => gain.clamp(least, most),
        None => gain,
    });
    controls.ev_shift = settings.exposure_value;
    controls.metering_mode =
        if settings.metering == Metering::Centre { CENTRE } else { EVALUATIVE };
    if settings.metering == Metering::Spot {
        controls.window = SPOT;
    }
    controls.flicker_reduction = flicker(settings);
    controls
}

fn flicker(settings: &Settings) -> i32 {
    let (of_60_hz, of_50_hz) = FLICKER_PERIODS_US;
    match settings.flicker {
        Flicker::Off => FLICKER_OFF,
        Flicker::Auto => FLICKER_AUTO,
        // "Setting the mode to FlickerManual when no AeFlickerPeriod has ever been set means that
        // no flicker cancellation occurs."
        Flicker::Manual if settings.flicker_period_us == 0 => FLICKER_OFF,
        Flicker::Manual => {
            let distance = |period: i32| settings.flicker_period_us.abs_diff(period);
            if distance(of_60_hz) < distance(of_50_hz) { FLICKER_60_HZ } else { FLICKER_50_HZ }
        }
    }
}

/// What AWB is asked; `None` to leave it as it is.
pub fn awb(settings: &Settings) -> Option<AwbControls> {
    let scene = |scene_mode| AwbControls { scene_mode, ..AwbControls::default() };
    let range = |range| AwbControls { cct_range: Some(range), ..scene(CCT_RANGE) };
    if !settings.awb_enable {
        return settings.colour_temperature.map(|kelvin| range((kelvin, kelvin)));
    }
    Some(match settings.awb_mode {
        // Incandescent and tungsten lamps are the same to the library.
        1 | 2 => scene(5),
        3 => scene(4),
        4 => range(INDOOR),
        5 => scene(1),
        6 => scene(2),
        _ => scene(0),
    })
}

/// The colour gains that the application has chosen.
pub fn colour_gains(settings: &Settings) -> Option<ColorChannels> {
    let chosen = settings.colour_gains.filter(|_| !settings.awb_enable);
    chosen.map(|(red, blue)| ColorChannels { gr: 1.0, r: red, b: blue, gb: 1.0 })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::made_up::{ae_answer, sensor_controls, sensor_info};
    use crate::settings::Kept;

    fn ask(settings: Settings) -> AeControls {
        let sensor = Sensor::new(&sensor_info(), &sensor_controls(), &[]).unwrap();
        ae(&mut { settings }, &sensor, Some((1.0, 16.0)), Some(&ae_answer(964, 256)))
    }

    #[test]
    fn both_limits_of_the_frame_time_are_pinned() {
        let asked = ask(Settings::default());
        assert_eq!(asked.frame_time_us, (33_331, 33_331));
        assert_eq!((asked.manual_exposure_us, asked.manual_analog_gain), (None, None));
        assert_eq!((asked.metering_mode, asked.flicker_reduction), (EVALUATIVE, FLICKER_AUTO));
    }

    #[test]
    fn values_by_hand_are_limited_to_the_sensor_s() {
        let by_hand = |time, gain| {
            let asked = ask(Settings {
                exposure: Kept { manual: true, value: time },
                gain: Kept { manual: true, value: gain },
                ..Settings::default()
            });
            (asked.manual_exposure_us.unwrap(), asked.manual_analog_gain.unwrap())
        };
        assert_eq!(by_hand(Some(10_000), Some(2.0)), (10_000, 2.0));
        assert_eq!(by_hand(Some(i32::MAX), Some(1e9)), (33_247, 16.0));
        assert_eq!(by_hand(Some(1), Some(0.1)), (41, 1.0));
        assert_eq!(by_hand(None, None), (9640, 2.0), "wherever AE has left them");
    }

    #[test]
    fn flicker_is_that_of_the_nearest_mains() {
        let asked = |flicker, flicker_period_us| {
            ask(Settings { flicker, flicker_period_us, ..Settings::default() }).flicker_reduction
        };
        assert_eq!(asked(Flicker::Manual, 10_000), FLICKER_50_HZ);
        assert_eq!(asked(Flicker::Manual, 8333), FLICKER_60_HZ);
        assert_eq!(asked(Flicker::Manual, 0), FLICKER_OFF);
        assert_eq!(asked(Flicker::Off, 10_000), FLICKER_OFF);
    }

    #[test]
    fn metering_has_a_window_only_for_a_spot() {
        let asked = |metering| ask(Settings { metering, ..Settings::default() });
        assert_eq!(asked(Metering::Centre).metering_mode, CENTRE);
        assert_eq!(asked(Metering::Matrix).window.right, 0);
        assert_eq!(asked(Metering::Spot).window.left, SPOT.left);
    }

    #[test]
    fn white_balance_is_kept_or_asked_for_a_light() {
        let asked = |settings: Settings| {
            awb(&settings).map(|controls| (controls.scene_mode, controls.cct_range))
        };
        assert_eq!(asked(Settings::default()), Some((0, None)));
        let mode = |awb_mode| asked(Settings { awb_mode, ..Settings::default() });
        assert_eq!(mode(2), Some((5, None)));
        assert_eq!(mode(4), Some((CCT_RANGE, Some(INDOOR))));
        let off = Settings { awb_enable: false, ..Settings::default() };
        assert_eq!(asked(off.clone()), None);
        assert!(colour_gains(&off).is_none());
        let kelvin = Settings { colour_temperature: Some(3000), ..off.clone() };
        assert_eq!(asked(kelvin), Some((CCT_RANGE, Some((3000, 3000)))));
        let gains = Settings { colour_gains: Some((2.0, 1.5)), ..off };
        assert_eq!(colour_gains(&gains).unwrap().r, 2.0);
    }
}
