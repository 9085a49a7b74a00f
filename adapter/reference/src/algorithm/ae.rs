//! Automatic exposure.
//!
//! The brightness of a scene is metered ([`weights`]) and, with the exposure that the HAL echoes
//! for the same frame, gives the exposure at which the mean would be at its target:
//! wanted = echoed × target / level. That does not depend on how many frames pass before a result
//! takes effect, so the loop cannot hunt whatever the lag; it is approached by a fixed share per
//! frame in units of stops. A frame without an echo tells nothing.

pub use super::distribution::{Limits, SensorExposure, SensorTiming};
pub use super::metering::{Metering, WEIGHT_COLUMNS, WEIGHT_ROWS, weights};

use super::distribution::{Distribution, Manual};
use super::metering::{Level, level};
use super::number::{finite_or, positive, to_i32, to_u32};
use super::{AE_TARGET, Exposure, GainModel, Statistics, Window};

/// Exposure time × gain before anything was measured, µs: short enough not to blind the sensor in
/// daylight, long enough to see something in an office. The nearest whole lines of a sensor make
/// about 995 µs of it.
const COLD_START_US: f64 = 1000.0;
/// Share of the distance to the wanted exposure, in stops, that one frame goes: a step of 100
/// times is done to 5 % in 7 frames, and flicker of single frames is halved.
const SPEED: f64 = 0.5;
/// Largest exposure compensation, stops: more is not asked by any HAL (Android allows ±4).
const MOST_EV_SHIFT: f64 = 4.0;
/// Largest target, of 255: beyond it most of the picture would saturate.
const MOST_TARGET: f64 = 200.0;
/// Distance from the wanted exposure, as its natural logarithm, at which AE comes to rest, and the
/// one at which it starts again: two numbers, so that noise does not move it back and forth.
const REST_WITHIN: f64 = 0.005;
const START_BEYOND: f64 = 0.03;
/// Distance from the target, per cent, within which AE calls itself converged.
const CONVERGED_PERCENT: f64 = 5.0;
/// ISO at gain 1 where the sensor's is not known.
const GENERIC_ISO: f64 = 100.0;
/// Constant of incident-light meters (ISO 2720, flat receptor): lux = C·N² / (t·ISO).
const METER_CONSTANT: f64 = 250.0;
/// Focal ratio of a generic small camera.
const F_NUMBER: f64 = 2.0;

/// Frequency of the mains whose flicker is to be avoided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flicker {
    /// None.
    #[default]
    Off,
    /// 50 Hz: light flickers every 10 ms.
    Hz50,
    /// 60 Hz: light flickers every 8.333 ms.
    Hz60,
    /// Not known. A grid of means of whole cells does not show the bands of flicker, so nothing
    /// detects it: 50 Hz is assumed, the mains of most of the world.
    Auto,
}

impl Flicker {
    /// The flicker of a value of `ia_aiq_ae_flicker_reduction`; unknown ones are off, and "detect"
    /// is as automatic.
    #[must_use]
    pub fn from_protocol(mode: i32) -> Self {
        match mode {
            1 => Self::Hz50,
            2 => Self::Hz60,
            3 | 4 => Self::Auto,
            _ => Self::Off,
        }
    }

    /// The frequency that is avoided where this is asked for.
    fn avoided(self) -> Self {
        if self == Self::Auto { Self::Hz50 } else { self }
    }

    /// Period of the light, half of that of the mains, µs.
    fn period_us(self) -> Option<f64> {
        match self.avoided() {
            Self::Hz50 => Some(10_000.0),
            Self::Hz60 => Some(1e6 / 120.0),
            Self::Off | Self::Auto => None,
        }
    }
}

/// What AE is asked.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The latest statistics.
    pub statistics: Option<&'a Statistics>,
    /// Timing of the sensor.
    pub sensor: SensorTiming,
    /// Gain codes of the sensor.
    pub gains: &'a GainModel,
    /// ISO at gain 1.
    pub base_iso: f64,
    /// What is metered.
    pub metering: Metering,
    /// Part of the picture to be metered alone; the whole one if empty.
    pub window: Window,
    /// Flicker to be avoided.
    pub flicker: Flicker,
    /// Exposure compensation, stops.
    pub ev_shift: f64,
    /// Exposure time to be kept, µs: to the nearest line, within the frame time.
    pub manual_time_us: Option<f64>,
    /// Analogue gain to be kept; digital gain makes up for what the sensor's codes leave open.
    pub manual_analog_gain: Option<f64>,
    /// ISO to be kept, by analogue and digital gain; comes before the analogue gain.
    pub manual_iso: Option<f64>,
    /// Limits to be kept by what is not set by hand.
    pub limits: Limits,
}

