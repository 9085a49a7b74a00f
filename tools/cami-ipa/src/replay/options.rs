//! The command line of `cami-ipa replay`.

use std::path::PathBuf;
use std::time::Duration;

use cami_replay::Tolerances;
use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, number, path, text, usage};

/// `cami-ipa help replay`.
pub const HELP: &str = "\
usage: cami-ipa replay FILE [OPTION...]
       cami-ipa replay --import FOLDER --output FILE [--profile PROFILE]

Asks a library what a recording was asked, in the same order, each recorded host in a process of its
own, and with --compare says what it answers otherwise than the recorded one.

what is asked
  --vendor-library FILE   the library (default: $CAMI_IPA_VENDOR_LIBRARY, else
                          libcam_algo_reference.so beside this program)
  --library FILE          the libcam_algo.so that isolates it (default: the one beside this program)
  --in-process            call it directly, without isolation; its hosts are then one process
  --host N                of the recording's hosts only this one
  --profile PROFILE       what is known of its protocol (default: the recorded one)
  --pace PACE             fast (default): as answers come; recorded: as in the recording
  --timeout MS            how long an answer is waited for (default: 10000)

what is told
  --compare               every output that differs, by command and field, and a summary; the
                          library's updates too
  --tolerance FIELD=PERCENT
                          how far a field may be off, per cent of the recorded value; FIELD is its
                          name or path, with COMMAND. before it or not, and * for any text;
                          \"any\" in place of a number leaves it out, which is all that can be
                          done for bytes and for update.header; the last that fits holds
                          (default: every bit counts)
  --all                   all differences of a field, in place of the first five
  --json FILE             the same as data (\"-\" for standard output, in place of the text)

  --import FOLDER         makes a recording of requests that were saved as files:
                          NNN_cmdCC_in.bin is the buffer before request NNN of command CC,
                          NNN_cmdCC_out.bin the buffer at its callback; a manifest.tsv beside them may
                          tell the statuses
  --output FILE           where it goes

exit codes: 0 done, and with --compare no difference; 1 differences, or the library died or did not
answer: it is named with the request; 2 wrong usage or environment
";

/// What to replay, and how.
#[derive(Debug, Default)]
pub struct ReplayOptions {
    /// The recording.
    pub file: PathBuf,
    /// The library that is asked.
    pub vendor_library: Option<PathBuf>,
    /// What isolates it.
    pub library: Option<PathBuf>,
    /// Without isolation.
    pub in_process: bool,
    /// Only this host.
    pub host: Option<u32>,
    /// In place of the recorded profile.
    pub profile: Option<String>,
    /// As in the recording, and not as fast as it goes.
    pub recorded_pace: bool,
    /// How long an answer is waited for.
    pub timeout: Option<Duration>,
    /// Whether answers are compared.
    pub compare: bool,
    /// How far they may be off.
    pub tolerances: Tolerances,
    /// All differences.
    pub all: bool,
    /// Where the data goes; "-" is standard output.
    pub json: Option<PathBuf>,
}

/// What to import.
#[derive(Debug)]
pub struct ImportOptions {
    /// The folder of files.
    pub folder: PathBuf,
    /// The recording.
    pub output: PathBuf,
    /// Its profile.
    pub profile: Option<String>,
}

/// Understands the arguments behind `replay`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut options = ReplayOptions::default();
    let mut file = None;
    let mut import = None;
    let mut output = None;
    while let Some(argument) = parser.next().map_err(|error| usage(error, "replay"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("vendor-library") => options.vendor_library = Some(path(&mut parser)?),
            Long("library") => options.library = Some(path(&mut parser)?),
            Long("in-process") => options.in_process = true,
            Long("host") => {
                let host = number(&mut parser, "--host", 1, u32::MAX.into())?;
                options.host = u32::try_from(host).ok();
            }
            Long("profile") => options.profile = Some(text(&mut parser, "--profile")?),
            Long("pace") => {
                options.recorded_pace = match text(&mut parser, "--pace")?.as_str() {
                    "fast" => false,
                    "recorded" => true,
                    other => {
                        let line = format!("--pace: \"{other}\" is not fast or recorded");
                        return Err(Failure::usage(line));
                    }
                };
            }
            Long("timeout") => {
                let ms = number(&mut parser, "--timeout", 1, 3_600_000)?;
                options.timeout = Some(Duration::from_millis(ms));
            }
            Long("compare") => options.compare = true,
            Long("tolerance") => {
                let rule = text(&mut parser, "--tolerance")?;
                let added = options.tolerances.add(&rule);
                added.map_err(|error| Failure::usage(format!("--tolerance: {error}")))?;
            }
            Long("all") => options.all = true,
            Long("json") => options.json = Some(path(&mut parser)?),
            Long("import") => import = Some(path(&mut parser)?),
            Long("output") | Short('o') => output = Some(path(&mut parser)?),
            Value(value) if file.is_none() => file = Some(PathBuf::from(value)),
            other => return Err(usage(other.unexpected(), "replay")),
        }
    }
    match (import, output, file) {
        (Some(folder), Some(output), None) => {
            let profile = options.profile;
            Ok(Command::Import(ImportOptions { folder, output, profile }))
        }
        (Some(_), None, _) => Err(Failure::usage("--import needs --output FILE".into())),
        (Some(_), _, Some(file)) => Err(Failure::usage(format!(
            "--import makes a recording: \"{}\" has no meaning with it",
            file.display()
        ))),
        (None, Some(_), _) => {
            Err(Failure::usage("--output is where --import FOLDER writes to".into()))
        }
        (None, None, Some(file)) => checked(ReplayOptions { file, ..options }),
        (None, None, None) => {
            Err(Failure::usage("which recording? See cami-ipa help replay".into()))
        }
    }
}

