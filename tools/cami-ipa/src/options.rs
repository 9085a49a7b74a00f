//! The command line: what was asked for.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::commands;
use crate::compare::{self, CompareOptions};
use crate::conform::{self, ConformOptions};
use crate::failure::Failure;
use crate::ipu3::{self, Ipu3Options};
use crate::learn::{self, LearnOptions};
use crate::policy::{self, PolicyOptions};
use crate::probe::{self, ProbeOptions};
use crate::recorder::{self, RecordOptions};
use crate::replay::{self, ImportOptions, ReplayOptions};
use crate::report::{self, ReportOptions};
use crate::run_options::{self, RunOptions};
use crate::serve::{self, ServeOptions};
use crate::show::{self, ShowOptions};
use crate::status::{self, StatusOptions};
use crate::top::{self, TopOptions};

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Print a text and be done.
    Print(String),
    /// Look at the machine, the configuration and the vendor library.
    Doctor(DoctorOptions),
    /// Drive a library.
    Run(Box<RunOptions>),
    /// Serve clients.
    Serve(ServeOptions),
    /// Print what a vendor library may do.
    Policy(PolicyOptions),
    /// List what a library does.
    Learn(LearnOptions),
    /// Examine libraries without loading them.
    Probe(ProbeOptions),
    /// Look whether a library keeps the ABI's rules.
    Conform(Box<ConformOptions>),
    /// Look at one rule: this program's own way to have a process for it.
    ConformOne(String),
    /// Print a recording.
    Show(ShowOptions),
    /// Make a page of a recording.
    Report(ReportOptions),
    /// Show the hosts.
    Status(StatusOptions),
    /// Show the hosts again and again.
    Top(TopOptions),
    /// Convert files.
    Ipu3(Ipu3Options),
    /// Drive workers of libcamera side by side.
    Compare(Box<CompareOptions>),
    /// Record what a command does.
    Record(RecordOptions),
    /// Make a recorded session again.
    Replay(Box<ReplayOptions>),
    /// Make a recording of saved requests.
    Import(ImportOptions),
}

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct DoctorOptions {
    /// The vendor library, in place of the configured one.
    pub vendor_library: Option<PathBuf>,
    /// File name of the `libcam_algo.so` whose section of the configuration holds.
    pub section: Option<String>,
    /// Where the findings go as data; "-" is standard output.
    pub json: Option<PathBuf>,
}

pub const DOCTOR_HELP: &str = "\
usage: cami-ipa doctor [OPTION...]

Looks at this machine, the configuration and the vendor library as cros_ipa_proxy would: which
layers of the sandbox engage and why the others do not, whether the library and all that it needs
is found, and where each key of the configuration was set. It changes nothing.

  --vendor-library FILE   the library to look at (default: the configured one)
  --section NAME          file name of the libcam_algo.so whose section of the configuration holds
  --json FILE             the findings as data (\"-\" for standard output, in place of the text)

exit codes: 0 good; 1 something falls short: it stands in the first lines; 2 wrong usage
";

impl Command {
    /// Understands the arguments behind the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let top = |error| usage(error, "run");
        match parser.next().map_err(top)? {
            Some(Long("help") | Short('h')) => Ok(Self::Print(commands::overview())),
            Some(Long("version") | Short('V')) => {
                Ok(Self::Print(format!("cami-ipa {}\n", env!("CARGO_PKG_VERSION"))))
            }
            Some(Value(command)) if command == "help" => match parser.next().map_err(top)? {
                None => Ok(Self::Print(commands::overview())),
                Some(Value(topic)) => topic
                    .to_str()
                    .and_then(commands::help)
                    .map(|help| Self::Print(help.into()))
                    .ok_or_else(|| no_command(&topic)),
                Some(other) => Err(top(other.unexpected())),
            },
            Some(Value(command)) if command == "doctor" => parse_doctor(parser),
            Some(Value(command)) if command == "run" => run_options::parse(parser),
            Some(Value(command)) if command == "serve" => serve::parse(parser),
            Some(Value(command)) if command == "policy" => policy::parse(parser),
            Some(Value(command)) if command == "learn" => learn::parse(parser),
            Some(Value(command)) if command == "compare" => compare::parse(parser),
            Some(Value(command)) if command == "ipu3" => ipu3::parse(parser),
            Some(Value(command)) if command == "record" => recorder::parse(parser),
            Some(Value(command)) if command == "probe" => probe::parse(parser),
            Some(Value(command)) if command == "conform" => conform::parse(parser),
            Some(Value(command)) if command == conform::job::COMMAND => {
                Ok(Self::ConformOne(text(&mut parser, conform::job::COMMAND)?))
            }
            Some(Value(command)) if command == "replay" => replay::options::parse(parser),
            Some(Value(command)) if command == "show" => show::parse(parser),
            Some(Value(command)) if command == "report" => report::parse(parser),
            Some(Value(command)) if command == "top" => top::parse(parser),
            Some(Value(command)) if command == "status" => match status::parse(&mut parser) {
                Ok(Some(options)) => Ok(Self::Status(options)),
                Ok(None) => Ok(Self::Print(status::HELP.into())),
                Err(error) => Err(Failure::usage(format!("{error}; see cami-ipa help status"))),
            },
            Some(Value(command)) => Err(no_command(&command)),
            Some(other) => Err(top(other.unexpected())),
            None => Err(Failure::usage("what shall be done? See cami-ipa help".into())),
        }
    }
}