/// What AE answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The exposure.
    pub exposure: Exposure,
    /// The same in the sensor's units.
    pub sensor: SensorExposure,
    /// ISO of its gains.
    pub iso: i32,
    /// Exposure time × gains that AE aimed at, µs.
    pub total_target_us: i32,
    /// How far the metered level is from the target, per cent of it; negative is too dark, 0 where
    /// nothing was measured.
    pub distance_percent: f64,
    /// Whether AE has come to rest: at its target, at its limits, or because it has no choice.
    pub converged: bool,
    /// Rough illuminance of the scene, lux: the one at which a meter would recommend the exposure
    /// wanted here, for a lens of f/2. Transmission and sensor are not known; expect it to be
    /// right within a factor of 3.
    pub lux: u32,
    /// The flicker that is avoided; never [`Flicker::Auto`].
    pub flicker: Flicker,
}

/// Memory of AE from one frame to the next.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The last result, time × gains in µs.
    total_us: Option<f64>,
    /// Whether that was a state of rest.
    resting: bool,
    lux: u32,
}

/// A frame's brightness and the exposure that made it.
struct Measurement {
    level: Level,
    echoed_us: f64,
}

impl State {
    /// One run.
    pub fn run(&mut self, inputs: &Inputs<'_>) -> Outcome {
        let base_iso = positive(inputs.base_iso).unwrap_or(GENERIC_ISO).clamp(1.0, 1e5);
        let manual = Manual {
            time_us: inputs.manual_time_us,
            gain: match inputs.manual_iso.and_then(positive) {
                Some(iso) => Some(iso / base_iso),
                None => inputs.manual_analog_gain,
            },
        };
        let allowed = Distribution::new(
            inputs.sensor,
            inputs.gains,
            base_iso,
            &inputs.limits,
            manual,
            inputs.flicker.period_us(),
        );
        let ev_shift = finite_or(inputs.ev_shift, 0.0).clamp(-MOST_EV_SHIFT, MOST_EV_SHIFT);
        let target = (AE_TARGET * ev_shift.exp2()).min(MOST_TARGET);

        let measurement = inputs.statistics.and_then(|statistics| {
            let echoed_us = statistics.exposure.as_ref().and_then(Exposure::total_us)?;
            let level = level(statistics, inputs.metering, inputs.window)?;
            Some(Measurement { level, echoed_us })
        });
        let (low, high) = allowed.range();
        let mut distance_percent = 0.0;
        let mut at_limit = false;
        let total_us = match &measurement {
            Some(Measurement { level, echoed_us }) => {
                let brightness = level.estimate();
                distance_percent = 100.0 * (brightness / target - 1.0);
                let wanted = echoed_us * target / brightness;
                at_limit = !(low..=high).contains(&wanted);
                self.lux = lux(echoed_us * AE_TARGET / brightness, base_iso);
                // Without a result of its own, as after a restart, AE goes on from the echoed one.
                let last = self.total_us.unwrap_or(*echoed_us);
                self.step(last.clamp(low, high), wanted.clamp(low, high), level.saturated)
            }
            None => self.total_us.unwrap_or(COLD_START_US).clamp(low, high),
        };
        if measurement.is_some() {
            self.total_us = Some(total_us);
        }
        let (exposure, sensor) = allowed.exposure(total_us);
        let by_hand = low >= high;
        let at_target = distance_percent.abs() <= CONVERGED_PERCENT;
        Outcome {
            exposure,
            sensor,
            iso: to_i32(base_iso * exposure.analog_gain * exposure.digital_gain),
            total_target_us: to_i32(total_us),
            distance_percent,
            converged: by_hand
                || (measurement.is_some() && self.resting && (at_target || at_limit)),
            lux: self.lux,
            flicker: inputs.flicker.avoided(),
        }
    }

    /// The next exposure on the way from `last` to `wanted`, both above zero.
    fn step(&mut self, last: f64, wanted: f64, saturated: f64) -> f64 {
        let distance = (wanted / last).ln();
        let threshold = if self.resting { START_BEYOND } else { REST_WITHIN };
        self.resting = distance.abs() <= threshold;
        if self.resting {
            return last;
        }
        // A saturated picture is at least as bright as it seems: the whole way is not too far.
        let speed = SPEED + (1.0 - SPEED) * saturated.clamp(0.0, 1.0);
        last * (distance * speed).exp()
    }
}

/// Illuminance at which an exposure (µs at gain 1) is right.
fn lux(exposure_us: f64, base_iso: f64) -> u32 {
    to_u32(METER_CONSTANT * F_NUMBER * F_NUMBER / (exposure_us * 1e-6 * base_iso))
}
