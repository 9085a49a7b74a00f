//! ISP kernels that measure: AWB, AF, AE.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `ia_css_2500_awb_kernel_config`, 18 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssAwbKernelConfig {
    /// Awb.
    pub awb: AwbPublicConfig,
}
layout!(CssAwbKernelConfig, 18, awb 0);

/// `ia_css_2500_awb_fr_kernel_config`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssAwbFrKernelConfig {
    /// Awb fr.
    pub awb_fr: AwbFrPublicConfig,
}
layout!(CssAwbFrKernelConfig, 24, awb_fr 0);

/// `ia_css_2500_af_kernel_config`, 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssAfKernelConfig {
    /// Af.
    pub af: AfPublicConfig,
}
layout!(CssAfKernelConfig, 48, af 0);

/// `ia_css_2500_ae_kernel_config`, 818 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssAeKernelConfig {
    /// Ae.
    pub ae: AePublicConfig,
}
layout!(CssAeKernelConfig, 818, ae 0);

/// `awb_public_config`, 18 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbPublicConfig {
    /// Rgbs gr threshold.
    pub rgbs_gr_threshold: u16,
    /// Rgbs r threshold.
    pub rgbs_r_threshold: u16,
    /// Rgbs b threshold.
    pub rgbs_b_threshold: u16,
    /// Rgbs gb threshold.
    pub rgbs_gb_threshold: u16,
    /// Rgbs en.
    pub rgbs_en: u8,
    /// Rgbs incl sat.
    pub rgbs_incl_sat: u8,
    /// Grid.
    pub grid: AwbPublicConfigGridConfig,
}
layout!(AwbPublicConfig, 18, rgbs_gr_threshold 0, rgbs_r_threshold 2, rgbs_b_threshold 4, rgbs_gb_threshold 6, rgbs_en 8, rgbs_incl_sat 9, grid 10);

/// `awb_fr_public_config`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbFrPublicConfig {
    /// Bayer coeffs.
    pub bayer_coeffs: AwbFrPublicCoeffsConfig,
    /// Nf.
    pub nf: AwbFrPublicNfConfig,
    #[doc(hidden)]
    pub padding_13: [u8; 1],
    /// Grid.
    pub grid: AwbFrPublicGridConfig,
}
layout!(AwbFrPublicConfig, 24, bayer_coeffs 0, nf 12, grid 14);

/// `af_public_config`, 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfPublicConfig {
    /// Y1 coeffs.
    pub y1_coeffs: AfPublicCoeffsConfig,
    /// Y2 coeffs.
    pub y2_coeffs: AfPublicCoeffsConfig,
    /// Y calc.
    pub y_calc: AfPublicYCalcConfig,
    /// Nf.
    pub nf: AfPublicNfConfig,
    /// Grid.
    pub grid: AfPublicGridConfig,
}
layout!(AfPublicConfig, 48, y1_coeffs 0, y2_coeffs 16, y_calc 32, nf 36, grid 38);

/// `ae_public_config`, 818 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AePublicConfig {
    /// Ae ccm.
    pub ae_ccm: AePublicConfigCcmCoeffs,
    /// Ae weights.
    pub ae_weights: AePublicConfigWeights,
    /// Ae grid config.
    pub ae_grid_config: AePublicConfigGridConfig,
}
layout!(AePublicConfig, 818, ae_ccm 0, ae_weights 40, ae_grid_config 808);

/// `awb_public_config_grid_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbPublicConfigGridConfig {
    /// Columns of the grid.
    pub grid_width: u8,
    /// Rows of the grid.
    pub grid_height: u8,
    /// Grid block width.
    pub grid_block_width: u8,
    /// Grid block height.
    pub grid_block_height: u8,
    /// Grid x start.
    pub grid_x_start: u16,
    /// Grid y start.
    pub grid_y_start: u16,
}
layout!(AwbPublicConfigGridConfig, 8, grid_width 0, grid_height 1, grid_block_width 2, grid_block_height 3, grid_x_start 4, grid_y_start 6);

/// `awb_fr_public_coeffs_config`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbFrPublicCoeffsConfig {
    /// A1.
    pub a1: u8,
    /// A2.
    pub a2: u8,
    /// A3.
    pub a3: u8,
    /// A4.
    pub a4: u8,
    /// A5.
    pub a5: u8,
    /// A6.
    pub a6: u8,
    #[doc(hidden)]
    pub padding_6: [u8; 2],
    /// Sign vec.
    pub sign_vec: u32,
}
layout!(AwbFrPublicCoeffsConfig, 12, a1 0, a2 1, a3 2, a4 3, a5 4, a6 5, sign_vec 8);

/// `awb_fr_public_nf_config`, 1 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbFrPublicNfConfig {
    /// Bayer nf.
    pub bayer_nf: u8,
}
layout!(AwbFrPublicNfConfig, 1, bayer_nf 0);

