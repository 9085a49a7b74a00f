//! libcamera's own library.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use cami_config::LibcameraVersion;
use cami_ipu3_ipa::IdSet;
use object::{Object, ObjectSymbol};

use crate::file::contents;

/// An installed libcamera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The file, links followed.
    pub path: PathBuf,
    /// As its file is called: `libcamera.so.0.4.0`.
    pub version: Option<LibcameraVersion>,
    /// How it numbers its controls.
    pub ids: Option<IdSet>,
}

/// Two controls that were put between others when the numbers changed. The numbers themselves cannot
/// be read from the file: the objects that hold them are made when the library is loaded (they are in
/// `.bss`). That they are there is enough.
const FLICKER: &str = "_ZN9libcamera8controls13AeFlickerModeE";
const EXPOSURE_TIME_MODE: &str = "_ZN9libcamera8controls16ExposureTimeModeE";
/// One that has always been there: a libcamera that exports none tells nothing.
const AE_ENABLE: &str = "_ZN9libcamera8controls8AeEnableE";

impl Library {
    /// Looks at a file; `None` if it is no libcamera.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let path = path.canonicalize().ok()?;
        let version = version_of(&path);
        let bytes = contents(&path).ok()?;
        let file = object::File::parse(bytes.as_slice()).ok()?;
        let [mut known, mut flicker, mut mode] = [false; 3];
        for symbol in file.dynamic_symbols().filter(|symbol| symbol.is_definition()) {
            match symbol.name() {
                Ok(AE_ENABLE) => known = true,
                Ok(FLICKER) => flicker = true,
                Ok(EXPOSURE_TIME_MODE) => mode = true,
                _ => {}
            }
        }
        let ids = known.then_some(match (flicker, mode) {
            (_, true) => IdSet::From0_5,
            (true, false) => IdSet::From0_2To0_4,
            (false, false) => IdSet::UpTo0_1,
        });
        Some(Self { path, version, ids })
    }
}

/// `libcamera.so.0.4.0` is 0.4.0.
fn version_of(path: &Path) -> Option<LibcameraVersion> {
    LibcameraVersion::parse(path.file_name()?.to_str()?.strip_prefix("libcamera.so.")?)
}

/// The libcameras in these folders, each once.
#[must_use]
pub fn installed(folders: &[PathBuf]) -> Vec<Library> {
    let mut found: Vec<Library> = Vec::new();
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let named = name.to_str().is_some_and(|name| name.starts_with("libcamera.so."));
        if !named {
            continue;
        }
        let Some(library) = Library::read(&entry.path()) else { continue };
        if !found.iter().any(|other| other.path == library.path) {
            found.push(library);
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Where libraries are: `LD_LIBRARY_PATH`, and the folders that distributions use.
#[must_use]
pub fn folders(library_path: Option<OsString>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = library_path
        .iter()
        .flat_map(std::env::split_paths)
        .filter(|folder| folder.is_absolute())
        .collect();
    for base in ["/usr/local/lib", "/usr/lib", "/lib", "/usr/local/lib64", "/usr/lib64", "/lib64"] {
        folders.push(PathBuf::from(base));
        // Debian's folders of an architecture: x86_64-linux-gnu.
        let below = fs::read_dir(base).into_iter().flatten().flatten();
        folders.extend(
            below
                .filter(|entry| {
                    entry.file_name().to_str().is_some_and(|name| name.contains("-linux-"))
                })
                .map(|entry| entry.path()),
        );
    }
    let mut seen = Vec::new();
    folders.retain(|folder| {
        // /lib is a link to /usr/lib on most.
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let new = !seen.contains(&real);
        seen.push(real);
        new
    });
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_tells_its_version_by_its_file_s_name() {
        let version = |name: &str| version_of(Path::new(name)).map(|version| version.minor);
        assert_eq!(version("/usr/lib/libcamera.so.0.0.3"), Some(0));
        assert_eq!(version("/usr/lib/libcamera.so.0.7"), Some(7));
        assert_eq!(version("/usr/lib/libcamera.so"), None);
        assert_eq!(version("/usr/lib/libcamera-base.so.0.0.3"), None);
    }

    #[test]
    fn installed_libraries_agree_with_their_version() {
        let found = installed(&folders(None));
        for library in &found {
            let version = library.version.expect("a version in the name");
            let expected = IdSet::of_version(version.major, version.minor);
            assert_eq!(library.ids, Some(expected), "{library:?}");
        }
    }

    #[test]
    fn what_is_no_libcamera_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libcamera.so.0.4.0");
        fs::write(&path, b"\x7fELF").unwrap();
        assert_eq!(installed(&[folder.path().to_path_buf()]), []);
        // Another library under its name has none of its controls.
        fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
        let found = installed(&[folder.path().to_path_buf()]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ids, None);
    }
}
