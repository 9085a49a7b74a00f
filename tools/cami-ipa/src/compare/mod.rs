//! `cami-ipa compare`: workers behind libcamera's wire, side by side in front of one virtual camera.

mod bounds;
mod closed_loop;
mod colour;
mod contestants;
mod cpu;
mod delays;
mod figures;
mod isp;
mod options;
mod pipeline;
mod plots;
mod table;
mod worker;

use std::io::Write as _;
use std::path::Path;

use cami_config::LibcameraVersion;

use crate::failure::Failure;
use crate::outputs::{self, Output, STANDARD_OUTPUT};
use bounds::shortcomings;
use contestants::Contestants;
use figures::{ContestantFigures, Figures};

pub use options::{CompareOptions, HELP, parse};

/// Does it.
pub fn compare(options: &CompareOptions) -> Result<(), Failure> {
    let no_tuning = tempfile::Builder::new()
        .suffix(".aiqb")
        .tempfile()
        .map_err(|error| Failure::environment(format!("a temporary file: {error}")))?;
    let contestants = Contestants::find(options, no_tuning.path())?;
    let spans = closed_loop::lights(options.frames_per_light);
    let mut found: Vec<Option<ContestantFigures>> = contestants.all.iter().map(|_| None).collect();
    for index in order(contestants.all.len(), options.seed) {
        let Some(contestant) = contestants.all.get(index) else { continue };
        let (name, what) = (contestant.name, contestant.what.as_str());
        let figures = match closed_loop::drive(contestant, contestants.dialect, options) {
            Ok(course) => ContestantFigures::new(name, what, &spans, &course),
            Err(error) => ContestantFigures::of_failure(name, what, error.to_string()),
        };
        if let Some(failure) = &figures.failure {
            let _ = writeln!(std::io::stderr(), "{name}: failed: {failure}");
        }
        if let Some(place) = found.get_mut(index) {
            *place = Some(figures);
        }
    }
    let found: Vec<ContestantFigures> = found.into_iter().flatten().collect();
    let ours = contestants.all.iter().zip(&found).filter(|(contestant, _)| contestant.ours);
    let short: Vec<String> = ours
        .flat_map(|(contestant, figures)| {
            let texts = shortcomings(figures).into_iter();
            texts.map(|text| format!("{}: {text}", contestant.name))
        })
        .collect();
    let figures = Figures {
        libcamera_version: contestants.libcamera.map(version),
        sensor: options.sensor.name.to_owned(),
        frames_per_light: options.frames_per_light,
        contestants: found,
    };
    report(options, &figures)?;
    if short.is_empty() { Ok(()) } else { Err(Failure::falls_short(short.join("; "))) }
}

/// Who runs when. The first one warms the machine up for the others: the seed says who that is.
fn order(count: usize, seed: u64) -> impl Iterator<Item = usize> {
    let first = usize::try_from(seed.checked_rem(count as u64).unwrap_or(0)).unwrap_or(0);
    (first..count).chain(0..first)
}

fn version(LibcameraVersion { major, minor, patch }: LibcameraVersion) -> String {
    format!("{major}.{minor}.{patch}")
}

fn report(options: &CompareOptions, figures: &Figures) -> Result<(), Failure> {
    if let Some(json) = &options.json {
        Output::write_all(json, &outputs::json(figures)?)?;
    }
    if let Some(folder) = &options.plots {
        plots::write(folder, figures)?;
    }
    if options.json.as_deref() == Some(Path::new(STANDARD_OUTPUT)) {
        return Ok(());
    }
    Output::print(&table::text(figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_runs_once_and_the_seed_says_who_is_first() {
        let of = |count, seed| order(count, seed).collect::<Vec<_>>();
        assert_eq!(of(3, 0), [0, 1, 2]);
        assert_eq!(of(3, 1), [1, 2, 0]);
        assert_eq!(of(3, u64::MAX - 1), [2, 0, 1]);
        assert_eq!(of(1, 7), [0]);
        assert!(of(0, 7).is_empty());
    }
}
