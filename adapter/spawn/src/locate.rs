//! Where the host's executable is.

use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::NoHost;

/// Name of the host's executable.
pub const HOST: &str = "cros_ipa_proxy";
/// Where distributions put executables that only programs start, after the module's own folder.
/// The first is relative to that folder: `lib/x.so` and `libexec/cami-ipa/` under one prefix.
const LIBEXEC: [&str; 4] = [
    "../libexec/cami-ipa",
    "../../libexec/cami-ipa",
    "/usr/libexec/cami-ipa",
    "/usr/local/libexec/cami-ipa",
];

/// The host's path: `named`, with the name of the setting that names it, or what is found beside
/// the file `module` or in the folders for such programs.
///
/// # Errors
/// `ENOENT` or `EACCES`, with a line that names the setting, or the folders and `setting`.
pub fn locate(setting: &str, named: Option<PathBuf>, module: &Path) -> Result<PathBuf, NoHost> {
    if let Some(path) = named.filter(|named| !named.as_os_str().is_empty()) {
        return match executable(&path) {
            Ok(()) => Ok(path),
            Err(errno) => Err(NoHost::new(
                errno,
                format!(
                    "{setting} names {}, which cannot be executed: {}; correct it or unset it",
                    path.display(),
                    errno.desc()
                ),
            )),
        };
    }
    let beside = folders(module);
    for folder in &beside {
        let path = folder.join(HOST);
        if executable(&path).is_ok() {
            return Ok(path);
        }
    }
    let looked_in: Vec<String> = beside.iter().map(|folder| folder.display().to_string()).collect();
    Err(NoHost::new(
        Errno::ENOENT,
        format!(
            "there is no {HOST} in any of {}; install it there or name it in {setting}",
            looked_in.join(", ")
        ),
    ))
}

/// The folders to look into, in order: the module's, that of the file that it is a link to, libexec.
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
