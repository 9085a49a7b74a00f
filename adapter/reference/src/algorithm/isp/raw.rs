//! Blocks on raw pixels: linearisation, black level, white balance, demosaic.

use cami_ipu3::payload::{
    AicConfig, BnrPublicConfigWbGainsConfig, BnrPublicConfigWbGainsThrConfig, ColorChannels,
    IPU3AICRuntimeParamsData, PaResults,
};

use super::Frame;
use crate::algorithm::number::{from_usize, positive, to_i16, to_u8, to_u16};

/// Largest value of raw pixels here, which have 11 bits.
const RAW_MAX: f64 = 2047.0;
/// Raw values of one code of the 10-bit converter in which PA gives the black level.
const RAW_PER_CODE: f64 = 2.0;
/// Black level where PA gives none, 10-bit codes.
const GENERIC_BLACK: f64 = 64.0;
/// White balance gains: u3.13, and the ISP adds 1 (`ipu3_uapi_bnr_static_config_wb_gains_config`).
const GAIN_ONE: f64 = 8192.0;
/// The same for thresholds: u4.4 (`ipu3_uapi_bnr_static_config_wb_gains_thr_config`).
const THRESHOLD_ONE: f64 = 16.0;
/// Side of a tile of the black level grid in pixels of one colour, and of the mosaic.
const TILE: i32 = 16;
const TILE_PIXELS: u16 = 32;
/// Cells that the black level grid has room for.
const MOST_TILES: usize = 16_060;

/// Fills `lin`, `obgrid`, `bnr`, `dm` and `rgbir`.
pub fn fill(input: &IPU3AICRuntimeParamsData, frame: &Frame, config: &mut AicConfig) {
    let pa = (input.base.pa_results != 0).then_some(&input.pa_results.base);
    let black = pa.map_or([GENERIC_BLACK; 4], |pa| channels(&pa.black_level, GENERIC_BLACK));
    // More than a quarter of full scale is no black level.
    let black = black.map(|code| (code * RAW_PER_CODE).clamp(0.0, RAW_MAX / 4.0));
    linearisation(black, config);
    black_level(black, frame, config);
    bayer(input, pa, frame, config);
    demosaic(config);
    infrared(config);
}

/// The four values in the order gr, r, b, gb; `default` for those that are no number.
fn channels(values: &ColorChannels, default: f64) -> [f64; 4] {
    [values.gr, values.r, values.b, values.gb]
        .map(f64::from)
        .map(|value| if value.is_finite() { value } else { default })
}

/// A straight line, steep enough to give back the range that the black level took: the sensor is
/// linear. Entry i belongs to the raw value 32·i.
fn linearisation(black: [f64; 4], config: &mut AicConfig) {
    let lin = &mut config.lin_2500_config;
    let curves =
        [&mut lin.curve_lut_gr, &mut lin.curve_lut_r, &mut lin.curve_lut_b, &mut lin.curve_lut_gb];
    for (curve, black) in curves.into_iter().zip(black) {
        let slope = RAW_MAX / (RAW_MAX - black);
        for (index, entry) in curve.iter_mut().enumerate() {
            *entry = to_i16((from_usize(index) * 32.0 * slope).min(RAW_MAX));
        }
    }
}

/// The same black level everywhere.
fn black_level(black: [f64; 4], frame: &Frame, config: &mut AicConfig) {
    let grid = &mut config.obgrid_2500_config;
    // One more than fit, since values lie at the corners of tiles.
    let tiles = |side: u16| usize::from(side.div_ceil(TILE_PIXELS)) + 1;
    let columns = tiles(frame.width);
    let rows = tiles(frame.height).min(MOST_TILES / columns);
    let count = |tiles: usize| i32::try_from(tiles).unwrap_or(i32::MAX);
    (grid.tile_size, grid.table_width, grid.table_height) = (TILE, count(columns), count(rows));
    let tables = [&mut grid.table_gr, &mut grid.table_r, &mut grid.table_b, &mut grid.table_gb];
    for (table, black) in tables.into_iter().zip(black) {
        if let Some(used) = table.get_mut(..columns * rows) {
            used.fill(to_i16(black));
        }
    }
}

