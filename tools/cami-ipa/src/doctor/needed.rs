//! What a library needs to be loaded, found as the loader would find it, and seen as the vendor
//! process would see it.

use std::path::{Path, PathBuf};

use cami_elf::{Closure, Loader, Member};
use cami_sandbox::Files;
use serde::Serialize;

/// A library that is needed.
#[derive(Debug, Serialize)]
pub struct Needed {
    /// Its name, as in `DT_NEEDED`.
    pub name: String,
    /// Which library needs it.
    pub needed_by: String,
    /// Where it is; null if it is not found.
    pub path: Option<PathBuf>,
    /// Whether the vendor process will see that.
    pub in_sandbox: bool,
}

impl Needed {
    /// What is wrong with it, if something is.
    pub fn problem(&self) -> Option<String> {
        let Self { name, needed_by, path, in_sandbox } = self;
        match path {
            None => Some(format!(
                "{name}, which {needed_by} needs, is not found: install it, or add its folder to \
                 `library_path`"
            )),
            Some(path) if !in_sandbox => Some(format!(
                "{}, which {needed_by} needs, is outside of the sandbox: add its folder to \
                 `library_path`",
                path.display()
            )),
            Some(_) => None,
        }
    }
}

impl Needed {
    /// One library of a closure, as the sandbox shows it.
    pub fn new(member: &Member, files: &Files) -> Self {
        let path = member.found.as_ref().map(|(path, _)| path.clone());
        Self {
            name: member.name.clone(),
            needed_by: member.needed_by.clone(),
            in_sandbox: path.as_ref().is_some_and(|path| files.show(path)),
            path,
        }
    }
}

/// Everything that `library` needs, and what that needs in turn; nothing where it cannot be read.
pub fn resolve(library: &Path, library_path: &[PathBuf], files: &Files) -> Vec<Needed> {
    let loader = Loader::new(library_path.to_vec(), cami_sandbox::loader_path());
    let closure = Closure::of(library, None, &loader);
    let members = closure.map(|closure| closure.members).unwrap_or_default();
    members.iter().skip(1).map(|member| Needed::new(member, files)).collect()
}