/// `awb_fr_public_grid_config`, 10 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbFrPublicGridConfig {
    /// Columns of the grid.
    pub grid_width: u8,
    /// Rows of the grid.
    pub grid_height: u8,
    /// Block width.
    pub block_width: u8,
    /// Block height.
    pub block_height: u8,
    /// X start.
    pub x_start: u16,
    /// Y start.
    pub y_start: u16,
    /// Af bayer en.
    pub af_bayer_en: u8,
    #[doc(hidden)]
    pub padding_9: [u8; 1],
}
layout!(AwbFrPublicGridConfig, 10, grid_width 0, grid_height 1, block_width 2, block_height 3, x_start 4, y_start 6, af_bayer_en 8);

/// `af_public_coeffs_config`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfPublicCoeffsConfig {
    /// A1.
    pub a1: u8,
    /// A2.
    pub a2: u8,
    /// A3.
    pub a3: u8,
    /// A4.
    pub a4: u8,
    /// A5.
    pub a5: u8,
    /// A6.
    pub a6: u8,
    /// A7.
    pub a7: u8,
    /// A8.
    pub a8: u8,
    /// A9.
    pub a9: u8,
    /// A10.
    pub a10: u8,
    /// A11.
    pub a11: u8,
    /// A12.
    pub a12: u8,
    /// Sign vec.
    pub sign_vec: u32,
}
layout!(AfPublicCoeffsConfig, 16, a1 0, a2 1, a3 2, a4 3, a5 4, a6 5, a7 6, a8 7, a9 8, a10 9, a11 10, a12 11, sign_vec 12);

/// `af_public_y_calc_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfPublicYCalcConfig {
    /// Y gen rate gr.
    pub y_gen_rate_gr: u8,
    /// Y gen rate r.
    pub y_gen_rate_r: u8,
    /// Y gen rate b.
    pub y_gen_rate_b: u8,
    /// Y gen rate gb.
    pub y_gen_rate_gb: u8,
}
layout!(AfPublicYCalcConfig, 4, y_gen_rate_gr 0, y_gen_rate_r 1, y_gen_rate_b 2, y_gen_rate_gb 3);

/// `af_public_nf_config`, 2 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfPublicNfConfig {
    /// Y1 nf.
    pub y1_nf: u8,
    /// Y2 nf.
    pub y2_nf: u8,
}
layout!(AfPublicNfConfig, 2, y1_nf 0, y2_nf 1);

/// `af_public_grid_config`, 10 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfPublicGridConfig {
    /// Columns of the grid.
    pub grid_width: u8,
    /// Rows of the grid.
    pub grid_height: u8,
    /// Block width.
    pub block_width: u8,
    /// Block height.
    pub block_height: u8,
    /// X start.
    pub x_start: u16,
    /// Y start.
    pub y_start: u16,
    /// Af y en.
    pub af_y_en: u8,
    #[doc(hidden)]
    pub padding_9: [u8; 1],
}
layout!(AfPublicGridConfig, 10, grid_width 0, grid_height 1, block_width 2, block_height 3, x_start 4, y_start 6, af_y_en 8);

/// `ae_public_config_ccm_coeffs`, 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AePublicConfigCcmCoeffs {
    /// Wb coeffs.
    pub wb_coeffs: AePublicConfigCcmWbCoeffs,
    /// Mat coeffs.
    pub mat_coeffs: AePublicConfigCcmMatCoeffs,
}
layout!(AePublicConfigCcmCoeffs, 40, wb_coeffs 0, mat_coeffs 8);

/// `ae_public_config_weights`, 768 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AePublicConfigWeights {
    /// Val.
    pub val: [u8; 768],
}
layout!(AePublicConfigWeights, 768, val 0);

/// `ae_public_config_grid_config`, 10 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AePublicConfigGridConfig {
    /// Columns of the grid.
    pub grid_width: u8,
    /// Rows of the grid.
    pub grid_height: u8,
    /// Block width.
    pub block_width: u8,
    /// Block height.
    pub block_height: u8,
    /// X start.
    pub x_start: u16,
    /// Y start.
    pub y_start: u16,
    /// Ae en.
    pub ae_en: u8,
    #[doc(hidden)]
    pub padding_9: [u8; 1],
}
layout!(AePublicConfigGridConfig, 10, grid_width 0, grid_height 1, block_width 2, block_height 3, x_start 4, y_start 6, ae_en 8);

/// `ae_public_config_ccm_wb_coeffs`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AePublicConfigCcmWbCoeffs {
    /// Gain gr.
    pub gain_gr: u16,
    /// Gain r.
    pub gain_r: u16,
    /// Gain b.
    pub gain_b: u16,
    /// Gain gb.
    pub gain_gb: u16,
}
layout!(AePublicConfigCcmWbCoeffs, 8, gain_gr 0, gain_r 2, gain_b 4, gain_gb 6);

/// `ae_public_config_ccm_mat_coeffs`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AePublicConfigCcmMatCoeffs {
    /// Coeffs.
    pub coeffs: [i16; 16],
}
layout!(AePublicConfigCcmMatCoeffs, 32, coeffs 0);
