//! Data that must not be found again, by every piece of 64 bytes of it.
//!
//! A piece counts where it says something: [`LEAST_VALUES`] different bytes or more. Zeros, and other
//! fillings that are in every buffer, are nobody's data.

use std::collections::HashSet;

/// Bytes of a piece.
pub const WINDOW: usize = 64;
/// Different bytes that a piece has at least, for it to be looked for.
pub const LEAST_VALUES: usize = 5;

/// The base of the rolling sum, odd.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// All pieces of what must not be found. Two pieces that are equal have equal sums, so that none is
/// ever missed; one that is found by chance is only one piece more that is left out.
#[derive(Debug, Default)]
pub struct Windows(HashSet<u64>);

impl Windows {
    /// Adds all pieces of `bytes`.
    pub fn add(&mut self, bytes: &[u8]) {
        each(bytes, |_, sum| {
            self.0.insert(sum);
        });
    }

    /// Calls `found` with the place of each piece of `bytes` that is known.
    pub fn find(&self, bytes: &[u8], mut found: impl FnMut(usize)) {
        if self.0.is_empty() {
            return;
        }
        each(bytes, |at, sum| {
            if self.0.contains(&sum) {
                found(at);
            }
        });
    }
}

/// Goes over all pieces that say something: where each begins, and its sum.
fn each(bytes: &[u8], mut piece: impl FnMut(usize, u64)) {
    let highest = (1..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut counts = [0_u8; 256];
    let mut values = 0;
    let mut sum = 0_u64;
    for (at, &byte) in bytes.iter().enumerate() {
        if let Some(first) = at.checked_sub(WINDOW)
            && let Some(&old) = bytes.get(first)
        {
            sum = sum.wrapping_sub((u64::from(old) + 1).wrapping_mul(highest));
            if let Some(count) = counts.get_mut(usize::from(old)) {
                *count -= 1;
                values -= usize::from(*count == 0);
            }
        }
        sum = sum.wrapping_mul(BASE).wrapping_add(u64::from(byte) + 1);
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            values += usize::from(*count == 0);
            *count += 1;
        }
        if at + 1 >= WINDOW && values >= LEAST_VALUES {
            piece(at + 1 - WINDOW, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_wherever_it_stands_and_a_changed_one_is_not() {
        let data: Vec<u8> = (0..300_u32).map(|at| (at * at % 251) as u8).collect();
        let mut windows = Windows::default();
        windows.add(&data);
        let mut other = vec![7; 1000];
        other[501..501 + 70].copy_from_slice(&data[100..170]);
        let mut places = Vec::new();
        windows.find(&other, |at| places.push(at));
        assert_eq!(places, (501..=507).collect::<Vec<_>>());
        other[535] ^= 1;
        windows.find(&other, |at| panic!("{at}"));
    }

    #[test]
    fn filling_is_nobodys() {
        let mut windows = Windows::default();
        windows.add(&[0; 500]);
        windows.add(&[1, 2, 3, 4].repeat(100));
        windows.find(&[0; 500], |at| panic!("{at}"));
        windows.add(&[1, 2, 3, 4, 5].repeat(100));
        let mut found = 0;
        windows.find(&[3, 4, 5, 1, 2].repeat(20), |_| found += 1);
        assert_eq!(found, 100 - WINDOW + 1);
    }
}
