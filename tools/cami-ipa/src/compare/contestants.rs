//! Who is compared: our worker with the reference library, with a vendor library, and libcamera's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use cami_config::LibcameraVersion;
use cami_libcamera::{
    Library, MODULE_NAME, OLD_MODULE_NAME, OwnWorker, SearchPaths, WORKER, choose_module,
    find_own_worker, folders, installed, worker_folders,
};
use cami_wire::libcamera::Dialect;

use super::options::CompareOptions;
use crate::failure::Failure;
use crate::library::{built, our_own, reference_library, vendor_library};

/// libcamera's tuning file for sensors without one of their own.
const UNCALIBRATED: &str = "/usr/share/libcamera/ipa/ipu3/uncalibrated.yaml";
/// What to install for it.
const REMEDY: &str = "install it (on Debian: apt-get install libcamera-ipa), or leave it out with \
                      --without-libcamera";

/// One of the compared.
#[derive(Debug)]
pub struct Contestant {
    /// As it is called in tables and files.
    pub name: &'static str,
    /// What it consists of.
    pub what: String,
    /// Whether it is held to our bounds.
    pub ours: bool,
    /// libcamera's tuning file.
    pub configuration: String,
    worker: PathBuf,
    module: PathBuf,
    settings: Vec<(&'static str, String)>,
    /// Whether settings of the caller's environment are its own.
    inherits: bool,
}

impl Contestant {
    /// The command that libcamera would start, but for the socket.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.worker);
        if !self.inherits {
            for (name, _) in std::env::vars_os() {
                let kept = name == "CAMI_IPA_LOG";
                if !kept && name.to_str().is_some_and(|name| name.starts_with("CAMI_IPA_")) {
                    command.env_remove(name);
                }
            }
        }
        if std::env::var_os("CAMI_IPA_LOG").is_none() {
            command.env("CAMI_IPA_LOG", "warn");
        }
        if std::env::var_os("LIBCAMERA_LOG_LEVELS").is_none() {
            command.env("LIBCAMERA_LOG_LEVELS", "*:WARN");
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value))).arg(&self.module);
        command
    }
}

/// All who take part, and in whose words they are spoken to.
#[derive(Debug)]
pub struct Contestants {
    /// In the order of the table.
    pub all: Vec<Contestant>,
    /// The wire of the installed libcamera; the newest without one.
    pub dialect: Dialect,
    /// The installed libcamera's version.
    pub libcamera: Option<LibcameraVersion>,
}

/// The wire of a version.
fn dialect(version: LibcameraVersion) -> Dialect {
    let is = |minor, patch| version >= LibcameraVersion { major: 0, minor, patch };
    match () {
        () if is(7, 1) => Dialect::V0_7_1,
        () if is(6, 0) => Dialect::V0_6,
        () if is(4, 0) => Dialect::V0_4,
        () if is(1, 0) => Dialect::V0_1,
        () => Dialect::V0_0,
    }
}

impl Contestants {
    /// Finds them. `no_tuning` is an empty file, for libraries that need none.
    pub fn find(options: &CompareOptions, no_tuning: &Path) -> Result<Self, Failure> {
        let own = if options.without_libcamera { None } else { Some(Own::find()?) };
        let libcamera = own.as_ref().map(|own| own.version);
        let ours = OurWorker::find(options, no_tuning, libcamera)?;
        let mut all = vec![ours.contestant("reference", &reference_library()?, None, false)];
        if let Some(vendor) = vendor_library(options.vendor_library.as_deref())? {
            all.push(ours.contestant("vendor", &vendor, Some(options), true));
        }
        if let Some(own) = &own {
            all.push(own.contestant());
        }
        let dialect = libcamera.map_or(Dialect::V0_7_1, dialect);
        Ok(Self { all, dialect, libcamera })
    }
}

/// libcamera's own, as installed.
struct Own {
    version: LibcameraVersion,
    worker: PathBuf,
    module: PathBuf,
}

