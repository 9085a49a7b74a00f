//! How often a vendor process may die before nobody believes in the next one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use cami_wire::control::Recovery;

/// The wait before the restart that follows on the second failure in a row; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Restarts of one journal.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    recent: VecDeque<Instant>,
    failures: u32,
    /// Restarts of the recovery that is under way. They count however long they took: a library
    /// that hangs when it is brought up would otherwise leave the window before it fills it.
    in_vain: u32,
    total: u32,
}

/// There were too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Restarts {
    /// A vendor process failed; `answered`: it had answered a request since it was brought up.
    pub(crate) fn failed(&mut self, answered: bool) {
        self.failures = if answered { 1 } else { self.failures.saturating_add(1) };
        self.in_vain = 0;
    }

    /// One that was started did not come so far as to take over.
    pub(crate) fn failed_again(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.in_vain = self.in_vain.saturating_add(1);
    }

    /// How long to wait before the next one: not at all after a first failure.
    pub(crate) fn wait(&self) -> Duration {
        match self.failures.checked_sub(2) {
            None => Duration::ZERO,
            Some(more) => FIRST_WAIT.saturating_mul(1 << more.min(16)).min(LONGEST_WAIT),
        }
    }

    /// Another one is started now.
    pub(crate) fn start(&mut self, now: Instant, limits: &Recovery) -> Result<(), TooMany> {
        let window = Duration::from_millis(u64::from(limits.restart_window_ms));
        while self.recent.front().is_some_and(|&past| now.saturating_duration_since(past) > window)
        {
            self.recent.pop_front();
        }
        let limit = usize::try_from(limits.restart_limit).unwrap_or(usize::MAX);
        if limit > 0 {
            if self.recent.len() >= limit || self.in_vain >= limits.restart_limit {
                return Err(TooMany);
            }
            self.recent.push_back(now);
        }
        self.total = self.total.saturating_add(1);
        Ok(())
    }

    /// Restarts so far.
    pub(crate) fn total(&self) -> u32 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, LONGEST_WAIT, Recovery, Restarts, TooMany};

    fn limits(restart_limit: u32) -> Recovery {
        Recovery { restart_limit, restart_window_ms: 5000, ..Recovery::default() }
    }

    #[test]
    fn first_restart_is_immediate_and_failures_in_a_row_wait_longer_each() {
        let mut restarts = Restarts::default();
        restarts.failed(false);
        assert_eq!(restarts.wait(), Duration::ZERO);
        restarts.failed(false);
        assert_eq!(restarts.wait(), Duration::from_millis(10));
        restarts.failed(false);
        assert_eq!(restarts.wait(), Duration::from_millis(20));
        for _ in 0..100 {
            restarts.failed(false);
        }
        assert_eq!(restarts.wait(), LONGEST_WAIT);
        restarts.failed(true);
        assert_eq!(restarts.wait(), Duration::ZERO);
    }

    #[test]
    fn restarts_that_never_took_over_reach_the_limit_however_long_they_take() {
        let mut restarts = Restarts::default();
        let mut now = Instant::now();
        restarts.failed(true);
        for _ in 0..3 {
            assert_eq!(restarts.start(now, &limits(3)), Ok(()));
            restarts.failed_again();
            now += Duration::from_secs(60);
        }
        assert_eq!(restarts.start(now, &limits(3)), Err(TooMany));
        restarts.failed(true);
        assert_eq!(restarts.start(now, &limits(3)), Ok(()));
    }

    #[test]
    fn limit_counts_those_of_the_window_only_and_zero_is_none() {
        let mut restarts = Restarts::default();
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(restarts.start(start, &limits(3)), Ok(()));
        }
        assert_eq!(restarts.start(start, &limits(3)), Err(TooMany));
        assert_eq!(restarts.start(start + Duration::from_millis(5001), &limits(3)), Ok(()));
        for _ in 0..100 {
            assert_eq!(restarts.start(start, &limits(0)), Ok(()));
        }
        assert_eq!(restarts.total(), 104);
    }
}