fn no_command(name: &OsStr) -> Failure {
    let name = name.to_string_lossy();
    Failure::usage(format!("there is no command \"{name}\"; see cami-ipa help"))
}

/// A mistake in the arguments of `command`.
pub fn usage(error: lexopt::Error, command: &str) -> Failure {
    Failure::usage(format!("{error}; see cami-ipa help {command}").trim_end().to_owned())
}

/// What is wrong with the arguments of a command.
pub fn usage_of(command: &'static str) -> impl Fn(lexopt::Error) -> Failure {
    move |error| usage(error, command)
}

/// The value of `--ioctl`: a number as the configuration's `sandbox.ioctl` has it, `0x` or not.
pub fn ioctl_number(parser: &mut lexopt::Parser) -> Result<u32, Failure> {
    let value = text(parser, "--ioctl")?;
    let parsed = match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => value.parse(),
    };
    parsed.map_err(|_| {
        Failure::usage(format!("--ioctl: \"{value}\" is not a number from 0 to 0xffffffff"))
    })
}

fn parse_doctor(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut options = DoctorOptions::default();
    while let Some(argument) = parser.next().map_err(usage_of("doctor"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(DOCTOR_HELP.into())),
            Long("vendor-library") => options.vendor_library = Some(path(&mut parser)?),
            Long("section") => options.section = Some(text(&mut parser, "--section")?),
            Long("json") => options.json = Some(path(&mut parser)?),
            other => return Err(usage(other.unexpected(), "doctor")),
        }
    }
    Ok(Command::Doctor(options))
}

/// The value of an option that is a path.
pub fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, Failure> {
    parser.value().map(PathBuf::from).map_err(|error| usage(error, ""))
}

/// The value of an option that must be text.
pub fn text(parser: &mut lexopt::Parser, option: &str) -> Result<String, Failure> {
    parser.value().map_err(|error| usage(error, ""))?.into_string().map_err(|value| {
        Failure::usage(format!("{option}: \"{}\" is not text", value.to_string_lossy()))
    })
}

/// The value of an option that must be a number within bounds.
pub fn number(
    parser: &mut lexopt::Parser,
    option: &str,
    smallest: u64,
    largest: u64,
) -> Result<u64, Failure> {
    let value = text(parser, option)?;
    value.parse().ok().filter(|number| (smallest..=largest).contains(number)).ok_or_else(|| {
        Failure::usage(format!(
            "{option}: \"{value}\" is not a number from {smallest} to {largest}"
        ))
    })
}
