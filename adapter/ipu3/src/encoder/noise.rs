//! Blocks of noise reduction.

use super::error::{Block, EncodeError};
use super::{low_u16, wide};
use crate::payload::{
    Alpha, AnrPublicConfig, AnrTransformPlane, AnrTransformRCALC, Beta, CssTnr3KernelConfig,
    CssXnr3Config, PlainColorWMatrix,
};
use crate::uapi::{
    AnrAlpha, AnrBeta, AnrConfig, AnrPlaneColor, AnrStitchConfig, AnrStitchPyramid,
    AnrStitchPyramidWords, AnrTransformConfig, AnrTransformConfigCentre, AnrTransformConfigControl,
    AnrTransformConfigSquares, IspTnr3Params, IspTnr3VmemParams, IspXnr3Params, IspXnr3VmemParams,
    Xnr3AlphaParams, Xnr3BlendingParams, Xnr3CoringParams,
};

/// The scale of the ISP's vector processor: 11 bits behind the point.
const ISP_SCALE: i32 = 1 << 11;

/// Adaptive noise reduction.
pub(super) fn anr(from: &AnrPublicConfig) -> AnrConfig {
    let planes = [&from.transform.plane_0, &from.transform.plane_1, &from.transform.plane_2];
    let calc = &from.transform.calc;
    let mut pyramid = [AnrStitchPyramidWords { words: [0] }; 22];
    for (to, entries) in pyramid.iter_mut().zip(from.stitch.pyramid_reg.chunks(3)) {
        // The last word has one entry only.
        let mut entries = entries.iter().map(|entry| wide(*entry));
        let mut next = || entries.next().unwrap_or(0);
        *to = AnrStitchPyramid { entry0: next(), entry1: next(), entry2: next() }.pack();
    }
    AnrConfig {
        transform: AnrTransformConfig {
            control: AnrTransformConfigControl {
                enable: 1,
                adaptive_treshhold_en: wide(from.transform.adaptive_treshhold_en),
            }
            .pack(),
            reserved2: [0; 44],
            alpha: planes.map(|plane: &AnrTransformPlane| alpha(&plane.alpha)),
            beta: planes.map(|plane: &AnrTransformPlane| beta(&plane.beta)),
            color: planes.map(|plane: &AnrTransformPlane| color(&plane.color_reg_w)),
            sqrt_lut: SQUARE_ROOTS,
            centre: AnrTransformConfigCentre {
                xreset: calc.xreset.into(),
                yreset: calc.yreset.into(),
            }
            .pack(),
            squares: squares(calc),
        },
        padding_568: [0; 8],
        stitch: AnrStitchConfig { anr_stitch_en: 1, reserved: [0; 44], pyramid },
        padding_712: [0; 24],
    }
}

/// Numbers that are limited where others lose their upper bits; a negative one is the largest.
fn squares(calc: &AnrTransformRCALC) -> crate::uapi::AnrTransformConfigSquaresWords {
    AnrTransformConfigSquares {
        x_sqr_reset: calc.x_sqr_reset.cast_unsigned().min(0xff_ffff),
        r_normfactor: wide(calc.r_norm_factor).min(0x1f),
        y_sqr_reset: calc.y_sqr_reset.cast_unsigned().min(0xff_ffff),
        gain_scale: wide(calc.radial_gain_scale_factor).min(0xff),
    }
    .pack()
}

/// The lowest `bits` bits.
fn low_bits(value: i16, bits: u32) -> u16 {
    value.cast_unsigned() & ((1 << bits) - 1)
}

fn alpha(from: &Alpha) -> AnrAlpha {
    let low = |value| low_bits(value, 9);
    AnrAlpha {
        gr: low(from.alpha_gr),
        r: low(from.alpha_r),
        b: low(from.alpha_b),
        gb: low(from.alpha_gb),
        dc_gr: low(from.alpha_dc_gr),
        dc_r: low(from.alpha_dc_r),
        dc_b: low(from.alpha_dc_b),
        dc_gb: low(from.alpha_dc_gb),
    }
}

fn beta(from: &Beta) -> AnrBeta {
    let low = |value| low_bits(value, 11);
    AnrBeta {
        beta_gr: low(from.beta_gr),
        beta_r: low(from.beta_r),
        beta_b: low(from.beta_b),
        beta_gb: low(from.beta_gb),
    }
}

fn color(from: &PlainColorWMatrix) -> AnrPlaneColor {
    let low = |row: [i16; 16]| row.map(|value| low_bits(value, 12));
    AnrPlaneColor {
        reg_w_gr: low(from.gr),
        reg_w_r: low(from.r),
        reg_w_b: low(from.b),
        reg_w_gb: low(from.gb),
    }
}

