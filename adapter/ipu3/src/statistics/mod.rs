//! From `ipu3_uapi_stats_3a`, what the ISP measured of a frame, to the colour and focus grids of
//! AIQ_STATISTICS_SET.
//!
//! The result is the ChromeOS IPU3 HAL's (platform2
//! `camera/hal/intel/ipu3/psl/ipu3/statsConverter/ipu3-stats.cpp` at `ba9afa5e84~1`; spec
//! ipu3-protocol.md, section 2; vectors, README, "stats/"). The ISP writes cells in sets of whole
//! rows, of two stripes in turn where the image is cut in two, with a bubble behind each set; the
//! bubbles are left out, and the rest, in order, are the cells of the grid row by row.
//!
//! The HAL checks nothing: what makes it read or write outside of its structs is refused here.

mod configuration;
mod error;
mod histogram;
mod sets;
mod text;

use zerocopy::{FromBytes, IntoBytes};

use crate::payload::RgbsGridBlock;
use crate::sequence::statistics::{AfCells, RgbsCells};
use crate::uapi::{AfItem, AwbSetItem, Stats3a};
use sets::Sets;

pub use configuration::{Configuration, GridShape};
pub use error::{Part, StatisticsError};
pub use histogram::AeHistogram;
pub use text::Text;

/// The most cells of a colour grid: 80 × 60.
pub const RGBS_CELLS: usize = 4800;
/// The most cells of a focus grid: as many as the driver's buffer has.
pub const AF_CELLS: usize = 2496;
/// Cells of the filter response of AWB.
const AWB_FR_CELLS: usize = 2496;
/// Cells that the HAL takes for colour cells: 102400 bytes, though the buffer of colour cells has
/// 86400. Cell 10800 and later are bytes of the AE and AF parts behind it; they come into a grid only
/// by bubbles.
const AWB_CELLS: usize = 12800;

/// The grids of one frame. Made once, filled for each frame: only making it allocates.
#[derive(Debug, Clone)]
pub struct Grids {
    rgbs_size: (u16, u16),
    rgbs: Box<[RgbsGridBlock]>,
    af_size: (u16, u16),
    af_block: (u16, u16),
    response_1: Box<[i32]>,
    response_2: Box<[i32]>,
}

impl Default for Grids {
    fn default() -> Self {
        Self::new()
    }
}

impl Grids {
    /// Grids without a cell, with room for the largest (61 KB).
    #[must_use]
    pub fn new() -> Self {
        let black = RgbsGridBlock { avg_gr: 0, avg_r: 0, avg_b: 0, avg_gb: 0, sat: 0 };
        Self {
            rgbs_size: (0, 0),
            rgbs: vec![black; RGBS_CELLS].into_boxed_slice(),
            af_size: (0, 0),
            af_block: (0, 0),
            response_1: vec![0; AF_CELLS].into_boxed_slice(),
            response_2: vec![0; AF_CELLS].into_boxed_slice(),
        }
    }

    /// The colour grid, as a statistics request takes it: 0 to 127 columns and rows.
    #[must_use]
    pub fn rgbs(&self) -> RgbsCells<'_> {
        let (width, height) = self.rgbs_size;
        RgbsCells { width, height, cells: first(&self.rgbs, cells(width, height)) }
    }

    /// The focus grid, as a statistics request takes it: 0 to 63 columns and rows; its block in pixels
    /// of one colour of the ISP's input, 1 to 64, or 0 where the configuration has no size.
    #[must_use]
    pub fn af(&self) -> AfCells<'_> {
        let (width, height) = self.af_size;
        let count = cells(width, height);
        AfCells {
            width,
            height,
            block: self.af_block,
            response_1: first(&self.response_1, count),
            response_2: first(&self.response_2, count),
        }
    }
}

/// Converts a frame's statistics. Allocates nothing; after an error `grids` is as before.
///
/// Whether the ISP was told to measure at all is not looked at, as the HAL does not: a part that is
/// switched off has whatever its buffer holds, and bubbles are left out of parts only whose word in
/// `stats_3a_status` is not 0.
///
/// Statistics in memory that somebody else may write to must be copied first.
pub fn convert(stats: &Stats3a, grids: &mut Grids) -> Result<(), StatisticsError> {
    let configuration = Configuration::decode(&stats.stats_4a_config);
    let rgbs_cells = configuration.awb.cells(Part::Awb, RGBS_CELLS)?;
    let af_cells = configuration.af.cells(Part::Af, AF_CELLS)?;
    let (status, bubbles) = (&stats.stats_3a_status, &stats.stats_3a_bubble_per_stripe);
    let awb_sets = Sets::check(Part::Awb, status.awb_en, &bubbles.awb, AWB_CELLS)?;
    let af_sets = Sets::check(Part::Af, status.af_en, &bubbles.af, AF_CELLS)?;
    // Not part of the grids; the HAL moves it nevertheless.
    Sets::check(Part::AwbFr, status.awb_fr_en, &bubbles.awb_fr, AWB_FR_CELLS)?;

    let (rgbs, response_1, response_2) =
        (&mut grids.rgbs, &mut grids.response_1, &mut grids.response_2);
    let rgbs = rgbs.get_mut(..rgbs_cells).unwrap_or_default();
    awb_sets.gather(rgbs, awb_cells(stats), |to, from| {
        for (to, from) in to.iter_mut().zip(from) {
            *to = RgbsGridBlock {
                avg_gr: from.gr_avg,
                avg_r: from.r_avg,
                avg_b: from.b_avg,
                avg_gb: from.gb_avg,
                sat: from.sat_ratio,
            };
        }
    });
    let widen = |field: fn(&AfItem) -> u16| {
        move |to: &mut [i32], from: &[AfItem]| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = field(from).into();
            }
        }
    };
    let response_1 = response_1.get_mut(..af_cells).unwrap_or_default();
    af_sets.gather(response_1, &stats.af_raw_buffer, widen(|cell| cell.y1_avg));
    let response_2 = response_2.get_mut(..af_cells).unwrap_or_default();
    af_sets.gather(response_2, &stats.af_raw_buffer, widen(|cell| cell.y2_avg));

    grids.rgbs_size = (configuration.awb.width.into(), configuration.awb.height.into());
    let af = &configuration.af;
    grids.af_size = (af.width.into(), af.height.into());
    grids.af_block = (block_size(af.block_width_log2), block_size(af.block_height_log2));
    Ok(())
}

/// All that the HAL takes for colour cells.
fn awb_cells(stats: &Stats3a) -> &[AwbSetItem] {
    <[AwbSetItem]>::ref_from_prefix_with_elems(stats.as_bytes(), AWB_CELLS)
        .map_or(&stats.awb_raw_buffer, |(cells, _)| cells)
}

/// A focus block's side: half of what the ISP counts, in all colours. The power 0 has no half: 0.
fn block_size(log2: u8) -> u16 {
    log2.checked_sub(1).map_or(0, |power| 1 << power)
}

/// Cells of a grid.
fn cells(width: u16, height: u16) -> usize {
    usize::from(width) * usize::from(height)
}

/// The first `count` items, of which there are as many.
fn first<T>(items: &[T], count: usize) -> &[T] {
    items.get(..count).unwrap_or_default()
}
