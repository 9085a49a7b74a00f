//! All that a library brings in, and what of it stays undefined.
//!
//! The order is that in which `ld.so` looks for symbols when the library is opened by
//! `dlopen(RTLD_NOW | RTLD_LOCAL)`: first what the process has already, then the library, then what
//! it needs, breadth first.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::find::Wanted;
use crate::loader::{FoundBy, Loader, SearchPaths};
use crate::object_file::{Object, ObjectError, Platform};
use crate::source::Pages;
use crate::symbols::ImportedSymbol;

/// Libraries that are looked at; Intel's need about thirty.
const MAX_LIBRARIES: usize = 256;
/// Ancestors whose `DT_RPATH` counts.
const MAX_ANCESTORS: usize = 32;
/// Missing symbols that are told by name, of one library.
const MAX_MISSING: usize = 4096;

/// One library of a closure.
#[derive(Debug)]
pub struct Member {
    /// Its name, as in `DT_NEEDED`; of the first one its file name.
    pub name: String,
    /// File name of the library that needs it; of the first one its own.
    pub needed_by: String,
    /// Where it is and how it was found; `None` if it is not.
    pub found: Option<(PathBuf, FoundBy)>,
    /// Whether the process has it already.
    pub loaded: bool,
    object: Option<Rc<Object<Pages>>>,
    paths: SearchPaths,
    parent: Option<usize>,
}

impl Member {
    /// Its file; `None` where it was not found.
    #[must_use]
    pub fn object(&self) -> Option<&Object<Pages>> {
        self.object.as_deref()
    }

    /// File name of where it was found; else its name.
    #[must_use]
    pub fn file_name(&self) -> String {
        let path = self.found.as_ref().map(|(path, _)| path.as_path());
        let name = path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| self.name.clone())
    }
}

/// A version that a library needs and that is not there: the loader refuses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVersion {
    /// The version.
    pub version: String,
    /// Name of the library that should define it.
    pub library: String,
    /// File name of the one that needs it.
    pub needed_by: String,
}

/// A symbol that nothing defines: the loader refuses the library that wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSymbol {
    /// Its name.
    pub name: String,
    /// The version that is wanted.
    pub version: Option<String>,
    /// File name of the library that wants it.
    pub needed_by: String,
}

/// A library with all that it brings in.
#[derive(Debug)]
pub struct Closure {
    /// The libraries, in the order in which symbols are searched, after the process's own.
    pub members: Vec<Member>,
    /// What the process has already.
    process: Vec<Member>,
    /// Whether there are more libraries than are looked at.
    pub more: bool,
}

impl Closure {
    /// Finds all that `library` brings into a process whose program is `program`.
    ///
    /// # Errors
    /// [`ObjectError`] where `library` itself cannot be read. What it needs and cannot be read is not
    /// found.
    pub fn of(
        library: &Path,
        program: Option<&Path>,
        loader: &Loader,
    ) -> Result<Self, ObjectError> {
        let object = Object::open(library)?;
        let platform = object.platform();
        let process = program
            .and_then(|path| Some((path, loader.object(path)?)))
            .filter(|(_, object)| object.platform() == platform)
            .map(|(path, object)| bring_in(path, object, &[], platform, loader).0)
            .unwrap_or_default();
        let (members, more) = bring_in(library, Rc::new(object), &process, platform, loader);
        Ok(Self { members, process, more })
    }

    /// The versions that are needed and not there.
    #[must_use]
    pub fn missing_versions(&self) -> Vec<MissingVersion> {
        let mut missing = Vec::new();
        for user in self.users() {
            let Some(Ok(versions)) = user.object().map(Object::versions) else { continue };
            for need in versions.needed.iter().filter(|need| !need.weak) {
                let Some(from) = self.by_name(&need.library).and_then(Member::object) else {
                    continue;
                };
                let Ok(has) = from.versions() else { continue };
                // Without any definitions the loader takes it, and prints a line.
                if has.defines && !has.defined.contains(&need.version) {
                    missing.push(MissingVersion {
                        version: need.version.clone(),
                        library: need.library.clone(),
                        needed_by: user.file_name(),
                    });
                }
            }
        }
        missing
    }