/// 256 × √(8 + k), rounded, for k from 0 to 24; the last entry is not used.
const SQUARE_ROOTS: [u16; 26] = [
    724, 768, 810, 849, 887, 923, 958, 991, 1024, 1056, 1086, 1116, 1145, 1173, 1201, 1228, 1254,
    1280, 1305, 1330, 1355, 1379, 1402, 1425, 1448, 0,
];

/// The curves of temporal noise reduction: three lines each for luma and both chroma planes, the
/// highest segment first.
pub(super) struct Tnr3Curves {
    slope: [u16; 9],
    sigma: [u16; 9],
}

/// The knee that is refused with a segment, and whether it is the segment's end: its start, but that
/// of the first is always 0.
const REFUSED: [(&str, bool); 3] =
    [("knee_y[0]", true), ("knee_y[0]", false), ("knee_y[1]", false)];

/// Slope and height of the lines between the knees.
pub(super) fn tnr3_curves(from: &CssTnr3KernelConfig) -> Result<Tnr3Curves, EncodeError> {
    let [first, second] = from.knee_y;
    let knees = [0, first.cast_signed(), second.cast_signed(), ISP_SCALE - 1];
    let mut curves = Tnr3Curves { slope: [0; 9], sigma: [0; 9] };
    let lines = curves.slope.chunks_mut(3).zip(curves.sigma.chunks_mut(3));
    for ((slopes, heights), sigma) in lines.zip([&from.sigma_y, &from.sigma_u, &from.sigma_v]) {
        let segments = knees.windows(2).zip(sigma.windows(2)).zip(REFUSED);
        let targets = slopes.iter_mut().rev().zip(heights.iter_mut().rev());
        for ((slope, height), ((knee, sigma), (field, end))) in targets.zip(segments) {
            let ([x0, x1], [y0, y1]) = (knee, sigma) else { continue };
            (*slope, *height) = line(*x0, *x1, *y0, *y1).ok_or(EncodeError {
                block: Block::Tnr3Vmem,
                field,
                value: i64::from(if end { *x1 } else { *x0 }),
                expected: "a knee whose differences and products fit 32 bits",
            })?;
        }
    }
    Ok(curves)
}

/// Slope, and height at x = 0, of the line from (x0, y0) to (x1, y1), in units of the ISP; `None`
/// where a number on the way does not fit 32 bits.
fn line(x0: i32, x1: i32, y0: u32, y1: u32) -> Option<(u16, u16)> {
    let limited = |value: i32| value.clamp(-ISP_SCALE, ISP_SCALE - 1);
    // What wraps here does so in the HAL too, where it is unsigned.
    let rise = y1.wrapping_sub(y0).wrapping_mul(ISP_SCALE.cast_unsigned()).cast_signed();
    let slope = match x1.checked_sub(x0)? {
        0 => 0,
        run => limited(rise.checked_div(run)?),
    };
    let product = slope.checked_mul(x0)?;
    let half = if product >= 0 { ISP_SCALE / 2 } else { -ISP_SCALE / 2 };
    let fall = product.checked_add(half)? / ISP_SCALE;
    let height = limited(y0.wrapping_sub(fall.cast_unsigned()).cast_signed());
    Some((low_u16(slope.cast_unsigned()), low_u16(height.cast_unsigned())))
}

/// The tables of temporal noise reduction.
pub(super) fn tnr3_vmem(curves: &Tnr3Curves) -> IspTnr3VmemParams {
    IspTnr3VmemParams {
        slope: curves.slope,
        reserved1: [0; 55],
        sigma: curves.sigma,
        reserved2: [0; 55],
    }
}

/// The numbers of temporal noise reduction.
pub(super) fn tnr3_dmem(from: &CssTnr3KernelConfig) -> IspTnr3Params {
    let [knee_y1, knee_y2] = from.knee_y;
    IspTnr3Params {
        knee_y1,
        knee_y2,
        maxfb_y: from.maxfb_y,
        maxfb_u: from.maxfb_u,
        maxfb_v: from.maxfb_v,
        round_adj_y: from.round_adj_y,
        round_adj_u: from.round_adj_u,
        round_adj_v: from.round_adj_v,
        ref_buf_select: from.ref_buf_select,
    }
}

