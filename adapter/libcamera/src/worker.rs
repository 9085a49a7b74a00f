//! libcamera's own workers.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::library::folders;

/// The name of the IPU3 pipeline's worker: libcamera's, and ours.
pub const WORKER: &str = "ipu3_ipa_proxy";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnWorker {
    /// libcamera's worker.
    Found(PathBuf),
    /// None; the folders that were looked into.
    Missing(Vec<PathBuf>),
}

/// Where distributions put them: `<libdir>/libcamera` (Debian), `<libexecdir>/libcamera` (upstream's
/// default).
#[must_use]
pub fn worker_folders(proxy_dir: Option<&Path>) -> Vec<PathBuf> {
    if let Some(folder) = proxy_dir {
        return vec![folder.to_path_buf()];
    }
    let mut found: Vec<PathBuf> =
        folders(None).into_iter().map(|folder| folder.join("libcamera")).collect();
    found.extend(["/usr/libexec/libcamera", "/usr/local/libexec/libcamera"].map(PathBuf::from));
    found
}

/// libcamera's worker of that name, and never the file `own`, whatever it is called there.
#[must_use]
pub fn find_own_worker(name: &str, folders: Vec<PathBuf>, own: &Path) -> OwnWorker {
    let identity = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        is_executable(path).then(|| (metadata.dev(), metadata.ino()))
    };
    let ours = identity(own);
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| identity(path).is_some_and(|found| Some(found) != ours));
    match found {
        Some(path) => OwnWorker::Found(path),
        None => OwnWorker::Missing(folders),
    }
}

/// Whether it is a file that somebody may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_found_and_is_never_we_ourselves() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        for folder in [&one, &other] {
            fs::create_dir(folder).unwrap();
        }
        let own = one.join(WORKER);
        let theirs = other.join(WORKER);
        for path in [&own, &theirs] {
            fs::write(path, b"x").unwrap();
        }
        let look = || find_own_worker(WORKER, vec![one.clone(), other.clone()], &own);
        assert!(matches!(look(), OwnWorker::Missing(folders) if folders.len() == 2), "no mode");
        for path in [&own, &theirs] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(look(), OwnWorker::Found(theirs.clone()));
        fs::remove_file(&theirs).unwrap();
        std::os::unix::fs::symlink(&own, &theirs).unwrap();
        assert!(matches!(look(), OwnWorker::Missing(_)), "a link to ourselves");
    }
}
