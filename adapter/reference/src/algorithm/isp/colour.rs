//! Blocks on colour: matrix, gamma, conversion to YUV, tone and total colour correction.

use cami_ipu3::payload::{
    AicConfig, CcmPublicMatrixCoeffs, CscPublicCMat, IPU3AICRuntimeParamsData,
    Yuvp2TccMaccElemPublicConfig,
};

use crate::algorithm::gbce;
use crate::algorithm::number::{finite_or, from_usize, to_i16, to_u16};

/// 1 in the colour matrix, and the largest of its numbers.
const MATRIX_ONE: f64 = 8191.0;
/// 1 in the conversion to YUV: s0.14.
const CONVERSION_ONE: f64 = 16_384.0;
/// Largest output of the gamma curve and of the tone map: 13 bits.
const OUTPUT_MAX: f64 = 8191.0;
/// 1 in the total colour correction.
const TCC_ONE: u16 = 1024;

/// RGB to YUV of ITU-R BT.601 with full range, as JFIF has it.
#[rustfmt::skip]
const BT601: [[f64; 3]; 3] = [
    [ 0.299,     0.587,     0.114    ],
    [-0.168_736, -0.331_264, 0.5      ],
    [ 0.5,      -0.418_688, -0.081_312],
];

/// Bits of `ia_isp_effect` that are followed: black and white, and greyscale.
const EFFECTS_WITHOUT_COLOUR: i32 = 1 << 6 | 1 << 10;

/// Fills `rgbpp` (ccm, gamma, csc, cds) and `yuvp2` (ytm, yds2, tcc).
pub fn fill(input: &IPU3AICRuntimeParamsData, config: &mut AicConfig) {
    let rgbpp = &mut config.rgbpp_2500_config;
    rgbpp.ccm.matrix_coeffs = colour_matrix(input);
    rgbpp.gamma.enable = 1;
    gamma(input, &mut rgbpp.gamma.lut_entries);
    rgbpp.csc.mat = conversion(input);
    // Brightness −128 to 127 is −25 % to 25 % of full scale.
    rgbpp.csc.offset.b1 = i16::from(signed(input.base.manual_brightness)) * 16;
    // Chroma of 2 × 2 pixels: their mean, a quarter of the sum.
    let cds = &mut rgbpp.cds;
    (cds.coeffs.c01, cds.coeffs.c02, cds.coeffs.c11, cds.coeffs.c12) = (1, 1, 1, 1);
    cds.nf = 2;

    let yuvp2 = &mut config.yuvp2_2500_config;
    // The tone map is part of the gamma curve; the block itself is off, and straight.
    for (index, entry) in yuvp2.ytm.entries.iter_mut().enumerate() {
        *entry = to_u16(from_usize(index) * 32.0);
    }
    let yds = &mut yuvp2.yds2;
    (yds.c01, yds.c02, yds.c11, yds.c12, yds.norm_factor) = (1, 1, 1, 1, 2);
    let tcc = &mut yuvp2.tcc;
    tcc.gen_control.blend_shift = 3;
    tcc.gen_control.gain_according_to_y_only = 1;
    tcc.gen_control.gamma = 8;
    let one = i16::try_from(TCC_ONE).unwrap_or(i16::MAX);
    tcc.macc_table.entries.fill(Yuvp2TccMaccElemPublicConfig { a: one, b: 0, c: 0, d: one });
    tcc.gain_pcwl.entries.fill(TCC_ONE);
    // 1/Y at Y = 2^i, once that is below full scale.
    for (index, entry) in tcc.inv_y_lut.entries.iter_mut().enumerate().skip(6) {
        *entry = to_u16((1024.0 / (from_usize(index) - 6.0).exp2()).min(1023.0));
    }
    // 32·√x at x = 0, 1, 2, 4 … 256, then every 128 up to 2048.
    for (index, entry) in tcc.r_sqr_lut.entries.iter_mut().enumerate() {
        let x = match index {
            0 => 0.0,
            1..=9 => (from_usize(index) - 1.0).exp2(),
            _ => 256.0 + 128.0 * (from_usize(index) - 9.0),
        };
        *entry = to_u16(32.0 * x.sqrt());
    }
}

/// A manual adjustment as the number with a sign that it is.
fn signed(byte: u8) -> i8 {
    i8::from_le_bytes([byte])
}

