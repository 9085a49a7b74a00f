//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::failure::Failure;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Usage: cami-bench [OPTIONS]

Measures the promises of cami-ipa on this machine. Exit code 0: every bound is met; 1: one is not;
2: wrong usage or environment.

  --quick          fewer rounds, for a merge gate: medians hold, the tails say less
  --no-libcamera   do not compare with libcamera (needs Debian 12's libcamera 0.0.3)
  --json FILE      also write the figures as JSON; - for standard output, instead of the table
  --artefacts DIR  where libcam_algo.so and cros_ipa_proxy are; default: beside this program
  --help           this text

With CAMI_IPA_VENDOR_LIBRARY, and the other settings of its host in the environment, what is ours of a
frame is measured with that library too; CAMI_IPA_TUNING names its tuning file, as ov13858=FILE.
";

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Wanted {
    Help,
    Run(Options),
}

/// How it is to be measured.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) no_libcamera: bool,
    /// `-` is standard output.
    pub(crate) json: Option<PathBuf>,
    pub(crate) artefacts: Option<PathBuf>,
}

impl Options {
    /// One of two counts.
    pub(crate) fn count(&self, full: u32, quick: u32) -> u32 {
        if self.quick { quick } else { full }
    }
}

/// Reads the arguments, without the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Wanted, Failure> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut path = || {
            let value = arguments.next().map(PathBuf::from);
            value.ok_or_else(|| Failure::new("--json and --artefacts need a path; see --help"))
        };
        match argument.to_str() {
            Some("--quick") => options.quick = true,
            Some("--no-libcamera") => options.no_libcamera = true,
            Some("--json") => options.json = Some(path()?),
            Some("--artefacts") => options.artefacts = Some(path()?),
            Some("--help" | "-h") => return Ok(Wanted::Help),
            _ => {
                let argument = argument.display();
                return Err(Failure::new(format!("unknown argument {argument}; see --help")));
            }
        }
    }
    Ok(Wanted::Run(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Wanted, Failure> {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn options_are_read() {
        let Ok(Wanted::Run(options)) = parsed(&["--quick", "--json", "-"]) else { panic!() };
        assert!(options.quick && !options.no_libcamera);
        assert_eq!(options.json, Some(PathBuf::from("-")));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        assert!(parsed(&["--json"]).is_err());
        assert!(parsed(&["--fast"]).is_err());
    }
}
