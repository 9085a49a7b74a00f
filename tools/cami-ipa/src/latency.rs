//! Durations and their percentiles.

use std::time::Duration;

/// A collection of durations in whole µs.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<u64>);

impl Latencies {
    /// Takes one more.
    pub fn push(&mut self, duration: Duration) {
        self.0.push(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that `percent` of all do not exceed (nearest rank); `None` without any.
    pub fn percentile_us(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied()
    }

    /// Counts per bin; bin i holds values from 2^i to below 2^(i+1) µs, the first also 0.
    pub fn bins(&self) -> Vec<usize> {
        let mut bins = Vec::new();
        for value in &self.0 {
            let bin = usize::try_from(value.max(&1).ilog2()).unwrap_or(0);
            if bins.len() <= bin {
                bins.resize(bin + 1, 0);
            }
            if let Some(count) = bins.get_mut(bin) {
                *count += 1;
            }
        }
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        values.iter().for_each(|us| latencies.push(Duration::from_micros(*us)));
        latencies
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(of(&hundred).percentile_us(50), Some(50));
        assert_eq!(of(&hundred).percentile_us(99), Some(99));
        assert_eq!(of(&[7]).percentile_us(50), Some(7));
        assert_eq!(of(&[]).percentile_us(50), None);
    }

    #[test]
    fn bins_are_powers_of_two() {
        assert_eq!(of(&[0, 1, 2, 3, 4, 9]).bins(), [2, 2, 1, 1]);
        assert!(of(&[]).bins().is_empty());
    }
}
