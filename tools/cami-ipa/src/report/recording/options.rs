//! The command line of `cami-ipa report`.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, path, text, usage_of};
use crate::recorded::FrameRange;
use crate::show;

/// What to report of which file.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// The recording.
    pub file: PathBuf,
    /// In place of the recorded profile.
    pub profile: Option<String>,
    /// Where the page goes; "-" is standard output.
    pub html: Option<PathBuf>,
    /// Where the trace events go, likewise.
    pub trace_events: Option<PathBuf>,
    /// The frames that it is about; all if not given.
    pub frames: Option<FrameRange>,
}

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa report FILE --html OUT [--trace-events OUT] [--frame A..B] [--profile PROFILE]

Makes a page of a recording, to look at in a browser: the requests on a timeline with a row for each
thread group of the library, times from request to answer, what became of exposure, white balance and
focus, memory and CPU time, deaths and recoveries, what the library printed, and the statistics as
pictures. It is one file that fetches nothing. A long recording is shown in part: the page says what.

  --html OUT          the page (\"-\" for standard output)
  --trace-events OUT  requests, exposure, memory and deaths as Chrome trace events, which
                      ui.perfetto.dev and chrome://tracing open
  --frame A..B        only what happened from frame A to before B (where the profile says with which
                      requests a frame begins)
  --profile PROFILE   what is known of its protocol: names, frames, fields (default: the recorded one)

Of intel-ipu3 everything is known; of other profiles the requests, by command.

exit codes: 0 done; 1 FILE is no recording; 2 wrong usage or environment
";

/// Understands the arguments behind `report`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("report");
    let (mut file, mut html, mut trace_events, mut frames) = (None, None, None, None);
    let mut profile = None;
    while let Some(argument) = parser.next().map_err(&usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("html") => html = Some(path(&mut parser)?),
            Long("trace-events") => trace_events = Some(path(&mut parser)?),
            Long("profile") => profile = Some(text(&mut parser, "--profile")?),
            Long("frame") => frames = Some(show::frames(&text(&mut parser, "--frame")?)?),
            Value(value) if file.is_none() => file = Some(PathBuf::from(value)),
            other => return Err(usage(other.unexpected())),
        }
    }
    let wrong = |what: &str| Failure::usage(format!("report: {what}; see cami-ipa help report"));
    let file = file.ok_or_else(|| wrong("which recording?"))?;
    if html.is_none() && trace_events.is_none() {
        return Err(wrong("where to? Name a file with --html"));
    }
    Ok(Command::Report(ReportOptions { file, profile, html, trace_events, frames }))
}
