//! What is said at the end of a run.

use std::path::Path;

use crate::failure::Failure;
use crate::hal::engine::Ready;
use crate::library::Paths;
use crate::record::RunRecord;
use crate::run_options::RunOptions;

/// What was driven, as the report shows it.
pub fn subject(options: &RunOptions, paths: &Paths, ready: &Ready) -> Vec<(&'static str, String)> {
    let file = |path: &Path| match path.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => path.display().to_string(),
    };
    let (width, height) = ready.sensor_size;
    let (bds_width, bds_height) = options.bds;
    let mut subject = vec![
        ("vendor library", file(&paths.vendor)),
        ("called", if options.in_process { "in process".into() } else { "isolated".into() }),
        ("3A version", ready.version.clone()),
        ("tuning", options.tuning.as_deref().map_or_else(|| "none".into(), file)),
        ("sensor", format!("{width} × {height}, scaled to {bds_width} × {bds_height}")),
        (
            "scene",
            match options.scene.as_deref() {
                Some(path) => file(path),
                None => format!("ColorChecker chart, noise seed {}", options.seed),
            },
        ),
        (
            "lag of exposures",
            match options.lag {
                1 => "1 frame".into(),
                lag => format!("{lag} frames"),
            },
        ),
    ];
    if let Some(gain) = ready.max_gain {
        subject.push(("largest analogue gain", format!("{gain:.2}")));
    }
    subject
}

/// The lines that end the display.
pub fn lines(run: &RunRecord, options: &RunOptions) -> Vec<String> {
    let mut lines = Vec::new();
    for light in &run.lights {
        let after = |frame: Option<u64>| match frame {
            Some(frame) => format!("after {} frames", frame.saturating_sub(light.first_frame)),
            None => "not reached".into(),
        };
        lines.push(format!(
            "{}: AE {}, AWB {}, level {:.1} %, overshoot {:.1} %",
            light.name,
            after(light.ae_frame),
            after(light.awb_frame),
            100.0 * light.target_level,
            100.0 * light.overshoot
        ));
    }
    let figures = &run.figures;
    let us = |value: Option<u64>| value.map_or_else(|| "-".into(), |us| format!("{us} us"));
    lines.push(format!(
        "{} frames, {} requests, {} callbacks; request p50 {} p99 {}, frame p50 {}; {} restarts",
        figures.frames,
        figures.requests,
        figures.callbacks,
        us(figures.request_p50_us),
        us(figures.request_p99_us),
        us(figures.frame_p50_us),
        figures.restarts
    ));
    if figures.kills > 0 {
        lines.push(format!(
            "{} kills: {} lost and {} doubled completions, {} notifications; recovery p50 {} p99 {} \
             max {}",
            figures.kills,
            figures.lost_completions,
            figures.doubled_completions,
            figures.notifications,
            us(figures.recovery_p50_us),
            us(figures.recovery_p99_us),
            us(figures.recovery_max_us)
        ));
    }
    for (what, path) in
        [("trace", &options.trace), ("figures", &options.json), ("report", &options.report)]
    {
        if let Some(path) = path.as_deref().filter(|path| *path != Path::new("-")) {
            lines.push(format!("{what}: {}", path.display()));
        }
    }
    lines
}

/// Whether the library did what it should.
pub fn verdict(run: &RunRecord) -> Result<(), Failure> {
    let found: Vec<String> = run
        .lights
        .iter()
        .filter(|light| light.is_judged())
        .flat_map(crate::convergence::LightVerdict::shortcomings)
        .collect();
    if found.is_empty() { Ok(()) } else { Err(Failure::falls_short(found.join("; "))) }
}
