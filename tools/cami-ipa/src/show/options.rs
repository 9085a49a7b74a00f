//! The command line of `cami-ipa show`.

use std::path::PathBuf;

use lexopt::prelude::*;

use super::filter::Filter;
use crate::failure::Failure;
use crate::options::{Command, number, path, text, usage_of};
use crate::recorded::{FrameRange, Item};

/// What to show of which file.
#[derive(Debug, Clone)]
pub struct ShowOptions {
    /// The recording.
    pub file: PathBuf,
    /// In place of the recorded profile.
    pub profile: Option<String>,
    /// What of it.
    pub filter: Filter,
    /// Whether answers are decoded.
    pub fields: bool,
    /// Where the same goes as JSON lines; "-" is standard output.
    pub json: Option<PathBuf>,
    /// The folder for the contents of buffers.
    pub extract: Option<PathBuf>,
    /// The one content to write.
    pub content: Option<u64>,
    /// Where it goes; standard output if not given.
    pub to: Option<PathBuf>,
}

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa show FILE [OPTION...]
       cami-ipa show FILE --content N [--to FILE]

Prints a recording: what it is, then a line for each thing that happened in it: seconds since its
begin, host, frame, and what it was; of a request its command, the library's thread group, its
number, buffer, status, time to the answer, and the numbers of what the buffer held before and after.

which of them (all that is given must hold)
  --frame A..B      frames from A to before B; also A.., ..B and A (where the profile says with which
                    requests a frame begins)
  --command NAME    requests and calls of a name, its end (AE_RUN) or a command's number
  --host N          what happened in one host
  --kind KIND       host, resumed, died, ended, lost, request, call, unsolicited, update, line, usage
  --failed          what did not succeed: statuses, unanswered requests, errors, deaths, losses
  --slow US         requests that took as many microseconds or more, or were never answered

what of them
  --fields          also what is in buffers, where the profile has fields (intel-ipu3)
  --profile PROFILE what is known of its protocol: names, frames, fields (default: the recorded one)
  --json FILE       the same as JSON lines, the first of which is what the recording is (\"-\" for
                    standard output, in place of the text)
  --extract DIR     the buffers of the requests that are shown as files NUMBER_COMMAND_in.bin and
                    _out.bin; of AIC_GETAICCONFIG also what cami-ipa ipu3 encode-params takes
  --content N       only the bytes of content N, on standard output
  --to FILE         these bytes into a file

exit codes: 0 done; 1 FILE is no recording, or content N is not in it; 2 wrong usage or environment
";

/// Understands the arguments behind `show`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("show");
    let wrong = |what: String| Failure::usage(format!("{what}; see cami-ipa help show"));
    let mut file = None;
    let mut filter = Filter::default();
    let mut profile = None;
    let (mut fields, mut json, mut extract, mut content, mut to) = (false, None, None, None, None);
    while let Some(argument) = parser.next().map_err(&usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("frame") => filter.frames = Some(frames(&text(&mut parser, "--frame")?)?),
            Long("command") => filter.command = Some(text(&mut parser, "--command")?),
            Long("host") => {
                let host = number(&mut parser, "--host", 0, u32::MAX.into())?;
                filter.host = u32::try_from(host).ok();
            }
            Long("kind") => {
                let kind = text(&mut parser, "--kind")?;
                if !Item::KINDS.contains(&kind.as_str()) {
                    let kinds = Item::KINDS.join(", ");
                    return Err(wrong(format!("--kind: \"{kind}\" is none of {kinds}")));
                }
                filter.kind = Some(kind);
            }
            Long("failed") => filter.failed = true,
            Long("slow") => filter.slow_us = Some(number(&mut parser, "--slow", 0, u64::MAX)?),
            Long("fields") => fields = true,
            Long("profile") => profile = Some(text(&mut parser, "--profile")?),
            Long("json") => json = Some(path(&mut parser)?),
            Long("extract") => extract = Some(path(&mut parser)?),
            Long("content") => content = Some(number(&mut parser, "--content", 1, u64::MAX)?),
            Long("to") => to = Some(path(&mut parser)?),
            Value(value) if file.is_none() => file = Some(PathBuf::from(value)),
            other => return Err(usage(other.unexpected())),
        }
    }
    let file = file.ok_or_else(|| wrong("show: which recording?".into()))?;
    if to.is_some() && content.is_none() {
        return Err(wrong("--to: there is no --content".into()));
    }
    if content.is_some() && (filter.is_any() || fields || json.is_some() || extract.is_some()) {
        return Err(wrong("--content: goes with --to only".into()));
    }
    Ok(Command::Show(ShowOptions { file, profile, filter, fields, json, extract, content, to }))
}

/// The value of `--frame`.
pub fn frames(value: &str) -> Result<FrameRange, Failure> {
    FrameRange::parse(value).ok_or_else(|| {
        Failure::usage(format!("--frame: \"{value}\" is not A..B, A.., ..B or A, as in 10..20"))
    })
}
