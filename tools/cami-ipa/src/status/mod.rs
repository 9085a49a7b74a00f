//! `cami-ipa status`: the hosts that run, and the last that died.

mod collect;
pub mod human;
mod table;

use std::io::Write;
use std::path::PathBuf;

use cami_config::{Config, Environment};
use lexopt::prelude::*;

use crate::failure::Failure;

pub use collect::Report;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct StatusOptions {
    /// In place of the configured `status_dir`.
    pub status_dir: Option<PathBuf>,
    /// In place of the configured `crash_dir`.
    pub crash_dir: Option<PathBuf>,
    /// Where the data goes; "-" is standard output.
    pub json: Option<PathBuf>,
}

pub const HELP: &str = "\
usage: cami-ipa status [OPTION...]

Shows the hosts that run and what they do, and why the last ones died.

  --json FILE         the same as data (\"-\" for standard output, in place of the text)
  --status-dir DIR    where hosts leave their status (default: the configured status_dir, else
                      /run/cami-ipa)
  --crash-dir DIR     where they leave crash records (default: the configured crash_dir)

A host whose monitor was killed cannot say so: its file is left over, and is shown among the deaths.
Hosts of other containers that share the folder are shown as they were last seen.

exit codes: 0 done; 2 wrong usage, or a folder that cannot be read
";

/// Understands the arguments behind `status`; `None` is a wish for help.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Option<StatusOptions>, lexopt::Error> {
    let mut options = StatusOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("json") => options.json = Some(parser.value()?.into()),
            Long("status-dir") => options.status_dir = Some(parser.value()?.into()),
            Long("crash-dir") => options.crash_dir = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

/// Does it.
pub fn run(options: &StatusOptions) -> Result<(), Failure> {
    let (status_dir, crash_dir) = folders(options)?;
    let report = collect(status_dir, crash_dir)?;
    let text = table::render(&report);
    let json = serde_json::to_string_pretty(&report)
        .map(|json| format!("{json}\n"))
        .map_err(|error| Failure::environment(format!("the report: {error}")))?;
    match options.json.as_deref() {
        Some(path) if path.as_os_str() == "-" => print(&json),
        Some(path) => {
            std::fs::write(path, json).map_err(|error| {
                Failure::environment(format!("{} cannot be written: {error}", path.display()))
            })?;
            print(&text);
        }
        None => print(&text),
    }
    Ok(())
}

/// What stands in the folders.
pub fn collect(status_dir: PathBuf, crash_dir: Option<PathBuf>) -> Result<Report, Failure> {
    collect::collect(status_dir, crash_dir).map_err(|(folder, error)| {
        Failure::environment(format!("{} cannot be read: {error}", folder.display()))
    })
}

/// A reader that goes away early is no error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The configuration is read only where it is needed: a wrong one is an error then.
pub fn folders(options: &StatusOptions) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    if let (Some(status), Some(crash)) = (&options.status_dir, &options.crash_dir) {
        return Ok((status.clone(), Some(crash.clone())));
    }
    let config = Config::read(&Environment::of_process(), None)
        .map_err(|error| Failure::environment(error.to_string()))?;
    Ok((
        options.status_dir.clone().unwrap_or(config.status_dir),
        options.crash_dir.clone().or(config.crash_dir),
    ))
}
