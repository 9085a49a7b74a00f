//! Where log lines go: standard error, the system log, or a file.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use cami_link::{Deadline, Event, Interest, wait};
use log::{Level, LevelFilter, Log, Metadata, Record};

/// The target of the `log` key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard error if it is open, otherwise the system log.
    Automatic,
    /// Standard error.
    Stderr,
    /// The system log.
    Syslog,
    /// A file, appended to.
    File(PathBuf),
}

impl LogTarget {
    /// Reads `LEVEL`, `TARGET` or `LEVEL,TARGET`; empty is `info` and [`LogTarget::Automatic`].
    ///
    /// # Errors
    /// What is expected, for a message.
    pub fn parse(text: &str) -> Result<(LevelFilter, Self), &'static str> {
        let mut level = LevelFilter::Info;
        let mut target = Self::Automatic;
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match (word.parse::<LevelFilter>(), word) {
                (Ok(parsed), _) => level = parsed,
                (_, "stderr") => target = Self::Stderr,
                (_, "syslog") => target = Self::Syslog,
                (_, path) if path.starts_with('/') => target = Self::File(PathBuf::from(path)),
                _ => return Err("off, error, warn, info or debug, and stderr, syslog or a path"),
            }
        }
        Ok((level, target))
    }
}

/// Lines start with this, whoever writes them.
const PREFIX: &str = "cami-ipa";

enum Sink {
    Stderr,
    Syslog(UnixDatagram),
    File(File),
}

struct Logger {
    sink: Sink,
    level: LevelFilter,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            Level::Info => "",
            Level::Debug | Level::Trace => "debug: ",
        };
        // One write for a line, so that lines of several processes do not mix. There is nobody to
        // tell that a line could not be written.
        let _ = match &self.sink {
            Sink::Stderr => {
                let line = format!("{PREFIX}: {level}{}\n", record.args());
                write_now(std::io::stderr().as_fd(), &line)
            }
            Sink::File(file) => {
                let line = format!("{PREFIX}[{}]: {level}{}\n", std::process::id(), record.args());
                write_now(file.as_fd(), &line)
            }
            Sink::Syslog(socket) => {
                // RFC 3164: facility 1 (user) times 8 plus the severity.
                let severity = match record.level() {
                    Level::Error => 3,
                    Level::Warn => 4,
                    Level::Info => 6,
                    Level::Debug | Level::Trace => 7,
                };
                let pid = std::process::id();
                let line = format!("<{}>{PREFIX}[{pid}]: {level}{}", 8 + severity, record.args());
                socket.send(line.as_bytes()).is_ok()
            }
        };
    }

    fn flush(&self) {}
}

/// What a pipe takes in one piece, and whole where `poll` says that there is room (linux
/// `include/uapi/linux/limits.h`).
const PIPE_BUF: usize = 4096;

/// Writes a line if there is room for it now; false if it is lost. The monitor serves the vendor
/// process's stops and the client's end: a reader of its log that has stopped must not stop it.
fn write_now(fd: BorrowedFd<'_>, line: &str) -> bool {
    let mut bytes = line.as_bytes();
    let mut shortened = Vec::new();
    if let Some((start, _)) =
        bytes.split_at_checked(PIPE_BUF - 1).filter(|(_, rest)| rest.len() > 1)
    {
        shortened.extend_from_slice(start);
        shortened.push(b'\n');
        bytes = &shortened;
    }
    let mut room = [(fd, Interest::RoomToSend, Event::default())];
    if wait(&mut room, Some(Deadline::now())) != Ok(1) || !room.iter().all(|(.., e)| e.writable) {
        return false;
    }
    nix::unistd::write(fd, bytes).is_ok()
}

/// Sends this process's log lines to `target` from now on. A target that cannot be opened falls
/// back to standard error.
pub fn install(level: LevelFilter, target: &LogTarget) {
    let (sink, complaint) = match target {
        LogTarget::Stderr => (Sink::Stderr, None),
        LogTarget::Automatic if stderr_is_open() => (Sink::Stderr, None),
        LogTarget::Automatic | LogTarget::Syslog => match connect_syslog() {
            Ok(socket) => (Sink::Syslog(socket), None),
            Err(error) => (Sink::Stderr, Some(format!("cannot reach the system log: {error}"))),
        },
        LogTarget::File(path) => match open_file(path) {
            Ok(file) => (Sink::File(file), None),
            Err(error) => {
                (Sink::Stderr, Some(format!("cannot log to {}: {error}", path.display())))
            }
        },
    };
    if log::set_boxed_logger(Box::new(Logger { sink, level })).is_ok() {
        log::set_max_level(level);
    }
    if let Some(complaint) = complaint {
        log::warn!("{complaint}");
    }
}

/// Neither a FIFO without a reader nor a terminal may hold up the start or become ours.
fn open_file(path: &Path) -> std::io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().append(true).create(true).custom_flags(flags).open(path)
}

fn connect_syslog() -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect("/dev/log")?;
    // A full system log must not hold up the monitor.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// A standard error that leads to /dev/null counts as closed: the monitor puts one there where its
/// parent had none.
fn stderr_is_open() -> bool {
    let Ok(link) = std::fs::read_link("/proc/self/fd/2") else { return true };
    link != std::path::Path::new("/dev/null")
}

#[cfg(test)]
mod tests {
    use log::LevelFilter;

    use super::LogTarget;

    #[test]
    fn log_key_takes_level_target_or_both() {
        assert_eq!(LogTarget::parse(""), Ok((LevelFilter::Info, LogTarget::Automatic)));
        assert_eq!(LogTarget::parse("warn"), Ok((LevelFilter::Warn, LogTarget::Automatic)));
        assert_eq!(LogTarget::parse("syslog"), Ok((LevelFilter::Info, LogTarget::Syslog)));
        assert_eq!(
            LogTarget::parse("debug, /var/log/x"),
            Ok((LevelFilter::Debug, LogTarget::File("/var/log/x".into())))
        );
        assert!(LogTarget::parse("loudly").is_err());
    }
}
