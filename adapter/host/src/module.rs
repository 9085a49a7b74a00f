//! Which library `MODULE` means.

use std::path::{Path, PathBuf};

use cami_abi::{InspectError, TableSymbol, inspect};
use nix::errno::Errno;

use cami_config::Config;

/// The library to run, and what its file says.
#[derive(Debug)]
pub struct Module {
    /// Its path.
    pub path: PathBuf,
    /// Its `CAMI`.
    pub table: TableSymbol,
}

impl Module {
    /// The library's file name, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// There is no such library, or it cannot be run.
#[derive(Debug)]
pub struct ModuleError {
    /// What a client's `initialize` returns, negated.
    pub errno: Errno,
    /// One line that says why and what to do.
    pub reason: String,
}

/// The section of the configuration that holds for `module`: its file name.
#[must_use]
pub fn section(module: &Path) -> Option<&str> {
    module.file_name()?.to_str()
}

/// `MODULE` itself if it is a vendor library; the configured `vendor_library` if it is our shim, or
/// a libcamera module that only says what it is. A bare name, as the service gives it for a client
/// that is elsewhere, is no file to look at: it stands for the configured `vendor_library`.
///
/// # Errors
/// One line for the log, and the errno for the client.
pub fn resolve(module: &Path, config: &Config) -> Result<Module, ModuleError> {
    if !is_bare_name(module) {
        match inspect(module) {
            Ok(table) if !table.is_shim() => {
                return Ok(Module { path: module.to_path_buf(), table });
            }
            Ok(_) | Err(InspectError::NoTable { exports_ipa_module_info: true }) => {}
            Err(error) => return Err(refuse(module, &error)),
        }
    }
    let Some(path) = &config.vendor_library else {
        return Err(ModuleError {
            errno: Errno::ENOENT,
            reason: "no vendor library is configured: set `vendor_library` in /etc/cami-ipa.toml \
                     or CAMI_IPA_VENDOR_LIBRARY to the path of the closed library"
                .to_owned(),
        });
    };
    let path = locate(path, config)?;
    let table = inspect(&path).map_err(|error| refuse(&path, &error))?;
    if table.is_shim() {
        return Err(ModuleError {
            errno: Errno::ELOOP,
            reason: format!(
                "`vendor_library` {} is cami-ipa's own libcam_algo.so, which would start itself \
                 without end: name the vendor's file, under another name or in another folder",
                path.display()
            ),
        });
    }
    Ok(Module { path, table })
}

fn is_bare_name(path: &Path) -> bool {
    !path.as_os_str().as_encoded_bytes().contains(&b'/')
}

/// A path with a slash is taken as it is; a bare name is searched in `library_path`.
fn locate(path: &Path, config: &Config) -> Result<PathBuf, ModuleError> {
    if path.components().count() > 1 {
        return Ok(path.to_path_buf());
    }
    let found =
        config.library_path.iter().map(|folder| folder.join(path)).find(|path| path.exists());
    found.ok_or_else(|| ModuleError {
        errno: Errno::ENOENT,
        reason: format!(
            "`vendor_library` {} is in none of the folders of `library_path` ({}): give its path",
            path.display(),
            config
                .library_path
                .iter()
                .map(|folder| folder.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    })
}

fn refuse(path: &Path, error: &InspectError) -> ModuleError {
    let errno = match error {
        InspectError::Io(error) => error.raw_os_error().map_or(Errno::EIO, Errno::from_raw),
        _ => Errno::ENOEXEC,
    };
    ModuleError { errno, reason: format!("{} {error}", path.display()) }
}
