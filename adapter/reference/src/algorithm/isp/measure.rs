//! Blocks that measure: the grids of AWB, AE and AF statistics, and AF's filters.

use cami_ipu3::payload::{
    AePublicConfigGridConfig, AfPublicCoeffsConfig, AfPublicGridConfig, AicConfig,
    AwbFrPublicGridConfig, AwbPublicConfigGridConfig, IPU3AICRuntimeParamsData,
};

use super::Frame;

/// Most cells of the AWB grid, which is where AE and AWB get their statistics from: as many as the
/// HAL has room for (4800).
const AWB_CELLS: (u16, u16) = (80, 60);
/// Most cells of the AE and AF grids.
const AE_AF_CELLS: (u16, u16) = (32, 24);
/// Sizes of a cell as powers of 2: AWB's from 8 to 64 pixels, AE's and AF's from 8 to 128
/// (`ipu3_uapi_grid_config`), and for AWB one more where the frame would not fit.
const SMALLEST_CELL: u8 = 3;
const LARGEST_CELL: u8 = 7;
/// First column and row: 12 bits (`IPU3_UAPI_GRID_START_MASK`).
const START_MAX: u16 = 4095;
/// Means from which on a pixel counts as saturated, of 8191: the next to last value.
const SATURATED: u16 = 8190;
/// Largest weight of a cell: 4 bits.
const WEIGHT_MAX: u8 = 15;
/// Gains and matrix of AE's own colours: 1 is 256 and 128 (`ipu3_uapi_ae_ccm`).
const AE_GAIN_ONE: u16 = 256;
const AE_MATRIX_ONE: i16 = 128;

/// A grid along one side of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Side {
    cells: u8,
    /// Size of a cell as a power of 2.
    log2: u8,
    start: u16,
}

/// The finest cells of which `most` cover a side; in the middle of it, at an even pixel.
fn side(length: u16, most: u16) -> Side {
    let fits = |log2: &u8| length >> log2 <= most;
    let log2 = (SMALLEST_CELL..=LARGEST_CELL).find(fits).unwrap_or(LARGEST_CELL);
    // At least one cell, even of a frame that is smaller.
    let cells = (length >> log2).clamp(1, most);
    let rest = length.saturating_sub(cells << log2);
    Side {
        cells: u8::try_from(cells).unwrap_or(u8::MAX),
        log2,
        start: ((rest / 2) & !1).min(START_MAX),
    }
}

/// Fills `awb`, `awb_fr`, `af` and `ae`.
pub fn fill(input: &IPU3AICRuntimeParamsData, frame: &Frame, config: &mut AicConfig) {
    let (x, y) = (side(frame.width, AWB_CELLS.0), side(frame.height, AWB_CELLS.1));
    let awb = &mut config.awb_2500_config.awb;
    awb.rgbs_gr_threshold = SATURATED;
    awb.rgbs_r_threshold = SATURATED;
    awb.rgbs_b_threshold = SATURATED;
    awb.rgbs_gb_threshold = SATURATED;
    (awb.rgbs_en, awb.rgbs_incl_sat) = (1, 1);
    awb.grid = AwbPublicConfigGridConfig {
        grid_width: x.cells,
        grid_height: y.cells,
        grid_block_width: x.log2,
        grid_block_height: y.log2,
        grid_x_start: x.start,
        grid_y_start: y.start,
    };

    let (x, y) = (side(frame.width, AE_AF_CELLS.0), side(frame.height, AE_AF_CELLS.1));
    focus(x, y, config);
    exposure(input, x, y, config);
}

