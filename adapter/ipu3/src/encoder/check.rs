//! What is computed from a configuration and may not be possible: all of it before anything is
//! written.

use super::error::{Block, EncodeError};
use super::noise::{self, Tnr3Curves};
use super::shading::{self, ShadingLayout};
use crate::payload::AicConfig;
use crate::uapi::IspXnr3Params;

/// Cells of one set of AF, and of AWB filter response, statistics.
const CELLS_PER_SET: u8 = 32;

/// What was computed.
pub(super) struct Checked {
    pub(super) shading: ShadingLayout,
    /// Grid rows per set of statistics.
    pub(super) af_rows: u8,
    pub(super) awb_fr_rows: u8,
    pub(super) tnr3: Tnr3Curves,
    pub(super) xnr3: IspXnr3Params,
}

/// Computes it.
pub(super) fn check(config: &AicConfig) -> Result<Checked, EncodeError> {
    Ok(Checked {
        shading: shading::layout(&config.shd_2500_config.shd)?,
        af_rows: rows_per_set(Block::Af, config.af_2500_config.af.grid.grid_width)?,
        awb_fr_rows: rows_per_set(Block::AwbFr, config.awb_fr_2500_config.awb_fr.grid.grid_width)?,
        tnr3: noise::tnr3_curves(&config.tnr3_2500_config)?,
        xnr3: noise::xnr3_dmem(&config.xnr_2500_config)?,
    })
}

/// Whole rows in a set; 0 if a row does not fit.
fn rows_per_set(block: Block, width: u8) -> Result<u8, EncodeError> {
    CELLS_PER_SET.checked_div(width).ok_or(EncodeError {
        block,
        field: "grid.grid_width",
        value: 0,
        expected: "1 to 255 columns",
    })
}
