//! Log lines for what a faulty library may do a million times.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts an event, and says so at its 1st, 2nd, 4th, 8th… time only.
#[derive(Debug)]
pub(crate) struct Rarely(AtomicU64);

impl Rarely {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Logs `what` with its count, if this is the time for it.
    pub fn warn(&self, what: &str) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if count.is_power_of_two() {
            log::warn!("{what} ({count} so far)");
        }
    }
}
