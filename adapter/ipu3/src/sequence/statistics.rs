//! AIQ_STATISTICS_SET: what the sensor and the lens made of the results that were in effect.

use std::fmt;
use std::mem::offset_of;

use super::ae::{self, AeAnswer};
use super::pa::{self, PaAnswer};
use super::parts::{Parts, items};
use super::pointer::{ABSENT, PRESENT, word};
use super::sa::{self, SaAnswer, Tables};
use crate::payload::{
    AfGrid, AfGridData, AfResults, AwbResults, RgbsGrid, RgbsGridBlock, RgbsGridData,
    SetStatisticsParams, StatisticsInputParams,
};

/// The colour grid.
#[derive(Debug, Clone, Copy)]
pub struct RgbsCells<'a> {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// The cells, row by row.
    pub cells: &'a [RgbsGridBlock],
}

/// The focus grid.
#[derive(Debug, Clone, Copy)]
pub struct AfCells<'a> {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Size of a cell, in pixels.
    pub block: (u16, u16),
    /// Sums of the first filter, row by row.
    pub response_1: &'a [i32],
    /// Sums of the second filter, row by row.
    pub response_2: &'a [i32],
}

/// The statistics of one frame.
#[derive(Debug, Clone, Copy)]
pub struct Statistics<'a> {
    /// Number of the frame.
    pub frame_id: u64,
    /// When the frame began, in µs. Nanoseconds make the library converge as if hours had passed,
    /// and 0 stops AWB for good (spec/ipu3-protocol.md, 0.8).
    pub timestamp_us: u64,
    /// The AE answer by which the frame was exposed: without it AE never leaves its cold start.
    pub ae: &'a AeAnswer,
    /// The newest answers of the others.
    pub awb: &'a AwbResults,
    /// Colour gains and matrix.
    pub pa: &'a PaAnswer,
    /// Shading.
    pub sa: Option<&'a SaAnswer>,
    /// How its tables go along.
    pub tables: Tables,
    /// Focus; `None` where the sensor has no lens.
    pub af: Option<&'a AfResults>,
    /// The colour grid.
    pub rgbs: RgbsCells<'a>,
    /// The focus grid.
    pub af_grid: AfCells<'a>,
}

/// A grid that does not fit its payload, or whose cells are not width × height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadGrid(&'static str);

impl fmt::Display for BadGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} grid has a size that the protocol cannot carry", self.0)
    }
}

impl std::error::Error for BadGrid {}

/// Fills the request; without an error, or not at all.
pub fn fill(
    payload: &mut SetStatisticsParams,
    aiq: u64,
    statistics: &Statistics<'_>,
) -> Result<(), BadGrid> {
    check(payload, statistics)?;
    payload.ia_aiq = aiq;
    let input = &mut payload.input;
    input.base = StatisticsInputParams {
        frame_id: statistics.frame_id,
        frame_timestamp: statistics.timestamp_us,
        frame_ae_parameters: PRESENT,
        frame_af_parameters: word(statistics.af.is_some()),
        rgbs_grids: PRESENT,
        num_rgbs_grids: 1,
        hdr_rgbs_grid: ABSENT,
        af_grids: PRESENT,
        num_af_grids: 1,
        external_histograms: ABSENT,
        num_external_histograms: 0,
        frame_pa_parameters: PRESENT,
        faces: ABSENT,
        camera_orientation: 0,
        awb_results: PRESENT,
        frame_sa_parameters: word(statistics.sa.is_some()),
        depth_grids: ABSENT,
        num_depth_grids: 0,
        ..input.base
    };
    statistics.ae.echo(&mut input.frame_ae_parameters);
    if let Some(af) = statistics.af {
        input.frame_af_parameters = *af;
    }
    statistics.pa.echo(&mut input.frame_pa_parameters);
    if let Some(sa) = statistics.sa {
        sa.echo(&mut input.frame_sa_parameters, statistics.tables);
    }
    input.awb_results = *statistics.awb;

    let [rgbs] = &mut input.rgbs_grids;
    rgbs.base = RgbsGrid {
        blocks_ptr: PRESENT,
        grid_width: statistics.rgbs.width,
        grid_height: statistics.rgbs.height,
        ..rgbs.base
    };
    copy(&mut rgbs.blocks_ptr, statistics.rgbs.cells);
    let [af] = &mut input.af_grids;
    let grid = &statistics.af_grid;
    af.base = AfGrid {
        grid_width: grid.width,
        grid_height: grid.height,
        block_width: grid.block.0,
        block_height: grid.block.1,
        filter_response_1: PRESENT,
        filter_response_2: PRESENT,
    };
    copy(&mut af.filter_response_1, grid.response_1);
    copy(&mut af.filter_response_2, grid.response_2);
    Ok(())
}

