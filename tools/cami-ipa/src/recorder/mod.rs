//! `cami-ipa record`: records what a command's cameras do, and makes recordings fit to be shared.

mod run;
mod strip;
mod tally;
mod windows;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, number, path, usage};

/// `cami-ipa help record`.
pub const HELP: &str = "\
usage: cami-ipa record [OPTION...] [--] COMMAND [ARGUMENT...]
       cami-ipa record --strip-tuning IN OUT

Runs COMMAND, and records every request, answer and buffer between its camera HAL and the closed
library behind libcam_algo.so (or libcamera's door): the key `record` is set for it. COMMAND itself
is not changed, and a disk that is full or slow ends the recording and not the camera. Hosts of a
service (CAMI_IPA_SOCKET) are not COMMAND's: set `record` in the service's configuration.

  --output FILE    where to (default: recording.camr). A second library that runs at the same time
                   gets FILE-2 and so on, before the extension
  --force          replace a recording that is there
  --limit MIB      a file that grows beyond this size is made smaller, by leaving out what is oldest;
                   set-up stays. While that is done the disk has half as much again
                   (default: 256; 0: no limit)

  --strip-tuning   write a copy of the recording IN to OUT without the vendor's tuning data (AIQB,
                   NVM, AIQD), wherever it stands in it: for sharing. Known for the profile
                   intel-ipu3. OUT can be looked at and compared, and not replayed. --force
                   replaces OUT, if that is a recording
  --incomplete     do so though IN does not have all of the tuning data that its library was given:
                   what was not recorded cannot be found where else it may stand

A recording holds what the library was given and what it answered: the vendor's tuning data, and with
it what the camera's owner may not pass on. Files have the mode 0600.

exit codes: that of COMMAND; 1 if it is 0 and nothing was recorded, or a copy would not be clean; 126 or 127 if it cannot be run;
128 and the signal if one ended it; 2 wrong usage or environment
";

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOptions {
    /// Run a command.
    Run(RunOptions),
    /// Copy without tuning data.
    Strip {
        /// The recording.
        from: PathBuf,
        /// The copy.
        to: PathBuf,
        /// Whether to replace it.
        force: bool,
        /// Whether to do it though not all tuning data is known.
        incomplete: bool,
    },
}

/// What to run, and where the recording goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOptions {
    /// The command with its arguments; not empty.
    pub command: Vec<OsString>,
    /// The file.
    pub output: PathBuf,
    /// Whether to replace it.
    pub force: bool,
    /// The file's limit, if it is not the configured one.
    pub limit_mib: Option<u64>,
}

/// Understands the arguments behind `record`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut run = RunOptions {
        command: Vec::new(),
        output: "recording.camr".into(),
        force: false,
        limit_mib: None,
    };
    let (mut strip, mut incomplete) = (false, false);
    while let Some(argument) = parser.next().map_err(|error| usage(error, "record"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("output") | Short('o') => run.output = path(&mut parser)?,
            Long("force") => run.force = true,
            Long("limit") => {
                run.limit_mib = Some(number(&mut parser, "--limit", 0, u64::from(u32::MAX))?);
            }
            Long("strip-tuning") => strip = true,
            Long("incomplete") => incomplete = true,
            Value(first) => {
                run.command.push(first);
                // The rest is COMMAND's own.
                let rest = parser.raw_args().map_err(|error| usage(error, "record"))?;
                run.command.extend(rest);
            }
            other => return Err(usage(other.unexpected(), "record")),
        }
    }
    if strip {
        let [from, to] = run.command.as_slice() else {
            return Err(Failure::usage(
                "--strip-tuning needs IN and OUT; see cami-ipa help record".into(),
            ));
        };
        let (from, to) = (from.into(), to.into());
        let force = run.force;
        return Ok(Command::Record(RecordOptions::Strip { from, to, force, incomplete }));
    }
    if run.command.is_empty() {
        return Err(Failure::usage("what shall be run? See cami-ipa help record".into()));
    }
    Ok(Command::Record(RecordOptions::Run(run)))
}

/// Does it.
pub fn record(options: &RecordOptions) -> Result<ExitCode, Failure> {
    match options {
        RecordOptions::Run(options) => run::run(options),
        RecordOptions::Strip { from, to, force, incomplete } => {
            strip::strip(from, to, *force, *incomplete).map(|()| ExitCode::SUCCESS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<RecordOptions, String> {
        match Command::parse(["record"].iter().chain(arguments).map(OsString::from)) {
            Ok(Command::Record(options)) => Ok(options),
            Ok(other) => Err(format!("{other:?}")),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn options_stand_before_the_command_and_its_own_are_its_own() {
        let Ok(RecordOptions::Run(run)) =
            parsed(&["--output", "x", "--limit", "9", "--", "hal", "--force", "--", "y"])
        else {
            panic!()
        };
        assert_eq!(run.command, ["hal", "--force", "--", "y"].map(OsString::from));
        assert_eq!((run.output, run.limit_mib, run.force), ("x".into(), Some(9), false));
        let Ok(RecordOptions::Run(run)) = parsed(&["--force", "hal", "--output", "z"]) else {
            panic!()
        };
        assert_eq!((run.command.len(), run.output, run.force), (3, "recording.camr".into(), true));
        let strip = parsed(&["--strip-tuning", "a", "b"]).unwrap();
        let (from, to) = ("a".into(), "b".into());
        let (force, incomplete) = (false, false);
        assert_eq!(strip, RecordOptions::Strip { from, to, force, incomplete });
    }

    #[test]
    fn mistakes_name_what_is_wrong() {
        for (arguments, named) in [
            (&[][..], "what shall be run"),
            (&["--strip-tuning", "a"], "IN and OUT"),
            (&["--strip-tuning", "a", "b", "c"], "IN and OUT"),
            (&["--limit", "x", "y"], "--limit"),
            (&["--bogus", "y"], "--bogus"),
        ] {
            let error = parsed(arguments).expect_err("a mistake");
            assert!(error.contains(named), "{arguments:?}: {error}");
        }
    }
}
