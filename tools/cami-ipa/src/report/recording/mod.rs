//! `cami-ipa report`: a recording as a page, and as trace events.

mod collect;
mod latency;
mod options;
mod page;
mod pictures;
mod timeline;
mod trace_events;
mod trends;

use crate::failure::Failure;
use crate::outputs::Output;
use crate::recorded::Recorded;
use collect::Collected;

pub use options::{HELP, ReportOptions, parse};

/// Does it.
pub fn report(options: &ReportOptions) -> Result<(), Failure> {
    let recorded = Recorded::open(&options.file, options.profile.as_deref())?;
    if options.frames.is_some() {
        recorded.must_have_frames()?;
    }
    let collected = Collected::of(&recorded, options.frames.as_ref());
    if options.frames.is_some() && collected.requests.is_empty() {
        return Err(Failure::usage(format!(
            "--frame: there are no such frames; it has {}",
            recorded.frame_count()
        )));
    }
    if let Some(path) = &options.trace_events {
        trace_events::write(path, &recorded, &collected)?;
    }
    match &options.html {
        Some(path) => Output::write_all(path, &page::render(&recorded, &collected, &options.file)),
        None => Ok(()),
    }
}
