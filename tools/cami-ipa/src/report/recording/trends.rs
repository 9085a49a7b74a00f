//! What became of exposure, white balance, focus, memory and CPU time.

use super::collect::{Collected, Frame};
use super::timeline::seconds;
use crate::recorded::{Item, Recorded};
use crate::report::chart::{Axis, Chart, Mark, Scale, Series};

/// Values of a chart over time.
const SAMPLES: u32 = 440;
/// Deaths that are drawn in a chart.
const MOST_MARKS: usize = 200;

/// A line of a chart of frames: its name, its class, and its value.
type Line = (&'static str, &'static str, fn(&Frame) -> f64);

/// Writes the section of what the library answered; nothing where nothing is known of it.
pub fn answers(page: &mut String, collected: &Collected<'_>) {
    let charts: [(&str, &str, &str, bool, &[Line]); 5] = [
        (
            "exposure",
            "Exposure time that AE answered",
            " ms",
            true,
            &[("exposure time", "s1", |frame| frame.exposure_us / 1000.0)],
        ),
        (
            "gains",
            "Gains that AE answered",
            "",
            false,
            &[
                ("analogue gain", "s1", |frame| frame.analogue_gain),
                ("digital gain", "s2", |frame| frame.digital_gain),
            ],
        ),
        (
            "cct",
            "Colour temperature that AWB estimated",
            " K",
            false,
            &[("colour temperature", "s2", |frame| frame.cct_k)],
        ),
        (
            "colour",
            "White balance gains that PA answered, over that of green",
            "",
            false,
            &[("red", "red", |frame| frame.red_gain), ("blue", "blue", |frame| frame.blue_gain)],
        ),
        (
            "focus",
            "Where AF sent the lens",
            "",
            false,
            &[("lens position, steps", "s1", |frame| frame.lens)],
        ),
    ];
    let drawn: Vec<String> = charts
        .into_iter()
        .filter_map(|(id, title, unit, log, lines)| frames(collected, id, title, unit, log, lines))
        .collect();
    if !drawn.is_empty() {
        page.push_str("<section id=\"answers\">\n<h2>Exposure, white balance, focus</h2>\n");
        drawn.iter().for_each(|chart| page.push_str(chart));
        page.push_str("</section>\n");
    }
}

/// A chart of frames; `None` where no frame has a value.
fn frames(
    collected: &Collected<'_>,
    id: &str,
    title: &str,
    unit: &str,
    log: bool,
    lines: &[Line],
) -> Option<String> {
    let series: Vec<Series<'_>> = lines
        .iter()
        .map(|(name, class, value)| Series {
            name,
            class,
            values: collected.frames.iter().map(value).collect(),
        })
        .collect();
    let (low, high) = extremes(&series)?;
    let marks = collected.landmarks.iter().filter_map(|mark| {
        let (class, label) = mark_of(mark)?;
        let at = f64::from(collected.frame_at(mark.at_ns())?);
        Some(Mark { at, class, label })
    });
    let chart = Chart {
        id,
        description: format!(
            "{title}, in {} frames: from {low} to {high}.",
            collected.frames.len()
        ),
        unit,
        axis: Axis::frames(collected.first_frame),
        scale: scale(low, high, log),
        series,
        bands: Vec::new(),
        marks: few(marks.collect()),
    };
    Some(format!("<h3>{title}</h3>\n{}", chart.render()))
}

/// Writes the section of memory and CPU time; nothing where nothing was measured.
pub fn usage(page: &mut String, recorded: &Recorded, collected: &Collected<'_>) {
    let (from, to) = collected.window_ns;
    let (first, last) = (seconds(recorded.since_begin(from)), seconds(recorded.since_begin(to)));
    let step = ((last - first) / f64::from(SAMPLES - 1)).max(1e-6);
    let samples = samples(recorded, collected);
    if samples.is_empty() {
        return;
    }
    let values = |of: fn(&Sample) -> f64| -> Vec<f64> {
        let mut next = 0;
        let value = |number: u32| {
            let at = first + f64::from(number) * step;
            while samples.get(next).is_some_and(|sample| sample.at <= at) {
                next += 1;
            }
            next.checked_sub(1).and_then(|place| samples.get(place)).map_or(f64::NAN, of)
        };
        (0..SAMPLES).map(value).collect()
    };
    let marks = || {
        let marks = collected.landmarks.iter().filter_map(|mark| {
            let (class, label) = mark_of(mark)?;
            Some(Mark { at: seconds(recorded.since_begin(mark.at_ns())), class, label })
        });
        few(marks.collect())
    };
    page.push_str("<section id=\"usage\">\n<h2>Memory and CPU time</h2>\n");
    let charts = [
        ("memory", "Resident memory of the vendor process", " MiB", "resident", values(|s| s.mib)),
        ("cpu", "CPU time of the vendor process", " %", "of one CPU", values(|s| s.percent)),
    ];
    for (id, title, unit, name, values) in charts {
        let series = vec![Series { name, class: "s1", values }];
        let Some((low, high)) = extremes(&series) else { continue };
        let chart = Chart {
            id,
            description: format!("{title}: from {low:.1}{unit} to {high:.1}{unit}."),
            unit,
            axis: Axis::seconds(first, step),
            scale: scale(low, high, false),
            series,
            bands: Vec::new(),
            marks: marks(),
        };
        page.push_str(&format!("<h3>{title}</h3>\n{}", chart.render()));
    }
    page.push_str("</section>\n");
}

/// What a vendor process used.
struct Sample {
    at: f64,
    mib: f64,
    percent: f64,
}

fn samples(recorded: &Recorded, collected: &Collected<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut before: Option<(u32, u64, u64)> = None;
    for usage in &collected.usage {
        let percent = match before {
            Some((host, at, cpu)) if host == usage.host && usage.at_ns > at => {
                let took = (usage.at_ns - at) as f64 / 1000.0;
                100.0 * usage.cpu_us.saturating_sub(cpu) as f64 / took
            }
            _ => f64::NAN,
        };
        before = Some((usage.host, usage.at_ns, usage.cpu_us));
        samples.push(Sample {
            at: seconds(recorded.since_begin(usage.at_ns)),
            mib: usage.resident_bytes as f64 / f64::from(1 << 20),
            percent,
        });
    }
    samples
}

fn mark_of(mark: &Item<'_>) -> Option<(&'static str, String)> {
    match mark {
        Item::Died(_) => Some(("fault", "died".to_owned())),
        Item::Resumed(_) => Some(("good", "taken over".to_owned())),
        _ => None,
    }
}

/// Of many marks only the first say what they are.
fn few(mut marks: Vec<Mark>) -> Vec<Mark> {
    marks.truncate(MOST_MARKS);
    for mark in marks.iter_mut().skip(6) {
        mark.label.clear();
    }
    marks
}

fn extremes(series: &[Series<'_>]) -> Option<(f64, f64)> {
    let values = || series.iter().flat_map(|line| line.values.iter()).filter(|v| v.is_finite());
    let low = values().copied().reduce(f64::min)?;
    Some((low, values().copied().fold(low, f64::max)))
}

/// With some room around; a logarithm where values spread over more than a power of ten.
fn scale(low: f64, high: f64, log: bool) -> Scale {
    if log && low > 0.0 && high > 10.0 * low {
        return Scale::Log(10_f64.powf(low.log10().floor()), 10_f64.powf(high.log10().ceil()));
    }
    let room = ((high - low) * 0.08).max(high.abs() * 0.02).max(1e-3);
    let floor = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
    Scale::Linear(floor, high + room)
}
