//! Blocks that measure.

use crate::payload::{
    AePublicConfig, AfPublicCoeffsConfig, AfPublicConfig, AwbFrPublicConfig, AwbPublicConfig,
};
use crate::uapi::{
    AeCcm, AeConfig, AeGridConfig, AeGridConfigBlocks, AeWeightElem, AeWeightElemWords, AfConfigS,
    AfFilterConfig, AfFilterConfigNf, AwbConfig, AwbConfigS, AwbFrConfigS, GridConfig,
    GridConfigBlocks,
};

/// Bit of a grid's `y_start` that enables its statistics (`IPU3_UAPI_GRID_Y_START_EN`).
const GRID_ENABLED: u16 = 1 << 15;
/// Bits of the blue threshold that enable the colour statistics, and saturated pixels in them
/// (`IPU3_UAPI_AWB_RGBS_THR_B_EN`, `_INCL_SAT`): whatever the configuration says.
const RGBS_ENABLED: u16 = 1 << 14 | 1 << 15;
/// Width of a position, in bits.
const POSITION: u16 = 0xfff;

/// Colour statistics.
pub(super) fn awb(from: &AwbPublicConfig) -> AwbConfig {
    let grid = &from.grid;
    AwbConfig {
        config: AwbConfigS {
            rgbs_thr_gr: from.rgbs_gr_threshold,
            rgbs_thr_r: from.rgbs_r_threshold,
            rgbs_thr_gb: from.rgbs_gb_threshold,
            rgbs_thr_b: from.rgbs_b_threshold | RGBS_ENABLED,
            grid: GridConfig {
                width: grid.grid_width,
                height: grid.grid_height,
                blocks: GridConfigBlocks {
                    block_width_log2: grid.grid_block_width.into(),
                    block_height_log2: grid.grid_block_height.into(),
                    // The driver fills it in.
                    height_per_slice: 0,
                }
                .pack(),
                x_start: grid.grid_x_start,
                y_start: grid.grid_y_start,
                x_end: 0,
                y_end: 0,
            },
            padding_20: [0; 12],
        },
    }
}

/// Filter response of the colour statistics.
pub(super) fn awb_fr(from: &AwbFrPublicConfig, rows_per_set: u8) -> AwbFrConfigS {
    let coefficients = &from.bayer_coeffs;
    let bayer_coeff = [
        coefficients.a1,
        coefficients.a2,
        coefficients.a3,
        coefficients.a4,
        coefficients.a5,
        coefficients.a6,
    ];
    let grid = &from.grid;
    AwbFrConfigS {
        grid_cfg: GridConfig {
            width: grid.grid_width & 0x3f,
            height: grid.grid_height & 0x3f,
            blocks: GridConfigBlocks {
                block_width_log2: grid.block_width.into(),
                block_height_log2: grid.block_height.into(),
                height_per_slice: rows_per_set.into(),
            }
            .pack(),
            x_start: grid.x_start & POSITION,
            y_start: grid.y_start & POSITION | GRID_ENABLED,
            x_end: 0,
            y_end: 0,
        },
        bayer_coeff,
        reserved1: 0,
        bayer_sign: coefficients.sign_vec,
        bayer_nf: normalisation(bayer_coeff),
        reserved2: [0; 7],
    }
}

/// Power of two that the filter's sum is divided by: that of the coefficients' sum, if it is one of
/// 7 to 12, else 7.
fn normalisation(coefficients: [u8; 6]) -> u8 {
    let sum: u16 = coefficients.into_iter().map(u16::from).sum();
    match sum.checked_ilog2() {
        Some(power @ 7..=12) => u8::try_from(power).unwrap_or_default(),
        _ => 7,
    }
}

/// Exposure statistics.
pub(super) fn ae(from: &AePublicConfig) -> AeConfig {
    let grid = &from.ae_grid_config;
    let gains = &from.ae_ccm.wb_coeffs;
    let mut weights = [AeWeightElemWords { words: [0] }; 96];
    for (to, cells) in weights.iter_mut().zip(from.ae_weights.val.as_chunks().0) {
        *to = weight(cells);
    }
    AeConfig {
        grid_cfg: AeGridConfig {
            width: grid.grid_width,
            height: grid.grid_height,
            blocks: AeGridConfigBlocks {
                block_width_log2: grid.block_width.into(),
                block_height_log2: grid.block_height.into(),
                ae_en: 1,
                rst_hist_array: 0,
                done_rst_hist_array: 0,
            }
            .pack(),
            x_start: grid.x_start,
            y_start: grid.y_start,
            x_end: 0,
            y_end: 0,
        },
        padding_12: [0; 20],
        weights,
        ae_ccm: AeCcm {
            gain_gr: gains.gain_gr,
            gain_r: gains.gain_r,
            gain_b: gains.gain_b,
            gain_gb: gains.gain_gb,
            mat: from.ae_ccm.mat_coeffs.coeffs,
        },
        padding_456: [0; 24],
    }
}

fn weight(cells: &[u8; 8]) -> AeWeightElemWords {
    let [cell0, cell1, cell2, cell3, cell4, cell5, cell6, cell7] = cells.map(u32::from);
    AeWeightElem { cell0, cell1, cell2, cell3, cell4, cell5, cell6, cell7 }.pack()
}

/// Focus statistics.
pub(super) fn af(from: &AfPublicConfig, rows_per_set: u8) -> AfConfigS {
    let grid = &from.grid;
    let rate = &from.y_calc;
    AfConfigS {
        filter_config: AfFilterConfig {
            y1_coeffs: coefficients(&from.y1_coeffs),
            y1_sign_vec: from.y1_coeffs.sign_vec,
            y2_coeffs: coefficients(&from.y2_coeffs),
            y2_sign_vec: from.y2_coeffs.sign_vec,
            y_gen_rate: [
                rate.y_gen_rate_gr,
                rate.y_gen_rate_r,
                rate.y_gen_rate_b,
                rate.y_gen_rate_gb,
            ],
            nf: AfFilterConfigNf { y1_nf: from.nf.y1_nf.into(), y2_nf: from.nf.y2_nf.into() }
                .pack(),
        },
        padding: [0; 4],
        padding_44: [0; 20],
        grid_cfg: GridConfig {
            width: grid.grid_width,
            height: grid.grid_height,
            blocks: GridConfigBlocks {
                block_width_log2: grid.block_width.into(),
                block_height_log2: grid.block_height.into(),
                height_per_slice: rows_per_set.into(),
            }
            .pack(),
            x_start: grid.x_start,
            y_start: grid.y_start | GRID_ENABLED,
            x_end: 0,
            y_end: 0,
        },
        padding_76: [0; 20],
    }
}

fn coefficients(from: &AfPublicCoeffsConfig) -> [u8; 12] {
    [
        from.a1, from.a2, from.a3, from.a4, from.a5, from.a6, from.a7, from.a8, from.a9, from.a10,
        from.a11, from.a12,
    ]
}
