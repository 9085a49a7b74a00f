//! The grids that the ISP was configured to measure.

use super::error::{Part, StatisticsError};
use crate::uapi::{GridConfig, Stats4aConfig};

/// One grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridShape {
    /// Columns.
    pub width: u8,
    /// Rows.
    pub height: u8,
    /// Columns of pixels in a cell, as a power of two.
    pub block_width_log2: u8,
    /// Rows of pixels in a cell, as a power of two.
    pub block_height_log2: u8,
    /// First column of pixels, 0 to 4095.
    pub x_start: u16,
    /// First row of pixels, 0 to 4095.
    pub y_start: u16,
}

/// All grids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// Colour: 0 to 127 columns and rows.
    pub awb: GridShape,
    /// Focus: 0 to 63 columns and rows.
    pub af: GridShape,
    /// Filter response of AWB: 0 to 63 columns and rows.
    pub awb_fr: GridShape,
    /// Exposure.
    pub ae: GridShape,
    /// Whether exposure is measured.
    pub ae_enabled: bool,
}

/// Width of a position.
const POSITION: u16 = 0xfff;

impl Configuration {
    /// Decodes the configuration that the statistics carry: bits that are no part of a number, as the
    /// one that switches AF on, are left out.
    #[must_use]
    pub fn decode(config: &Stats4aConfig) -> Self {
        let ae = &config.ae_grd_config;
        let blocks = ae.blocks.unpack();
        Self {
            awb: shape(&config.awb_config.grid, 0x7f),
            af: shape(&config.af_config.grid_cfg, 0x3f),
            awb_fr: shape(&config.awb_fr_config.grid_cfg, 0x3f),
            ae: GridShape {
                width: ae.width,
                height: ae.height,
                block_width_log2: byte(blocks.block_width_log2),
                block_height_log2: byte(blocks.block_height_log2),
                x_start: ae.x_start & POSITION,
                y_start: ae.y_start & POSITION,
            },
            ae_enabled: blocks.ae_en == 1,
        }
    }
}

impl GridShape {
    /// Cells, unless there are too many.
    pub(super) fn cells(&self, part: Part, most: usize) -> Result<usize, StatisticsError> {
        let Self { width, height, .. } = *self;
        let cells = usize::from(width) * usize::from(height);
        if cells > most {
            return Err(StatisticsError::TooManyCells { part, width, height, most });
        }
        Ok(cells)
    }
}

fn shape(grid: &GridConfig, size: u8) -> GridShape {
    let blocks = grid.blocks.unpack();
    GridShape {
        width: grid.width & size,
        height: grid.height & size,
        block_width_log2: byte(blocks.block_width_log2),
        block_height_log2: byte(blocks.block_height_log2),
        x_start: grid.x_start & POSITION,
        y_start: grid.y_start & POSITION,
    }
}

/// A field of at most 4 bits.
fn byte(field: u32) -> u8 {
    u8::try_from(field).unwrap_or_default()
}
