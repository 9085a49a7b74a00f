//! No input makes an algorithm panic, nor answer with a number that is not finite.

use super::inputs;
use crate::algorithm::ae::{self, Flicker, Limits, Metering, SensorTiming};
use crate::algorithm::{
    AfStatistics, Cell, Exposure, GainModel, Segment, Statistics, Window, af, awb,
};

/// A source of inputs: xorshift64*, so that the tests are the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u64) -> usize {
        usize::try_from(self.roll() % limit).unwrap()
    }

    /// Any number: rubbish, an extreme, or something usual.
    fn number(&mut self) -> f64 {
        const EXTREMES: [f64; 10] =
            [0.0, -0.0, -1.0, 1e-308, 1e308, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, -1e9];
        match self.below(4) {
            0 => EXTREMES[self.below(10)],
            1 => f64::from_bits(self.roll()),
            2 => 10.0_f64.powi(self.below(12) as i32 - 4),
            _ => self.below(10_000) as f64 / 100.0,
        }
    }

    fn integer(&mut self) -> i32 {
        match self.below(3) {
            0 => [0, 1, -1, i32::MIN, i32::MAX][self.below(5)],
            1 => self.roll() as i32,
            _ => self.below(9000) as i32,
        }
    }

    fn maybe(&mut self) -> Option<f64> {
        if self.below(2) == 0 { None } else { Some(self.number()) }
    }

    fn window(&mut self) -> Window {
        Window {
            left: self.integer(),
            top: self.integer(),
            right: self.integer(),
            bottom: self.integer(),
        }
    }

    fn size(&mut self) -> usize {
        [0, 1, 2, 7, 16, usize::MAX][self.below(6)]
    }

    fn statistics(&mut self) -> Statistics {
        let byte = |dice: &mut Self| [0, 1, 40, 128, 255, dice.roll() as u8][dice.below(6)];
        let cell = |dice: &mut Self| Cell {
            gr: byte(dice),
            r: byte(dice),
            b: byte(dice),
            gb: byte(dice),
            sat: byte(dice),
        };
        let cells = (0..self.below(300)).map(|_| cell(self)).collect();
        let exposure = if self.below(4) == 0 {
            None
        } else {
            Some(Exposure {
                time_us: self.number(),
                analog_gain: self.number(),
                digital_gain: self.number(),
            })
        };
        let af = if self.below(3) == 0 {
            None
        } else {
            let fr1 = (0..self.below(80)).map(|_| self.integer()).collect();
            let fr2 = (0..self.below(80)).map(|_| self.integer()).collect();
            Some(AfStatistics { width: self.size(), height: self.size(), fr1, fr2 })
        };
        Statistics {
            width: self.size(),
            height: self.size(),
            cells,
            timestamp_us: if self.below(2) == 0 { 0 } else { self.roll() },
            exposure,
            af,
        }
    }
}

#[test]
fn ae_survives_anything() {
    let mut dice = Dice(1);
    let mut state = ae::State::default();
    for round in 0..20_000 {
        if round % 50 == 0 {
            state = ae::State::default();
        }
        let measured = dice.statistics();
        let segment = Segment {
            m0: dice.roll() as i16,
            c0: dice.roll() as i16,
            m1: dice.roll() as i16,
            c1: dice.roll() as i16,
            code_min: dice.roll() as u16 % 64,
            code_max: dice.roll() as u16 % 512,
            code_step: dice.roll() as u16 % 8,
        };
        let gains = GainModel::from_segments(&[segment]).unwrap_or_else(GainModel::linear);
        let inputs = ae::Inputs {
            sensor: SensorTiming {
                pixel_clock_mhz: dice.number(),
                line_length_pixels: dice.roll() as u16,
                frame_length_lines: dice.roll() as u16,
                vertical_blanking_lines: dice.roll() as u16,
                coarse_min: dice.roll() as u16,
                coarse_max_margin: dice.roll() as u16,
            },
            base_iso: dice.number(),
            metering: if dice.below(2) == 0 { Metering::Centre } else { Metering::Evaluative },
            window: dice.window(),
            flicker: Flicker::from_protocol(dice.below(6) as i32),
            ev_shift: dice.number(),
            manual_time_us: dice.maybe(),
            manual_analog_gain: dice.maybe(),
            manual_iso: dice.maybe(),
            limits: Limits {
                time_min_us: dice.maybe(),
                time_max_us: dice.maybe(),
                frame_min_us: dice.maybe(),
                frame_max_us: dice.maybe(),
                iso_min: dice.maybe(),
                iso_max: dice.maybe(),
            },
            ..inputs(&gains, Some(&measured))
        };
        let outcome = state.run(&inputs);
        assert!(outcome.exposure.total_us().is_some(), "{inputs:?}: {outcome:?}");
        assert!(outcome.distance_percent.is_finite());
        assert!(outcome.exposure.time_us >= 1.0 && outcome.exposure.digital_gain >= 1.0);
        assert!(outcome.sensor.coarse_integration_time >= 1);
        assert!((1024..=2048).contains(&outcome.sensor.digital_gain));
        let weights = ae::weights(inputs.metering, inputs.window);
        assert!(weights.iter().any(|weight| *weight > 0));
    }
}

#[test]
fn awb_survives_anything() {
    let mut dice = Dice(2);
    let mut state = awb::State::default();
    for _ in 0..5_000 {
        let measured = dice.statistics();
        let mode = match dice.below(4) {
            0 => awb::Mode::from_scene(dice.below(20) as i32),
            1 => awb::Mode::CctRange { min: dice.number(), max: dice.number() },
            2 => awb::Mode::WhitePoint { x: dice.integer(), y: dice.integer() },
            _ => awb::Mode::Auto,
        };
        let outcome = state.run(&awb::Inputs {
            statistics: Some(&measured),
            mode,
            convergence_time_s: dice.maybe(),
        });
        for ratio in [
            outcome.accurate_r_per_g,
            outcome.accurate_b_per_g,
            outcome.final_r_per_g,
            outcome.final_b_per_g,
        ] {
            assert!((0.05..20.0).contains(&ratio), "{mode:?}: {outcome:?}");
        }
        assert!((2000..=12_000).contains(&outcome.cct));
        assert!((0.0..=1.0).contains(&outcome.distance));
    }
}

#[test]
fn af_survives_anything() {
    let mut dice = Dice(3);
    let mut state = af::State::default();
    for _ in 0..20_000 {
        let measured = dice.statistics();
        let mode = af::Mode::from_protocol(
            dice.below(6) as i32,
            dice.below(4) as i32,
            dice.roll() as u32,
            dice.integer(),
        );
        let outcome = state.run(&af::Inputs {
            statistics: if dice.below(8) == 0 { None } else { Some(&measured) },
            lens_position: dice.integer(),
            lens_movement_start_us: if dice.below(2) == 0 { 0 } else { dice.roll() },
            mode,
            range: af::Range::from_protocol(dice.below(4) as i32),
            window: dice.window(),
            trigger_new_search: dice.below(50) == 0,
        });
        assert!(af::POSITIONS.contains(&outcome.next_position), "{outcome:?}");
    }
}
