//! Deadlines on the monotonic clock.
//!
//! ChromeOS's clients once waited on the wall clock, and a suspended machine broke them
//! (platform2 67b2aee3a4); `Instant` is `CLOCK_MONOTONIC` on Linux.

use std::time::{Duration, Instant};

/// The moment at which a wait gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// `timeout` from now. A timeout beyond the clock's range counts as a year.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let now = Instant::now();
        Self(now.checked_add(timeout.min(YEAR)).unwrap_or(now))
    }

    /// A deadline that has passed: what waits on it looks once and does not wait.
    #[must_use]
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// The time left, zero once it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The same moment as an [`Instant`], for condition variables.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.0
    }
}

/// Now, in nanoseconds of the monotonic clock: what two processes of one machine can compare.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or(0, |now| {
        let seconds = u64::try_from(now.tv_sec()).unwrap_or(0);
        let rest = u64::try_from(now.tv_nsec()).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(rest)
    })
}
