//! Refused clients do not fill the log.

use std::time::{Duration, Instant};

/// Lines in each [`PERIOD`]: enough to see who and why.
const LINES: u32 = 10;
/// A user that may not connect can try thousands of times in it.
const PERIOD: Duration = Duration::from_secs(1);

/// Counts refusals.
#[derive(Debug)]
pub struct Refusals {
    since: Instant,
    lines: u32,
    untold: u64,
}

impl Refusals {
    /// None so far.
    pub fn new() -> Self {
        Self { since: Instant::now(), lines: 0, untold: 0 }
    }

    /// Counts one; whether it is worth a line at the level of warnings.
    pub fn may_be_told(&mut self) -> bool {
        self.may_be_told_at(Instant::now())
    }

    fn may_be_told_at(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= PERIOD {
            if self.untold > 0 {
                log::warn!("{} more clients were refused", self.untold);
            }
            *self = Self { since: now, ..Self::new() };
        }
        if self.lines < LINES {
            self.lines += 1;
            return true;
        }
        self.untold += 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flood_is_ten_lines_a_second() {
        let mut refusals = Refusals::new();
        let start = refusals.since;
        let told = |refusals: &mut Refusals, at: Instant| {
            (0..1000).filter(|_| refusals.may_be_told_at(at)).count()
        };
        assert_eq!(told(&mut refusals, start), 10);
        assert_eq!(told(&mut refusals, start + PERIOD / 2), 0);
        assert_eq!(refusals.untold, 1990);
        assert_eq!(told(&mut refusals, start + PERIOD), 10);
    }
}
