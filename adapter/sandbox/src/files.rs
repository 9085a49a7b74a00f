//! The files that the vendor process keeps, and what it may do with them.
//!
//! | what | from | may |
//! |---|---|---|
//! | the library's own file, and the shared objects beside it | the module | read |
//! | the folders of `library_path`; the loader's (`/lib`, `/usr/lib`, `ld.so.conf`) | configuration, system | read |
//! | `/dev/null`, `zero`, `full`, `random`, `urandom` | | read, write |
//! | [`PLAIN_FILES`] | | read |
//! | `sandbox.read` | configuration | read and execute; below `/dev`: use as a device |
//! | `sandbox.write` | configuration | read, write, make, remove |
//!
//! The folder of the library itself is not given whole: it may be somebody's home. Nothing of
//! `/proc` but `cpuinfo` and `meminfo`: `/proc/self/fd` would open the HAL's buffers anew.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What may be done below a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Read and map; the loader needs no more.
    Read,
    /// Read, and execute programs.
    ReadExecute,
    /// Read, write, make and remove; no devices, nothing executable.
    Write,
    /// Open a device for reading and writing, and use its `ioctl`s as far as the filter lets.
    Device,
}

/// A path that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathRule {
    /// Absolute; a file or a folder with all that is below.
    pub path: PathBuf,
    /// What may be done with it.
    pub access: Access,
}

/// The paths that stay; those that are not there are passed over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Files {
    /// Outer folders come before what lies in them.
    pub rules: Vec<PathRule>,
}

/// Devices without a state of their own.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Where the loader looks without being told.
const SYSTEM_FOLDERS: [&str; 6] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"];

/// What the loader and C libraries read at run time, and what says how many processors there are.
const PLAIN_FILES: [&str; 10] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/possible",
    "/sys/devices/system/cpu/present",
    "/usr/share/zoneinfo",
];

/// Shared objects beside the library that are given; a folder with more is better named in
/// `library_path`.
const MAX_NEIGHBOURS: usize = 256;

/// Files that `ld.so.conf` may include.
const MAX_INCLUDED: usize = 64;

impl Files {
    /// What a library needs. `library` is its absolute path; without one, what any library needs.
    #[must_use]
    pub fn for_library(
        library: Option<&Path>,
        library_path: &[PathBuf],
        read: &[PathBuf],
        write: &[PathBuf],
    ) -> Self {
        let mut files = Self::default();
        for path in SYSTEM_FOLDERS.into_iter().chain(PLAIN_FILES) {
            files.add(PathBuf::from(path), Access::Read);
        }
        for path in loader_folders(Path::new("/etc/ld.so.conf")) {
            files.add(path, Access::Read);
        }
        for path in library_path {
            files.add(path.clone(), Access::Read);
        }
        if let Some(library) = library {
            files.add(library.to_path_buf(), Access::Read);
            for neighbour in neighbours(library) {
                files.add(neighbour, Access::Read);
            }
        }
        for path in DEVICES {
            files.add(PathBuf::from(path), Access::Device);
        }
        for path in read {
            let access =
                if path.starts_with("/dev") { Access::Device } else { Access::ReadExecute };
            files.add(path.clone(), access);
        }
        for path in write {
            files.add(path.clone(), Access::Write);
        }
        // A folder is given before what lies in it, so that the narrower rule comes on top.
        files.rules.sort_by_key(|rule| rule.path.components().count());
        files
    }

    /// The last word on a path is the configuration's.
    fn add(&mut self, path: PathBuf, access: Access) {
        if !path.is_absolute() {
            return;
        }
        match self.rules.iter_mut().find(|rule| rule.path == path) {
            Some(rule) => rule.access = access,
            None => self.rules.push(PathRule { path, access }),
        }
    }

    /// Whether `path` may be read: it, or a folder that it lies in, is among them.
    #[must_use]
    pub fn show(&self, path: &Path) -> bool {
        let real = path.canonicalize();
        self.rules.iter().any(|rule| {
            path.starts_with(&rule.path)
                || real.as_ref().is_ok_and(|real| {
                    rule.path.canonicalize().is_ok_and(|rule| real.starts_with(rule))
                })
        })
    }

    /// Whether `/proc` is among them: then buffers can be opened anew by their names there.
    #[must_use]
    pub fn show_proc(&self) -> bool {
        self.rules.iter().any(|rule| {
            rule.path == Path::new("/")
                || (rule.path.starts_with("/proc")
                    && !PLAIN_FILES.iter().any(|f| rule.path == Path::new(f)))
        })
    }
}

