//! The log of a process that looks at one rule: to standard error, and the last error is remembered,
//! which is how the client names the cause of a death.

use std::io::Write;

use crate::status::human::printable;
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

/// The last error since this was asked for the last time: why a host died or did not come up, without
/// control characters.
pub fn take_cause() -> String {
    let last = LOGGER.last_error.lock().take();
    last.map_or_else(|| "for no cause that is known".to_owned(), |line| essence(&printable(&line)))
}

/// Of a cause the middle: the library is known, and the request in flight is not the library's own where
/// the guest looks (`adapter/host/src/monitor/cause.rs`).
fn essence(cause: &str) -> String {
    let start = [" killed", " ended: ", " could not be set up"]
        .into_iter()
        .find_map(|word| cause.find(word));
    let text = start.and_then(|at| cause.get(at..)).unwrap_or(cause);
    // To the host the guest's own request.
    let text = &text.replace("request 0 (buffer -1) took", "it took");
    let end = [", in request ", ", in initialize for ", ", in none of our calls", ", in load for "]
        .into_iter()
        .filter_map(|word| text.find(word))
        .min();
    text.get(..end.unwrap_or(text.len())).unwrap_or(text).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_without_what_is_known() {
        let line = "vendor process 7 (libx.so, build-id ab) killed by SIGSEGV accessing 0x10 in \
                    liby.so+0x1 (thread AIQ), in request 0 (buffer -1) for 1 ms; 1 requests";
        assert_eq!(essence(line), "killed by SIGSEGV accessing 0x10 in liby.so+0x1 (thread AIQ)");
        assert_eq!(essence("there is no host"), "there is no host");
    }
}
