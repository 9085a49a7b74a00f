//! `cami-ipa probe`: what a library is and needs, told from its file; nothing of it runs.

mod examine;
mod fingerprint;
mod folder;
mod forbidden;
mod hardening;
mod needs;
mod text;
mod verdict;

use std::path::{Path, PathBuf};

use cami_config::{Config, Environment};
use lexopt::prelude::*;
use serde::Serialize;

use crate::failure::Failure;
use crate::options::{Command, text as text_value, usage_of};
use crate::outputs::{self, Output, STANDARD_OUTPUT};
use examine::{Probe, Surroundings};
use folder::Overview;

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct ProbeOptions {
    paths: Vec<PathBuf>,
    /// In place of the configured `library_path`.
    library_path: Option<Vec<PathBuf>>,
    section: Option<String>,
    json: Option<PathBuf>,
}

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa probe LIBRARY... [OPTION...]

Examines vendor libraries WITHOUT LOADING THEM: first whether one will run here under the adapter,
and if not what to do; then its table and revision, what it is built for, its build-id, which vendor
it seems to be of, every library, version and symbol that it needs and whether it is found as the
loader would find it, its hardening, thread-local variables and constructors, and what it imports
that its sandbox refuses. Of a folder: one line for each library in it that exports CAMI.

  --library-path DIRS   folders that are searched first, separated by colons (default: the configured
                        library_path)
  --section NAME        file name of the libcam_algo.so whose section of the configuration holds
  --json FILE           the same as data, every symbol with it (\"-\" for standard output, in place of
                        the text)

What a library finds by dlopen, or calls by number, cannot be seen this way: see cami-ipa learn.

exit codes: 0 all will run here; 1 one will not; 2 wrong usage or environment
";

/// Understands the arguments behind `probe`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("probe");
    let mut options = ProbeOptions::default();
    while let Some(argument) = parser.next().map_err(&usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("library-path") => {
                let value = parser.value().map_err(&usage)?;
                options.library_path = Some(std::env::split_paths(&value).collect());
            }
            Long("section") => options.section = Some(text_value(&mut parser, "--section")?),
            Long("json") => options.json = Some(parser.value().map_err(&usage)?.into()),
            Value(path) => options.paths.push(path.into()),
            other => return Err(usage(other.unexpected())),
        }
    }
    if options.paths.is_empty() {
        return Err(Failure::usage("which library? See cami-ipa help probe".into()));
    }
    Ok(Command::Probe(options))
}

/// All that was asked for, with stable names.
#[derive(Debug, Serialize)]
struct Report {
    libraries: Vec<Probe>,
    folders: Vec<Overview>,
}

/// Looks, and tells.
pub fn probe(options: &ProbeOptions) -> Result<(), Failure> {
    let config = Config::read(&Environment::of_process(), options.section.as_deref())
        .map_err(|error| Failure::environment(error.to_string()))?;
    let surroundings = Surroundings::new(config, options.library_path.clone());
    let mut report = Report { libraries: Vec::new(), folders: Vec::new() };
    let mut text = String::new();
    for path in &options.paths {
        let is_folder = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_dir();
        if !text.is_empty() {
            text.push('\n');
        }
        if is_folder {
            let overview =
                Overview::of(path, &surroundings).map_err(|error| unreadable(path, &error))?;
            text.push_str(&overview.text());
            report.folders.push(overview);
        } else {
            let probe = Probe::of(path, &surroundings);
            text.push_str(&text::render(&probe));
            report.libraries.push(probe);
        }
    }
    let standard = Path::new(STANDARD_OUTPUT);
    if options.json.as_deref() != Some(standard) {
        Output::write_all(standard, &text)?;
    }
    if let Some(path) = &options.json {
        Output::write_all(path, &outputs::json(&report)?)?;
    }
    let listed = report.folders.iter().flat_map(|folder| &folder.libraries);
    let verdicts: Vec<bool> = report
        .libraries
        .iter()
        .map(|probe| probe.runs())
        .chain(listed.map(|line| line.runs))
        .collect();
    match verdicts.iter().filter(|runs| !**runs).count() {
        0 => Ok(()),
        bad => Err(Failure::falls_short(format!("{bad} of {} will not run here", verdicts.len()))),
    }
}

/// The functions that a library imports and that end its process in the sandbox, with who imports them.
pub fn fatal_imports(library: &Path, config: Config, library_path: Vec<PathBuf>) -> Vec<String> {
    let probe = Probe::of(library, &Surroundings::new(config, Some(library_path)));
    let fatal = probe.system_calls.into_iter().filter(|row| row.effect == forbidden::Effect::Kill);
    fatal.map(|row| format!("{} ({})", row.imports.join(", "), row.imported_by)).collect()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("{} cannot be read: {error}", path.display()))
}
