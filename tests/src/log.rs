//! What a process writes to standard error, as it comes.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that misses a line has failed")]

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use crate::PATIENCE;

/// Lines, and a way to wait for one.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    /// Collects from `source` until it ends, on a thread of its own.
    pub fn collect(source: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let own = log.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(source);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                own.0.0.lock().unwrap().push(text);
                own.0.1.notify_all();
                line.clear();
            }
        });
        log
    }

    /// Waits for a line that contains all of `texts`, and returns it.
    ///
    /// # Panics
    /// With the whole log, if there is none in time.
    #[track_caller]
    pub fn wait(&self, texts: &[&str]) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(line) = find(&lines, texts) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no line with {texts:?} in the log:\n{}", lines.join("\n"));
            lines = self.0.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// How many lines contain all of `texts` so far.
    #[must_use]
    pub fn count(&self, texts: &[&str]) -> usize {
        let lines = self.0.0.lock().unwrap();
        lines.iter().filter(|line| texts.iter().all(|text| line.contains(text))).count()
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.0.lock().unwrap().join("\n")
    }
}

fn find<'a>(lines: &'a [String], texts: &[&str]) -> Option<&'a String> {
    lines.iter().find(|line| texts.iter().all(|text| line.contains(text)))
}
