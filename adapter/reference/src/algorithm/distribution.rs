//! How an amount of exposure is made: exposure time first, then analogue gain, then digital gain.

use super::Exposure;
use super::gain::GainModel;
use super::number::{positive, to_u16};

/// The timing of the sensor, from the protocol's sensor descriptor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SensorTiming {
    /// Pixel clock, MHz.
    pub pixel_clock_mhz: f64,
    /// Line length, pixel clocks.
    pub line_length_pixels: u16,
    /// Frame length, lines.
    pub frame_length_lines: u16,
    /// Vertical blanking within that, lines.
    pub vertical_blanking_lines: u16,
    /// Shortest exposure, lines.
    pub coarse_min: u16,
    /// Lines by which the longest exposure is shorter than the frame.
    pub coarse_max_margin: u16,
}

impl SensorTiming {
    /// A 13-megapixel sensor at 30 frames per second, where nothing else is known.
    pub const GENERIC: Self = Self {
        pixel_clock_mhz: 432.0,
        line_length_pixels: 4480,
        frame_length_lines: 3214,
        vertical_blanking_lines: 78,
        coarse_min: 4,
        coarse_max_margin: 8,
    };

    /// This timing, or the generic one if it cannot be that of a sensor.
    fn sensible(self) -> Self {
        let clock = (0.1..=10_000.0).contains(&self.pixel_clock_mhz);
        if clock && self.line_length_pixels > 0 && self.frame_length_lines > 0 {
            self
        } else {
            Self::GENERIC
        }
    }
}

/// Limits to be kept; `None`, and numbers that are not positive, leave one open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Shortest exposure time, µs.
    pub time_min_us: Option<f64>,
    /// Longest exposure time, µs.
    pub time_max_us: Option<f64>,
    /// Shortest frame time, µs.
    pub frame_min_us: Option<f64>,
    /// Longest frame time, µs; where it is open, frames are as long as the sensor descriptor says.
    pub frame_max_us: Option<f64>,
    /// Least ISO.
    pub iso_min: Option<f64>,
    /// Greatest ISO.
    pub iso_max: Option<f64>,
}

/// What is fixed by hand.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Manual {
    /// Exposure time, µs.
    pub time_us: Option<f64>,
    /// All gain together.
    pub gain: Option<f64>,
}

/// An exposure in the sensor's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SensorExposure {
    /// Exposure time, lines.
    pub coarse_integration_time: u16,
    /// Analogue gain code.
    pub analog_gain_code: u16,
    /// Digital gain, 1024 for 1.
    pub digital_gain: u16,
    /// Line length, pixel clocks.
    pub line_length_pixels: u16,
    /// Frame length, lines.
    pub frame_length_lines: u16,
}

/// Steps of the digital gain in 1, as sensors count it (MIPI CCS: 8.8 or finer; OmniVision: 1024).
const DIGITAL_STEPS: f64 = 1024.0;
/// Most digital gain: it adds no information, so it only closes what the other two leave open.
const DIGITAL_MAX: f64 = 2.0;

/// All ways of exposing that the sensor, the limits and the hand allow.
#[derive(Debug, Clone)]
pub struct Distribution<'a> {
    timing: SensorTiming,
    gains: &'a GainModel,
    /// Duration of a line, µs.
    line_us: f64,
    /// Shortest and longest exposure, lines.
    lines: (u16, u16),
    /// Shortest and longest frame, lines.
    frame: (u16, u16),
    /// Least and most gain.
    gain: (f64, f64),
    /// Period of the flicker to be avoided, µs.
    period_us: Option<f64>,
}

