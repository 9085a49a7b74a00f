//! What the monitor is told: file, environment, and the keys that both share.
//!
//! The file is `$CAMI_IPA_CONFIG` or `/etc/cami-ipa.toml`. Every key is also an environment
//! variable, which wins. A process that gained privileges ignores the environment.

mod keys;
mod source;

use std::path::PathBuf;
use std::time::Duration;

pub use keys::KEYS;
pub use source::{ConfigError, Environment, Source};

use crate::log_target::LogTarget;
use crate::profile::Profile;

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
    /// `timeouts.*`.
    pub timeouts: Timeouts,
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
        // The only one in this version: checked, so that asking for another is refused.
        source.choice("recovery", &["notify"])?;
        let profile = match source.text("profile")? {
            None => Profile::GENERIC,
            Some(name) => {
                Profile::by_name(&name).ok_or_else(|| source.bad("profile", Profile::NAMES))?
            }
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
            profile,
            log_level,
            log_target,
            warnings: source.unknown_variables(environment),
        })
    }
}

/// The loader takes an empty or relative folder from wherever the process happens to be.
fn checked_folder(folder: String, source: &Source) -> Result<PathBuf, ConfigError> {
    if folder.starts_with('/') && !folder.contains(':') {
        Ok(PathBuf::from(folder))
    } else {
        Err(source.bad("library_path", "absolute folders without a colon"))
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

#[cfg(test)]
mod tests;
