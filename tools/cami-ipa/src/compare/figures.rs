//! What is reported, by name: the structure of `--json`. Times are in µs, colour differences in
//! CIEDE2000, angles in degrees, and shares are shares (0.1 is 10 %).

use serde::Serialize;
use virtual_camera::LightSpan;

use super::closed_loop::{Course, Frame};
use crate::convergence::{FrameTruth, judge};

/// Frames at a light's end over which its error of white balance is taken.
const SETTLED: usize = 5;

/// A comparison.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// The installed libcamera, whose wire was spoken; `null` without one.
    pub libcamera_version: Option<String>,
    /// The sensor's name.
    pub sensor: String,
    /// Frames under each light.
    pub frames_per_light: u64,
    /// Who took part.
    pub contestants: Vec<ContestantFigures>,
}

/// One of them. Of one that failed no figure is known: they are `null`, and lists are empty.
#[derive(Debug, Serialize)]
pub struct ContestantFigures {
    /// `reference`, `vendor` or `libcamera`.
    pub name: String,
    /// What it consists of.
    pub what: String,
    /// Why there are no figures, where it failed.
    pub failure: Option<String>,
    /// By light, in their order.
    pub lights: Vec<LightFigures>,
    /// Slowest convergence of AE, in frames; `null` where one light has none.
    pub ae_frames_max: Option<u64>,
    /// Largest overshoot of the exposure.
    pub ae_overshoot_max: f64,
    /// Mean over the lights.
    pub awb_error_mean_deg: f64,
    /// Worst light.
    pub awb_error_max_deg: f64,
    /// Mean over patches and lights.
    pub de2000_picture_mean: f64,
    /// Worst patch under any light.
    pub de2000_picture_max: f64,
    /// The same of colour alone.
    pub de2000_colour_mean: f64,
    /// The same of colour alone.
    pub de2000_colour_max: f64,
    /// CPU time of the worker's processes for each frame.
    pub cpu_us_per_frame: f64,
    /// How many processes that were.
    pub processes: Option<usize>,
    /// From `computeParams` to `paramsComputed`.
    pub compute_params_p50_us: Option<u64>,
    /// From `computeParams` to `paramsComputed`.
    pub compute_params_p99_us: Option<u64>,
    /// From `processStats` to `metadataReady`.
    pub process_stats_p50_us: Option<u64>,
    /// From `processStats` to `metadataReady`.
    pub process_stats_p99_us: Option<u64>,
    /// Answers after more than a frame's time.
    pub late_answers: Option<u64>,
    /// Answers that did not come within 2 s.
    pub missing_answers: Option<u64>,
    /// Where the lens ended, in steps; the chart is sharp at 300.
    pub lens_position: Option<i32>,
    /// Exposure time × gain in effect in each frame, in µs.
    pub exposure_us: Vec<f64>,
    /// Mean of green in each frame, as a share of full scale.
    pub level: Vec<f64>,
}

/// One light.
#[derive(Debug, Serialize)]
pub struct LightFigures {
    /// Its name.
    pub name: String,
    /// Frames from its first to the first of five in which AE has converged.
    pub ae_frames: Option<u64>,
    /// How far the exposure went beyond its final value, relative to that.
    pub ae_overshoot: f64,
    /// Where AE settled: mean of green as a share of full scale.
    pub level: f64,
    /// Frames to the first of five with R/G and B/G of each grey patch within 3 % of one.
    pub awb_frames: Option<u64>,
    /// Mean angle between the balanced grey patches and neutral at the end.
    pub awb_error_deg: f64,
    /// R/G minus one of the worst grey patch in the last frame.
    pub awb_red_error: f64,
    /// B/G minus one of the worst grey patch in the last frame.
    pub awb_blue_error: f64,
    /// Of the last picture, as it comes.
    pub de2000_picture_mean: f64,
    /// Its worst patch.
    pub de2000_picture_max: f64,
    /// Of the last picture, colour alone.
    pub de2000_colour_mean: f64,
    /// Its worst patch.
    pub de2000_colour_max: f64,
}

impl ContestantFigures {
    /// Those of one that failed.
    pub fn of_failure(name: &str, what: &str, failure: String) -> Self {
        // JSON has no such number: it is `null` there, as the figures that are `None`.
        Self {
            name: name.to_owned(),
            what: what.to_owned(),
            failure: Some(failure),
            lights: Vec::new(),
            ae_frames_max: None,
            ae_overshoot_max: f64::NAN,
            awb_error_mean_deg: f64::NAN,
            awb_error_max_deg: f64::NAN,
            de2000_picture_mean: f64::NAN,
            de2000_picture_max: f64::NAN,
            de2000_colour_mean: f64::NAN,
            de2000_colour_max: f64::NAN,
            cpu_us_per_frame: f64::NAN,
            processes: None,
            compute_params_p50_us: None,
            compute_params_p99_us: None,
            process_stats_p50_us: None,
            process_stats_p99_us: None,
            late_answers: None,
            missing_answers: None,
            lens_position: None,
            exposure_us: Vec::new(),
            level: Vec::new(),
        }
    }

