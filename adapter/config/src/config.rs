//! What a host is told, key by key.

use std::path::PathBuf;
use std::time::Duration;

use crate::libcamera::{Libcamera, LibcameraVersion, PerSensor};
use crate::log_target::LogTarget;
use crate::profile::Profile;
use crate::source::{ConfigError, Environment, Source};

/// The configuration of one host.
#[derive(Clone, Debug)]
pub struct Config {
    /// `vendor_library`: the closed library, if the configuration names one.
    pub vendor_library: Option<PathBuf>,
    /// `library_path`: where the libraries that it needs are searched first.
    pub library_path: Vec<PathBuf>,
    /// `environment`: the variables that it may see; all others are cleared.
    pub environment: Vec<(String, String)>,
    /// `profile`: what is known of its protocol.
    pub profile: Profile,
    /// The whole text of the profile, where it is a file.
    pub profile_text: Option<String>,
    /// `timeouts.*`.
    pub timeouts: Timeouts,
    /// `recovery`: what a death of the vendor process means to the HAL.
    pub recovery: Recovery,
    /// `restart.*`.
    pub restart: Restart,
    /// `standby`: whether a second host is kept warm.
    pub standby: bool,
    /// `socket`: the service to connect to, in place of starting a host.
    pub socket: Option<PathBuf>,
    /// `host`: path of `cros_ipa_proxy`.
    pub host: Option<PathBuf>,
    /// `sandbox.*`.
    pub sandbox: Sandbox,
    /// `service.*`.
    pub service: Service,
    /// `tuning`: the tuning file of each sensor model.
    pub tuning: PerSensor,
    /// `nvm`: a file with the NVM of each sensor model's module.
    pub nvm: PerSensor,
    /// `aiqd`: where a camera's learnt state is kept.
    pub aiqd: Option<PathBuf>,
    /// `libcamera.*`.
    pub libcamera: Libcamera,
    /// `record`: the file, or the folder, in which the monitor records what passes.
    pub record: Option<PathBuf>,
    /// `record_limit_mib`: the size at which a recording is made smaller, in bytes; 0: none.
    pub record_limit_bytes: u64,
    /// `crash_dir`: where the monitor writes crash records.
    pub crash_dir: Option<PathBuf>,
    /// `status_dir`: where running hosts leave what `cami-ipa status` reads.
    pub status_dir: PathBuf,
    /// `log`: level and target.
    pub log_level: log::LevelFilter,
    /// `log`: where lines go.
    pub log_target: LogTarget,
    /// What looks like a mistake and does no harm.
    pub warnings: Vec<String>,
}

/// Deadlines of calls; zero is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Start of the host, `init` and `initialize` together.
    pub initialize: Duration,
    /// `register_buffer`, `deregister_buffers`, `deinitialize`.
    pub register: Duration,
    /// A request until its callback.
    pub request: Duration,
}

/// What a death of the vendor process means to the HAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// `notify(IPC_ERROR)`, once; the next `initialize` starts afresh: ChromeOS's meaning.
    Notify,
    /// A new vendor process is brought to where the old one was, and the HAL is not told.
    Resume,
}

/// How often a vendor process may die before `resume` gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Restarts within `window`; 0 is no limit.
    pub limit: u32,
    /// The time over which they are counted.
    pub window: Duration,
}

/// What the vendor process may and must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Layers without which the host refuses to run, out of [`Sandbox::LAYERS`].
    pub require: Vec<String>,
    /// Paths that the library may read, besides those that it needs to be loaded.
    pub read: Vec<PathBuf>,
    /// Folders that it may write to.
    pub write: Vec<PathBuf>,
    /// Numbers of `ioctl`s that it may use.
    pub ioctl: Vec<u32>,
}

impl Sandbox {
    /// Names of the layers, in the order in which they are reported.
    pub const LAYERS: [&'static str; 10] =
        ["user", "net", "ipc", "uts", "pid", "mount", "landlock", "seccomp", "rlimits", "caps"];
}

/// Who may be a client of `cami-ipa serve` at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceClients {
    /// One; a new one takes the place of the one before, as in ChromeOS.
    Last,
    /// Any number.
    Many,
}

