//! Finding and loading the library that is driven.

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_abi::{CameraAlgorithm, VendorLibrary};

use crate::failure::Failure;
use crate::learn::marks;
use crate::options::RunOptions;

/// The key that the vendor host reads.
const VENDOR_LIBRARY_KEY: &str = "CAMI_IPA_VENDOR_LIBRARY";
/// Names of the files beside this program.
const SHIM: &str = "libcam_algo.so";
const REFERENCE: &str = "libcam_algo_reference.so";

/// What is driven, and what is behind it.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The library that is loaded.
    pub library: PathBuf,
    /// The vendor library; the same with `--in-process`.
    pub vendor: PathBuf,
}

impl Paths {
    /// Finds both; a file that is not there is an error that says what to do.
    pub fn find(options: &RunOptions) -> Result<Self, Failure> {
        let chosen = options
            .vendor_library
            .clone()
            .or_else(|| env::var_os(VENDOR_LIBRARY_KEY).map(PathBuf::from))
            .filter(|path| !path.as_os_str().is_empty());
        let vendor = existing(
            chosen.map_or_else(|| beside_executable(REFERENCE), Ok)?,
            "the vendor library",
            "--vendor-library",
        )?;
        if options.in_process {
            return Ok(Self { library: vendor.clone(), vendor });
        }
        let library = existing(
            options.library.clone().map_or_else(|| beside_executable(SHIM), Ok)?,
            "the library that a HAL loads",
            "--library",
        )?;
        Ok(Self { library, vendor })
    }

    /// Loads the library. Its host inherits the environment, so the vendor library must be named
    /// there: if it is not, this program starts itself anew with it.
    pub fn load(&self, in_process: bool) -> Result<Box<dyn CameraAlgorithm>, Failure> {
        if !in_process
            && env::var_os(VENDOR_LIBRARY_KEY).as_deref() != Some(self.vendor.as_os_str())
        {
            return Err(start_anew(&self.vendor));
        }
        if marks::active() {
            return marks::load(&self.library);
        }
        let library = VendorLibrary::load(&self.library)
            .map_err(|error| Failure::environment(error.to_string()))?;
        Ok(Box::new(library))
    }
}

/// Replaces this process by itself with the vendor library in its environment. Returns only if
/// that failed.
fn start_anew(vendor: &Path) -> Failure {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            return Failure::environment(format!("this program's own file is unknown: {error}"));
        }
    };
    let error =
        Command::new(&program).args(env::args_os().skip(1)).env(VENDOR_LIBRARY_KEY, vendor).exec();
    Failure::environment(format!("{} cannot be started: {error}", program.display()))
}

fn beside_executable(name: impl AsRef<OsStr>) -> Result<PathBuf, Failure> {
    let program = env::current_exe()
        .map_err(|error| Failure::environment(format!("this program's own file: {error}")))?;
    Ok(program.with_file_name(name.as_ref()))
}

/// The absolute path of a file that is there.
fn existing(path: PathBuf, what: &str, option: &str) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|error| {
        Failure::environment(format!(
            "{what}, {}: {error}; build it or name it with {option}",
            path.display()
        ))
    })
}
