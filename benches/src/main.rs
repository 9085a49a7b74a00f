//! `cami-bench`: the promises of this project, measured.
//!
//! What is compared runs side by side: rounds of each alternate, and each figure is a median over
//! rounds, so that a busy machine disturbs both sides alike. The measured programs are C and C++
//! (`programs/`): a HAL that loads the real `libcam_algo.so`, a raw ping-pong of the same message
//! sizes, and libcamera's own proxy with its own worker.

mod affinity;
mod allocations;
mod codec;
mod death;
mod driver;
mod failure;
mod footprint;
mod latency;
mod options;
mod recording;
mod replay;
mod report;
mod room;
mod statistics;
mod translation;

use std::process::ExitCode;

use failure::Failure;
use options::{Options, Wanted};
use report::Report;
use room::Room;

fn main() -> ExitCode {
    let wanted = match options::parse(std::env::args_os().skip(1)) {
        Ok(wanted) => wanted,
        Err(failure) => return refuse(&failure),
    };
    match wanted {
        Wanted::Help => {
            print!("{}", options::USAGE);
            ExitCode::SUCCESS
        }
        Wanted::Run(options) => match measure(&options) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(1),
            Err(failure) => refuse(&failure),
        },
    }
}

/// Runs everything; whether all bounds are met.
fn measure(options: &Options) -> Result<bool, Failure> {
    let room = Room::new(options)?;
    let mut report = Report::new(options.quick);
    latency::measure(&room, options, &mut report)?;
    death::measure(&room, options, &mut report)?;
    allocations::measure(&room, options, &mut report)?;
    footprint::measure(&room, &mut report)?;
    codec::measure(options, &mut report)?;
    translation::measure(&room, options, &mut report)?;
    recording::measure(&room, options, &mut report)?;
    replay::measure(&room, options, &mut report)?;
    report.write(options.json.as_deref())?;
    Ok(report.is_met())
}

fn refuse(failure: &Failure) -> ExitCode {
    eprintln!("cami-bench: {failure}");
    ExitCode::from(2)
}