/// What `cami-ipa serve` does when its client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisconnect {
    /// It ends, for an init system to start it again on demand.
    Exit,
    /// It waits for the next.
    Accept,
}

/// How `cami-ipa serve` treats its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `service.clients`.
    pub clients: ServiceClients,
    /// `service.allow_uids`: who may connect; empty is the service's own user.
    pub allow_uids: Vec<u32>,
    /// `service.on_disconnect`.
    pub on_disconnect: OnDisconnect,
}

/// The section of libcamera's door: the name of its module (libcamera's worker is told that, and every
/// host of it too).
pub const LIBCAMERA_SECTION: &str = "ipa_cami_ipu3.so";

/// `restart.limit`: ChromeOS's init gives up at the eleventh (platform2
/// `camera/common/init/cros-camera-algo.conf`, `respawn limit 10 5`).
const RESTART_LIMIT: u32 = 10;
/// `restart.window_ms`: as above.
const RESTART_WINDOW_MS: u32 = 5000;
/// `status_dir`.
const STATUS_DIR: &str = "/run/cami-ipa";

/// `record_limit_mib`: some minutes of an IPU3 camera.
const RECORD_LIMIT_MIB: u32 = 256;

/// ChromeOS's bridge gives `Initialize` 3000 ms in all
/// (platform2 `camera/common/camera_algorithm_bridge_impl.cc`, 59-61).
const INITIALIZE_MS: u32 = 3000;
/// ChromeOS's bridge gives `RegisterBuffer` 5000 ms (platform2 `camera/include/cros-camera/future.h`, 85).
const REGISTER_MS: u32 = 5000;

impl Config {
    /// Reads the configuration that holds for the shim file called `section`
    /// (`["libcam_algo_vendor_gpu.so"]` in the file overrides the common keys).
    ///
    /// # Errors
    /// One line that names the key, what is wrong with it, and where it was set.
    pub fn read(environment: &Environment, section: Option<&str>) -> Result<Self, ConfigError> {
        let source = Source::open(environment, section)?;
        let at_libcamera = section == Some(LIBCAMERA_SECTION);
        let recovery = match source.choice("recovery", &["notify", "resume"])? {
            Some("resume") => Recovery::Resume,
            // libcamera has no word for a death and would never ask for another `init`: its frames go
            // on with what was last good, for ever if nobody brings the library back.
            None if at_libcamera => Recovery::Resume,
            _ => Recovery::Notify,
        };
        let (profile, profile_text) = profile(&source, at_libcamera)?;
        let mut warnings = source.unknown_variables(environment);
        let recovery = match (recovery, &profile.not_resumable) {
            (Recovery::Resume, Some(why)) => {
                warnings.push(format!(
                    "recovery = \"resume\" is not possible with profile {}: {why}; deaths are told \
                     by notify",
                    profile.name
                ));
                Recovery::Notify
            }
            (recovery, _) => recovery,
        };
        let milliseconds = |key, default: u32| -> Result<Duration, ConfigError> {
            let value = source.number(key)?.unwrap_or(default);
            Ok(Duration::from_millis(u64::from(value)))
        };
        let log = source.text("log")?.unwrap_or_default();
        let (log_level, log_target) =
            LogTarget::parse(&log).map_err(|reason| source.bad("log", reason))?;
        Ok(Self {
            vendor_library: source.text("vendor_library")?.map(PathBuf::from),
            library_path: source
                .list("library_path")?
                .into_iter()
                .map(|folder| checked_folder(folder, &source))
                .collect::<Result<_, _>>()?,
            environment: checked_environment(source.table("environment")?, &source)?,
            timeouts: Timeouts {
                initialize: milliseconds("timeouts.initialize_ms", INITIALIZE_MS)?,
                register: milliseconds("timeouts.register_ms", REGISTER_MS)?,
                request: milliseconds("timeouts.request_ms", profile.request_ms)?,
            },
            recovery,
            restart: Restart {
                limit: source.number("restart.limit")?.unwrap_or(RESTART_LIMIT),
                window: milliseconds("restart.window_ms", RESTART_WINDOW_MS)?,
            },
            standby: source.flag("standby")?.unwrap_or(false),
            socket: source.absolute("socket")?,
            host: source.absolute("host")?,
            sandbox: Sandbox {
                require: checked_layers(source.list("sandbox.require")?, &source)?,
                read: source.absolutes("sandbox.read")?,
                write: source.absolutes("sandbox.write")?,
                ioctl: source.numbers("sandbox.ioctl")?,
            },
            service: Service {
                clients: match source.choice("service.clients", &["last", "many"])? {
                    Some("many") => ServiceClients::Many,
                    _ => ServiceClients::Last,
                },
                allow_uids: source.numbers("service.allow_uids")?,
                on_disconnect: match source.choice("service.on_disconnect", &["exit", "accept"])? {
                    Some("exit") => OnDisconnect::Exit,
                    _ => OnDisconnect::Accept,
                },
            },
            tuning: PerSensor::checked("tuning", &source)?,
            nvm: PerSensor::checked("nvm", &source)?,
            aiqd: source.absolute("aiqd")?,
            libcamera: Libcamera {
                version: LibcameraVersion::checked(&source)?,
                proxy_dir: source.absolute("libcamera.proxy_dir")?,
            },
            record: source.absolute("record")?,
            record_limit_bytes: u64::from(
                source.number("record_limit_mib")?.unwrap_or(RECORD_LIMIT_MIB),
            ) << 20,
            crash_dir: source.absolute("crash_dir")?,
            status_dir: source.absolute("status_dir")?.unwrap_or_else(|| PathBuf::from(STATUS_DIR)),
            profile,
            profile_text,
            log_level,
            log_target,
            warnings,
        })
    }
}

