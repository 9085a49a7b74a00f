//! The log of a process that looks at one rule: to standard error, and the last error is remembered,
//! which is how the client names the cause of a death.

use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;

/// How the client's line of a death begins (`adapter/client/src/bury.rs`).
const DEATH: &str = "the camera algorithm's process died: ";

#[derive(Debug)]
struct Logger {
    last_error: Mutex<Option<String>>,
}

static LOGGER: Logger = Logger { last_error: Mutex::new(None) };

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = record.args().to_string();
        let _ = writeln!(std::io::stderr(), "client: {line}");
        if record.level() == Level::Error {
            let cause = line.strip_prefix(DEATH).unwrap_or(&line).to_owned();
            *self.last_error.lock() = Some(cause);
        }
    }

    fn flush(&self) {}
}

/// From now on.
pub fn install() {
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// The last error since this was asked for the last time: why a host died or did not come up.
pub fn take_cause() -> String {
    LOGGER.last_error.lock().take().unwrap_or_else(|| "for no cause that is known".to_owned())
}
