//! Reproducible normal deviates: each depends on its seed and place only, not on the order in
//! which they are asked for.

/// A source of deviates for one frame.
#[derive(Debug, Clone, Copy)]
pub struct Noise {
    key: u64,
}

impl Noise {
    /// The noise of frame `frame` in the run with seed `seed`.
    #[must_use]
    pub fn new(seed: u64, frame: u64) -> Self {
        Self { key: mix(mix(seed).wrapping_add(frame)) }
    }

    /// A standard normal deviate for `place` (Box and Muller, 1958).
    #[must_use]
    pub fn normal(&self, place: u64) -> f64 {
        let first = mix(self.key.wrapping_add(place.wrapping_mul(2)));
        let second = mix(self.key.wrapping_add(place.wrapping_mul(2)).wrapping_add(1));
        let radius = (-2.0 * unit(first).ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * unit(second)).cos()
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood, 2014) on the next state.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number in (0, 1]: the upper 53 bits, and never zero because a logarithm follows.
fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviates_are_standard_normal() {
        let noise = Noise::new(7, 3);
        let count = 200_000;
        let (mut sum, mut squares, mut fourth) = (0.0, 0.0, 0.0);
        for place in 0..count {
            let x = noise.normal(place);
            sum += x;
            squares += x * x;
            fourth += x.powi(4);
        }
        let n = count as f64;
        assert!((sum / n).abs() < 0.01);
        assert!((squares / n - 1.0).abs() < 0.01);
        assert!((fourth / n - 3.0).abs() < 0.1);
    }

    #[test]
    fn the_same_place_gives_the_same_deviate_and_others_differ() {
        let noise = Noise::new(1, 2);
        assert_eq!(noise.normal(5), Noise::new(1, 2).normal(5));
        assert_ne!(noise.normal(5), noise.normal(6));
        assert_ne!(noise.normal(5), Noise::new(1, 3).normal(5));
        assert_ne!(noise.normal(5), Noise::new(2, 2).normal(5));
    }
}
