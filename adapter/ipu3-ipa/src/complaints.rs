//! Lines for what may happen in every frame.

use std::fmt::Display;

/// Writes a line for the first of a row of events, and then ever more seldom.
#[derive(Debug, Default)]
pub struct Complaints {
    count: u64,
}

impl Complaints {
    /// Something went wrong.
    pub fn warn(&mut self, what: impl Display) {
        self.count = self.count.saturating_add(1);
        if self.count.is_power_of_two() {
            match self.count {
                1 => log::warn!("{what}"),
                count => log::warn!("{what} (and {count} like it so far)"),
            }
        }
    }
}
