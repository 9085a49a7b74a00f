//! What our worker is held to. Who compares libcamera's own algorithms with it holds those to nothing.

use super::figures::{ContestantFigures, LightFigures};

/// How far the exposure may go beyond its aim.
pub const OVERSHOOT: f64 = 0.20;
/// Degrees that white balance may be off under lights of black bodies and of day.
pub const AWB_DEGREES: f64 = 2.0;
/// Those lights; lamps are for a library's tuning to know.
const COMMON: [&str; 3] = ["D65", "A", "D50"];
/// What the reference library, which is ours, must do under every light.
pub const REFERENCE_AE_FRAMES: u64 = 30;

/// What falls short, in words.
pub fn shortcomings(found: &ContestantFigures) -> Vec<String> {
    if let Some(failure) = &found.failure {
        return vec![failure.clone()];
    }
    let mut short = Vec::new();
    if let Some(missing) = found.missing_answers.filter(|missing| *missing > 0) {
        short.push(format!("{missing} answers are missing"));
    }
    let reference = found.name == "reference";
    for light in &found.lights {
        of_light(light, reference, &mut short);
    }
    short
}

fn of_light(light: &LightFigures, reference: bool, short: &mut Vec<String>) {
    let name = &light.name;
    match light.ae_frames {
        None => short.push(format!("AE does not converge under {name}")),
        Some(frames) if reference && frames > REFERENCE_AE_FRAMES => {
            short.push(format!("AE takes {frames} frames under {name}"));
        }
        Some(_) => {}
    }
    if light.ae_overshoot > OVERSHOOT {
        short.push(format!("AE overshoots by {:.0} % under {name}", 100.0 * light.ae_overshoot));
    }
    let common = COMMON.iter().any(|common| name.split(',').next() == Some(common));
    if (reference || common) && light.awb_error_deg > AWB_DEGREES {
        short.push(format!("AWB is off by {:.1} degrees under {name}", light.awb_error_deg));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn light(name: &str) -> LightFigures {
        LightFigures {
            name: name.to_owned(),
            ae_frames: Some(12),
            ae_overshoot: 0.01,
            level: 0.2,
            awb_frames: None,
            awb_error_deg: 0.4,
            awb_red_error: 0.0,
            awb_blue_error: 0.0,
            de2000_picture_mean: 5.0,
            de2000_picture_max: 9.0,
            de2000_colour_mean: 3.0,
            de2000_colour_max: 8.0,
        }
    }

    fn found(name: &str, change: impl Fn(&mut LightFigures)) -> Vec<String> {
        let mut lights = vec![light("D65, 500 lx"), light("TL84, 600 lx")];
        lights.iter_mut().for_each(change);
        let figures = ContestantFigures {
            failure: None,
            lights,
            ..ContestantFigures::of_failure(name, "", String::new())
        };
        shortcomings(&figures)
    }

    #[test]
    fn good_figures_fall_short_of_nothing() {
        assert_eq!(found("reference", |_| ()), Vec::<String>::new());
    }

    #[test]
    fn each_bound_is_a_bound() {
        assert_eq!(found("vendor", |light| light.ae_frames = None).len(), 2);
        assert_eq!(found("vendor", |light| light.ae_overshoot = 0.3).len(), 2);
        // A closed library's pace is its own, and so is what it makes of a lamp.
        assert_eq!(found("vendor", |light| light.ae_frames = Some(50)).len(), 0);
        assert_eq!(found("reference", |light| light.ae_frames = Some(50)).len(), 2);
        assert_eq!(found("vendor", |light| light.awb_error_deg = 3.0).len(), 1);
        assert_eq!(found("reference", |light| light.awb_error_deg = 3.0).len(), 2);
    }

    #[test]
    fn failures_and_missing_answers_are_told() {
        let dead = ContestantFigures::of_failure("vendor", "", "it died".to_owned());
        assert_eq!(shortcomings(&dead), ["it died"]);
        let figures = ContestantFigures { failure: None, missing_answers: Some(2), ..dead };
        assert_eq!(shortcomings(&figures), ["2 answers are missing"]);
    }
}
