//! The page as a whole.

use std::fmt::Write;
use std::time::Duration;

use super::chart::{Axis, Band, Chart, Mark, Scale, Series, short};
use super::histogram;
use super::text::Escaped;
use super::{document, gaps, timeline};
use crate::convergence::{AE_TOLERANCE, AWB_TOLERANCE};
use crate::record::{EventKind, RunRecord};

/// The whole file.
pub fn render(run: &RunRecord) -> String {
    let mut page = String::new();
    document::subject(&mut page, &run.subject);
    tiles(&mut page, run);
    exposure(&mut page, run);
    white_balance(&mut page, run);
    page.push_str("<section>\n<h2>Time from request to callback</h2>\n");
    page.push_str(&histogram::render("latency", histogram::LARGE, &run.requests));
    page.push_str("</section>\n");
    events(&mut page, run);
    lights(&mut page, run);
    frames(&mut page, run);
    document::render("cami-ipa run", &page, &[document::CURSOR])
}

fn tiles(page: &mut String, run: &RunRecord) {
    let figures = &run.figures;
    let after = |frame: Option<u64>| match frame {
        Some(frame) => format!("frame {frame}"),
        None => "not reached".into(),
    };
    let us = |value: Option<u64>| match value {
        Some(value) => format!("{value} µs"),
        None => "–".into(),
    };
    let tiles = [
        ("AE converged", after(figures.ae_converged_frame)),
        ("AWB converged", after(figures.awb_converged_frame)),
        ("frames", figures.frames.to_string()),
        ("request p50", us(figures.request_p50_us)),
        ("request p99", us(figures.request_p99_us)),
        ("frame p50", us(figures.frame_p50_us)),
        ("kills", figures.kills.to_string()),
        ("restarts", figures.restarts.to_string()),
        ("notifications", figures.notifications.to_string()),
        ("lost completions", figures.lost_completions.to_string()),
    ];
    document::tiles(page, &tiles);
}

/// Vertical lines for what happened; convergence is marked where `aspect` converged.
fn marks(run: &RunRecord, aspect: &str) -> Vec<Mark> {
    let mut marks: Vec<Mark> = run
        .events
        .iter()
        .filter_map(|event| {
            let (class, label) = match event.kind {
                EventKind::Light if event.frame > 0 => ("light", "light changes".to_string()),
                EventKind::Light => return None,
                EventKind::Converged if event.text.starts_with(aspect) => {
                    ("good", "converged".to_string())
                }
                EventKind::Converged | EventKind::Recovered => return None,
                EventKind::Fault => ("fault", "vendor process lost".to_string()),
            };
            Some(Mark { at: event.frame as f64, class, label })
        })
        .collect();
    // A loss is several events in one frame.
    marks.dedup_by(|next, mark| (next.at, next.class) == (mark.at, mark.class));
    // Of many losses one says what the lines are.
    for mark in marks.iter_mut().filter(|mark| mark.class == "fault").skip(1) {
        mark.label.clear();
    }
    marks
}