/// Bayer noise reduction: it applies the white balance gains; its noise thresholds are the lowest
/// that there are, and the corrections of green disparity and bad pixels are off.
fn bayer(
    input: &IPU3AICRuntimeParamsData,
    pa: Option<&PaResults>,
    frame: &Frame,
    config: &mut AicConfig,
) {
    let bnr = &mut config.bnr_2500_config.bnr;
    let [gr, r, b, gb] = white_balance(input, pa);
    let code = |gain: f64| to_u16((gain - 1.0) * GAIN_ONE);
    bnr.wb_gains =
        BnrPublicConfigWbGainsConfig { gr: code(gr), r: code(r), b: code(b), gb: code(gb) };
    let threshold = |gain: f64| to_u8(gain * THRESHOLD_ONE);
    bnr.wb_gains_thr = BnrPublicConfigWbGainsThrConfig {
        gr: threshold(gr),
        r: threshold(r),
        b: threshold(b),
        gb: threshold(gb),
    };
    // Noise threshold cf + cg·gain + ci·√intensity: none. r_nf is the normal 14.
    bnr.thr_coeffs.r_nf = 14;
    (bnr.opt_center.x_reset, bnr.opt_center.y_reset) = frame.corner();
    (bnr.opt_center.x_sqr_reset, bnr.opt_center.y_sqr_reset) = frame.corner_squared();
    bnr.bp_ctrl.bp_thr_gain = 31;
    bnr.bp_ctrl.defect_mode = 1;
    bnr.bp_ctrl.bp_gain = 63;
    bnr.bp_ctrl.w0_coeff = 8;
    bnr.bp_ctrl.w1_coeff = 8;
    // All weight on the pixel itself.
    bnr.dn_detect_ctrl.alpha = 15;
    bnr.dn_detect_ctrl.max_inf = 5;
    bnr.dn_detect_ctrl.bnr_en = 1;
    // Square root of the intensity, in 32 steps.
    for (index, value) in bnr.lut.values.iter_mut().enumerate() {
        *value = to_u8(16.0 * (from_usize(index) + 1.0).sqrt());
    }
    // The kernel's defaults, though switched off.
    let disparity = &mut config.bnr_2500_config.green_disparity;
    (disparity.gd_red, disparity.gd_green, disparity.gd_blue) = (4, 4, 4);
    (disparity.gd_black, disparity.gd_support, disparity.gd_clip) = (80, 2, 1);
    disparity.gd_central_weight = 5;
}

/// White balance gains in the order gr, r, b, gb: those of PA, or of AWB's white point, or none.
fn white_balance(input: &IPU3AICRuntimeParamsData, pa: Option<&PaResults>) -> [f64; 4] {
    let gains = if let Some(pa) = pa {
        channels(&pa.color_gains, 1.0)
    } else if input.base.awb_results != 0 {
        let gain = |ratio: f32| positive(f64::from(ratio).recip()).unwrap_or(1.0);
        let awb = &input.awb_results;
        [1.0, gain(awb.final_r_per_g), gain(awb.final_b_per_g), 1.0]
    } else {
        [1.0; 4]
    };
    gains.map(|gain| gain.max(1.0))
}

/// The kernel's defaults, without removal of checker artefacts and of false colours.
fn demosaic(config: &mut AicConfig) {
    let dm = &mut config.dm_2500_config.dm;
    dm.dm_en = 1;
    dm.gamma_sc = 8;
    dm.lc_ctrl = 7;
    (dm.cr_param1, dm.cr_param2) = (8, 8);
    dm.coring_param = 4;
}

/// No pixels for infrared light: weights of 0 and a gain of 1 (u.9).
fn infrared(config: &mut AicConfig) {
    let rgbir = &mut config.rgbir_2500_config;
    (rgbir.ir_height, rgbir.ir_width) = (10, 17);
    rgbir.ir_gain = 512;
}
