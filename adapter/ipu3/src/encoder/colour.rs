//! Blocks on colour.

use crate::payload::{
    CcmPublicConfig, CdsPublicConfig, CscPublicConfig, GammaCorrPublicConfig, Yuvp1YdsPublicConfig,
    Yuvp2TccMaccElemPublicConfig, Yuvp2TccPublicConfig, Yuvp2YdsPublicConfig,
};
use crate::uapi::{
    CcmMatConfig, CdsParams, CdsParamsWords, CscMatConfig, GammaConfig, GammaCorrCtrl,
    GammaCorrLut, Yuvp1YdsConfig, Yuvp1YdsConfigWords, Yuvp2TccGainPcwlLutStaticConfig,
    Yuvp2TccGenControlStaticConfig, Yuvp2TccInvYLutStaticConfig, Yuvp2TccMaccElemStaticConfigWords,
    Yuvp2TccMaccTableStaticConfig, Yuvp2TccRSqrLutStaticConfig, Yuvp2TccStaticConfig,
};

/// The colour correction matrix.
pub(super) fn ccm(from: &CcmPublicConfig) -> CcmMatConfig {
    let (m, o) = (&from.matrix_coeffs, &from.offsets);
    CcmMatConfig {
        coeff_m11: m.m11,
        coeff_m12: m.m12,
        coeff_m13: m.m13,
        coeff_o_r: o.r,
        coeff_m21: m.m21,
        coeff_m22: m.m22,
        coeff_m23: m.m23,
        coeff_o_g: o.g,
        coeff_m31: m.m31,
        coeff_m32: m.m32,
        coeff_m33: m.m33,
        coeff_o_b: o.b,
    }
}

/// Gamma.
pub(super) fn gamma(from: &GammaCorrPublicConfig) -> GammaConfig {
    GammaConfig {
        gc_ctrl: GammaCorrCtrl { enable: from.enable.into() }.pack(),
        padding_4: [0; 28],
        gc_lut: GammaCorrLut { lut: from.lut_entries },
    }
}

/// The matrix from RGB to YUV.
pub(super) fn csc(from: &CscPublicConfig) -> CscMatConfig {
    let (c, b) = (&from.mat, &from.offset);
    CscMatConfig {
        coeff_c11: c.c11,
        coeff_c12: c.c12,
        coeff_c13: c.c13,
        coeff_b1: b.b1,
        coeff_c21: c.c21,
        coeff_c22: c.c22,
        coeff_c23: c.c23,
        coeff_b2: b.b2,
        coeff_c31: c.c31,
        coeff_c32: c.c32,
        coeff_c33: c.c33,
        coeff_b3: b.b3,
    }
}

/// Chroma down-scaling.
pub(super) fn cds(from: &CdsPublicConfig) -> CdsParamsWords {
    let c = &from.coeffs;
    CdsParams {
        ds_c00: c.c00.into(),
        ds_c01: c.c01.into(),
        ds_c02: c.c02.into(),
        ds_c03: c.c03.into(),
        ds_c10: c.c10.into(),
        ds_c11: c.c11.into(),
        ds_c12: c.c12.into(),
        ds_c13: c.c13.into(),
        ds_nf: from.nf.into(),
        csc_en: 1,
        uv_bin_output: 0,
    }
    .pack()
}

/// Luma down-scaling, before sharpening.
pub(super) fn yds(from: &Yuvp1YdsPublicConfig) -> Yuvp1YdsConfigWords {
    Yuvp1YdsConfig {
        c00: from.c00.into(),
        c01: from.c01.into(),
        c02: from.c02.into(),
        c03: from.c03.into(),
        c10: from.c10.into(),
        c11: from.c11.into(),
        c12: from.c12.into(),
        c13: from.c13.into(),
        norm_factor: from.norm_factor.into(),
        bin_output: from.bin_output.into(),
    }
    .pack()
}

/// Luma down-scaling, before colour correction.
pub(super) fn yds2(from: &Yuvp2YdsPublicConfig) -> Yuvp1YdsConfigWords {
    Yuvp1YdsConfig {
        c00: from.c00.into(),
        c01: from.c01.into(),
        c02: from.c02.into(),
        c03: from.c03.into(),
        c10: from.c10.into(),
        c11: from.c11.into(),
        c12: from.c12.into(),
        c13: from.c13.into(),
        norm_factor: from.norm_factor.into(),
        bin_output: from.bin_output.into(),
    }
    .pack()
}

/// Total colour correction.
pub(super) fn tcc(from: &Yuvp2TccPublicConfig) -> Yuvp2TccStaticConfig {
    let control = &from.gen_control;
    Yuvp2TccStaticConfig {
        gen_control: Yuvp2TccGenControlStaticConfig {
            en: 1,
            blend_shift: control.blend_shift.into(),
            gain_according_to_y_only: control.gain_according_to_y_only.into(),
            gamma: control.gamma.into(),
            delta: control.delta.into(),
        }
        .pack(),
        macc_table: Yuvp2TccMaccTableStaticConfig { entries: from.macc_table.entries.map(macc) },
        inv_y_lut: Yuvp2TccInvYLutStaticConfig { entries: from.inv_y_lut.entries },
        gain_pcwl: Yuvp2TccGainPcwlLutStaticConfig { entries: from.gain_pcwl.entries },
        r_sqr_lut: Yuvp2TccRSqrLutStaticConfig {
            entries: from.r_sqr_lut.entries.map(u16::cast_signed),
        },
    }
}

/// An element is copied as it is: its 16-bit numbers lie where the 12-bit fields do, and what is too
/// wide goes into the reserved bits beside them, as with the HAL.
fn macc(from: Yuvp2TccMaccElemPublicConfig) -> Yuvp2TccMaccElemStaticConfigWords {
    let word = |low: i16, high: i16| {
        u32::from(low.cast_unsigned()) | u32::from(high.cast_unsigned()) << 16
    };
    Yuvp2TccMaccElemStaticConfigWords { words: [word(from.a, from.b), word(from.c, from.d)] }
}
