//! Whether AE and AWB converged: judged from the sensor model, never from the library's flags.
//!
//! * **AE**: the level is the mean of the green statistics that an AE answer would give in the
//!   light of its frame. Its target is the level at which the library settles under a light: the
//!   median of the last five frames. A target counts only if those five lie within 5 % of it and
//!   it is sensible, 10 % to 40 % of full scale; no closed library says what its own target is.
//!   AE has converged at the first of five consecutive frames within 5 % of the target.
//! * **AWB**: after the white-balance gains of the PA answer every grey patch must have R/G and
//!   B/G within 3 % of one, in five consecutive frames.

use virtual_camera::LightSpan;

/// Consecutive frames that make a convergence.
pub const STEADY_FRAMES: usize = 5;
/// Relative distance from the target level that AE may have.
pub const AE_TOLERANCE: f64 = 0.05;
/// Distance of R/G and B/G from one that a grey patch may have.
pub const AWB_TOLERANCE: f64 = 0.03;
/// Shares of full scale between which a target level is sensible.
pub const SENSIBLE_LEVEL: std::ops::RangeInclusive<f64> = 0.10..=0.40;
/// A light that shines for fewer frames is reported and not held against the library: 30 frames
/// to converge in, and five to show it.
pub const JUDGED_FRAMES: u64 = 35;

/// What is judged of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameTruth {
    /// Exposure time × gains of the AE answer, in µs.
    pub product: f64,
    /// Level that the answer gives, as a share of full scale.
    pub level: f64,
    /// R/G minus one of the grey patch that is worst, after the gains.
    pub red_error: f64,
    /// B/G minus one of the grey patch that is worst, after the gains.
    pub blue_error: f64,
}

/// What became of AE and AWB under one light.
#[derive(Debug, Clone, PartialEq)]
pub struct LightVerdict {
    /// The light's name.
    pub name: String,
    /// Its first frame.
    pub first_frame: u64,
    /// How many frames it shone.
    pub frames: u64,
    /// The level at which AE settled.
    pub target_level: f64,
    /// First of five frames with AE converged.
    pub ae_frame: Option<u64>,
    /// First of five frames with AWB converged.
    pub awb_frame: Option<u64>,
    /// How far the exposure went beyond its final value, in the direction it had come, relative
    /// to that value.
    pub overshoot: f64,
}

impl LightVerdict {
    /// Whether the light shone long enough to be held against the library.
    pub fn is_judged(&self) -> bool {
        self.frames >= JUDGED_FRAMES
    }

    /// What fell short, in words.
    pub fn shortcomings(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.ae_frame.is_none() {
            found.push(format!(
                "AE did not converge under {} (it ended at {:.1} % of full scale)",
                self.name,
                100.0 * self.target_level
            ));
        }
        if self.awb_frame.is_none() {
            found.push(format!("AWB did not converge under {}", self.name));
        }
        found
    }
}

/// Judges a run whose frame n is `frames[n]`.
pub fn judge(lights: &[LightSpan], frames: &[FrameTruth]) -> Vec<LightVerdict> {
    let ends = lights.iter().skip(1).map(|light| light.first_frame).chain([frames.len() as u64]);
    lights.iter().zip(ends).filter_map(|(light, end)| judge_light(light, end, frames)).collect()
}

