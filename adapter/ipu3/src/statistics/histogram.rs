//! The exposure histograms. The HAL decodes them; its statistics request does not carry them.

use crate::uapi::Stats3a;

/// Pixels by brightness, in 256 bins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AeHistogram {
    /// Of red, green, blue and luma.
    pub colours: [[u32; 256]; 4],
}

impl AeHistogram {
    /// Takes them from the statistics; those of the second stripe are added if `ae_join_buffers` is 1.
    /// Sums wrap.
    #[must_use]
    pub fn decode(stats: &Stats3a) -> Self {
        let [first, second] = &stats.ae_raw_buffer;
        let mut colours = [[0; 256]; 4];
        let bins = colours.as_flattened_mut();
        bins.copy_from_slice(first);
        if stats.ae_join_buffers == 1 {
            for (bin, other) in bins.iter_mut().zip(second) {
                *bin = bin.wrapping_add(*other);
            }
        }
        Self { colours }
    }

    /// Red, green, blue and luma of each brightness, from black to white.
    pub fn bins(&self) -> impl Iterator<Item = [u32; 4]> + '_ {
        let [r, g, b, y] = &self.colours;
        r.iter().zip(g).zip(b).zip(y).map(|(((r, g), b), y)| [*r, *g, *b, *y])
    }
}
