//! Log lines that must not become a flood.

use std::time::{Duration, Instant};

/// At most one line in this time; what comes between is counted.
const PAUSE: Duration = Duration::from_secs(1);

/// Lets the first occurrence of something be logged, and then one per second.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    total: u64,
    last: Option<Instant>,
}

impl Seldom {
    /// Counts an occurrence; says how many there were so far if it is time for a line.
    pub(crate) fn count(&mut self) -> Option<u64> {
        self.total = self.total.saturating_add(1);
        let now = Instant::now();
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            return None;
        }
        self.last = Some(now);
        Some(self.total)
    }
}
