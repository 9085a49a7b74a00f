//! A folder: one line for each library in it that exports a table.

use std::io;
use std::path::{Path, PathBuf};

use cami_abi::{InspectError, inspect};
use serde::Serialize;

use super::examine::{Probe, Surroundings};
use crate::status::human::name as clean;

/// Files of one folder that are looked at.
const MAX_FILES: usize = 10_000;
/// Names and sentences are cut there.
const LONGEST_NAME: usize = 60;
const LONGEST_SENTENCE: usize = 300;

/// What is in a folder, those below it left aside.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// Its path.
    pub path: PathBuf,
    /// Libraries that export a table, by name.
    pub libraries: Vec<Line>,
    /// Other shared libraries.
    pub other_libraries: usize,
    /// Files that are no shared libraries.
    pub other_files: usize,
    /// Whether there are more files than are looked at.
    pub more: bool,
}

/// One of them.
#[derive(Debug, Serialize)]
pub struct Line {
    /// File name.
    pub name: String,
    /// E, F or G; null where the table has no size that is known.
    pub revision: Option<String>,
    /// Whose it seems to be.
    pub profile: Option<&'static str>,
    /// Whether it will run here.
    pub runs: bool,
    /// Why not.
    pub problems: Vec<String>,
}

impl Overview {
    /// Looks at every file of the folder.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn of(folder: &Path, surroundings: &Surroundings) -> io::Result<Self> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| !path.is_dir())
            .take(MAX_FILES + 1)
            .collect();
        let more = files.len() > MAX_FILES;
        files.truncate(MAX_FILES);
        files.sort();
        let mut overview = Self {
            path: folder.to_path_buf(),
            libraries: Vec::new(),
            other_libraries: 0,
            other_files: 0,
            more,
        };
        for file in files {
            overview.add(file, surroundings);
        }
        Ok(overview)
    }

    fn add(&mut self, file: PathBuf, surroundings: &Surroundings) {
        let file = std::path::absolute(&file).unwrap_or(file);
        let table = inspect(&file);
        match &table {
            Err(InspectError::NoTable { .. }) => self.other_libraries += 1,
            // A file that is broken tells nothing of a table.
            Err(
                InspectError::Io(_)
                | InspectError::NotRegular
                | InspectError::NotElf
                | InspectError::Malformed(_)
                | InspectError::NotSharedObject,
            ) => self.other_files += 1,
            Ok(_) | Err(_) => {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let probe = Probe::with(table, file, surroundings);
                self.libraries.push(Line {
                    name,
                    runs: probe.runs(),
                    revision: probe.table.map(|table| table.revision),
                    profile: probe.fingerprint.map(|found| found.profile),
                    problems: probe.problems,
                });
            }
        }
    }

    /// The lines, for people.
    pub fn text(&self) -> String {
        let cut = |text: &str| clean(text, LONGEST_NAME);
        let rows: Vec<[String; 4]> = self
            .libraries
            .iter()
            .map(|line| {
                [
                    cut(&line.name),
                    line.revision.clone().unwrap_or_else(|| "?".to_owned()),
                    line.profile.unwrap_or("unknown").to_owned(),
                    match line.problems.as_slice() {
                        [] => "will run here".to_owned(),
                        [one] => format!("will not run: {}", clean(one, LONGEST_SENTENCE)),
                        [one, rest @ ..] => format!(
                            "will not run: {} (and {} more)",
                            clean(one, LONGEST_SENTENCE),
                            rest.len()
                        ),
                    },
                ]
            })
            .collect();
        let header = ["LIBRARY", "REVISION", "SEEMS TO BE", "VERDICT"].map(str::to_owned);
        let mut text = format!("{}\n", clean(&self.path.display().to_string(), LONGEST_SENTENCE));
        if !rows.is_empty() {
            let width = |column: usize| {
                let cells = rows.iter().chain([&header]).filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            };
            let widths = [width(0), width(1), width(2), 0];
            for row in std::iter::once(&header).chain(&rows) {
                let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
                text.push_str(&format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end()));
            }
        }
        let more = if self.more { "; there are more files than are looked at" } else { "" };
        text.push_str(&format!(
            "{} with CAMI, {} other libraries, {} other files{more}\n",
            self.libraries.len(),
            self.other_libraries,
            self.other_files
        ));
        text
    }
}