/// The built-in profile of the configured name, or the one in the configured file and its text. What
/// libcamera's door speaks to its library is the IPU3 protocol.
fn profile(source: &Source, at_libcamera: bool) -> Result<(Profile, Option<String>), ConfigError> {
    let default = if at_libcamera { "intel-ipu3" } else { "generic" };
    let name = source.text("profile")?.unwrap_or_else(|| default.to_owned());
    let (read, text) = match Profile::by_name(&name) {
        Some(profile) => (profile, None),
        None if name.starts_with('/') => {
            let text = std::fs::read_to_string(&name)
                .map_err(|error| ConfigError(format!("cannot read the profile {name}: {error}")))?;
            (Profile::parse(&text), Some(text))
        }
        None => return Err(source.bad("profile", Profile::NAMES)),
    };
    let profile = read.map_err(|error| ConfigError(format!("the profile {name}: {error}")))?;
    Ok((profile, text))
}

/// The loader takes an empty or relative folder from wherever the process happens to be.
fn checked_folder(folder: String, source: &Source) -> Result<PathBuf, ConfigError> {
    if folder.starts_with('/') && !folder.contains(':') {
        Ok(PathBuf::from(folder))
    } else {
        Err(source.bad("library_path", "absolute folders without a colon"))
    }
}

fn checked_layers(layers: Vec<String>, source: &Source) -> Result<Vec<String>, ConfigError> {
    if layers.iter().all(|layer| Sandbox::LAYERS.contains(&layer.as_str())) {
        Ok(layers)
    } else {
        let layers = Sandbox::LAYERS.join(", ");
        let form = format!("any of {layers}; in the environment with `:` between them");
        Err(source.bad("sandbox.require", form))
    }
}

fn checked_environment(
    table: Vec<(String, String)>,
    source: &Source,
) -> Result<Vec<(String, String)>, ConfigError> {
    let bad = |(name, value): &(String, String)| {
        name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
    };
    if table.iter().any(bad) {
        return Err(source.bad("environment", "names and values that a variable can have"));
    }
    Ok(table)
}