/// Where the loader looks for what a library needs, after `library_path`: the folders of
/// `ld.so.conf`, then its own.
#[must_use]
pub fn loader_path() -> Vec<PathBuf> {
    let mut folders = loader_folders(Path::new("/etc/ld.so.conf"));
    folders.extend(SYSTEM_FOLDERS.map(PathBuf::from));
    folders
}

/// The shared objects in the library's folder and, where the path is a link, beside its target.
fn neighbours(library: &Path) -> Vec<PathBuf> {
    let real = library.canonicalize().ok();
    let folders = [library.parent(), real.as_deref().and_then(Path::parent)];
    let mut found: Vec<PathBuf> = folders
        .into_iter()
        .flatten()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(Iterator::flatten)
        .filter(|entry| is_shared_object(&entry.file_name()))
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path != library)
        .take(MAX_NEIGHBOURS)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// `libx.so`, `libx.so.1`.
fn is_shared_object(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.ends_with(".so") || name.contains(".so."))
}

/// The folders that `ld.so.conf` names, with those of the files that it includes.
fn loader_folders(file: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut files = vec![file.to_path_buf()];
    let mut read = 0;
    while let Some(file) = files.pop() {
        read += 1;
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(pattern) = line.strip_prefix("include ") {
                if read <= MAX_INCLUDED {
                    files.extend(matching(file.parent().unwrap_or(Path::new("/")), pattern.trim()));
                }
            } else if line.starts_with('/') {
                folders.push(PathBuf::from(line));
            }
        }
    }
    folders
}

/// Files that an include line names: a star stands in the last part alone, as everywhere it is used.
fn matching(base: &Path, pattern: &str) -> Vec<PathBuf> {
    let path = base.join(pattern);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str))
    else {
        return Vec::new();
    };
    let Some((head, tail)) = name.split_once('*') else { return vec![path] };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| {
                name.len() >= head.len() + tail.len()
                    && name.starts_with(head)
                    && name.ends_with(tail)
            })
        })
        .map(|entry| entry.path())
        .take(MAX_INCLUDED)
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Access, Files, loader_folders};

    fn access(files: &Files, path: &Path) -> Option<Access> {
        files.rules.iter().find(|rule| rule.path == path).map(|rule| rule.access)
    }

    #[test]
    fn library_brings_the_shared_objects_beside_it_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["libvendor.so", "libneeded.so.2", "diary.txt", "some.so-called"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let library = folder.path().join("libvendor.so");
        let files = Files::for_library(Some(&library), &[], &[], &[]);
        assert_eq!(access(&files, &library), Some(Access::Read));
        assert_eq!(access(&files, &folder.path().join("libneeded.so.2")), Some(Access::Read));
        for absent in ["diary.txt", "some.so-called", ""] {
            assert_eq!(access(&files, &folder.path().join(absent)), None, "{absent}");
        }
    }

    #[test]
    fn configured_paths_have_the_last_word_and_folders_come_first() {
        let read = ["/usr/lib".into(), "/dev/dri".into(), "/proc/self".into()];
        let write: [PathBuf; 1] = ["/usr/lib/cache".into()];
        let files = Files::for_library(None, &[], &read, &write);
        assert_eq!(access(&files, Path::new("/usr/lib")), Some(Access::ReadExecute));
        assert_eq!(access(&files, Path::new("/dev/dri")), Some(Access::Device));
        assert_eq!(access(&files, Path::new("/usr/lib/cache")), Some(Access::Write));
        let place = |path: &str| files.rules.iter().position(|r| r.path == Path::new(path));
        assert!(place("/usr/lib") < place("/usr/lib/cache"));
        assert!(files.show_proc());
        assert!(!Files::for_library(None, &[], &[], &[]).show_proc());
    }

    #[test]
    fn loader_configuration_is_followed_through_its_includes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ld.so.conf");
        std::fs::create_dir(folder.path().join("conf.d")).unwrap();
        std::fs::write(&file, "# the usual\ninclude conf.d/*.conf\n/opt/one # x\n").unwrap();
        std::fs::write(folder.path().join("conf.d/a.conf"), "/opt/two\ninclude ../ld.so.conf\n")
            .unwrap();
        std::fs::write(folder.path().join("conf.d/a.txt"), "/opt/three\n").unwrap();
        let folders = loader_folders(&file);
        assert!(folders.contains(&"/opt/one".into()) && folders.contains(&"/opt/two".into()));
        assert!(!folders.contains(&"/opt/three".into()));
    }
}
