//! Where the host's executable is.

use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::error::StartError;
use crate::supervisor::Options;

/// Name of the host's executable.
const HOST: &str = "cros_ipa_proxy";
/// Names the host's executable instead of the search.
const HOST_VARIABLE: &str = "CAMI_IPA_HOST";
/// Where distributions put executables that only programs start, after the shim's own folder.
/// The first is relative to that folder: `lib/x.so` and `libexec/cami-ipa/` under one prefix.
const LIBEXEC: [&str; 4] = [
    "../libexec/cami-ipa",
    "../../libexec/cami-ipa",
    "/usr/libexec/cami-ipa",
    "/usr/local/libexec/cami-ipa",
];

/// The host's path.
pub(crate) fn host(options: &Options) -> Result<PathBuf, StartError> {
    let named = options.environment_trusted.then(|| std::env::var_os(HOST_VARIABLE)).flatten();
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        return match executable(&path) {
            Ok(()) => Ok(path),
            Err(errno) => Err(StartError::new(
                errno,
                format!(
                    "{HOST_VARIABLE} names {}, which cannot be executed: {}; correct the variable \
                     or unset it",
                    path.display(),
                    errno.desc()
                ),
            )),
        };
    }
    let beside = folders(&options.module);
    for folder in &beside {
        let path = folder.join(HOST);
        if executable(&path).is_ok() {
            return Ok(path);
        }
    }
    let looked_in: Vec<String> = beside.iter().map(|folder| folder.display().to_string()).collect();
    Err(StartError::new(
        Errno::ENOENT,
        format!(
            "there is no {HOST} in any of {}; install it there or name it in {HOST_VARIABLE}",
            looked_in.join(", ")
        ),
    ))
}

/// The folders to look into, in order: the shim's, that of the file that it is a link to, libexec.
fn folders(module: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut add = |folder: PathBuf| {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    };
    let own = module.parent().unwrap_or_else(|| Path::new("/"));
    add(own.to_path_buf());
    if let Some(real) = module.canonicalize().ok().as_deref().and_then(Path::parent) {
        add(real.to_path_buf());
    }
    for folder in LIBEXEC {
        add(own.join(folder));
    }
    folders
}

fn executable(path: &Path) -> Result<(), Errno> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = path
        .metadata()
        .map_err(|error| error.raw_os_error().map_or(Errno::ENOENT, Errno::from_raw))?;
    if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
        Ok(())
    } else {
        Err(Errno::EACCES)
    }
}
