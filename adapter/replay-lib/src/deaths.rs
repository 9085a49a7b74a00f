//! Recorded deaths, made again.
//!
//! A process that is to die where the recorded one died, and once, has to know how often that has been
//! done, and nothing of a process outlives it: a file keeps the number. It is opened when the library is
//! initialised, because later the sandbox may open nothing, and written in place, because in a sandbox
//! the file is all that can be written.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cami_link::write_with_seek;
use cami_replay::{Death, Place};
use nix::sys::signal::{SigSet, Signal, raise};

use crate::log;

/// A number, and a line's end.
const MAX_FILE_BYTES: usize = 21;

/// The file that counts the recorded deaths that were made again.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    count: u64,
}

impl Ledger {
    /// Opens it; one that is not there is made, one that is empty counts none.
    ///
    /// # Errors
    /// What the kernel says; `InvalidData` where it has anything but a number.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        // A pipe would hold us.
        let file = options.custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC).open(path)?;
        let mut bytes = [0; MAX_FILE_BYTES + 1];
        let mut length = 0;
        loop {
            let rest = bytes.get_mut(length..).unwrap_or_default();
            match file.read_at(rest, length as u64)? {
                0 => break,
                more => length += more,
            }
        }
        let text = bytes.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = text.map(str::trim_ascii);
        let count = match text {
            Some("") => Some(0),
            text => text.and_then(|text| text.parse().ok()),
        };
        let count = count.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "does not hold a number of deaths")
        })?;
        Ok(Self { file, count })
    }

    /// Deaths so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn note(&self) -> io::Result<()> {
        let line = format!("{}\n", self.count.saturating_add(1));
        write_with_seek(&self.file, line.as_bytes(), 0)
    }
}

/// The death that is ahead of this process.
#[derive(Debug)]
pub struct Dying {
    death: Death,
    ledger: Ledger,
    /// Its host's number, for the log.
    host: u32,
    done: AtomicBool,
    /// The host ended the recorded library: from here on this one says nothing.
    silent: AtomicBool,
}

impl Dying {
    /// Of a recorded death.
    pub fn new(host: u32, death: Death, ledger: Ledger) -> Self {
        let (done, silent) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { death, ledger, host, done, silent }
    }

    /// When the recorded one died, in nanoseconds.
    pub fn at_ns(&self) -> u64 {
        self.death.at_ns
    }

    /// Whether this is where the recorded library died.
    pub fn is_at(&self, place: Place) -> bool {
        self.death.place == place && !self.done.load(Ordering::Relaxed)
    }

    /// Whether the host ended the recorded library, and this one has come so far: it says nothing any more.
    pub fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// Dies as the recorded library did. Returns true where the host ended that, which it will do with this
    /// one too; false where the death cannot be noted: it would come again in each process, for ever.
    pub fn die(&self) -> bool {
        if self.done.swap(true, Ordering::Relaxed) {
            return false;
        }
        if let Err(error) = self.ledger.note() {
            log::line(format_args!("the death is not made again: it cannot be noted: {error}"));
            return false;
        }
        let Death { signal, exit_code, by_host, .. } = self.death;
        if by_host {
            log::line(format_args!(
                "host {}: here the recorded library was ended by its host; the next process goes on",
                self.host
            ));
            self.silent.store(true, Ordering::Relaxed);
            return true;
        }
        match signal {
            0 => {
                log::line(format_args!(
                    "host {}: exits with {exit_code}, as the recorded library did",
                    self.host
                ));
                std::process::exit(exit_code)
            }
            signal => {
                log::line(format_args!(
                    "host {}: dies of signal {signal}, as the recorded library did",
                    self.host
                ));
                die_of(signal)
            }
        }
    }

    /// Dies in a call, and not before. Where the host ended the recorded library the call does not return.
    pub fn die_in_call(&self) {
        if self.die() {
            loop {
                thread::park();
            }
        }
    }
}

/// Ends the process by a signal.
fn die_of(signal: i32) -> ! {
    let Ok(signal) = Signal::try_from(signal) else { std::process::abort() };
    let mut set = SigSet::empty();
    set.add(signal);
    let _ = set.thread_unblock();
    // The first may be a handler's: Rust's own, for SIGSEGV and SIGBUS, puts the default back and returns.
    for _ in 0..2 {
        let _ = raise(signal);
    }
    // It is ignored here.
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_counts_from_none_and_holds_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deaths");
        assert_eq!(Ledger::open(&path).unwrap().count(), 0);
        for count in 0..12 {
            let ledger = Ledger::open(&path).unwrap();
            assert_eq!(ledger.count(), count);
            ledger.note().unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "12\n");
        for text in ["x", "-1", "1 2", "123456789012345678901234567890"] {
            std::fs::write(&path, text).unwrap();
            let error = Ledger::open(&path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text}");
        }
        assert!(Ledger::open(folder.path()).is_err(), "a folder");
        assert!(Ledger::open(Path::new("/dev/zero")).is_err(), "no end");
    }
}