/// The bytes that a filled request uses, but for those that its buffer has from before.
#[must_use]
pub fn used(payload: &SetStatisticsParams, tables: Tables) -> Parts {
    let input = &payload.input;
    let weights = offset_of!(SetStatisticsParams, input.frame_ae_parameters.weights);
    let weight_cells = ae::weight_cells(&input.frame_ae_parameters);
    let [rgbs] = &input.rgbs_grids;
    let rgbs_at = offset_of!(SetStatisticsParams, input.rgbs_grids);
    let rgbs_cells = cells(rgbs.base.grid_width, rgbs.base.grid_height).min(rgbs.blocks_ptr.len());
    let [af] = &input.af_grids;
    let af_at = offset_of!(SetStatisticsParams, input.af_grids);
    let af_cells = cells(af.base.grid_width, af.base.grid_height).min(af.filter_response_1.len());
    let pa_at = offset_of!(SetStatisticsParams, input.frame_pa_parameters);
    let sa_at = offset_of!(SetStatisticsParams, input.frame_sa_parameters);
    let mut parts = vec![
        0..weights + weight_cells,
        items::<AfResults>(offset_of!(SetStatisticsParams, input.frame_af_parameters), 1),
        items::<RgbsGrid>(rgbs_at, 1),
        items::<RgbsGridBlock>(rgbs_at + offset_of!(RgbsGridData, blocks_ptr), rgbs_cells),
        items::<AfGrid>(af_at, 1),
        items::<i32>(af_at + offset_of!(AfGridData, filter_response_1), af_cells),
        items::<i32>(af_at + offset_of!(AfGridData, filter_response_2), af_cells),
        pa::used(&input.frame_pa_parameters, pa_at),
        items::<AwbResults>(offset_of!(SetStatisticsParams, input.awb_results), 1),
    ];
    parts.extend(sa::echoed(&input.frame_sa_parameters, sa_at, tables));
    parts
}

/// Cells of a grid.
fn cells(width: u16, height: u16) -> usize {
    usize::from(width) * usize::from(height)
}

fn check(payload: &SetStatisticsParams, statistics: &Statistics<'_>) -> Result<(), BadGrid> {
    let [rgbs] = &payload.input.rgbs_grids;
    let [af] = &payload.input.af_grids;
    let grid = &statistics.rgbs;
    let size = cells(grid.width, grid.height);
    if grid.cells.len() != size || size > rgbs.blocks_ptr.len() {
        return Err(BadGrid("colour"));
    }
    let grid = &statistics.af_grid;
    let size = cells(grid.width, grid.height);
    if grid.response_1.len() != size
        || grid.response_2.len() != size
        || size > af.filter_response_1.len()
    {
        return Err(BadGrid("focus"));
    }
    Ok(())
}

/// Copies all items; whether they fit was checked.
fn copy<T: Copy>(target: &mut [T], from: &[T]) {
    if let Some(target) = target.get_mut(..from.len()) {
        target.copy_from_slice(from);
    }
}
