//! Finding and loading the library that is driven.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_abi::{CameraAlgorithm, VendorLibrary};

use crate::failure::Failure;
use crate::learn::marks;
use crate::run_options::RunOptions;

/// The keys that the host reads.
const VENDOR_LIBRARY_KEY: &str = "CAMI_IPA_VENDOR_LIBRARY";
const PROFILE_KEY: &str = "CAMI_IPA_PROFILE";
const RECOVERY_KEY: &str = "CAMI_IPA_RECOVERY";
const RESTART_LIMIT_KEY: &str = "CAMI_IPA_RESTART__LIMIT";
/// Where an install puts libraries, seen from the folder of this program (`./x install`).
const INSTALLED: &str = "../lib/cami-ipa";
/// Names of the files beside this program, or there.
const SHIM: &str = "libcam_algo.so";
const REFERENCE: &str = "libcam_algo_reference.so";

/// What is to be driven.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The closed library; `None`: as the environment says, or the reference library.
    pub vendor_library: Option<&'a Path>,
    /// The `libcam_algo.so` in front of it; `None`: the one beside the executable.
    pub library: Option<&'a Path>,
    /// Call the closed library directly, without isolation.
    pub in_process: bool,
    /// Its profile; `None`: as the environment says, or IPU3's.
    pub profile: Option<&'a str>,
    /// What a death means.
    pub recovery: Option<&'static str>,
    /// Restarts are not counted.
    pub unlimited_restarts: bool,
}

impl<'a> Wanted<'a> {
    /// What a run asks for.
    pub fn of(options: &'a RunOptions) -> Self {
        Self {
            vendor_library: options.vendor_library.as_deref(),
            library: options.library.as_deref(),
            in_process: options.in_process,
            profile: None,
            recovery: options.recovery,
            unlimited_restarts: options.kill_every.is_some(),
        }
    }
}

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
    pub fn find(options: &Wanted<'_>) -> Result<Self, Failure> {
        let vendor = match vendor_library(options.vendor_library)? {
            Some(vendor) => vendor,
            None => reference_library()?,
        };
        if options.in_process {
            return Ok(Self { library: vendor.clone(), vendor });
        }
        let library = built(
            options.library.map_or_else(|| our_own(SHIM), |path| Ok(path.to_path_buf()))?,
            "the library that a HAL loads",
            "--library",
        )?;
        Ok(Self { library, vendor })
    }

    /// What the host is told by its environment.
    fn environment(&self, options: &Wanted<'_>) -> Vec<(&'static str, OsString)> {
        let mut wanted = vec![(VENDOR_LIBRARY_KEY, self.vendor.clone().into_os_string())];
        // The requests of a run are IPU3's.
        let profile = match options.profile {
            Some(profile) => profile.into(),
            None => env::var_os(PROFILE_KEY).unwrap_or_else(|| "intel-ipu3".into()),
        };
        wanted.push((PROFILE_KEY, profile));
        if let Some(recovery) = options.recovery {
            wanted.push((RECOVERY_KEY, recovery.into()));
        }
        if options.unlimited_restarts {
            wanted.push((RESTART_LIMIT_KEY, "0".into()));
        }
        wanted
    }

    /// Loads the library. Its host inherits the environment, so the vendor library must be named
    /// there: if it is not, this program starts itself anew with it.
    pub fn load(&self, options: &Wanted<'_>) -> Result<Box<dyn CameraAlgorithm>, Failure> {
        let wanted = self.environment(options);
        let is_set = |(name, value): &(&str, OsString)| env::var_os(name).as_ref() == Some(value);
        if !options.in_process && !wanted.iter().all(is_set) {
            return Err(start_anew(&wanted));
        }
        if marks::active() {
            return marks::load(&self.library);
        }
        let library = VendorLibrary::load(&self.library)
            .map_err(|error| Failure::environment(error.to_string()))?;
        Ok(Box::new(library))
    }
}

/// The vendor library that an option or the environment names, if one does.
pub fn vendor_library(option: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    option
        .map(Path::to_path_buf)
        .or_else(|| env::var_os(VENDOR_LIBRARY_KEY).map(PathBuf::from))
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| built(path, "the vendor library", "--vendor-library"))
        .transpose()
}

/// Our own 3A library.
pub fn reference_library() -> Result<PathBuf, Failure> {
    built(our_own(REFERENCE)?, "the reference library", "--vendor-library")
}

/// Replaces this process by itself with that in its environment. Returns only if that failed.
fn start_anew(variables: &[(&str, OsString)]) -> Failure {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            return Failure::environment(format!("this program's own file is unknown: {error}"));
        }
    };
    let error = Command::new(&program).args(env::args_os().skip(1)).envs(variables.to_vec()).exec();
    Failure::environment(format!("{} cannot be started: {error}", program.display()))
}

/// A library of ours: beside this program, or where an install puts it.
pub fn our_own(name: &str) -> Result<PathBuf, Failure> {
    let program = env::current_exe()
        .map_err(|error| Failure::environment(format!("this program's own file: {error}")))?;
    let beside = program.with_file_name(name);
    let installed = program.with_file_name(INSTALLED).join(name);
    Ok(if !beside.exists() && installed.exists() { installed } else { beside })
}

/// The absolute path of a file that is there.
pub fn built(path: PathBuf, what: &str, option: &str) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|error| {
        Failure::environment(format!(
            "{what}, {}: {error}; build it or name it with {option}",
            path.display()
        ))
    })
}

/// The same of a file that the user has named.
pub fn existing(path: PathBuf, what: &str) -> Result<PathBuf, Failure> {
    path.canonicalize()
        .map_err(|error| Failure::environment(format!("{what}, {}: {error}", path.display())))
}
