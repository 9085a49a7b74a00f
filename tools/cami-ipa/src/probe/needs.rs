//! The libraries, versions and symbols that a library needs, as data.

use std::path::PathBuf;

use cami_elf::{Closure, ImportedSymbol, Member};
use serde::Serialize;

/// A library that is needed.
#[derive(Debug, Serialize)]
pub struct NeededLibrary {
    /// Its name, as in `DT_NEEDED`.
    pub name: String,
    /// Which library needs it.
    pub needed_by: String,
    /// Where it is; null if it is not found.
    pub path: Option<PathBuf>,
    /// How it was found: `rpath`, `library_path`, `runpath`, `ld.so.cache`, `default_folder`, `path`.
    pub found_by: Option<&'static str>,
    /// Whether the vendor process will see it.
    pub in_sandbox: bool,
    /// The versions that the examined library needs of it.
    pub versions: Vec<NeededVersion>,
}

/// A version.
#[derive(Debug, Serialize)]
pub struct NeededVersion {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub found: bool,
}

/// A symbol that the examined library imports.
#[derive(Debug, Serialize)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// The version that it wants.
    pub version: Option<String>,
    /// Whether it goes on without it.
    pub weak: bool,
    /// File name of the library that defines it; null where none does.
    pub defined_by: Option<String>,
}

/// The libraries of a closure, the first one left aside.
pub fn libraries(closure: &Closure, files: &cami_sandbox::Files) -> Vec<NeededLibrary> {
    let missing = closure.missing_versions();
    let root = closure.members.first();
    let wanted = root.and_then(Member::object).and_then(|object| object.versions().ok());
    let versions_of = |name: &str| -> Vec<NeededVersion> {
        let needed = wanted.iter().flat_map(|versions| &versions.needed);
        needed
            .filter(|need| need.library == name)
            .map(|need| NeededVersion {
                name: need.version.clone(),
                found: !missing
                    .iter()
                    .any(|gone| gone.library == name && gone.version == need.version),
            })
            .collect()
    };
    let needed = closure.members.iter().skip(1).map(|member| {
        let path = member.found.as_ref().map(|(path, _)| path.clone());
        NeededLibrary {
            name: member.name.clone(),
            needed_by: member.needed_by.clone(),
            in_sandbox: path.as_ref().is_some_and(|path| files.show(path)),
            path,
            found_by: member.found.as_ref().map(|(_, by)| by.name()),
            versions: versions_of(&member.name),
        }
    });
    needed.collect()
}

/// The symbols that the examined library imports.
pub fn symbols(closure: &Closure, imports: &[ImportedSymbol]) -> Vec<Symbol> {
    let symbol = |import: &ImportedSymbol| Symbol {
        name: import.name.clone(),
        version: import.version.clone(),
        weak: import.weak,
        defined_by: closure.definer(import).map(Member::file_name),
    };
    imports.iter().map(symbol).collect()
}
