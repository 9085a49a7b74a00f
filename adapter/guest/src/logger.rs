//! The logger behind this library's `log` macros, and its panic hook.
//!
//! Both are private to this library: a cdylib has its own copies of `log` and of std.

use std::sync::OnceLock;

use log::{LevelFilter, Log, Metadata, Record};

use crate::line::LogLine;
use crate::target::Target;

/// `level` or `level,target`.
const VARIABLE: &str = "CAMI_IPA_LOG";
/// Level unless the variable says otherwise.
const DEFAULT_LEVEL: LevelFilter = LevelFilter::Info;

#[derive(Debug)]
struct Logger {
    target: OnceLock<Target>,
}

static LOGGER: Logger = Logger { target: OnceLock::new() };

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let target = self.target.get_or_init(Target::default);
            target.write(record.level(), &LogLine::new(record.args()));
        }
    }

    fn flush(&self) {}
}

/// What `CAMI_IPA_LOG` says, and what it is not understood for. A process that gained privileges
/// does not look at it.
#[must_use]
pub fn parse_variable(environment_trusted: bool) -> (Option<LevelFilter>, Option<Target>, String) {
    let setting = if environment_trusted {
        std::env::var(VARIABLE).unwrap_or_default()
    } else {
        String::new()
    };
    let (level, target) = parse(&setting);
    let mut complaint = String::new();
    if level.is_none() && !setting.is_empty() {
        complaint = format!(
            "{VARIABLE}={setting} is not understood: error, warn, info, debug or off, then \
             perhaps a comma and stderr, syslog or a file's absolute path"
        );
    }
    (level, target, complaint)
}

/// Installs logger and panic hook; `None` is the default: `info`, and standard error if it is open,
/// else the system log.
pub fn install(level: Option<LevelFilter>, target: Option<Target>) {
    // An error of either says that it is set already.
    let _ = LOGGER.target.set(target.unwrap_or_default());
    let _ = log::set_logger(&LOGGER);
    log::set_max_level(level.unwrap_or(DEFAULT_LEVEL));
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("a panic without a message");
        let place = panic.location().map_or(("?", 0), |place| (place.file(), place.line()));
        log::error!("internal error: {message} ({}:{})", place.0, place.1);
    }));
}

/// Level and target of a setting; `None` for what is not said, or not understood.
fn parse(setting: &str) -> (Option<LevelFilter>, Option<Target>) {
    let (level, target) = setting.split_once(',').unwrap_or((setting, ""));
    let level = match level {
        "off" => Some(LevelFilter::Off),
        "error" => Some(LevelFilter::Error),
        "warn" => Some(LevelFilter::Warn),
        "info" => Some(LevelFilter::Info),
        "debug" => Some(LevelFilter::Debug),
        _ => None,
    };
    match target {
        "" => (level, None),
        "stderr" => (level, Some(Target::Stderr)),
        "syslog" => (level, Some(Target::Syslog)),
        path if path.starts_with('/') => (level, Some(Target::File(path.into()))),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        assert_eq!(parse("debug"), (Some(LevelFilter::Debug), None));
        assert_eq!(parse("off,stderr"), (Some(LevelFilter::Off), Some(Target::Stderr)));
        assert_eq!(parse("warn,syslog"), (Some(LevelFilter::Warn), Some(Target::Syslog)));
        assert_eq!(
            parse("info,/var/log/camera"),
            (Some(LevelFilter::Info), Some(Target::File("/var/log/camera".into())))
        );
        assert_eq!(parse("info,somewhere"), (None, None));
        assert_eq!(parse("loud"), (None, None));
        assert_eq!(parse(""), (None, None));
    }
}
