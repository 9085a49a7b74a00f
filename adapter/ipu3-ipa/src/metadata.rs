//! What a frame was taken with, in libcamera's words.

use cami_ipu3::payload::{AwbResults, PaResults};
use cami_ipu3::sequence::ae::AeAnswer;
use cami_wire::libcamera::{Control, ControlElement, ControlValue};

use crate::control_ids::{ControlIds, ControlName};
use crate::focus::Focus;
use crate::numbers::{finite, round_to_i32};
use crate::ranges::FLICKER_PERIODS_US;
use crate::running::digital_gain;
use crate::sensor::Sensor;
use crate::settings::{AfMode, Settings};

/// Bits that `SensorBlackLevels` counts in.
const LEVEL_BITS: u32 = 16;
/// A colour temperature beyond this is an error of the estimate.
const MOST_KELVIN: u32 = 100_000;
/// `AeState`.
const AE_IDLE: i32 = 0;
const AE_SEARCHING: i32 = 1;
const AE_CONVERGED: i32 = 2;

/// The metadata of a frame.
#[derive(Debug)]
pub struct Metadata {
    ids: ControlIds,
    /// So far.
    pub controls: Vec<Control>,
}

impl Metadata {
    /// None yet.
    pub fn new(ids: ControlIds) -> Self {
        Self { ids, controls: Vec::new() }
    }

    fn value(&mut self, control: ControlName, value: ControlValue) {
        if let Some(id) = self.ids.id(control) {
            self.controls.push(Control { id, value });
        }
    }

    fn scalar<T: ControlElement>(&mut self, control: ControlName, value: T) {
        self.value(control, ControlValue::scalar(&value));
    }

    fn number(&mut self, control: ControlName, value: f32) {
        if finite(value).is_some() {
            self.scalar(control, value);
        }
    }

    fn numbers(&mut self, control: ControlName, values: &[f32]) {
        if values.iter().all(|value| value.is_finite())
            && let Ok(values) = ControlValue::array(values)
        {
            self.value(control, values);
        }
    }

    /// How the frame was exposed; `gain` is that of the sensor's code, if it is known.
    pub fn exposed(&mut self, sensor: &Sensor, lines: i32, gain: Option<f32>) {
        self.scalar(ControlName::ExposureTime, sensor.lines_to_us(lines));
        if let Some(gain) = gain {
            self.number(ControlName::AnalogueGain, gain);
        }
    }

    /// What does not depend on the library.
    pub fn settings(&mut self, sensor: &Sensor, settings: &Settings) {
        self.scalar(ControlName::FrameDuration, sensor.frame_duration_us());
        self.scalar(ControlName::ExposureTimeMode, i32::from(settings.exposure.manual));
        self.scalar(ControlName::AnalogueGainMode, i32::from(settings.gain.manual));
        self.scalar(ControlName::AwbEnable, settings.awb_enable);
    }

    /// What the frame's own AE answer says.
    pub fn own_ae(&mut self, answer: &AeAnswer) {
        self.number(ControlName::DigitalGain, digital_gain(answer));
    }

    /// What the newest AE answer says.
    pub fn ae(&mut self, answer: &AeAnswer, settings: &Settings) {
        let both_manual = settings.exposure.manual && settings.gain.manual;
        let state = match (both_manual, answer.converged()) {
            (true, _) => AE_IDLE,
            (false, true) => AE_CONVERGED,
            (false, false) => AE_SEARCHING,
        };
        self.scalar(ControlName::AeState, state);
        if !both_manual {
            self.scalar(ControlName::AeLocked, answer.converged());
        }
        let base = &answer.results().base;
        let (of_60_hz, of_50_hz) = FLICKER_PERIODS_US;
        let detected = match base.flicker_reduction_mode {
            1 => of_50_hz,
            2 => of_60_hz,
            _ => 0,
        };
        self.scalar(ControlName::AeFlickerDetected, detected);
        if base.lux_level_estimate > 0 {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            self.number(ControlName::Lux, base.lux_level_estimate as f32);
        }
    }

    /// The light, as AWB found it.
    pub fn temperature(&mut self, awb: &AwbResults) {
        if (1..=MOST_KELVIN).contains(&awb.cct_estimate) {
            let kelvin = i32::try_from(awb.cct_estimate).unwrap_or(i32::MAX);
            self.scalar(ControlName::ColourTemperature, kelvin);
        }
    }