fn judge_light(light: &LightSpan, end: u64, all: &[FrameTruth]) -> Option<LightVerdict> {
    let first = usize::try_from(light.first_frame).ok()?;
    let last = usize::try_from(end).ok()?.min(all.len());
    let frames = all.get(first..last)?;
    let before = first.checked_sub(1).and_then(|index| all.get(index)).or(frames.first())?;
    let settled = frames.get(frames.len().saturating_sub(STEADY_FRAMES)..)?;
    let target_level = median(settled.iter().map(|frame| frame.level));
    let final_product = median(settled.iter().map(|frame| frame.product));
    let near = |frame: &FrameTruth| (frame.level / target_level - 1.0).abs() <= AE_TOLERANCE;
    let counts = SENSIBLE_LEVEL.contains(&target_level) && settled.iter().all(near);
    let neutral = |frame: &FrameTruth| {
        frame.red_error.abs() <= AWB_TOLERANCE && frame.blue_error.abs() <= AWB_TOLERANCE
    };
    let absolute = |index: usize| light.first_frame + index as u64;
    Some(LightVerdict {
        name: light.name.clone(),
        first_frame: light.first_frame,
        frames: frames.len() as u64,
        target_level,
        ae_frame: if counts { first_steady(frames, near).map(absolute) } else { None },
        awb_frame: first_steady(frames, neutral).map(absolute),
        overshoot: overshoot(before.product, final_product, frames),
    })
}

/// Index of the first of [`STEADY_FRAMES`] consecutive frames that all fulfil a condition.
fn first_steady(frames: &[FrameTruth], good: impl Fn(&FrameTruth) -> bool) -> Option<usize> {
    frames.windows(STEADY_FRAMES).position(|window| window.iter().all(&good))
}

fn overshoot(start: f64, target: f64, frames: &[FrameTruth]) -> f64 {
    let products = frames.iter().map(|frame| frame.product);
    let beyond = if start < target {
        products.fold(target, f64::max) / target - 1.0
    } else {
        1.0 - products.fold(target, f64::min) / target
    };
    if beyond.is_finite() { beyond } else { 0.0 }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(level: f64, red_error: f64) -> FrameTruth {
        FrameTruth { product: level * 1000.0, level, red_error, blue_error: 0.0 }
    }

    fn light(first_frame: u64) -> LightSpan {
        LightSpan { first_frame, name: format!("light {first_frame}") }
    }

    #[test]
    fn the_first_of_five_frames_counts() {
        let levels = [0.02, 0.05, 0.2, 0.26, 0.21, 0.2, 0.2, 0.2, 0.2, 0.2];
        let frames: Vec<_> = levels.iter().map(|level| frame(*level, 0.0)).collect();
        let verdict = &judge(&[light(0)], &frames)[0];
        // Frame 2 is on target by chance; frame 4 (0.21) begins the five.
        assert_eq!(verdict.ae_frame, Some(4));
        assert_eq!(verdict.awb_frame, Some(0));
        assert!((verdict.overshoot - 0.3).abs() < 1e-9, "0.26 of 0.2");
    }

    #[test]
    fn four_frames_or_an_error_of_four_percent_are_not_enough() {
        let frames: Vec<_> = [0.02, 0.2, 0.2, 0.2, 0.2].iter().map(|l| frame(*l, 0.04)).collect();
        let verdict = &judge(&[light(0)], &frames)[0];
        assert_eq!((verdict.ae_frame, verdict.awb_frame), (None, None));
        assert_eq!(verdict.shortcomings().len(), 2);
    }

    #[test]
    fn a_level_nobody_wants_is_no_convergence() {
        for level in [0.05, 0.9] {
            let frames = vec![frame(level, 0.0); 40];
            let verdict = &judge(&[light(0)], &frames)[0];
            assert_eq!(verdict.ae_frame, None, "settled at {level}");
            assert!(verdict.is_judged());
        }
    }

    #[test]
    fn each_light_is_judged_for_itself() {
        let mut frames = vec![frame(0.2, 0.0); 10];
        frames.extend([frame(0.6, 0.1), frame(0.3, 0.05), frame(0.18, 0.0)]);
        frames.extend(vec![frame(0.2, 0.0); 10]);
        let verdicts = judge(&[light(0), light(10)], &frames);
        assert_eq!(verdicts[0].ae_frame, Some(0));
        assert_eq!(verdicts[1].ae_frame, Some(13));
        assert_eq!(verdicts[1].awb_frame, Some(12));
        assert!(!verdicts[1].is_judged(), "13 frames are too few");
    }
}
