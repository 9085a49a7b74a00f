//! Our own log lines in the vendor process.
//!
//! They go to the monitor by a pipe of their own, so that they are told apart from what the library
//! writes to standard error. Each line starts with the level's digit.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use log::{Level, LevelFilter, Log, Metadata, Record};

struct PipeLogger(File);

impl Log for PipeLogger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{}{}\n", record.level() as usize, record.args());
        // One write of less than PIPE_BUF is atomic. Where it fails the monitor is gone, or does not
        // read: the line is lost, and the library's thread goes on.
        let _ = (&self.0).write(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Sends this process's log lines to the monitor.
pub fn install(pipe: OwnedFd) {
    if log::set_boxed_logger(Box::new(PipeLogger(File::from(pipe)))).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

/// The level and the text of a line that came through the pipe.
#[must_use]
pub fn parse(line: &str) -> (Level, &str) {
    let levels = [
        ("1", Level::Error),
        ("2", Level::Warn),
        ("3", Level::Info),
        ("4", Level::Debug),
        ("5", Level::Trace),
    ];
    for (digit, level) in levels {
        if let Some(text) = line.strip_prefix(digit) {
            return (level, text);
        }
    }
    (Level::Warn, line)
}
