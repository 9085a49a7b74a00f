//! `ipu3_uapi_stats_3a` as text.

use std::fmt;

use super::map::{self, summary};
use crate::payload::RgbsGridBlock;
use crate::statistics::{AeHistogram, Configuration, GridShape, Grids};
use crate::uapi::{BubbleInfo, Stats3a};

/// Configuration, sets and bubbles, and what the grids look like.
#[derive(Debug, Clone, Copy)]
pub struct StatsText<'a> {
    /// The raw statistics.
    pub stats: &'a Stats3a,
    /// The grids, where they could be made.
    pub grids: Option<&'a Grids>,
}

impl fmt::Display for StatsText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats;
        let configuration = Configuration::decode(&stats.stats_4a_config);
        let (status, bubbles) = (&stats.stats_3a_status, &stats.stats_3a_bubble_per_stripe);
        writeln!(f, "ipu3_uapi_stats_3a")?;
        shape(f, "AWB", status.awb_en, &configuration.awb)?;
        sets(f, &bubbles.awb)?;
        shape(f, "AF", status.af_en, &configuration.af)?;
        sets(f, &bubbles.af)?;
        shape(f, "AWB-FR", status.awb_fr_en, &configuration.awb_fr)?;
        sets(f, &bubbles.awb_fr)?;
        shape(f, "AE", status.ae_en, &configuration.ae)?;
        histogram(f, stats)?;
        self.grids.map_or(Ok(()), |grids| write_grids(f, grids))
    }
}

fn shape(f: &mut fmt::Formatter<'_>, name: &str, enabled: u32, shape: &GridShape) -> fmt::Result {
    let GridShape { width, height, block_width_log2, block_height_log2, x_start, y_start } = shape;
    let (block_width, block_height) = (1_u32 << block_width_log2, 1_u32 << block_height_log2);
    let enabled = if enabled == 0 { "off" } else { "on" };
    writeln!(
        f,
        "\n{name}: {enabled}, {width}x{height} cells of {block_width}x{block_height} pixels from \
         {x_start},{y_start}"
    )
}

fn sets(f: &mut fmt::Formatter<'_>, stripes: &[BubbleInfo; 2]) -> fmt::Result {
    let [first, _] = stripes;
    let stripes = stripes.iter().take(if first.num_of_stripes <= 1 { 1 } else { 2 });
    for (number, stripe) in stripes.enumerate() {
        let BubbleInfo { num_sets, size_of_set, bubble_size, .. } = stripe;
        writeln!(
            f,
            "  stripe {number}: {num_sets} sets of {size_of_set} cells, {bubble_size} of bubble behind \
             each"
        )?;
    }
    Ok(())
}

fn histogram(f: &mut fmt::Formatter<'_>, stats: &Stats3a) -> fmt::Result {
    let names = ["red", "green", "blue", "luma"];
    for (name, bins) in names.iter().zip(AeHistogram::decode(stats).colours) {
        let pixels: u64 = bins.iter().map(|count| u64::from(*count)).sum();
        let weighted = (0_u64..).zip(bins).map(|(level, count)| level * u64::from(count));
        if pixels > 0 {
            #[expect(clippy::cast_precision_loss, reason = "for people to read")]
            let mean = weighted.sum::<u64>() as f64 / pixels as f64;
            writeln!(f, "  {name}: {pixels} pixels, mean {mean:.1}")?;
        }
    }
    Ok(())
}

/// One number of a colour cell.
type Channel = fn(&RgbsGridBlock) -> u8;

fn write_grids(f: &mut fmt::Formatter<'_>, grids: &Grids) -> fmt::Result {
    let rgbs = grids.rgbs();
    writeln!(f, "\ncolour grid, {}x{}; green as a map", rgbs.width, rgbs.height)?;
    let channels: [(&str, Channel); 5] = [
        ("r", |cell| cell.avg_r),
        ("gr", |cell| cell.avg_gr),
        ("gb", |cell| cell.avg_gb),
        ("b", |cell| cell.avg_b),
        ("saturated", |cell| cell.sat),
    ];
    for (name, channel) in channels {
        extent(f, name, rgbs.cells.iter().map(|cell| i64::from(channel(cell))))?;
    }
    let green = |cell: &RgbsGridBlock| i64::midpoint(cell.avg_gr.into(), cell.avg_gb.into());
    map::write(f, &rgbs.cells.iter().map(green).collect::<Vec<_>>(), rgbs.width, 255)?;

    let af = grids.af();
    let (width, height) = af.block;
    writeln!(
        f,
        "\nfocus grid, {}x{}, blocks of {width}x{height}; the second filter as a map",
        af.width, af.height
    )?;
    extent(f, "first filter", af.response_1.iter().map(|response| i64::from(*response)))?;
    extent(f, "second filter", af.response_2.iter().map(|response| i64::from(*response)))?;
    let fine: Vec<i64> = af.response_2.iter().map(|response| i64::from(*response)).collect();
    map::write(f, &fine, af.width, fine.iter().copied().max().unwrap_or(0))
}

fn extent(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    values: impl Iterator<Item = i64>,
) -> fmt::Result {
    summary(values).map_or(Ok(()), |(least, mean, most)| {
        writeln!(f, "  {name}: {least} to {most}, mean {mean:.1}")
    })
}
