//! From `request` to `return_callback`, against a raw ping-pong and against libcamera.

use crate::affinity::on_one_cpu;
use crate::driver::Driver;
use crate::failure::Failure;
use crate::options::Options;
use crate::report::{Report, Row};
use crate::room::Room;
use crate::statistics::{Summary, median, median_of, summary};

/// DESIGN.md, "Promises": against a raw two-process SEQPACKET ping-pong, pinned to one CPU.
const BOUND_RAW: f64 = 1.5;
/// DESIGN.md, "Promises": against libcamera's own synchronous call.
const BOUND_LIBCAMERA: f64 = 0.5;

/// The programs that are compared.
struct Contestants {
    hal: Driver,
    ping_pong: Driver,
    libcamera: Option<Driver>,
}

/// A summary for each round.
#[derive(Default)]
struct Rounds {
    hal: Vec<Summary>,
    ping_pong: Vec<Summary>,
    libcamera: Vec<Summary>,
}

/// Measures on one CPU, then where the scheduler puts the processes.
pub(crate) fn measure(room: &Room, options: &Options, report: &mut Report) -> Result<(), Failure> {
    report.progress("latency, all processes on one CPU");
    let pinned = on_one_cpu(|| race(room, options))?;
    describe(&pinned, "pinned", "on one CPU", report);
    report.progress("latency, processes where the scheduler puts them");
    let unpinned = race(room, options)?;
    describe(&unpinned, "unpinned", "unpinned", report);
    Ok(())
}

/// Rounds of each in turn.
fn race(room: &Room, options: &Options) -> Result<Rounds, Failure> {
    let libcamera = if options.no_libcamera { None } else { Some(room.libcamera_call()?) };
    let mut contestants = Contestants { hal: room.hal()?, ping_pong: room.ping_pong()?, libcamera };
    contestants.hal.ask("initialize")?;
    let run = format!("run {}", options.count(1000, 500));
    let mut rounds = Rounds::default();
    // The first round warms up: it fills caches, and lets clocks and allocators settle.
    for round in 0..=options.count(100, 20) {
        let hal = summary(&contestants.hal.ask(&run)?);
        let ping_pong = summary(&contestants.ping_pong.ask(&run)?);
        let libcamera =
            contestants.libcamera.as_mut().map(|driver| driver.ask(&run)).transpose()?;
        if round > 0 {
            rounds.hal.push(hal);
            rounds.ping_pong.push(ping_pong);
            rounds.libcamera.extend(libcamera.map(|samples| summary(&samples)));
        }
    }
    Ok(rounds)
}

fn describe(rounds: &Rounds, key: &str, place: &str, report: &mut Report) {
    let pinned = key == "pinned";
    let mut percentiles = |name: &str, text: &str, rounds: &[Summary]| {
        let summary = median_of(rounds);
        for (percentile, value) in [("p50", summary.p50), ("p99", summary.p99)] {
            report.add(Row::new(
                format!("{name}_{key}_{percentile}_us"),
                format!("{text}, {place}, {percentile}"),
                value,
                "µs",
            ));
        }
    };
    percentiles("request", "request → return_callback", &rounds.hal);
    percentiles("seqpacket", "raw SEQPACKET ping-pong of the same sizes", &rounds.ping_pong);
    if !rounds.libcamera.is_empty() {
        percentiles(
            "libcamera",
            "libcamera's IPAProxyIPU3 and worker, sync call",
            &rounds.libcamera,
        );
    }
    // What the scheduler does with unpinned processes is no property of ours: shown, not judged.
    let mut ratio = |name: &str, text: &str, other: &[Summary], bound: f64| {
        let row = Row::new(
            format!("request_to_{name}_{key}_ratio"),
            format!("request, against {text}, {place}, p50"),
            ratio_of(&rounds.hal, other),
            "×",
        );
        report.add(if pinned { row.at_most(bound) } else { row });
    };
    ratio("seqpacket", "raw ping-pong", &rounds.ping_pong, BOUND_RAW);
    if !rounds.libcamera.is_empty() {
        ratio("libcamera", "libcamera's sync call", &rounds.libcamera, BOUND_LIBCAMERA);
    }
}

/// The median of the ratios of neighbouring rounds.
fn ratio_of(ours: &[Summary], others: &[Summary]) -> f64 {
    median(ours.iter().zip(others).map(|(our, other)| our.p50 / other.p50).collect())
}
