//! AIQ_STATISTICS_SET: what was measured, and how the frame was exposed.
//!
//! Of the 1.2 MB of the payload only the used cells of two grids and the exposure are read.

use std::mem::offset_of;

use cami_ipu3::payload::{
    AfGrid, AfGridData, RgbsGrid, RgbsGridBlock, RgbsGridData, SetStatisticsParams,
};

use super::part::read;
use super::{ABSENT, Refusal, Session, present};
use crate::algorithm::{AfStatistics, Cell, Exposure, Statistics};
use crate::shared_memory::SharedMemory;

/// Cells that the payload has room for.
const MOST_COLOUR_CELLS: usize = 16_384;
const MOST_FOCUS_CELLS: usize = 4800;
/// Where the grids are: each is an array of one.
const COLOUR_GRID: usize = offset_of!(SetStatisticsParams, input.rgbs_grids);
const FOCUS_GRID: usize = offset_of!(SetStatisticsParams, input.af_grids);

impl Session {
    pub(super) fn statistics_set(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, SetStatisticsParams, ia_aiq)?;
        let mut aiqs = self.aiqs.lock();
        let aiq = aiqs.get(handle)?;
        let base = read!(memory, SetStatisticsParams, input.base)?;
        let exposure = present(base.frame_ae_parameters, || exposure(memory))?;
        let colour = present(base.rgbs_grids, || colour_grid(memory))?;
        let (width, height, cells) = colour.unwrap_or_default();
        let af = present(base.af_grids, || focus_grid(memory))?;
        aiq.statistics = Some(Statistics {
            width,
            height,
            cells,
            timestamp_us: base.frame_timestamp,
            exposure,
            af,
        });
        Ok(())
    }
}

fn exposure(memory: &SharedMemory) -> Result<Exposure, Refusal> {
    let exposure = read!(memory, SetStatisticsParams, input.frame_ae_parameters.exposure)?;
    Ok(Exposure {
        time_us: f64::from(exposure.exposure_time_us),
        analog_gain: f64::from(exposure.analog_gain),
        digital_gain: f64::from(exposure.digital_gain),
    })
}

fn colour_grid(memory: &SharedMemory) -> Result<(usize, usize, Vec<Cell>), Refusal> {
    let grid: RgbsGrid = memory.read(COLOUR_GRID + offset_of!(RgbsGridData, base))?;
    let (width, height) = (usize::from(grid.grid_width), usize::from(grid.grid_height));
    if width * height > MOST_COLOUR_CELLS {
        return Err(Refusal::Value("colour grid"));
    }
    if grid.blocks_ptr == ABSENT {
        return Ok((0, 0, Vec::new()));
    }
    let offset = COLOUR_GRID + offset_of!(RgbsGridData, blocks_ptr);
    let blocks: Vec<RgbsGridBlock> = memory.read_items(offset, width * height)?;
    let cell = |block: &RgbsGridBlock| Cell {
        gr: block.avg_gr,
        r: block.avg_r,
        b: block.avg_b,
        gb: block.avg_gb,
        sat: block.sat,
    };
    Ok((width, height, blocks.iter().map(cell).collect()))
}

fn focus_grid(memory: &SharedMemory) -> Result<AfStatistics, Refusal> {
    let grid: AfGrid = memory.read(FOCUS_GRID + offset_of!(AfGridData, base))?;
    let (width, height) = (usize::from(grid.grid_width), usize::from(grid.grid_height));
    if width * height > MOST_FOCUS_CELLS {
        return Err(Refusal::Value("focus grid"));
    }
    let responses = |word, offset| {
        let responses = present(word, || memory.read_items(FOCUS_GRID + offset, width * height))?;
        Ok(responses.unwrap_or_default())
    };
    Ok(AfStatistics {
        width,
        height,
        fr1: responses(grid.filter_response_1, offset_of!(AfGridData, filter_response_1))?,
        fr2: responses(grid.filter_response_2, offset_of!(AfGridData, filter_response_2))?,
    })
}