fn exposure(page: &mut String, run: &RunRecord) {
    let last_of = |light: &crate::convergence::LightVerdict| {
        (light.first_frame + light.frames).saturating_sub(1)
    };
    let levels: Vec<f64> = run.frames.iter().map(|frame| 100.0 * frame.truth.level).collect();
    let highest = levels.iter().copied().fold(0.0, f64::max).max(1.0);
    let bands = run
        .lights
        .iter()
        .map(|light| Band {
            frames: (light.first_frame, last_of(light)),
            values: (
                100.0 * light.target_level * (1.0 - AE_TOLERANCE),
                100.0 * light.target_level * (1.0 + AE_TOLERANCE),
            ),
        })
        .collect();
    let level = Chart {
        id: "level",
        description: format!(
            "Mean level of the picture in percent of full scale over {} frames. {}",
            run.frames.len(),
            sentences(run, |light| light.ae_frame, "AE")
        ),
        unit: " %",
        axis: Axis::frames(0),
        scale: Scale::Linear(0.0, (highest * 1.1).min(100.0)),
        series: vec![Series {
            name: "level that the AE answer gives",
            class: "s1",
            values: levels,
        }],
        bands,
        marks: marks(run, "AE"),
    };
    let products: Vec<f64> =
        run.frames.iter().map(|f| (f.truth.product / 1000.0).max(1e-3)).collect();
    let times: Vec<f64> =
        run.frames.iter().map(|f| (f64::from(f.exposure_us) / 1000.0).max(1e-3)).collect();
    let low = products.iter().chain(&times).copied().fold(f64::MAX, f64::min);
    let high = products.iter().chain(&times).copied().fold(0.0, f64::max);
    let product = Chart {
        id: "exposure",
        description: "Exposure time, and exposure time multiplied by the gains, in milliseconds \
                      on a logarithmic axis."
            .into(),
        unit: " ms",
        axis: Axis::frames(0),
        scale: Scale::Log(
            10_f64.powf(low.max(1e-3).log10().floor()),
            10_f64.powf(high.max(1e-2).log10().ceil()),
        ),
        series: vec![
            Series { name: "time × gains", class: "s1", values: products },
            Series { name: "time", class: "s2", values: times },
        ],
        bands: Vec::new(),
        marks: marks(run, "AE"),
    };
    let _ = write!(
        page,
        "<section>\n<h2>Exposure (AE)</h2>\n{}{}</section>\n",
        level.render(),
        product.render()
    );
}

fn white_balance(page: &mut String, run: &RunRecord) {
    let percent = |value: f64| 100.0 * value;
    let red: Vec<f64> = run.frames.iter().map(|f| percent(f.truth.red_error)).collect();
    let blue: Vec<f64> = run.frames.iter().map(|f| percent(f.truth.blue_error)).collect();
    let reach = red.iter().chain(&blue).map(|v| v.abs()).fold(5.0, f64::max).min(100.0) * 1.1;
    let last = run.frames.len().saturating_sub(1) as u64;
    let errors = Chart {
        id: "awb",
        description: format!(
            "How far the worst grey patch is from neutral after the white-balance gains, in \
             percent. {}",
            sentences(run, |light| light.awb_frame, "AWB")
        ),
        unit: " %",
        axis: Axis::frames(0),
        scale: Scale::Linear(-reach, reach),
        series: vec![
            Series { name: "R/G of the worst grey patch", class: "red", values: red },
            Series { name: "B/G of the worst grey patch", class: "blue", values: blue },
        ],
        bands: vec![Band {
            frames: (0, last),
            values: (percent(-AWB_TOLERANCE), percent(AWB_TOLERANCE)),
        }],
        marks: marks(run, "AWB"),
    };
    let kelvins: Vec<f64> = run.frames.iter().map(|frame| f64::from(frame.cct_k)).collect();
    let warmest = kelvins.iter().copied().fold(f64::MAX, f64::min);
    let coldest = kelvins.iter().copied().fold(0.0, f64::max);
    let temperature = Chart {
        id: "cct",
        description: "Colour temperature that AWB estimates, in kelvin.".into(),
        unit: " K",
        axis: Axis::frames(0),
        scale: Scale::Linear(
            ((warmest.min(coldest) - 200.0) / 500.0).floor().max(0.0) * 500.0,
            ((coldest + 200.0) / 500.0).ceil() * 500.0,
        ),
        series: vec![Series { name: "estimated colour temperature", class: "s2", values: kelvins }],
        bands: Vec::new(),
        marks: marks(run, "AWB"),
    };
    let _ = write!(
        page,
        "<section>\n<h2>White balance (AWB)</h2>\n{}{}</section>\n",
        errors.render(),
        temperature.render()
    );
}

