//! The statistics of an IPU3 frame.

use std::mem::offset_of;

use cami_ipu3::payload::{
    AfGridData, RgbsGridData, SetStatisticsParams, SetStatisticsParamsData, StatisticsInputParams,
};
use cami_recording::{ContentId, PageCache, Recording, Source};

use super::values::part;

/// The grids of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grids {
    /// The frame's number, as the HAL gave it.
    pub frame_id: u64,
    /// The colour grid.
    pub rgb: Option<RgbPicture>,
    /// The focus grid.
    pub af: Option<AfPicture>,
}

/// A colour grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbPicture {
    /// Columns.
    pub width: usize,
    /// As many cells as whole rows have: red, green, blue.
    pub cells: Vec<[u8; 3]>,
    /// Cells of which more than half was saturated.
    pub saturated: usize,
}

/// A focus grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfPicture {
    /// Columns.
    pub width: usize,
    /// Both filters' responses, row by row.
    pub responses: [Vec<i32>; 2],
}

/// Reads them from the buffer of a statistics request.
pub fn of<S: Source>(
    recording: &Recording<S>,
    content: ContentId,
    cache: &mut PageCache,
) -> Option<Grids> {
    let input = offset_of!(SetStatisticsParams, input);
    let base: Box<StatisticsInputParams> =
        part(recording, content, input + offset_of!(SetStatisticsParamsData, base), cache)?;
    let rgb = (base.rgbs_grids != 0).then(|| {
        let at = input + offset_of!(SetStatisticsParamsData, rgbs_grids);
        part::<RgbsGridData, S>(recording, content, at, cache).and_then(|grid| colours(&grid))
    });
    let af = (base.af_grids != 0).then(|| {
        let at = input + offset_of!(SetStatisticsParamsData, af_grids);
        part::<AfGridData, S>(recording, content, at, cache).and_then(|grid| focus(&grid))
    });
    Some(Grids { frame_id: base.frame_id, rgb: rgb.flatten(), af: af.flatten() })
}

/// `None` for a grid without a cell, or with more than there is room for.
fn colours(grid: &RgbsGridData) -> Option<RgbPicture> {
    let (width, height) = (grid.base.grid_width.into(), usize::from(grid.base.grid_height));
    let cells = grid.blocks_ptr.get(..size(width, height)?)?;
    let saturated = cells.iter().filter(|cell| cell.sat > 127).count();
    let cells = cells
        .iter()
        .map(|cell| [cell.avg_r, u8::midpoint(cell.avg_gr, cell.avg_gb), cell.avg_b])
        .collect();
    Some(RgbPicture { width, cells, saturated })
}

fn focus(grid: &AfGridData) -> Option<AfPicture> {
    let (width, height) = (grid.base.grid_width.into(), usize::from(grid.base.grid_height));
    let size = size(width, height)?;
    let responses = [
        grid.filter_response_1.get(..size)?.to_vec(),
        grid.filter_response_2.get(..size)?.to_vec(),
    ];
    Some(AfPicture { width, responses })
}

fn size(width: usize, height: usize) -> Option<usize> {
    width.checked_mul(height).filter(|cells| *cells > 0)
}
