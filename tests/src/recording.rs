//! A recording that a host has left.

#![allow(clippy::panic, clippy::expect_used, reason = "a test without its recording has failed")]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use cami_recording::block::{Requested, Returned};
use cami_recording::session::Event;
use cami_recording::{Call, Recording, Session};

use crate::PATIENCE;

/// A recording that nobody writes to any more.
#[derive(Debug)]
pub struct Recorded {
    /// The file.
    pub file: Recording<File>,
    /// What it tells.
    pub session: Session,
}

impl Recorded {
    /// Waits until the last writer of `path`, which outlives its monitor, has ended, and reads it.
    ///
    /// # Panics
    /// Where there is no recording in time.
    #[must_use]
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no recording at {}", path.display());
            if let Some(file) = unlocked(path) {
                let file = Recording::read(file).expect("a recording");
                let session = Session::of(&file).expect("a session");
                return Self { file, session };
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// All requests with their answers.
    pub fn exchanges(&self) -> impl Iterator<Item = (&Requested, Option<&Returned>)> {
        self.session.events.iter().filter_map(|event| match event {
            Event::Exchange { requested, returned } => Some((requested, returned.as_ref())),
            _ => None,
        })
    }

    /// The calls of a host in their order, with what they returned.
    #[must_use]
    pub fn calls(&self, host: u32) -> Vec<(Call, Option<i32>)> {
        let calls = self.session.events.iter().filter_map(|event| match event {
            Event::Call { called, answered } if called.host == host => {
                let call = Call::of_number(called.call).expect("a known call");
                Some((call, answered.as_ref().map(|answered| answered.value)))
            }
            _ => None,
        });
        calls.collect()
    }

    /// What is said of the recording itself under this key; empty if it is not said.
    #[must_use]
    pub fn said(&self, key: &str) -> Vec<&str> {
        let said = self.session.annotations.iter().filter(|said| said.key == key);
        said.map(|said| said.value.as_str()).collect()
    }
}

/// The file at `path`, if it has something in it and nobody writes to it. While it is made smaller
/// another one takes its name.
fn unlocked(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    file.try_lock_shared().ok()?;
    let (opened, named) = (file.metadata().ok()?, fs::metadata(path).ok()?);
    let is_it = (opened.dev(), opened.ino()) == (named.dev(), named.ino());
    (is_it && opened.len() > 0).then_some(file)
}
