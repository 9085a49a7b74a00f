//! The time in each second that may be spent on what takes long, while the camera waits.

use std::time::{Duration, Instant};

/// What is left of it.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    since: Instant,
    spent: Duration,
}

impl Budget {
    /// The time in each second.
    pub const MOST: Duration = Duration::from_millis(100);

    /// Nothing is spent of the second that begins now.
    pub fn new(now: Instant) -> Self {
        Self { since: now, spent: Duration::ZERO }
    }

    /// Whether something may be begun.
    pub fn is_left(&mut self, now: Instant) -> bool {
        self.turn(now);
        self.spent < Self::MOST
    }

    /// So much was spent until now.
    pub fn spend(&mut self, now: Instant, time: Duration) {
        self.turn(now);
        self.spent = self.spent.saturating_add(time);
    }

    /// The second may be over.
    fn turn(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
    }
}
