//! Cells in sets with bubbles between them.

use super::error::{Part, StatisticsError};
use crate::uapi::BubbleInfo;

/// Where the cells of a part lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sets {
    /// How many sets are moved together; up to 1 where the buffer is taken as it is.
    count: u32,
    /// Cells of even and of odd sets: those of the two stripes.
    size: [u32; 2],
    /// Cells of the bubble behind even and behind odd sets.
    bubble: [u32; 2],
}

impl Sets {
    /// What the HAL takes of the bubbles' description, if all sets that it moves lie in the buffer of
    /// `buffer` cells.
    pub(super) fn check(
        part: Part,
        enabled: u32,
        stripes: &[BubbleInfo; 2],
        buffer: usize,
    ) -> Result<Self, StatisticsError> {
        let [first, second] = stripes;
        // One stripe's sets are all alike; any number above 1 means two.
        let one = first.num_of_stripes <= 1;
        let second = if one { first } else { second };
        let size = [first.size_of_set, second.size_of_set];
        let bubble = [first.bubble_size, second.bubble_size];
        let moved = enabled != 0 && bubble != [0, 0] && size != [0, 0];
        let count = match (moved, one) {
            (false, _) => 0,
            (true, true) => first.num_sets,
            // The number wraps, as with the HAL; it is that of the stripe that has a bubble.
            (true, false) if first.bubble_size != 0 => first.num_sets.wrapping_mul(2),
            (true, false) => second.num_sets.wrapping_mul(2),
        };
        let sets = Self { count, size, bubble };
        let last = u64::try_from(buffer).unwrap_or(u64::MAX);
        // Each pair of sets has a cell, so this ends with the buffer.
        for (set, (first, size)) in (1..count).zip(sets.later()) {
            if size > 0 && first + u64::from(size) > last {
                return Err(StatisticsError::SetOutside {
                    part,
                    set,
                    sets: count,
                    first,
                    size,
                    buffer,
                });
            }
        }
        Ok(sets)
    }

    /// First raw cell, and size, of each set but the first.
    fn later(&self) -> impl Iterator<Item = (u64, u32)> + use<> {
        let [even, odd] = self.size;
        let [even_bubble, odd_bubble] = self.bubble;
        let even_step = u64::from(even) + u64::from(even_bubble);
        let odd_step = u64::from(odd) + u64::from(odd_bubble);
        let mut first = even_step;
        let cycle = [(odd, odd_step), (even, even_step)].into_iter().cycle();
        cycle.map(move |(size, step)| {
            let at = first;
            first = first.saturating_add(step);
            (at, size)
        })
    }

    /// Copies cells in order into all of `to`, run by run, by `copy`: the sets without their bubbles,
    /// then, as the HAL moves cells within one buffer, what it left in place behind them.
    pub(super) fn gather<F, T>(&self, to: &mut [T], from: &[F], copy: impl Fn(&mut [T], &[F])) {
        let mut target = to;
        let mut done = 0;
        let mut run = |first: u64, size: u32| {
            let size = usize::try_from(size).unwrap_or(usize::MAX).min(target.len());
            let first = usize::try_from(first).unwrap_or(usize::MAX);
            let (now, later) = std::mem::take(&mut target).split_at_mut(size);
            copy(now, from.get(first..).unwrap_or_default());
            target = later;
            done += u64::from(u32::try_from(size).unwrap_or(u32::MAX));
            (!target.is_empty()).then_some(done)
        };
        if self.count > 1 {
            let [size, _] = self.size;
            let mut left = run(0, size);
            let mut later = (1..self.count).zip(self.later());
            while let (Some(_), Some((_, (first, size)))) = (left, later.next()) {
                left = run(first, size);
            }
            if let Some(done) = left {
                run(done, u32::MAX);
            }
        } else {
            run(0, u32::MAX);
        }
    }
}
