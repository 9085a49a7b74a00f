//! Blocks that sharpen and remove noise, set to change nothing.

use cami_ipu3::payload::{
    AicConfig, CssXnr3SigmaParams, Yuvp1ChnrPublicConfig, Yuvp1IefdPublicConfig,
    Yuvp1YdsPublicConfig,
};

use super::Frame;
use crate::algorithm::number::{from_usize, to_i16};

/// Fills `yuvp1`, `yuvp1_c0`, `tnr3`, `anr` and `xnr`.
pub fn fill(frame: &Frame, config: &mut AicConfig) {
    // Edge enhancement is off; the middle of its low-pass alone counts.
    config.yuvp1_2500_config.y_ee_nr.lpf.a_cent = 16;
    down_sampling(&mut config.yuvp1_2500_config.yds);
    chroma(&mut config.yuvp1_2500_config.chnr);
    down_sampling(&mut config.yuvp1_c0_2500_config.yds_c0);
    chroma(&mut config.yuvp1_c0_2500_config.chnr_c0);
    edges(frame, &mut config.yuvp1_c0_2500_config.iefd);
    temporal(config);
    bayer(frame, config);
    extreme(config);
}

/// Luma for chroma's 2 × 2 pixels: their mean, a quarter of the sum.
fn down_sampling(yds: &mut Yuvp1YdsPublicConfig) {
    (yds.c01, yds.c02, yds.c11, yds.c12, yds.norm_factor) = (1, 1, 1, 1, 2);
}

/// Chroma noise reduction: all of the filter's 32 on the pixel itself, none on the row before.
fn chroma(chnr: &mut Yuvp1ChnrPublicConfig) {
    chnr.iir_fir.fir_0h = 32;
}

/// The image enhancement filter is off; what it computes on the way is well defined.
fn edges(frame: &Frame, iefd: &mut Yuvp1IefdPublicConfig) {
    // A diagonal is √2 long: 64/√2, and 1 for the radial one.
    iefd.config.horver_diag_coeff = 45;
    iefd.config.direct_metric_update = 16;
    iefd.config.ed_horver_diag_coeff = 64;
    // The unsharp mask is the picture itself.
    iefd.unsharp.unsharp_coef0.c00 = 255;
    (iefd.rad.reset.x, iefd.rad.reset.y) = frame.corner();
    (iefd.rad.reset.x2, iefd.rad.reset.y2) = frame.corner_squared();
    iefd.rad.cfg.rad_nf = 4;
    iefd.rad.cfg.rad_inv_r2 = 64;
    // Curves of two to six points, each at rising positions and with no slope.
    let units = &mut iefd.cfg_units;
    for curve in [&mut units.cu_1, &mut units.cu_3, &mut units.cu_5, &mut units.cu_7] {
        curve.x = [0, 255];
    }
    units.cu_vssnlm.x = [0, 255];
    units.cu_6.x = [0, 85, 170, 255];
    units.cu_unsharp.x = [0, 85, 170, 255];
    units.cu_ed.x = [0, 51, 102, 153, 204, 255];
    units.cu_radial.x = [0, 51, 102, 153, 204, 255];
    (iefd.vsslnm.vss_lut_x.vs_x0, iefd.vsslnm.vss_lut_x.vs_x1) = (64, 128);
    iefd.vsslnm.vss_lut_x.vs_x2 = 192;
}

/// Temporal noise reduction: no feedback of earlier frames. The knees divide 13 bits in three.
fn temporal(config: &mut AicConfig) {
    config.tnr3_2500_config.knee_y = [2730, 5461];
}

/// Noise reduction on the mosaic: thresholds of 0, so that every coefficient of its transform is
/// kept. The blocks of the transform overlap; their weights rise and fall as 1, 3, 5, 7, so that
/// they sum to the same everywhere.
fn bayer(frame: &Frame, config: &mut AicConfig) {
    let anr = &mut config.anr_2500_config.anr;
    anr.transform.adaptive_treshhold_en = 1;
    let calc = &mut anr.transform.calc;
    (calc.xreset, calc.yreset) = frame.corner();
    let (x, y) = frame.corner_squared();
    let signed = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    (calc.x_sqr_reset, calc.y_sqr_reset) = (signed(x), signed(y));
    calc.r_norm_factor = 14;
    calc.radial_gain_scale_factor = 64;
    const WINDOW: [f64; 8] = [1.0, 3.0, 5.0, 7.0, 7.0, 5.0, 3.0, 1.0];
    let weights = WINDOW.iter().flat_map(|row| WINDOW.iter().map(move |column| row * column));
    for (weight, value) in anr.stitch.pyramid_reg.iter_mut().zip(weights) {
        *weight = to_i16(value);
    }
}

/// Extreme noise reduction: its result is blended in with a strength of 0. Its widths are a tenth
/// of full scale, of 2048, since they are divided by.
fn extreme(config: &mut AicConfig) {
    let width = i32::from(to_i16(from_usize(2048) / 10.0));
    config.xnr_2500_config.sigma =
        CssXnr3SigmaParams { y0: width, y1: width, u0: width, u1: width, v0: width, v1: width };
}