/// When each light's convergence was reached, in words.
fn sentences(
    run: &RunRecord,
    frame: impl Fn(&crate::convergence::LightVerdict) -> Option<u64>,
    what: &str,
) -> String {
    let mut text = String::new();
    for light in &run.lights {
        let _ = match frame(light) {
            Some(frame) => write!(text, "{what} converged in frame {frame} under {}. ", light.name),
            None => write!(text, "{what} did not converge under {}. ", light.name),
        };
    }
    text
}

fn events(page: &mut String, run: &RunRecord) {
    page.push_str("<section>\n<h2>Events</h2>\n");
    page.push_str(&timeline::render(&run.events, run.frames.len()));
    let durations: Vec<Duration> = run.frames.iter().map(|frame| frame.duration).collect();
    page.push_str(&gaps::render(&durations, &run.events));
    page.push_str("<ol class=\"events\">\n");
    for event in &run.events {
        let class = match event.kind {
            EventKind::Light => "light",
            EventKind::Converged | EventKind::Recovered => "good",
            EventKind::Fault => "fault",
        };
        let _ = writeln!(
            page,
            "<li class=\"{class}\"><span class=\"when\">frame {} · {:.1} ms</span> \
             <span>{}</span></li>",
            event.frame,
            event.at.as_secs_f64() * 1000.0,
            Escaped(&event.text)
        );
    }
    page.push_str("</ol>\n</section>\n");
}

fn lights(page: &mut String, run: &RunRecord) {
    page.push_str(
        "<section>\n<h2>Lights</h2>\n<div class=\"scroll\"><table>\n<thead><tr>\
         <th scope=\"col\">light</th><th scope=\"col\">frames</th>\
         <th scope=\"col\">AE converged</th><th scope=\"col\">AWB converged</th>\
         <th scope=\"col\">settled level</th><th scope=\"col\">overshoot</th></tr></thead>\n<tbody>\n",
    );
    for light in &run.lights {
        let after = |frame: Option<u64>| match frame {
            Some(frame) => format!("after {} frames", frame.saturating_sub(light.first_frame)),
            None if light.is_judged() => "no".into(),
            None => "no (short)".into(),
        };
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}–{}</td><td>{}</td><td>{}</td><td>{:.1} %</td>\
             <td>{:.1} %</td></tr>",
            Escaped(&light.name),
            light.first_frame,
            (light.first_frame + light.frames).saturating_sub(1),
            after(light.ae_frame),
            after(light.awb_frame),
            100.0 * light.target_level,
            100.0 * light.overshoot
        );
    }
    page.push_str("</tbody></table></div>\n</section>\n");
}

fn frames(page: &mut String, run: &RunRecord) {
    page.push_str(
        "<section>\n<details>\n<summary>Every frame in numbers</summary>\n<div class=\"scroll\">\
         <table>\n<thead><tr><th scope=\"col\">frame</th><th scope=\"col\">exposure, µs</th>\
         <th scope=\"col\">gain</th><th scope=\"col\">level, %</th><th scope=\"col\">CCT, K</th>\
         <th scope=\"col\">R/G, %</th><th scope=\"col\">B/G, %</th><th scope=\"col\">lens</th>\
         <th scope=\"col\">took, µs</th></tr></thead>\n<tbody>\n",
    );
    for (number, frame) in run.frames.iter().enumerate() {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{number}</th><td>{}</td><td>{}</td><td>{:.2}</td><td>{}</td>\
             <td>{:+.2}</td><td>{:+.2}</td><td>{}</td><td>{}</td></tr>",
            frame.exposure_us,
            short(f64::from(frame.analogue_gain)),
            100.0 * frame.truth.level,
            frame.cct_k,
            100.0 * frame.truth.red_error,
            100.0 * frame.truth.blue_error,
            frame.lens,
            frame.duration.as_micros()
        );
    }
    page.push_str("</tbody></table></div>\n</details>\n</section>\n");
}
