//! Percentiles and medians.

/// The percentiles of one round, or their medians over rounds, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// The summary of samples in nanoseconds.
pub(crate) fn summary(samples: &[u32]) -> Summary {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let at = |percent| micros(percentile(&sorted, percent));
    Summary { p50: at(50), p99: at(99), max: at(100) }
}

/// Each field's median over rounds.
pub(crate) fn median_of(rounds: &[Summary]) -> Summary {
    let over = |field: fn(&Summary) -> f64| median(rounds.iter().map(field).collect());
    Summary {
        p50: over(|round| round.p50),
        p99: over(|round| round.p99),
        max: over(|round| round.max),
    }
}

/// The median; the lower one of two. 0 for nothing.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn micros(ns: u32) -> f64 {
    f64::from(ns) / 1000.0
}

/// Nearest rank; 0 for nothing.
fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let samples: Vec<u32> = (1..=200).rev().map(|n| n * 1000).collect();
        assert_eq!(summary(&samples), Summary { p50: 100.0, p99: 198.0, max: 200.0 });
        assert_eq!(summary(&[7000]), Summary { p50: 7.0, p99: 7.0, max: 7.0 });
    }

    #[test]
    fn medians_ignore_an_outlier() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }
}