fn focus(x: Side, y: Side, config: &mut AicConfig) {
    // The filter response of raw colours is switched off; its filter passes everything.
    let awb_fr = &mut config.awb_fr_2500_config.awb_fr;
    awb_fr.bayer_coeffs.a6 = 128;
    awb_fr.nf.bayer_nf = 7;
    awb_fr.grid = AwbFrPublicGridConfig {
        grid_width: x.cells,
        grid_height: y.cells,
        block_width: x.log2,
        block_height: y.log2,
        x_start: x.start,
        y_start: y.start,
        af_bayer_en: 0,
        padding_9: [0],
    };

    // Filters of 11 × 3 pixels, symmetrical to their middle A12: A1 to A6 are the row above from
    // its end to its middle, and the row below, A7 to A11 the middle row from its end. Sign bits
    // follow the rows without the middle, 11, 10 and 11 of them. Both filters sum to 0, and the
    // absolute values of both to 256, whose logarithm is the normalisation.
    let af = &mut config.af_2500_config.af;
    // Coarse: a second difference over 5 and 4 pixels to the sides.
    af.y1_coeffs = AfPublicCoeffsConfig {
        a7: 32,
        a8: 32,
        a12: 128,
        sign_vec: 1 << 11 | 1 << 12 | 1 << 19 | 1 << 20,
        ..af.y1_coeffs
    };
    // Fine: the Laplacian of the four nearest neighbours.
    af.y2_coeffs = AfPublicCoeffsConfig {
        a6: 32,
        a11: 32,
        a12: 128,
        sign_vec: 1 << 5 | 1 << 15 | 1 << 16 | 1 << 26,
        ..af.y2_coeffs
    };
    (af.nf.y1_nf, af.nf.y2_nf) = (8, 8);
    // Luma of a quad: the four colours alike, 32 in all.
    af.y_calc.y_gen_rate_gr = 8;
    af.y_calc.y_gen_rate_r = 8;
    af.y_calc.y_gen_rate_b = 8;
    af.y_calc.y_gen_rate_gb = 8;
    af.grid = AfPublicGridConfig {
        grid_width: x.cells,
        grid_height: y.cells,
        block_width: x.log2,
        block_height: y.log2,
        x_start: x.start,
        y_start: y.start,
        af_y_en: 1,
        padding_9: [0],
    };
}

fn exposure(input: &IPU3AICRuntimeParamsData, x: Side, y: Side, config: &mut AicConfig) {
    let ae = &mut config.ae_2500_config.ae;
    ae.ae_grid_config = AePublicConfigGridConfig {
        grid_width: x.cells,
        grid_height: y.cells,
        block_width: x.log2,
        block_height: y.log2,
        x_start: x.start,
        y_start: y.start,
        ae_en: 1,
        padding_9: [0],
    };
    let colours = &mut ae.ae_ccm;
    colours.wb_coeffs.gain_gr = AE_GAIN_ONE;
    colours.wb_coeffs.gain_r = AE_GAIN_ONE;
    colours.wb_coeffs.gain_b = AE_GAIN_ONE;
    colours.wb_coeffs.gain_gb = AE_GAIN_ONE;
    for coefficient in colours.mat_coeffs.coeffs.iter_mut().step_by(5) {
        *coefficient = AE_MATRIX_ONE;
    }
    let (columns, rows) = (usize::from(x.cells), usize::from(y.cells));
    let grid = input.weight_grid;
    let (width, height) = (usize::from(grid.width), usize::from(grid.height));
    let present = input.base.weight_grid != 0 && width > 0 && height > 0;
    for (index, weight) in ae.ae_weights.val.iter_mut().take(columns * rows).enumerate() {
        // The cell of AE's weights at the same place.
        let column = (2 * (index % columns) + 1) * width / (2 * columns);
        let row = (2 * (index / columns) + 1) * height / (2 * rows);
        let given = input.weights.get(row * width + column).filter(|_| present);
        *weight = given.copied().unwrap_or(WEIGHT_MAX).min(WEIGHT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_lie_in_the_middle_of_the_frame() {
        assert_eq!(side(1920, 80), Side { cells: 60, log2: 5, start: 0 });
        assert_eq!(side(1280, 80), Side { cells: 80, log2: 4, start: 0 });
        assert_eq!(side(1080, 60), Side { cells: 33, log2: 5, start: 12 });
        assert_eq!(side(640, 32), Side { cells: 20, log2: 5, start: 0 });
    }

    #[test]
    fn any_side_has_a_grid_within_the_register_s_range() {
        for length in 1..=8190 {
            for most in [24, 32, 60, 80] {
                let side = side(length, most);
                assert!((1..=most).contains(&u16::from(side.cells)));
                assert!((3..=7).contains(&side.log2) && side.start <= 4095);
                let end = u32::from(side.start) + (u32::from(side.cells) << side.log2);
                assert!(end <= u32::from(length).max(8), "{length}: {side:?}");
            }
        }
    }
}
