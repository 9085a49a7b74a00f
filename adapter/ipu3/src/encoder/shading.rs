//! Lens shading correction: the grid, and its tables in sets of whole rows.

use std::slice::Chunks;

use super::error::{Block, EncodeError};
use super::{low_i16, low_u8, low_u16};
use crate::payload::ShdKernelConfig;
use crate::uapi::{
    ShdBlackLevelConfig, ShdConfig, ShdConfigStatic, ShdGeneralConfig, ShdGreenBlue, ShdGridConfig,
    ShdGridConfigBlocks, ShdRedGreen,
};

/// Cells of one set (`ipu3_uapi_shd_lut`).
const CELLS_PER_SET: u32 = 146;
/// Sets.
const SETS: u32 = 28;
/// Cells of a table of `aic_config`.
const TABLE_CELLS: u64 = 4015;
/// Bit of the word of the green black level at which the normalisation shift stands.
const NORMALIZATION_SHIFT: u32 = 13;

/// How the grid lies in the sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShadingLayout {
    /// Rows in a set, 1 to 146.
    rows_per_set: u32,
    /// Cells in a set, 1 to 146.
    set: usize,
    /// Cells of the grid, 0 to 4015.
    cells: usize,
    /// Where the first row stands in its set.
    vertical_offset: u32,
}

impl ShadingLayout {
    /// A table's cells, set by set.
    fn sets<'a>(&self, table: &'a [u16]) -> Chunks<'a, u16> {
        table.get(..self.cells).unwrap_or_default().chunks(self.set)
    }
}

/// Checks the grid.
pub(super) fn layout(shd: &ShdKernelConfig) -> Result<ShadingLayout, EncodeError> {
    let grid = &shd.grid;
    let refuse =
        |field, value, expected| EncodeError { block: Block::Shading, field, value, expected };
    let width = grid.grid_width;
    let rows_per_set = CELLS_PER_SET.checked_div(width).filter(|rows| *rows > 0).ok_or(refuse(
        "grid.grid_width",
        width.into(),
        "1 to 146 columns",
    ))?;
    let set = width * rows_per_set;
    let cells = u64::from(width) * u64::from(grid.grid_height);
    let height = grid.grid_height.into();
    if cells > u64::from(set * SETS) {
        return Err(refuse("grid.grid_height", height, "no more rows than 28 sets hold"));
    }
    if cells > TABLE_CELLS {
        return Err(refuse("grid.grid_height", height, "no more rows than a table of 4015 cells"));
    }
    let up = grid.y_start.checked_neg().ok_or(refuse(
        "grid.y_start",
        grid.y_start.into(),
        "a number above -2^31",
    ))?;
    let up = up.checked_shr(grid.block_height).ok_or(refuse(
        "grid.block_height",
        grid.block_height.into(),
        "a power from 0 to 31",
    ))?;
    Ok(ShadingLayout {
        rows_per_set,
        set: usize::try_from(set).unwrap_or_default(),
        cells: usize::try_from(cells).unwrap_or_default(),
        // The remainder has the sign of what is divided, as in C.
        vertical_offset: up
            .checked_rem(rows_per_set.cast_signed())
            .unwrap_or_default()
            .cast_unsigned(),
    })
}

/// Writes the block into zeros.
pub(super) fn write(to: &mut ShdConfig, shd: &ShdKernelConfig, layout: ShadingLayout) {
    let grid = &shd.grid;
    let level = &shd.black_level;
    to.shd = ShdConfigStatic {
        grid: ShdGridConfig {
            width: low_u8(grid.grid_width),
            height: low_u8(grid.grid_height),
            blocks: ShdGridConfigBlocks {
                block_width_log2: grid.block_width,
                block_height_log2: grid.block_height,
            }
            .pack(),
            grid_height_per_slice: low_u8(layout.rows_per_set),
            x_start: low_i16(grid.x_start),
            y_start: low_i16(grid.y_start),
        },
        general: ShdGeneralConfig {
            init_set_vrt_offst_ul: layout.vertical_offset,
            shd_enable: shd.general.shd_enable,
            gain_factor: shd.general.gain_factor,
        }
        .pack(),
        black_level: ShdBlackLevelConfig {
            bl_r: low_i16(level.bl_r),
            bl_gr: low_u16(
                level.bl_gr.cast_unsigned() | level.normalization_shift << NORMALIZATION_SHIFT,
            )
            .cast_signed(),
            bl_gb: low_i16(level.bl_gb),
            bl_b: low_i16(level.bl_b),
        },
    };
    let luts = &shd.luts;
    let tables = layout
        .sets(&luts.r)
        .zip(layout.sets(&luts.gr))
        .zip(layout.sets(&luts.gb))
        .zip(layout.sets(&luts.b));
    for (set, (((r, gr), gb), b)) in to.shd_lut.sets.iter_mut().zip(tables) {
        for ((to, &r), &gr) in set.r_and_gr.iter_mut().zip(r).zip(gr) {
            *to = ShdRedGreen { r, gr };
        }
        for ((to, &gb), &b) in set.gb_and_b.iter_mut().zip(gb).zip(b) {
            *to = ShdGreenBlue { gb, b };
        }
    }
}