    /// Those of a course.
    pub fn new(name: &str, what: &str, spans: &[LightSpan], course: &Course) -> Self {
        let lights = of_lights(spans, course);
        let mean = |of: fn(&LightFigures) -> f64| {
            lights.iter().map(of).sum::<f64>() / (lights.len().max(1)) as f64
        };
        let max = |of: fn(&LightFigures) -> f64| lights.iter().map(of).fold(0.0, f64::max);
        let all: Option<Vec<u64>> = lights.iter().map(|light| light.ae_frames).collect();
        let truths = || course.frames.iter().map(|frame| frame.truth);
        let answers = &course.answers;
        Self {
            ae_frames_max: all.and_then(|frames| frames.into_iter().max()),
            ae_overshoot_max: max(|light| light.ae_overshoot),
            awb_error_mean_deg: mean(|light| light.awb_error_deg),
            awb_error_max_deg: max(|light| light.awb_error_deg),
            de2000_picture_mean: mean(|light| light.de2000_picture_mean),
            de2000_picture_max: max(|light| light.de2000_picture_max),
            de2000_colour_mean: mean(|light| light.de2000_colour_mean),
            de2000_colour_max: max(|light| light.de2000_colour_max),
            cpu_us_per_frame: course.cpu_us_per_frame,
            processes: Some(course.processes),
            compute_params_p50_us: answers.params.percentile_us(50),
            compute_params_p99_us: answers.params.percentile_us(99),
            process_stats_p50_us: answers.metadata.percentile_us(50),
            process_stats_p99_us: answers.metadata.percentile_us(99),
            late_answers: Some(answers.late),
            missing_answers: Some(answers.missing),
            lens_position: Some(course.lens),
            exposure_us: truths().map(|truth| truth.product).collect(),
            level: truths().map(|truth| truth.level).collect(),
            failure: None,
            ..Self::of_failure(name, what, String::new())
        }
        .with(lights)
    }

    fn with(mut self, lights: Vec<LightFigures>) -> Self {
        self.lights = lights;
        self
    }
}

fn of_lights(spans: &[LightSpan], course: &Course) -> Vec<LightFigures> {
    let truths: Vec<FrameTruth> = course.frames.iter().map(|frame| frame.truth).collect();
    judge(spans, &truths)
        .into_iter()
        .zip(&course.pictures)
        .map(|(verdict, picture)| {
            let from_first = |frame: Option<u64>| frame.map(|frame| frame - verdict.first_frame);
            let first = usize::try_from(verdict.first_frame).unwrap_or(usize::MAX);
            let count = usize::try_from(verdict.frames).unwrap_or(0);
            let frames: Vec<&Frame> = course.frames.iter().skip(first).take(count).collect();
            let last = frames.last().map(|frame| frame.truth);
            let settled: Vec<f64> =
                frames.iter().rev().take(SETTLED).map(|frame| frame.awb_degrees).collect();
            LightFigures {
                ae_frames: from_first(verdict.ae_frame),
                ae_overshoot: verdict.overshoot,
                level: verdict.target_level,
                awb_frames: from_first(verdict.awb_frame),
                awb_error_deg: settled.iter().sum::<f64>() / settled.len().max(1) as f64,
                awb_red_error: last.map_or(0.0, |truth| truth.red_error),
                awb_blue_error: last.map_or(0.0, |truth| truth.blue_error),
                de2000_picture_mean: picture.as_emitted.mean,
                de2000_picture_max: picture.as_emitted.max,
                de2000_colour_mean: picture.colour_only.mean,
                de2000_colour_max: picture.colour_only.max,
                name: verdict.name,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_failed_has_no_figures() {
        let failed = ContestantFigures::of_failure("vendor", "a library", "it ended".into());
        let json = serde_json::to_value(&failed).expect("JSON");
        for (name, value) in json.as_object().expect("names") {
            let is_text = ["name", "what", "failure"].contains(&name.as_str());
            let is_empty = value.as_array().is_some_and(Vec::is_empty);
            assert!(is_text || is_empty || value.is_null(), "{name}: {value}");
        }
    }
}
