//! Analogue gain in the sensor's codes.

use super::number::{finite_or, positive};

/// One range of gain codes by the formula of SMIA 1.0 (MIPI CCS 1.1, "analogue gain"):
/// gain = (m0·code + c0) / (m1·code + c1), for codes `code_min`, `code_min + code_step` … `code_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Factor of the code in the numerator.
    pub m0: i16,
    /// Constant of the numerator.
    pub c0: i16,
    /// Factor of the code in the denominator.
    pub m1: i16,
    /// Constant of the denominator.
    pub c1: i16,
    /// First code.
    pub code_min: u16,
    /// Last code.
    pub code_max: u16,
    /// Distance of neighbouring codes; 0 is taken as 1.
    pub code_step: u16,
}

impl Segment {
    fn gain_of(&self, code: u16) -> Option<f64> {
        let code = f64::from(code);
        let numerator = f64::from(self.m0) * code + f64::from(self.c0);
        let denominator = f64::from(self.m1) * code + f64::from(self.c1);
        positive(numerator / denominator)
    }
}

/// Gain codes of a sensor: which there are, and the gain of each.
///
/// Kept as a table sorted by gain, so that every kind of sensor is looked up in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct GainModel {
    /// Gain and code, by rising gain; never empty.
    pairs: Vec<(f64, u16)>,
}

/// Largest number of codes that a model keeps: all that 16 bits have, which bounds its memory at
/// 1 MiB whatever a tuning file says.
const MOST_CODES: usize = 65_536;
/// Gains outside of this are not believed: no sensor has them.
const GAIN_RANGE: std::ops::RangeInclusive<f64> = 1.0 / 16.0..=4096.0;

impl GainModel {
    /// The generic linear sensor, gain = code / 128 from 1 to 16 (as OmniVision's OV13858 and
    /// OV5670 count their gain).
    #[must_use]
    pub fn linear() -> Self {
        Self { pairs: (128..=2048).map(|code| (f64::from(code) / 128.0, code)).collect() }
    }

    /// A sensor described by SMIA segments; `None` if they hold no usable gain.
    #[must_use]
    pub fn from_segments(segments: &[Segment]) -> Option<Self> {
        let codes = segments.iter().flat_map(|segment| {
            (segment.code_min..=segment.code_max)
                .step_by(usize::from(segment.code_step.max(1)))
                .filter_map(|code| segment.gain_of(code).map(|gain| (gain, code)))
        });
        Self::sorted(codes)
    }

    /// A sensor described by pairs of gain and code; `None` if none is usable.
    #[must_use]
    pub fn from_pairs(pairs: &[(f64, u16)]) -> Option<Self> {
        Self::sorted(pairs.iter().copied())
    }

    fn sorted(pairs: impl Iterator<Item = (f64, u16)>) -> Option<Self> {
        let mut pairs: Vec<(f64, u16)> =
            pairs.filter(|(gain, _)| GAIN_RANGE.contains(gain)).take(MOST_CODES).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        pairs.dedup_by(|a, b| a.0 == b.0);
        if pairs.is_empty() { None } else { Some(Self { pairs }) }
    }

    /// Gain of a code; of the nearest code if the sensor does not have this one.
    #[must_use]
    pub fn gain_of(&self, code: u16) -> f64 {
        self.pairs
            .iter()
            .min_by_key(|(_, known)| known.abs_diff(code))
            .map_or(1.0, |(gain, _)| *gain)
    }

    /// The code with the largest gain that is not above `gain`; the first one below the range, and
    /// for a number that is not finite.
    #[must_use]
    pub fn code_of(&self, gain: f64) -> u16 {
        // A gain that was computed from a code, or crossed the protocol as `f32`, is that code.
        let wanted = finite_or(gain, 0.0) * (1.0 + 1e-6);
        let above = self.pairs.partition_point(|(known, _)| *known <= wanted);
        let index = above.saturating_sub(1);
        self.pairs.get(index).map_or(0, |(_, code)| *code)
    }

    /// Smallest and largest gain.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let ends = self.pairs.first().zip(self.pairs.last());
        ends.map_or((1.0, 1.0), |(first, last)| (first.0, last.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linear_sensor_counts_in_128ths() {
        let gains = GainModel::linear();
        assert_eq!(gains.range(), (1.0, 16.0));
        for (gain, code) in [(1.0, 128), (2.0, 256), (8.0, 1024), (1000.0, 2048)] {
            assert_eq!(gains.code_of(gain), code);
        }
        assert_eq!(gains.gain_of(356), 2.781_25);
        assert_eq!(gains.gain_of(0), 1.0, "a code that the sensor does not have");
        assert_eq!(gains.code_of(1.999), 255, "never more than asked for");
        assert_eq!(gains.code_of(f64::NAN), 128);
    }

    #[test]
    fn an_inverse_segment_rises_with_its_code() {
        // Sony's form: gain = 512 / (512 - code).
        let sony =
            Segment { m0: 0, c0: 512, m1: -1, c1: 512, code_min: 0, code_max: 480, code_step: 1 };
        let gains = GainModel::from_segments(&[sony]).expect("gains");
        assert_eq!(gains.range(), (1.0, 16.0));
        assert_eq!(gains.code_of(2.0), 256);
        assert_eq!(gains.gain_of(448), 8.0);
        for code in 0..=480 {
            assert_eq!(gains.code_of(gains.gain_of(code)), code);
        }
    }

    #[test]
    fn steps_and_several_segments_are_kept() {
        let low = Segment { m0: 1, c0: 0, m1: 0, c1: 16, code_min: 16, code_max: 30, code_step: 2 };
        let high = Segment { code_min: 32, code_max: 64, code_step: 4, ..low };
        let gains = GainModel::from_segments(&[high, low]).expect("gains");
        assert_eq!(gains.code_of(1.99), 30);
        assert_eq!(gains.code_of(2.2), 32);
        assert_eq!(gains.range(), (1.0, 4.0));
    }

    #[test]
    fn tables_of_rubbish_give_no_model_and_mixed_ones_what_is_good() {
        assert_eq!(GainModel::from_pairs(&[]), None);
        assert_eq!(GainModel::from_pairs(&[(f64::NAN, 1), (0.0, 2), (-1.0, 3), (1e9, 4)]), None);
        let nowhere =
            Segment { m0: 0, c0: 0, m1: 0, c1: 0, code_min: 0, code_max: u16::MAX, code_step: 0 };
        assert_eq!(GainModel::from_segments(&[nowhere]), None);
        let gains = GainModel::from_pairs(&[(4.0, 9), (f64::INFINITY, 8), (1.0, 3)]).expect("two");
        assert_eq!(gains.range(), (1.0, 4.0));
        assert_eq!(gains.code_of(3.9), 3);
    }
}