    /// The symbols that are wanted and that nothing defines, weak ones left aside.
    #[must_use]
    pub fn missing_symbols(&self) -> Vec<MissingSymbol> {
        let mut missing = Vec::new();
        // What one library asked for, others ask for too.
        let mut known: HashMap<(String, Option<String>), bool> = HashMap::new();
        for user in self.users() {
            let Some(Ok(imports)) = user.object().map(Object::imports) else { continue };
            let mut count = 0;
            for import in imports.into_iter().filter(|import| !import.weak) {
                let key = (import.name.clone(), import.version.clone());
                let defined = match known.get(&key) {
                    Some(defined) => *defined,
                    None => self.definer(&import).is_some(),
                };
                known.insert(key.clone(), defined);
                if !defined && count < MAX_MISSING {
                    count += 1;
                    let (name, version) = key;
                    missing.push(MissingSymbol { name, version, needed_by: user.file_name() });
                }
            }
        }
        missing
    }

    /// The library of the closure, or of the process, that has this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Member> {
        self.members.iter().chain(&self.process).find(|member| member.name == name)
    }

    /// Those that the loader would relocate: the process does not have them yet.
    pub fn users(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !member.loaded)
    }

    /// The first library that defines what `import` wants, in the order of the loader.
    #[must_use]
    pub fn definer(&self, import: &ImportedSymbol) -> Option<&Member> {
        let wanted = Wanted {
            name: import.name.as_bytes(),
            version: import.version.as_deref(),
            exact: import.exact,
        };
        self.process.iter().chain(&self.members).find(|member| {
            // A table that is broken defines nothing that can be relied on.
            let found = member.object().map(|object| object.find_wanted(wanted));
            matches!(found, Some(Ok(Some(_))))
        })
    }
}

/// `root` and all that it needs, breadth first; and whether there was more.
fn bring_in(
    root: &Path,
    object: Rc<Object<Pages>>,
    process: &[Member],
    platform: Platform,
    loader: &Loader,
) -> (Vec<Member>, bool) {
    let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut members = vec![Member {
        needed_by: name.clone(),
        name,
        found: Some((root.to_path_buf(), FoundBy::Itself)),
        loaded: false,
        paths: SearchPaths::of(&object, root),
        object: Some(object),
        parent: None,
    }];
    let mut next = 0;
    while let Some(user) = members.get(next) {
        let (own, by) = (user.paths.clone(), user.file_name());
        let needed = user.object().and_then(|object| object.needed().ok()).unwrap_or_default();
        for name in needed {
            let named = |member: &Member| {
                member.name == name || soname(member).is_some_and(|soname| soname == name)
            };
            if members.iter().any(named) {
                continue;
            }
            if members.len() >= MAX_LIBRARIES {
                return (members, true);
            }
            // The loader takes what the process has under that name, wherever it is.
            let loaded = process.iter().find(|member| named(member));
            let found = match loaded {
                Some(member) => member.found.clone(),
                None => loader.find(&name, platform, &own, &ancestors(&members, next)),
            };
            let object = found.as_ref().and_then(|(path, _)| loader.object(path));
            let paths = match (&object, &found) {
                (Some(object), Some((path, _))) => SearchPaths::of(object, path),
                _ => SearchPaths::default(),
            };
            members.push(Member {
                name,
                needed_by: by.clone(),
                found,
                loaded: loaded.is_some(),
                object,
                paths,
                parent: Some(next),
            });
        }
        next += 1;
    }
    (members, false)
}

fn soname(member: &Member) -> Option<String> {
    member.object()?.soname().ok().flatten()
}

/// The search paths of those who brought `user` in, innermost first.
fn ancestors(members: &[Member], user: usize) -> Vec<&SearchPaths> {
    let parent = |index: &usize| members.get(*index)?.parent;
    let chain = std::iter::successors(parent(&user), parent).take(MAX_ANCESTORS);
    chain.filter_map(|index| Some(&members.get(index)?.paths)).collect()
}
