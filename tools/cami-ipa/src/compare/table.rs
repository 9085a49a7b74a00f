//! The figures as a table for people.

use std::fmt::Write as _;

use super::figures::{ContestantFigures, Figures};

/// The table; lines of at most 100 letters.
pub fn text(figures: &Figures) -> String {
    let mut out = String::new();
    let who: Vec<&ContestantFigures> = figures.contestants.iter().collect();
    for one in &who {
        let _ = writeln!(out, "{:<10} {}", one.name, one.what);
        if let Some(failure) = &one.failure {
            let _ = writeln!(out, "{:<10} failed: {failure}", "");
        }
    }
    let done: Vec<&ContestantFigures> =
        who.into_iter().filter(|one| one.failure.is_none()).collect();
    let Some(first) = done.first() else { return out };
    let _ = write!(out, "\n{:<34}", "");
    for one in &done {
        let _ = write!(out, "{:>12}", one.name);
    }
    out.push('\n');
    for index in 0..first.lights.len() {
        let light = first.lights.get(index).map_or("", |light| light.name.as_str());
        let values = |of: fn(&super::figures::LightFigures) -> String| {
            done.iter().map(move |one| one.lights.get(index).map_or_else(String::new, of))
        };
        row(&mut out, light, "AE, frames", values(|light| frames(light.ae_frames)));
        row(&mut out, "", "overshoot", values(|light| percent(light.ae_overshoot)));
        row(&mut out, "", "level of green", values(|light| percent(light.level)));
        row(&mut out, "", "AWB error, deg", values(|light| two(light.awb_error_deg)));
        row(
            &mut out,
            "",
            "dE picture",
            values(|light| mean_max(light.de2000_picture_mean, light.de2000_picture_max)),
        );
        row(
            &mut out,
            "",
            "dE colour",
            values(|light| mean_max(light.de2000_colour_mean, light.de2000_colour_max)),
        );
    }
    let values = |of: fn(&ContestantFigures) -> String| done.iter().map(move |one| of(one));
    row(&mut out, "all lights", "AE, frames, worst", values(|one| frames(one.ae_frames_max)));
    row(&mut out, "", "overshoot, worst", values(|one| percent(one.ae_overshoot_max)));
    row(&mut out, "", "AWB error, deg, mean", values(|one| two(one.awb_error_mean_deg)));
    row(&mut out, "", "AWB error, deg, worst", values(|one| two(one.awb_error_max_deg)));
    row(
        &mut out,
        "",
        "dE picture",
        values(|one| mean_max(one.de2000_picture_mean, one.de2000_picture_max)),
    );
    row(
        &mut out,
        "",
        "dE colour",
        values(|one| mean_max(one.de2000_colour_mean, one.de2000_colour_max)),
    );
    row(&mut out, "a frame", "CPU, us", values(|one| format!("{:.0}", one.cpu_us_per_frame)));
    row(&mut out, "", "processes", values(|one| count(one.processes)));
    row(
        &mut out,
        "",
        "computeParams, us, p50 / p99",
        values(|one| pair(one.compute_params_p50_us, one.compute_params_p99_us)),
    );
    row(
        &mut out,
        "",
        "processStats, us, p50 / p99",
        values(|one| pair(one.process_stats_p50_us, one.process_stats_p99_us)),
    );
    row(
        &mut out,
        "",
        "answers late / missing",
        values(|one| format!("{} / {}", count(one.late_answers), count(one.missing_answers))),
    );
    out
}

fn row(out: &mut String, group: &str, name: &str, values: impl Iterator<Item = String>) {
    if !group.is_empty() {
        let _ = writeln!(out, "{group}");
    }
    let _ = write!(out, "  {name:<32}");
    for value in values {
        let _ = write!(out, "{value:>12}");
    }
    out.push('\n');
}

fn count(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn frames(count: Option<u64>) -> String {
    count.map_or_else(|| "never".to_owned(), |count| count.to_string())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn two(value: f64) -> String {
    format!("{value:.2}")
}

fn mean_max(mean: f64, max: f64) -> String {
    format!("{mean:.1} / {max:.1}")
}

fn pair(one: Option<u64>, other: Option<u64>) -> String {
    let text = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |us| us.to_string());
    format!("{} / {}", text(one), text(other))
}
