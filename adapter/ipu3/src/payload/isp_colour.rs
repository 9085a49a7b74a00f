//! ISP kernels on colour: colour matrices, gamma, chroma scaling, tone and total colour correction.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `ia_css_2500_rgbpp_kernel_config`, 572 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssRgbppKernelConfig {
    /// Ccm.
    pub ccm: CcmPublicConfig,
    /// Gamma.
    pub gamma: GammaCorrPublicConfig,
    /// Csc.
    pub csc: CscPublicConfig,
    /// Cds.
    pub cds: CdsPublicConfig,
    #[doc(hidden)]
    pub padding_571: [u8; 1],
}
layout!(CssRgbppKernelConfig, 572, ccm 0, gamma 24, csc 538, cds 562);

/// `ia_css_2500_yuvp2_kernel_config`, 1252 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssYuvp2KernelConfig {
    /// Ytm.
    pub ytm: Yuvp2YtmPublicConfig,
    /// Yds2.
    pub yds2: Yuvp2YdsPublicConfig,
    /// Tcc.
    pub tcc: Yuvp2TccPublicConfig,
    #[doc(hidden)]
    pub padding_1250: [u8; 2],
}
layout!(CssYuvp2KernelConfig, 1252, ytm 0, yds2 516, tcc 526);

/// `ccm_public_config`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CcmPublicConfig {
    /// Matrix coeffs.
    pub matrix_coeffs: CcmPublicMatrixCoeffs,
    /// Offsets.
    pub offsets: CcmPublicOffsets,
}
layout!(CcmPublicConfig, 24, matrix_coeffs 0, offsets 18);

/// `gamma_corr_public_config`, 514 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct GammaCorrPublicConfig {
    /// Lut entries.
    pub lut_entries: [u16; 256],
    /// Enable.
    pub enable: u16,
}
layout!(GammaCorrPublicConfig, 514, lut_entries 0, enable 512);

/// `csc_public_config`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CscPublicConfig {
    /// Mat.
    pub mat: CscPublicCMat,
    /// Offset.
    pub offset: CscPublicBOffset,
}
layout!(CscPublicConfig, 24, mat 0, offset 18);

/// `cds_public_config`, 9 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CdsPublicConfig {
    /// Coeffs.
    pub coeffs: CdsPublicCoeffs,
    /// Nf.
    pub nf: u8,
}
layout!(CdsPublicConfig, 9, coeffs 0, nf 8);

/// `yuvp2_ytm_public_config`, 516 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2YtmPublicConfig {
    /// Entries.
    pub entries: [u16; 256],
    /// Ytm en.
    pub ytm_en: u32,
}
layout!(Yuvp2YtmPublicConfig, 516, entries 0, ytm_en 512);

/// `yuvp2_yds_public_config`, 10 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2YdsPublicConfig {
    /// C00.
    pub c00: u8,
    /// C01.
    pub c01: u8,
    /// C02.
    pub c02: u8,
    /// C03.
    pub c03: u8,
    /// C10.
    pub c10: u8,
    /// C11.
    pub c11: u8,
    /// C12.
    pub c12: u8,
    /// C13.
    pub c13: u8,
    /// Norm factor.
    pub norm_factor: u8,
    /// Bin output.
    pub bin_output: u8,
}
layout!(Yuvp2YdsPublicConfig, 10, c00 0, c01 1, c02 2, c03 3, c10 4, c11 5, c12 6, c13 7, norm_factor 8, bin_output 9);

/// `yuvp2_tcc_public_config`, 724 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2TccPublicConfig {
    /// Gen control.
    pub gen_control: Yuvp2TccGenControlPublicConfig,
    /// Macc table.
    pub macc_table: Yuvp2TccMaccTablePublicConfig,
    /// Inv y lut.
    pub inv_y_lut: Yuvp2TccInvYLutPublicConfig,
    /// Gain pcwl.
    pub gain_pcwl: Yuvp2TccGainPcwlLutPublicConfig,
    /// R sqr lut.
    pub r_sqr_lut: Yuvp2TccRSqrLutPublicConfig,
}
layout!(Yuvp2TccPublicConfig, 724, gen_control 0, macc_table 4, inv_y_lut 132, gain_pcwl 160, r_sqr_lut 676);