/// The numbers of chroma noise reduction.
pub(super) fn xnr3_dmem(from: &CssXnr3Config) -> Result<IspXnr3Params, EncodeError> {
    let sigma = &from.sigma;
    let [y0, y1, u0, u1, v0, v1] =
        [sigma.y0, sigma.y1, sigma.u0, sigma.u1, sigma.v0, sigma.v1].map(xnr3_alpha);
    let alpha = Xnr3AlphaParams {
        y0: y0.cast_unsigned(),
        u0: u0.cast_unsigned(),
        v0: v0.cast_unsigned(),
        ydiff: xnr3_difference(y0, y1),
        udiff: xnr3_difference(u0, u1),
        vdiff: xnr3_difference(v0, v1),
    };
    let coring = &from.coring;
    let u0 = xnr3_coring("coring.u0", coring.u0)?;
    let u1 = xnr3_coring("coring.u1", coring.u1)?;
    let v0 = xnr3_coring("coring.v0", coring.v0)?;
    let v1 = xnr3_coring("coring.v1", coring.v1)?;
    let coring = Xnr3CoringParams {
        u0: u0.cast_unsigned(),
        v0: v0.cast_unsigned(),
        udiff: xnr3_difference(u0, u1),
        vdiff: xnr3_difference(v0, v1),
    };
    let strength = from.blending.strength;
    // Negative in the ISP: +1.0 does not fit its format, −1.0 does.
    let strength = xnr3_scaled("blending.strength", strength, 1 << 11)?.clamp(0, ISP_SCALE);
    let blending = Xnr3BlendingParams { strength: (-strength).cast_unsigned() };
    Ok(IspXnr3Params { alpha, coring, blending })
}

/// 1 / sigma with 5 bits behind the point, for a sigma with 10, rounded and limited; the limit too
/// below a hundredth.
fn xnr3_alpha(sigma: i32) -> i32 {
    const ONE: i32 = 1 << 10;
    const MAX: i32 = ISP_SCALE - 1;
    if sigma < ONE / 100 {
        return MAX;
    }
    // At most 2³⁰ + 2¹⁵, and the divisor is at least 10.
    ((ONE << 5) + sigma / 2).checked_div(sigma).unwrap_or(MAX).min(MAX)
}

/// A number with 15 bits behind the point as one with 11, limited to [0, 1).
fn xnr3_coring(field: &'static str, value: i32) -> Result<i32, EncodeError> {
    Ok(xnr3_scaled(field, value, 1 << 15)?.clamp(0, ISP_SCALE - 1))
}

/// A number of unit `scale` in that of the ISP; halves are rounded up, then cut towards 0.
fn xnr3_scaled(field: &'static str, value: i32, scale: i32) -> Result<i32, EncodeError> {
    value
        .checked_mul(ISP_SCALE)
        .and_then(|scaled| scaled.checked_add(scale / 2))
        .and_then(|scaled| scaled.checked_div(scale))
        .ok_or(EncodeError {
            block: Block::Xnr3Dmem,
            field,
            value: value.into(),
            expected: "a number of which 2048 times fits 32 bits",
        })
}

/// What is added over the 9 steps of the filter, per step of 1/16, limited.
fn xnr3_difference(from: i32, to: i32) -> u32 {
    // Both are from 0 to 2047.
    ((to - from) * 16 / 9).clamp(-ISP_SCALE, ISP_SCALE - 1).cast_unsigned()
}

/// The ISP's approximation of 1/x by lines between 16 points, in each of the four blocks of a vector
/// (constants of the firmware's interface: `IPU3AicToFwEncoder.cpp`).
pub(super) const XNR3_VMEM: IspXnr3VmemParams = IspXnr3VmemParams {
    x: four_times([
        1024, 1164, 1320, 1492, 1680, 1884, 2108, 2352, 2616, 2900, 3208, 3540, 3896, 4276, 4684,
        5120,
    ]),
    a: four_times([
        -7213, -5580, -4371, -3421, -2722, -2159, -6950, -5585, -4529, -3697, -3010, -2485, -2070,
        -1727, -1428, 0,
    ]),
    b: four_times([
        4096, 3603, 3178, 2811, 2497, 2226, 1990, 1783, 1603, 1446, 1307, 1185, 1077, 981, 895, 819,
    ]),
    c: four_times([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
};

const fn four_times(points: [i16; 16]) -> [u16; 64] {
    let mut vector = [0; 64];
    let mut index = 0;
    while index < 64 {
        #[expect(clippy::indexing_slicing, reason = "below 64 and 16, when this is compiled")]
        {
            vector[index] = points[index % 16].cast_unsigned();
        }
        index += 1;
    }
    vector
}