impl<'a> Distribution<'a> {
    /// What is allowed.
    pub fn new(
        timing: SensorTiming,
        gains: &'a GainModel,
        base_iso: f64,
        limits: &Limits,
        manual: Manual,
        period_us: Option<f64>,
    ) -> Self {
        let timing = timing.sensible();
        let line_us = f64::from(timing.line_length_pixels) / timing.pixel_clock_mhz;
        let (frame, longest) = frame_lines(&timing, line_us, limits, &manual);
        let shortest = timing.coarse_min.clamp(1, longest);
        let to_lines = |us: f64| to_u16((us / line_us).floor());
        let lines = match manual.time_us.and_then(positive) {
            Some(us) => {
                let lines = to_u16(us / line_us).clamp(shortest, longest);
                (lines, lines)
            }
            None => {
                let high = limits.time_max_us.and_then(positive).map_or(longest, to_lines);
                let high = high.clamp(shortest, longest);
                let low = limits.time_min_us.and_then(positive);
                let low = low.map_or(shortest, |us| to_u16((us / line_us).ceil()));
                (low.clamp(shortest, high), high)
            }
        };
        let (least, most) = gains.range();
        let most = most * DIGITAL_MAX;
        let gain = match manual.gain.and_then(positive) {
            Some(gain) => (gain.clamp(least, most), gain.clamp(least, most)),
            None => {
                let of = |iso: Option<f64>| iso.and_then(positive).map(|iso| iso / base_iso);
                let high = of(limits.iso_max).map_or(most, |gain| gain.clamp(least, most));
                (of(limits.iso_min).map_or(least, |gain| gain.clamp(least, high)), high)
            }
        };
        // A manual time is kept whether it flickers or not.
        let period_us = period_us.filter(|_| manual.time_us.and_then(positive).is_none());
        Self { timing, gains, line_us, lines, frame, gain, period_us }
    }

    /// Least and most exposure time × gains, µs.
    pub fn range(&self) -> (f64, f64) {
        let longest = self.without_flicker(self.lines.1);
        (self.time_us(self.lines.0) * self.gain.0, self.time_us(longest) * self.gain.1)
    }

    /// The exposure whose time × gains is nearest to `total_us`; the least one for NaN.
    pub fn exposure(&self, total_us: f64) -> (Exposure, SensorExposure) {
        let (low, high) = self.range();
        // Unlike `clamp`, `max` and `min` pass over NaN.
        let total_us = total_us.max(low).min(high);
        let wanted = to_u16((total_us / self.gain.0 / self.line_us).floor());
        let lines = self.without_flicker(wanted.clamp(self.lines.0, self.lines.1));
        let time_us = self.time_us(lines);
        let gain = (total_us / time_us).clamp(self.gain.0, self.gain.1);
        let code = self.gains.code_of(gain);
        let analog_gain = self.gains.gain_of(code);
        let steps = (gain / analog_gain).clamp(1.0, DIGITAL_MAX) * DIGITAL_STEPS;
        let digital = to_u16(steps);
        let needed = lines.saturating_add(self.timing.coarse_max_margin);
        let sensor = SensorExposure {
            coarse_integration_time: lines,
            analog_gain_code: code,
            digital_gain: digital,
            line_length_pixels: self.timing.line_length_pixels,
            frame_length_lines: needed.clamp(self.frame.0, self.frame.1),
        };
        let digital_gain = f64::from(digital) / DIGITAL_STEPS;
        (Exposure { time_us, analog_gain, digital_gain }, sensor)
    }

    /// Exposure time of a number of lines in whole µs, as the protocol counts it.
    fn time_us(&self, lines: u16) -> f64 {
        (f64::from(lines) * self.line_us + 1e-6).floor().max(1.0)
    }

    /// The longest exposure of up to `lines` lines that lasts whole periods of the flicker, to the
    /// nearest line; `lines` itself below one period, where flicker cannot be avoided, and where
    /// the limits leave no such exposure.
    fn without_flicker(&self, lines: u16) -> u16 {
        let Some(period_us) = self.period_us else { return lines };
        // Half a line of tolerance, so that an exposure of whole periods is found again.
        let periods = ((f64::from(lines) + 0.5) * self.line_us / period_us).floor();
        let whole = to_u16(periods * period_us / self.line_us);
        if periods >= 1.0 && (self.lines.0..=self.lines.1).contains(&whole) { whole } else { lines }
    }
}