    /// The colours that the frame's parameters were made of.
    pub fn colour(&mut self, sensor: &Sensor, pa: &PaResults) {
        let gains = &pa.color_gains;
        let green = f32::midpoint(gains.gr, gains.gb);
        self.numbers(ControlName::ColourGains, &[gains.r / green, gains.b / green]);
        let matrix = pa.color_conversion_matrix.as_flattened();
        self.numbers(ControlName::ColourCorrectionMatrix, matrix);
        let black = &pa.black_level;
        let shift = LEVEL_BITS.saturating_sub(sensor.bits).min(LEVEL_BITS);
        let level = |codes: f32| {
            let level = f64::from(codes) * f64::from(1_u32 << shift);
            round_to_i32(level.clamp(0.0, f64::from(u16::MAX)))
        };
        let levels = [black.r, black.gr, black.gb, black.b].map(level);
        if let Ok(levels) = ControlValue::array(&levels) {
            self.value(ControlName::SensorBlackLevels, levels);
        }
    }

    /// The lens.
    pub fn focus(&mut self, focus: &Focus, settings: &Settings) {
        let mode = match settings.af_mode {
            AfMode::Manual => 0,
            AfMode::Auto => 1,
            AfMode::Continuous => 2,
        };
        self.scalar(ControlName::AfMode, mode);
        self.scalar(ControlName::AfState, focus.state as i32);
        self.scalar(ControlName::AfPauseState, focus.pause as i32);
        if let Some(dioptres) = focus.dioptres() {
            self.number(ControlName::LensPosition, dioptres);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::control_ids::IdSet;
    use crate::made_up::{ae_answer, sensor_controls, sensor_info};
    use cami_ipu3::payload::ColorChannels;
    use zerocopy::FromZeros;

    fn sensor() -> Sensor {
        Sensor::new(&sensor_info(), &sensor_controls(), &[]).unwrap()
    }

    fn get<T: ControlElement>(metadata: &Metadata, control: ControlName) -> Option<T> {
        let id = metadata.ids.id(control)?;
        metadata.controls.iter().find(|found| found.id == id)?.value.get()
    }

    #[test]
    fn ae_is_told_as_each_version_knows_it() {
        let told = |set: IdSet, settings: &Settings| {
            let mut metadata = Metadata::new(set.into());
            metadata.ae(&ae_answer(100, 128), settings);
            (
                get::<bool>(&metadata, ControlName::AeLocked),
                get::<i32>(&metadata, ControlName::AeState),
            )
        };
        let automatic = Settings::default();
        assert_eq!(told(IdSet::UpTo0_1, &automatic), (Some(false), None));
        assert_eq!(told(IdSet::From0_2To0_4, &automatic), (Some(false), None));
        assert_eq!(told(IdSet::From0_5, &automatic), (None, Some(AE_SEARCHING)));
        let mut by_hand = automatic;
        by_hand.exposure.manual = true;
        by_hand.gain.manual = true;
        assert_eq!(told(IdSet::From0_5, &by_hand), (None, Some(AE_IDLE)));
        assert_eq!(told(IdSet::UpTo0_1, &by_hand), (None, None), "AE is not running");
    }

    #[test]
    fn colours_have_libcamera_s_units() {
        let ids = ControlIds::from(IdSet::From0_5);
        let mut metadata = Metadata::new(ids);
        let awb = AwbResults { cct_estimate: 4826, ..AwbResults::new_zeroed() };
        let pa = PaResults {
            color_gains: ColorChannels { gr: 1.0, r: 1.57, b: 1.48, gb: 1.0 },
            black_level: ColorChannels { gr: 64.0, r: 64.16, b: -3.0, gb: f32::INFINITY },
            ..PaResults::new_zeroed()
        };
        metadata.temperature(&awb);
        metadata.colour(&sensor(), &pa);
        let array = |control| {
            let id = ids.id(control).unwrap();
            &metadata.controls.iter().find(|found| found.id == id).unwrap().value
        };
        assert_eq!(get(&metadata, ControlName::ColourTemperature), Some(4826));
        let gains = array(ControlName::ColourGains).elements::<f32>().unwrap();
        assert_eq!(gains, [1.57, 1.48]);
        let levels = array(ControlName::SensorBlackLevels).elements::<i32>().unwrap();
        assert_eq!(levels, [4106, 4096, 65_535, 0], "R, Gr, Gb, B out of 65535");
    }

    #[test]
    fn what_is_no_number_is_not_told() {
        let mut metadata = Metadata::new(IdSet::From0_5.into());
        let pa =
            PaResults { color_conversion_matrix: [[f32::NAN; 3]; 3], ..PaResults::new_zeroed() };
        let awb = AwbResults { cct_estimate: u32::MAX, ..AwbResults::new_zeroed() };
        metadata.temperature(&awb);
        metadata.colour(&sensor(), &pa);
        metadata.exposed(&sensor(), 100, Some(f32::NAN));
        let ids: Vec<u32> = metadata.controls.iter().map(|control| control.id).collect();
        let known = |control| metadata.ids.id(control).unwrap();
        let expected = [ControlName::SensorBlackLevels, ControlName::ExposureTime].map(known);
        assert_eq!(ids, expected);
    }
}
