//! Where `ld.so` looks for a library (man 8 ld.so; glibc elf/dl-load.c, `_dl_map_object`).
//!
//! The order: `DT_RPATH` of who needs it and of those who brought that one in, if it has no
//! `DT_RUNPATH` itself; `LD_LIBRARY_PATH`; its own `DT_RUNPATH`; the cache; the default folders. A file
//! of another class or machine is passed over. Folders of `glibc-hwcaps` are not looked into: what
//! lies there has the same symbols.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::cache::Cache;
use crate::object_file::{Object, Platform};
use crate::source::Pages;

/// Folders of one search path that are looked into.
const MAX_FOLDERS: usize = 64;
/// Libraries that are kept once they were read: a folder's need the same ones.
const MAX_KEPT: usize = 512;

/// Where a library was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// It is the one that was asked for.
    Itself,
    /// Its name is a path.
    Path,
    /// `DT_RPATH`.
    Rpath,
    /// `LD_LIBRARY_PATH`.
    LibraryPath,
    /// `DT_RUNPATH`.
    Runpath,
    /// The loader's cache.
    Cache,
    /// The loader's own folders.
    DefaultFolder,
}

impl FoundBy {
    /// Its name, for people and data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Path => "path",
            Self::Rpath => "rpath",
            Self::LibraryPath => "library_path",
            Self::Runpath => "runpath",
            Self::Cache => "ld.so.cache",
            Self::DefaultFolder => "default_folder",
        }
    }

    /// Whether it came from the system and not with the vendor's files.
    #[must_use]
    pub const fn is_system(self) -> bool {
        matches!(self, Self::Cache | Self::DefaultFolder)
    }
}

/// The search of one machine, and what it has read already.
#[derive(Debug)]
pub struct Loader {
    library_path: Vec<PathBuf>,
    cache: Option<Cache>,
    folders: Vec<PathBuf>,
    read: RefCell<HashMap<PathBuf, Option<Rc<Object<Pages>>>>>,
}

/// Search paths of one library, as its dynamic segment has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct SearchPaths {
    pub rpath: Vec<PathBuf>,
    pub runpath: Vec<PathBuf>,
    /// A `DT_RUNPATH`, empty or not, makes every `DT_RPATH` void.
    pub has_runpath: bool,
}

impl SearchPaths {
    pub fn of(object: &Object<Pages>, path: &Path) -> Self {
        // Links stand: the origin is the folder of the name that was opened.
        let origin = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let origin = origin.parent().unwrap_or(Path::new("/")).display().to_string();
        let split = |text: Option<String>| -> Vec<PathBuf> {
            let text = text.unwrap_or_default();
            let folders = text.split(':').filter(|folder| !folder.is_empty()).take(MAX_FOLDERS);
            folders.map(|folder| PathBuf::from(expand(folder, &origin))).collect()
        };
        let runpath = object.runpath().ok().flatten();
        Self {
            has_runpath: runpath.is_some(),
            rpath: split(object.rpath().ok().flatten()),
            runpath: split(runpath),
        }
    }
}

fn expand(folder: &str, origin: &str) -> String {
    folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
}

impl Loader {
    /// A search with these folders as `LD_LIBRARY_PATH`. `folders` are looked into where the cache
    /// has nothing, or is not there.
    #[must_use]
    pub fn new(library_path: Vec<PathBuf>, folders: Vec<PathBuf>) -> Self {
        Self {
            library_path,
            cache: Cache::read(Path::new("/etc/ld.so.cache")),
            folders,
            read: RefCell::default(),
        }
    }

    /// Reads a library, once.
    pub(crate) fn object(&self, path: &Path) -> Option<Rc<Object<Pages>>> {
        if let Some(found) = self.read.borrow().get(path) {
            return found.clone();
        }
        let found = Object::open(path).ok().map(Rc::new);
        let mut read = self.read.borrow_mut();
        if read.len() >= MAX_KEPT {
            read.clear();
        }
        read.insert(path.to_path_buf(), found.clone());
        found
    }

    /// Finds `name`, which a library with search paths `own` needs; `ancestors` are those of the
    /// libraries that brought that one in, innermost first.
    pub(crate) fn find(
        &self,
        name: &str,
        platform: Platform,
        own: &SearchPaths,
        ancestors: &[&SearchPaths],
    ) -> Option<(PathBuf, FoundBy)> {
        let fits =
            |path: &PathBuf| self.object(path).is_some_and(|object| object.platform() == platform);
        if name.contains('/') {
            let path = PathBuf::from(name);
            return fits(&path).then_some((path, FoundBy::Path));
        }
        let in_folders = |folders: &[PathBuf], by: FoundBy| {
            folders.iter().map(|folder| folder.join(name)).find(fits).map(|path| (path, by))
        };
        let inherited = || {
            let chain = std::iter::once(own).chain(ancestors.iter().copied());
            chain
                .filter(|paths| !own.has_runpath && !paths.has_runpath)
                .find_map(|paths| in_folders(&paths.rpath, FoundBy::Rpath))
        };
        let cached = || {
            let paths = self.cache.as_ref()?.paths(name);
            paths.iter().find(|path| fits(path)).map(|path| (path.clone(), FoundBy::Cache))
        };
        inherited()
            .or_else(|| in_folders(&self.library_path, FoundBy::LibraryPath))
            .or_else(|| in_folders(&own.runpath, FoundBy::Runpath))
            .or_else(cached)
            .or_else(|| in_folders(&self.folders, FoundBy::DefaultFolder))
    }
}
