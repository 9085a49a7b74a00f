//! Log lines that must not become a flood.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cami_link::sync::Mutex;

/// At most one line per this time; what comes between is counted.
const PAUSE: Duration = Duration::from_secs(1);

/// Lets the first occurrence of something be logged, and then one per second.
#[derive(Debug)]
pub(crate) struct Seldom {
    total: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl Seldom {
    pub(crate) const fn new() -> Self {
        Self { total: AtomicU64::new(0), last: Mutex::new(None) }
    }

    /// Counts an occurrence; returns how many there were so far if it is time for a line.
    pub(crate) fn count(&self) -> Option<u64> {
        let total = self.total.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let mut last = self.last.try_lock()?;
        let now = Instant::now();
        if last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            return None;
        }
        *last = Some(now);
        Some(total)
    }
}
