//! The IPA behind the door.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cami_abi::{CameraAlgorithm, VendorLibrary};
use cami_client::{Options, Supervisor};
use cami_config::{Config, LIBCAMERA_SECTION};
use cami_door::IpaMaker;
use cami_ipu3_ipa::{
    ControlIds, Ipa, IpaError, Mode, Places, Processed, SensorSettings, SystemFiles, Translation,
};
use cami_libcamera::{control_ids, folders, installed};
use cami_wire::libcamera::{ControlInfo, ControlList, Dialect, IpaCameraSensorInfo, IpaSettings};

/// What is behind the door.
#[derive(Debug)]
#[allow(dead_code, reason = "the worker never has a library in its own process")]
pub enum Behind {
    /// A vendor library in a process of its own.
    Host(Box<Config>),
    /// A vendor library in this process, which somebody else has confined.
    Library(Box<Config>, PathBuf),
    /// Nothing, and why: `init` says so.
    Nothing { errno: i32, reason: String },
}

/// Makes the IPA once it is known what libcamera speaks.
pub fn maker(behind: Behind) -> IpaMaker {
    IpaMaker::new(move |dialect| match behind {
        Behind::Host(config) => {
            let library = Arc::new(Supervisor::new(options(&config)));
            ipa(&config, dialect, library)
        }
        Behind::Library(mut config, path) => match VendorLibrary::load(&path) {
            Ok(library) => {
                if config.aiqd.take().is_some() {
                    // Renaming and syncing files is not on ChromeOS's list, and nothing that it
                    // mounts there is kept.
                    log::warn!("aiqd is not kept here: what was learnt is lost with the client");
                }
                ipa(&config, dialect, Arc::new(library))
            }
            Err(error) => {
                let reason = format!("{}: {error}", path.display());
                Box::new(Refusing { errno: -libc::ENOEXEC, reason })
            }
        },
        Behind::Nothing { errno, reason } => Box::new(Refusing { errno, reason }),
    })
}

/// Every host of this door has the same section of the configuration, whatever the module's file was
/// called; a name without a folder is no file to be looked into.
fn options(config: &Config) -> Options {
    let beside = || {
        let own = std::env::current_exe().ok()?;
        cami_spawn::locate("host", None, &own).ok()
    };
    let host = match &config.socket {
        Some(_) => None,
        None => config.host.clone().or_else(beside),
    };
    Options {
        module: PathBuf::from(LIBCAMERA_SECTION),
        environment_trusted: cami_guest::environment_is_trusted(),
        socket: config.socket.clone(),
        host,
    }
}

/// How libcamera numbers its controls. The machine's libcameras are looked at only where the dialect
/// leaves a choice: under ChromeOS's filter it leaves none, and they could not be.
fn ids(config: &Config, dialect: Dialect) -> ControlIds {
    let version = config.libcamera.version;
    let found = match ControlIds::of_dialect(dialect).known() {
        Some(_) => Vec::new(),
        None => installed(&folders(std::env::var_os("LD_LIBRARY_PATH"))),
    };
    let ids = control_ids(version, dialect, &found);
    if ids.known().is_none() && version.is_none() {
        log::warn!(
            "libcamera speaks {dialect:?}, and which numbers its controls have is not known: set \
             libcamera.version; until then few controls are offered"
        );
    }
    ids
}

fn ipa(config: &Config, dialect: Dialect, library: Arc<dyn CameraAlgorithm>) -> Box<dyn Ipa> {
    let places = Places {
        tuning: config.tuning.0.clone(),
        nvm: config.nvm.0.clone(),
        aiqd: config.aiqd.clone(),
        system: Places::system_folders(),
    };
    match Translation::new(library, Box::new(SystemFiles), places, ids(config, dialect)) {
        Ok(translation) => Box::new(translation),
        Err(error) => {
            let reason = format!("no memory for what is shared with the library: {error}");
            Box::new(Refusing { errno: -libc::ENOMEM, reason })
        }
    }
}

/// An IPA whose `init` fails: libcamera then offers no camera, and its log says why.
#[derive(Debug)]
struct Refusing {
    errno: i32,
    reason: String,
}

impl Refusing {
    fn error(&self) -> IpaError {
        IpaError { errno: self.errno, text: self.reason.clone() }
    }
}

impl Ipa for Refusing {
    fn init(
        &mut self,
        _: &IpaSettings,
        _: &IpaCameraSensorInfo,
        _: &[ControlInfo],
        _: Instant,
    ) -> Result<Vec<ControlInfo>, IpaError> {
        Err(self.error())
    }

    fn configure(&mut self, _: &Mode, _: Instant) -> Result<Vec<ControlInfo>, IpaError> {
        Err(self.error())
    }

    fn start(&mut self, _: Instant) -> Result<SensorSettings, IpaError> {
        Err(self.error())
    }

    fn stop(&mut self, _: Instant) {}

    fn queue_request(&mut self, _: u32, _: &ControlList) {}

    fn process_stats(
        &mut self,
        _: u32,
        _: i64,
        _: &[u8],
        _: &ControlList,
        _: Instant,
    ) -> Processed {
        Processed::default()
    }

    fn compute_params(&mut self, _: u32, _: Instant) -> Option<&[u8]> {
        None
    }
}
