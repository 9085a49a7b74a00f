//! A temporary folder with the measured programs, and the artefacts that they use.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cami_wire::cros::{Request, Returned};
use tempfile::TempDir;

use crate::driver::Driver;
use crate::failure::Failure;
use crate::options::Options;

/// What the build script compiled.
const PROGRAMS: [(&str, &[u8]); 5] = [
    ("hal", include_bytes!(concat!(env!("OUT_DIR"), "/hal"))),
    ("ping_pong", include_bytes!(concat!(env!("OUT_DIR"), "/ping_pong"))),
    ("libcamera_call", include_bytes!(concat!(env!("OUT_DIR"), "/libcamera_call"))),
    ("vendor.so", include_bytes!(concat!(env!("OUT_DIR"), "/vendor.so"))),
    ("allocations.so", include_bytes!(concat!(env!("OUT_DIR"), "/allocations.so"))),
];
/// Bytes of the request headers in `programs/vendor.h`.
const HEADER_BYTES: usize = 24;

/// The folder; it is removed at the end.
#[derive(Debug)]
pub(crate) struct Room {
    folder: TempDir,
    artefacts: PathBuf,
}

impl Room {
    /// Writes the programs, and looks for the artefacts.
    pub(crate) fn new(options: &Options) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(Failure::at("a temporary folder"))?;
        for (name, contents) in PROGRAMS {
            let path = folder.path().join(name);
            fs::write(&path, contents).map_err(Failure::at(path.display()))?;
            fs::set_permissions(&path, Permissions::from_mode(0o755))
                .map_err(Failure::at(path.display()))?;
        }
        // So that the machine's own configuration does not count.
        let config = folder.path().join("cami-ipa.toml");
        fs::write(&config, "").map_err(Failure::at(config.display()))?;
        let artefacts = match &options.artefacts {
            Some(artefacts) => artefacts.clone(),
            None => beside_this_program()?,
        };
        let room = Self { folder, artefacts };
        for name in ["libcam_algo.so", "cros_ipa_proxy"] {
            let path = room.artefacts.join(name);
            if !path.exists() {
                return Err(Failure::new(format!(
                    "{} is missing: run cargo build --release --workspace, or name its folder with \
                     --artefacts",
                    path.display()
                )));
            }
        }
        Ok(room)
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of what was built.
    pub(crate) fn artefact(&self, name: &str) -> PathBuf {
        self.artefacts.join(name)
    }

    /// The shim.
    pub(crate) fn shim(&self) -> PathBuf {
        self.artefacts.join("libcam_algo.so")
    }

    /// Starts the HAL. It has not loaded anything yet.
    pub(crate) fn hal(&self) -> Result<Driver, Failure> {
        self.hal_with(&[])
    }

    /// Starts the HAL; the vendor process too counts its allocations.
    pub(crate) fn counting_hal(&self) -> Result<Driver, Failure> {
        let preload = format!("LD_PRELOAD={}", self.path("allocations.so").display());
        self.hal_with(&[("CAMI_IPA_ENVIRONMENT", Path::new(&preload))])
    }

    /// Starts the HAL; its vendor process is replaced when it dies, as often as it does.
    pub(crate) fn resuming_hal(&self, standby: bool) -> Result<Driver, Failure> {
        self.hal_with(&[
            ("CAMI_IPA_RECOVERY", Path::new("resume")),
            ("CAMI_IPA_RESTART__LIMIT", Path::new("0")),
            ("CAMI_IPA_STANDBY", Path::new(if standby { "true" } else { "false" })),
        ])
    }

    fn hal_with(&self, environment: &[(&str, &Path)]) -> Result<Driver, Failure> {
        let (config, vendor) = (self.path("cami-ipa.toml"), self.path("vendor.so"));
        let status = self.path("status");
        let mut variables: Vec<(&str, &Path)> = vec![
            ("CAMI_IPA_CONFIG", &config),
            ("CAMI_IPA_VENDOR_LIBRARY", &vendor),
            // Hundreds of deaths on purpose; what goes wrong otherwise is seen by its effect.
            ("CAMI_IPA_LOG", Path::new("off")),
            ("CAMI_IPA_STATUS_DIR", &status),
        ];
        variables.extend_from_slice(environment);
        Driver::start(&self.path("hal"), &[self.shim().into_os_string()], &variables)
    }

    /// Starts the raw ping-pong, with messages as long as the HAL's requests and their answers.
    pub(crate) fn ping_pong(&self) -> Result<Driver, Failure> {
        let header = [0; HEADER_BYTES];
        let request = Request { req_id: 0, header: &header, buffer_handle: 0 }.parts(1);
        let request = request.head.len() + request.header.len() + request.tail.len();
        let answer = Returned { req_id: 0, status: 0, buffer_handle: 0 }.encode().len();
        let sizes = [request, answer].map(|bytes| bytes.to_string().into());
        Driver::start(&self.path("ping_pong"), &sizes, &[])
    }

    /// Starts libcamera's proxy, which starts its worker.
    pub(crate) fn libcamera_call(&self) -> Result<Driver, Failure> {
        Driver::start(&self.path("libcamera_call"), &[], &[])
    }
}

fn beside_this_program() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe().map_err(Failure::at("the path of this program"))?;
    program
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| Failure::new("this program is in no folder"))
}