fn checked(options: ReplayOptions) -> Result<Command, Failure> {
    if options.in_process && options.library.is_some() {
        return Err(Failure::usage(
            "--library has no meaning with --in-process; name the library with --vendor-library"
                .into(),
        ));
    }
    Ok(Command::Replay(Box::new(options)))
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test states what it expects")]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command, String> {
        let all = ["replay"].iter().chain(arguments).map(OsString::from);
        Command::parse(all).map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_option_is_understood() {
        let arguments = [
            "a.camr",
            "--vendor-library",
            "v.so",
            "--library",
            "l.so",
            "--host",
            "2",
            "--profile",
            "generic",
            "--pace",
            "recorded",
            "--timeout",
            "50",
            "--compare",
            "--tolerance",
            "x=1",
            "--all",
            "--json",
            "-",
        ];
        let options = match parsed(&arguments) {
            Ok(Command::Replay(options)) => options,
            other => panic!("{other:?}"),
        };
        assert_eq!((options.host, options.timeout), (Some(2), Some(Duration::from_millis(50))));
        assert!(options.recorded_pace && options.compare && options.all && !options.in_process);
        let import = parsed(&["--import", "folder", "-o", "a.camr"]);
        assert!(matches!(import, Ok(Command::Import(_))));
    }

    #[test]
    fn mistakes_name_their_option() {
        for (arguments, named) in [
            (&[][..], "which recording"),
            (&["a", "b"], "b"),
            (&["a", "--pace", "slow"], "--pace"),
            (&["a", "--timeout", "0"], "--timeout"),
            (&["a", "--host", "0"], "--host"),
            (&["a", "--tolerance", "x"], "--tolerance"),
            (&["a", "--in-process", "--library", "x"], "--library"),
            (&["--import", "x"], "--output"),
            (&["a", "--import", "x", "--output", "y"], "--import"),
            (&["a", "--output", "y"], "--output"),
            (&["a", "--bogus"], "--bogus"),
        ] {
            let error = parsed(arguments).expect_err("a mistake");
            assert!(error.contains(named), "{arguments:?}: {error}");
        }
    }
}