/// Shortest and longest frame, and the longest exposure, in lines.
fn frame_lines(
    timing: &SensorTiming,
    line_us: f64,
    limits: &Limits,
    manual: &Manual,
) -> ((u16, u16), u16) {
    let normal = timing.frame_length_lines;
    // The picture itself must be read out in every frame.
    let read_out = normal.saturating_sub(timing.vertical_blanking_lines).max(1);
    let lines = |us: f64| us / line_us;
    let longest = match limits.frame_max_us.and_then(positive) {
        Some(us) => to_u16((lines(us) + 1e-6).floor()).max(read_out),
        None if manual.time_us.and_then(positive).is_some() => u16::MAX,
        None => limits
            .frame_min_us
            .and_then(positive)
            .map_or(normal, |us| to_u16((lines(us) - 1e-6).ceil()).max(normal)),
    };
    let shortest = match limits.frame_min_us.and_then(positive) {
        Some(us) => to_u16((lines(us) - 1e-6).ceil()),
        None => normal,
    };
    let exposure = longest.saturating_sub(timing.coarse_max_margin).max(1);
    ((shortest.max(read_out).min(longest), longest), exposure)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENSOR: SensorTiming = SensorTiming::GENERIC;
    const THIRTY: Limits = Limits {
        frame_min_us: Some(33_333.0),
        frame_max_us: Some(33_334.0),
        time_min_us: None,
        time_max_us: None,
        iso_min: None,
        iso_max: None,
    };

    fn made(limits: &Limits, manual: Manual, period: Option<f64>, total: f64) -> SensorExposure {
        let gains = GainModel::linear();
        Distribution::new(SENSOR, &gains, 100.0, limits, manual, period).exposure(total).1
    }

    #[test]
    fn time_comes_first_then_analogue_then_digital_gain() {
        let gains = GainModel::linear();
        let all = Distribution::new(SENSOR, &gains, 100.0, &THIRTY, Manual::default(), None);
        let (short, sensor) = all.exposure(1000.0);
        // 96 lines of 10.37 µs; the rest is digital gain, 1000 / 995.
        assert_eq!((short.time_us, short.analog_gain), (995.0, 1.0));
        assert_eq!((sensor.coarse_integration_time, sensor.digital_gain), (96, 1029));
        assert_eq!((sensor.line_length_pixels, sensor.frame_length_lines), (4480, 3214));
        let (dim, sensor) = all.exposure(100_000.0);
        assert_eq!(sensor.coarse_integration_time, 3206);
        assert!(dim.analog_gain >= 3.0 && dim.digital_gain < 1.01);
        let (dark, sensor) = all.exposure(1e9);
        assert_eq!((dark.analog_gain, dark.digital_gain), (16.0, 2.0));
        assert_eq!((sensor.analog_gain_code, sensor.digital_gain), (2048, 2048));
        let (bright, _) = all.exposure(1.0);
        assert_eq!((bright.time_us, bright.analog_gain, bright.digital_gain), (41.0, 1.0, 1.0));
    }

    #[test]
    fn the_whole_range_is_met_within_half_a_per_cent() {
        let gains = GainModel::linear();
        for period in [None, Some(10_000.0), Some(8_333.333)] {
            let all = Distribution::new(SENSOR, &gains, 100.0, &THIRTY, Manual::default(), period);
            let (low, high) = all.range();
            for step in 0..=1000 {
                let total = low * (high / low).powf(f64::from(step) / 1000.0);
                let made = all.exposure(total).0.total_us().expect("positive");
                assert!((made / total - 1.0).abs() < 0.005, "{total}: {made}");
            }
        }
    }

    #[test]
    fn frame_time_limits_decide_how_long_an_exposure_may_be() {
        let slow = Limits { frame_max_us: Some(66_667.0), ..THIRTY };
        let sensor = made(&slow, Manual::default(), None, 60_000.0);
        assert!(sensor.coarse_integration_time > 5700, "{sensor:?}");
        assert_eq!(sensor.frame_length_lines, sensor.coarse_integration_time + 8);
        let bright = made(&slow, Manual::default(), None, 5_000.0);
        assert_eq!(bright.frame_length_lines, 3215, "no shorter than the shortest frame");
        let fast = Limits { frame_min_us: None, frame_max_us: Some(10_000.0), ..THIRTY };
        let sensor = made(&fast, Manual::default(), None, 60_000.0);
        assert_eq!(sensor.frame_length_lines, 3214 - 78, "the picture has to be read out");
        let open = made(&Limits::default(), Manual::default(), None, 60_000.0);
        assert_eq!((open.frame_length_lines, open.coarse_integration_time), (3214, 3206));
    }

    #[test]
    fn exposure_time_and_iso_limits_are_kept() {
        let limits = Limits {
            time_min_us: Some(5_000.0),
            time_max_us: Some(8_000.0),
            iso_min: Some(200.0),
            iso_max: Some(400.0),
            ..THIRTY
        };
        let gains = GainModel::linear();
        let all = Distribution::new(SENSOR, &gains, 100.0, &limits, Manual::default(), None);
        for total in [1.0, 12_000.0, 20_000.0, 1e9] {
            let (exposure, _) = all.exposure(total);
            assert!((4_999.0..=8_000.0).contains(&exposure.time_us), "{exposure:?}");
            let gain = exposure.analog_gain * exposure.digital_gain;
            assert!((2.0..=4.001).contains(&gain), "{exposure:?}");
        }
    }

    #[test]
    fn what_is_set_by_hand_is_kept() {
        let manual = Manual { time_us: Some(10_000.0), gain: Some(2.0) };
        for total in [1.0, 50_000.0, 1e9] {
            let sensor = made(&THIRTY, manual, Some(8_333.333), total);
            assert_eq!(
                (sensor.coarse_integration_time, sensor.analog_gain_code, sensor.digital_gain),
                (964, 256, 1024)
            );
        }
        // Half a second needs a longer frame, which nothing forbids here.
        let long = Manual { time_us: Some(500_000.0), gain: None };
        let sensor = made(&Limits::default(), long, None, 1.0);
        assert_eq!((sensor.coarse_integration_time, sensor.frame_length_lines), (48_214, 48_222));
        assert_eq!(made(&THIRTY, long, None, 1.0).coarse_integration_time, 3206);
    }

    #[test]
    fn exposures_above_a_period_last_whole_periods() {
        let gains = GainModel::linear();
        for period in [10_000.0, 1e6 / 120.0] {
            let all =
                Distribution::new(SENSOR, &gains, 100.0, &THIRTY, Manual::default(), Some(period));
            for total in (100..200_000).step_by(97) {
                let (exposure, sensor) = all.exposure(f64::from(total));
                let time = f64::from(sensor.coarse_integration_time) * 4480.0 / 432.0;
                let periods = time / period;
                let rest = (periods - periods.round()).abs() * period;
                assert!(
                    exposure.time_us < period || rest < 4480.0 / 432.0,
                    "{total} µs of {period}: {time}"
                );
            }
        }
    }

    #[test]
    fn rubbish_is_replaced_by_something_sensible() {
        let gains = GainModel::linear();
        let values = [0.0, -1.0, 1e-300, 1.0, 1e5, 1e300, f64::INFINITY, f64::NAN];
        for clock in values {
            for limit in values {
                for lines in [0, 1, u16::MAX] {
                    let timing = SensorTiming {
                        pixel_clock_mhz: clock,
                        line_length_pixels: lines,
                        frame_length_lines: lines,
                        vertical_blanking_lines: lines,
                        coarse_min: lines,
                        coarse_max_margin: lines,
                    };
                    let some = Some(limit);
                    let limits = Limits {
                        time_min_us: some,
                        time_max_us: some,
                        frame_min_us: some,
                        frame_max_us: some,
                        iso_min: some,
                        iso_max: some,
                    };
                    let manual = Manual { time_us: some, gain: some };
                    for manual in [manual, Manual::default()] {
                        let all =
                            Distribution::new(timing, &gains, 100.0, &limits, manual, Some(1e4));
                        for total in values {
                            let (exposure, sensor) = all.exposure(total);
                            assert!(exposure.time_us >= 1.0 && exposure.time_us.is_finite());
                            assert!((1.0..=16.0).contains(&exposure.analog_gain));
                            assert!((1.0..=2.0).contains(&exposure.digital_gain));
                            assert!(sensor.coarse_integration_time >= 1);
                            assert!(sensor.frame_length_lines >= 1);
                        }
                    }
                }
            }
        }
    }
}