impl Own {
    fn find() -> Result<Self, Failure> {
        let missing =
            |what: String| Failure::environment(format!("{what}, to compare with: {REMEDY}"));
        let ours = our_own(WORKER)?;
        let worker = match find_own_worker(WORKER, worker_folders(None), &ours) {
            OwnWorker::Found(worker) => worker,
            OwnWorker::Missing(_) => {
                return Err(missing(format!("there is no {WORKER} of libcamera")));
            }
        };
        let found = installed(&folders(std::env::var_os("LD_LIBRARY_PATH")));
        let known = |library: &Library| {
            let version = library.version?;
            let (module, _) = choose_module(version, &SearchPaths::default(), &library.path)?;
            Some((version, module))
        };
        let (version, module) = found
            .iter()
            .find_map(known)
            .ok_or_else(|| missing("there is no ipa_ipu3.so of an installed libcamera".into()))?;
        built(PathBuf::from(UNCALIBRATED), "libcamera's tuning file", "--without-libcamera")?;
        Ok(Self { version, worker, module })
    }

    fn contestant(&self) -> Contestant {
        let LibcameraVersion { major, minor, patch } = self.version;
        Contestant {
            name: "libcamera",
            what: format!("libcamera {major}.{minor}.{patch}, {}", self.module.display()),
            ours: false,
            configuration: UNCALIBRATED.to_owned(),
            worker: self.worker.clone(),
            module: self.module.clone(),
            settings: Vec::new(),
            inherits: true,
        }
    }
}

/// Our worker, as built or installed.
struct OurWorker {
    worker: PathBuf,
    module: PathBuf,
    sensor: &'static str,
    no_tuning: PathBuf,
}

impl OurWorker {
    fn find(
        options: &CompareOptions,
        no_tuning: &Path,
        libcamera: Option<LibcameraVersion>,
    ) -> Result<Self, Failure> {
        let old = libcamera
            .is_some_and(|version| version < LibcameraVersion { major: 0, minor: 3, patch: 0 });
        let module = if old { OLD_MODULE_NAME } else { MODULE_NAME };
        Ok(Self {
            worker: built(our_own(WORKER)?, "our worker", "./x build")?,
            module: built(our_own(module)?, "our module", "./x build")?,
            sensor: options.sensor.name,
            no_tuning: no_tuning.to_path_buf(),
        })
    }

    fn contestant(
        &self,
        name: &'static str,
        library: &Path,
        options: Option<&CompareOptions>,
        inherits: bool,
    ) -> Contestant {
        let tuning = options.and_then(|options| options.tuning.as_deref());
        let mut settings = vec![("CAMI_IPA_VENDOR_LIBRARY", library.display().to_string())];
        // Configured files stay where none is given; the reference library needs none.
        if options.is_none() || tuning.is_some() {
            let file = tuning.unwrap_or(&self.no_tuning);
            settings.push(("CAMI_IPA_TUNING", format!("{}={}", self.sensor, file.display())));
        }
        if let Some(options) = options {
            if let Some(path) = &options.library_path {
                settings.push(("CAMI_IPA_LIBRARY_PATH", path.clone()));
            }
            if let Some(profile) = &options.profile {
                settings.push(("CAMI_IPA_PROFILE", profile.clone()));
            }
        } else {
            // A configuration of the machine decides nothing of the yardstick.
            settings.push(("CAMI_IPA_CONFIG", "/dev/null".to_owned()));
        }
        Contestant {
            name,
            what: format!("ipu3_ipa_proxy with {}", library.display()),
            ours: true,
            configuration: String::new(),
            worker: self.worker.clone(),
            module: self.module.clone(),
            settings,
            inherits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_wire() {
        let of = |text: &str| dialect(LibcameraVersion::parse(text).expect("a version"));
        assert_eq!(of("0.0.3"), Dialect::V0_0);
        assert_eq!(of("0.3.2"), Dialect::V0_1);
        assert_eq!(of("0.5.2"), Dialect::V0_4);
        assert_eq!(of("0.7.0"), Dialect::V0_6);
        assert_eq!(of("0.7.2"), Dialect::V0_7_1);
        assert_eq!(of("master"), Dialect::V0_7_1);
    }
}