/// `ccm_public_matrix_coeffs`, 18 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CcmPublicMatrixCoeffs {
    /// M11.
    pub m11: i16,
    /// M12.
    pub m12: i16,
    /// M13.
    pub m13: i16,
    /// M21.
    pub m21: i16,
    /// M22.
    pub m22: i16,
    /// M23.
    pub m23: i16,
    /// M31.
    pub m31: i16,
    /// M32.
    pub m32: i16,
    /// M33.
    pub m33: i16,
}
layout!(CcmPublicMatrixCoeffs, 18, m11 0, m12 2, m13 4, m21 6, m22 8, m23 10, m31 12, m32 14, m33 16);

/// `ccm_public_offsets`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CcmPublicOffsets {
    /// R.
    pub r: i16,
    /// G.
    pub g: i16,
    /// B.
    pub b: i16,
}
layout!(CcmPublicOffsets, 6, r 0, g 2, b 4);

/// `csc_public_C_mat`, 18 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CscPublicCMat {
    /// C11.
    pub c11: i16,
    /// C12.
    pub c12: i16,
    /// C13.
    pub c13: i16,
    /// C21.
    pub c21: i16,
    /// C22.
    pub c22: i16,
    /// C23.
    pub c23: i16,
    /// C31.
    pub c31: i16,
    /// C32.
    pub c32: i16,
    /// C33.
    pub c33: i16,
}
layout!(CscPublicCMat, 18, c11 0, c12 2, c13 4, c21 6, c22 8, c23 10, c31 12, c32 14, c33 16);

/// `csc_public_b_offset`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CscPublicBOffset {
    /// B1.
    pub b1: i16,
    /// B2.
    pub b2: i16,
    /// B3.
    pub b3: i16,
}
layout!(CscPublicBOffset, 6, b1 0, b2 2, b3 4);

/// `cds_public_coeffs`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CdsPublicCoeffs {
    /// C00.
    pub c00: u8,
    /// C01.
    pub c01: u8,
    /// C02.
    pub c02: u8,
    /// C03.
    pub c03: u8,
    /// C10.
    pub c10: u8,
    /// C11.
    pub c11: u8,
    /// C12.
    pub c12: u8,
    /// C13.
    pub c13: u8,
}
layout!(CdsPublicCoeffs, 8, c00 0, c01 1, c02 2, c03 3, c10 4, c11 5, c12 6, c13 7);

/// `yuvp2_tcc_gen_control_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2TccGenControlPublicConfig {
    /// Blend shift.
    pub blend_shift: u8,
    /// Gain according to y only.
    pub gain_according_to_y_only: u8,
    /// Gamma.
    pub gamma: i8,
    /// Delta.
    pub delta: i8,
}
layout!(Yuvp2TccGenControlPublicConfig, 4, blend_shift 0, gain_according_to_y_only 1, gamma 2, delta 3);

/// `yuvp2_tcc_macc_table_public_config`, 128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2TccMaccTablePublicConfig {
    /// Entries.
    pub entries: [Yuvp2TccMaccElemPublicConfig; 16],
}
layout!(Yuvp2TccMaccTablePublicConfig, 128, entries 0);

/// `yuvp2_tcc_inv_y_lut_public_config`, 28 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2TccInvYLutPublicConfig {
    /// Entries.
    pub entries: [u16; 14],
}
layout!(Yuvp2TccInvYLutPublicConfig, 28, entries 0);

/// `yuvp2_tcc_gain_pcwl_lut_public_config`, 516 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2TccGainPcwlLutPublicConfig {
    /// Entries.
    pub entries: [u16; 258],
}
layout!(Yuvp2TccGainPcwlLutPublicConfig, 516, entries 0);

/// `yuvp2_tcc_r_sqr_lut_public_config`, 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2TccRSqrLutPublicConfig {
    /// Entries.
    pub entries: [u16; 24],
}
layout!(Yuvp2TccRSqrLutPublicConfig, 48, entries 0);

/// `yuvp2_tcc_macc_elem_public_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp2TccMaccElemPublicConfig {
    /// A.
    pub a: i16,
    /// B.
    pub b: i16,
    /// C.
    pub c: i16,
    /// D.
    pub d: i16,
}
layout!(Yuvp2TccMaccElemPublicConfig, 8, a 0, b 2, c 4, d 6);