/// The matrix of PA, or none.
fn colour_matrix(input: &IPU3AICRuntimeParamsData) -> CcmPublicMatrixCoeffs {
    let matrix = if input.base.pa_results != 0 {
        input.pa_results.base.color_conversion_matrix
    } else {
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    };
    let [[m11, m12, m13], [m21, m22, m23], [m31, m32, m33]] =
        matrix.map(|row| row.map(|value| to_i16(f64::from(value) * MATRIX_ONE)));
    CcmPublicMatrixCoeffs { m11, m12, m13, m21, m22, m23, m31, m32, m33 }
}

/// The gamma curve of GBCE or sRGB's, behind the tone map and with the manual contrast.
///
/// Entry i of the ISP's table belongs to the linear value (i + 1) / 256. It has one curve for all
/// colours; GBCE's green one is taken. A tone map is a gain for each linear value.
fn gamma(input: &IPU3AICRuntimeParamsData, entries: &mut [u16]) {
    let given = &input.gbce_results;
    let present = input.base.gbce_results != 0;
    let table = |word: u64, size: u32, values: &'_ [f32]| {
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(values.len());
        if present && word != 0 && size > 1 { size } else { 0 }
    };
    let curve_size = table(given.g_gamma_lut, given.gamma_lut_size, &input.g_gamma_lut);
    let tone_size = table(given.tone_map_lut, given.tone_map_lut_size, &input.tone_map_lut);
    let standard = gbce::curve(0.0);
    let curve = match input.g_gamma_lut.get(..curve_size) {
        Some(curve) if curve_size > 0 => curve,
        _ => &standard,
    };
    let tone = input.tone_map_lut.get(..tone_size).filter(|tone| !tone.is_empty());
    let contrast = 1.0 + f64::from(signed(input.base.manual_contrast)) / 256.0;
    let steps = from_usize(entries.len());
    for (index, entry) in entries.iter_mut().enumerate() {
        let mut linear = (from_usize(index) + 1.0) / steps;
        if let Some(tone) = tone {
            linear = (linear * lookup(tone, linear)).clamp(0.0, 1.0);
        }
        let display = if input.base.disable_gamma == 0 { lookup(curve, linear) } else { linear };
        let display = 0.5 + (display - 0.5) * contrast;
        *entry = to_u16(display.clamp(0.0, 1.0) * OUTPUT_MAX);
    }
}

/// A table's value at 0 to 1, interpolated; what is no number counts as 0.
fn lookup(table: &[f32], at: f64) -> f64 {
    let place = at.clamp(0.0, 1.0) * from_usize(table.len().saturating_sub(1));
    let index = usize::from(to_u16(place.floor()));
    let entry = |index: usize| {
        let last = table.len().saturating_sub(1);
        finite_or(table.get(index.min(last)).copied().map_or(0.0, f64::from), 0.0)
    };
    entry(index) + (entry(index + 1) - entry(index)) * place.fract()
}

/// BT.601, with the chroma turned by the manual hue (−128 to 127 is −180° to 179°) and scaled by
/// the manual and PA's saturation (−128 to 127 is nothing to twice).
fn conversion(input: &IPU3AICRuntimeParamsData) -> CscPublicCMat {
    let manual = 1.0 + f64::from(signed(input.base.manual_saturation)) / 128.0;
    let pa = input.pa_results.base.saturation_factor;
    let pa = if input.base.pa_results != 0 { finite_or(f64::from(pa), 1.0) } else { 1.0 };
    let grey = input.base.effects & EFFECTS_WITHOUT_COLOUR != 0;
    let saturation = if grey { 0.0 } else { (manual * pa).clamp(0.0, 2.0) };
    let angle = f64::from(signed(input.base.manual_hue)) / 128.0 * std::f64::consts::PI;
    let (sin, cos) = angle.sin_cos();
    let [y, u, v] = BT601;
    let turned = |a: [f64; 3], b: [f64; 3], x: f64, y: f64| {
        let [a1, a2, a3] = a.map(|value| value * x * saturation);
        let [b1, b2, b3] = b.map(|value| value * y * saturation);
        [a1 + b1, a2 + b2, a3 + b3]
    };
    let rows = [y, turned(u, v, cos, -sin), turned(u, v, sin, cos)];
    // The middle column has a bit less than the others.
    let code = |value: f64, most: f64| to_i16((value * CONVERSION_ONE).clamp(-most, most - 1.0));
    let [[c11, c12, c13], [c21, c22, c23], [c31, c32, c33]] = rows.map(|[r, g, b]| {
        [code(r, CONVERSION_ONE), code(g, CONVERSION_ONE), code(b, CONVERSION_ONE)]
    });
    CscPublicCMat { c11, c12, c13, c21, c22, c23, c31, c32, c33 }
}
