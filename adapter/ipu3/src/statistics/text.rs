//! Statistics as the text that the vectors' README defines ("stats/").

use std::fmt;

use super::{AeHistogram, Configuration, GridShape, Grids};
use crate::uapi::Stats3a;

/// One item a line: the configuration as decoded, the grids, the exposure histograms.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The raw statistics.
    pub stats: &'a Stats3a,
    /// What they were converted to.
    pub grids: &'a Grids,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let configuration = Configuration::decode(&self.stats.stats_4a_config);
        writeln!(f, "convert 0")?;
        writeln!(f, "cfg_awb {}", Shape(&configuration.awb))?;
        writeln!(f, "cfg_af {}", Shape(&configuration.af))?;
        writeln!(f, "cfg_awb_fr {}", Shape(&configuration.awb_fr))?;
        let ae_enabled = u8::from(configuration.ae_enabled);
        writeln!(f, "cfg_ae {} {ae_enabled}", Shape(&configuration.ae))?;
        let rgbs = self.grids.rgbs();
        writeln!(f, "rgbs {} {}", rgbs.width, rgbs.height)?;
        for cell in rgbs.cells {
            let crate::payload::RgbsGridBlock { avg_gr, avg_r, avg_b, avg_gb, sat } = cell;
            writeln!(f, "{avg_r} {avg_gr} {avg_gb} {avg_b} {sat}")?;
        }
        let af = self.grids.af();
        let (block_width, block_height) = af.block;
        writeln!(f, "af {} {} {block_width} {block_height}", af.width, af.height)?;
        for (response_1, response_2) in af.response_1.iter().zip(af.response_2) {
            writeln!(f, "{response_1} {response_2}")?;
        }
        writeln!(f, "ae_hist")?;
        for [r, g, b, y] in AeHistogram::decode(self.stats).bins() {
            writeln!(f, "{r} {g} {b} {y}")?;
        }
        writeln!(f, "end")
    }
}

struct Shape<'a>(&'a GridShape);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GridShape { width, height, block_width_log2, block_height_log2, x_start, y_start } =
            self.0;
        write!(f, "{width} {height} {block_width_log2} {block_height_log2} {x_start} {y_start}")
    }
}
