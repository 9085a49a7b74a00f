//! ISP kernels on raw pixels: linearisation, black level grid, noise reduction, shading, demosaic.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `ia_css_2500_lin_kernel_config`, 520 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssLinKernelConfig {
    /// Curve lut gr.
    pub curve_lut_gr: [i16; 65],
    /// Curve lut r.
    pub curve_lut_r: [i16; 65],
    /// Curve lut b.
    pub curve_lut_b: [i16; 65],
    /// Curve lut gb.
    pub curve_lut_gb: [i16; 65],
}
layout!(CssLinKernelConfig, 520, curve_lut_gr 0, curve_lut_r 130, curve_lut_b 260, curve_lut_gb 390);

/// `ia_css_2500_obgrid_kernel_config`, 128500 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssObgridKernelConfig {
    /// X offset.
    pub x_offset: i32,
    /// Y offset.
    pub y_offset: i32,
    /// Tile size.
    pub tile_size: i32,
    /// Table width.
    pub table_width: i32,
    /// Table height.
    pub table_height: i32,
    /// Table gr.
    pub table_gr: [i16; 16060],
    /// Table r.
    pub table_r: [i16; 16060],
    /// Table b.
    pub table_b: [i16; 16060],
    /// Table gb.
    pub table_gb: [i16; 16060],
}
layout!(CssObgridKernelConfig, 128500, x_offset 0, y_offset 4, tile_size 8, table_width 12, table_height 16, table_gr 20, table_r 32140, table_b 64260, table_gb 96380);

/// `ia_css_2500_bnr_kernel_config`, 128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssBnrKernelConfig {
    /// Bnr.
    pub bnr: BnrPublicConfig,
    /// Green disparity.
    pub green_disparity: BnrPublicConfigLutConfigGreenDisparity,
}
layout!(CssBnrKernelConfig, 128, bnr 0, green_disparity 96);

/// `ia_css_2500_shd_kernel_config`, 32172 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssShdKernelConfig {
    /// Shd.
    pub shd: ShdKernelConfig,
}
layout!(CssShdKernelConfig, 32172, shd 0);

/// `ia_css_2500_dm_kernel_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssDmKernelConfig {
    /// Dm.
    pub dm: DmPublicConfig,
}
layout!(CssDmKernelConfig, 8, dm 0);

/// `ia_css_2500_dpc_kernel_config`, 118284 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssDpcKernelConfig {
    /// Dpc.
    pub dpc: DpcPublicConfig,
}
layout!(CssDpcKernelConfig, 118284, dpc 0);

/// `ia_css_2500_rgbir_kernel_config`, 1028 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssRgbirKernelConfig {
    /// Ob.
    pub ob: u16,
    /// Ir height.
    pub ir_height: u16,
    /// Ir width.
    pub ir_width: u16,
    /// Ir weights r.
    pub ir_weights_r: [u16; 170],
    /// Ir weights g.
    pub ir_weights_g: [u16; 170],
    /// Ir weights b.
    pub ir_weights_b: [u16; 170],
    /// Ir gain.
    pub ir_gain: u16,
}
layout!(CssRgbirKernelConfig, 1028, ob 0, ir_height 2, ir_width 4, ir_weights_r 6, ir_weights_g 346, ir_weights_b 686, ir_gain 1026);

/// `bnr_public_config`, 96 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfig {
    /// Wb gains.
    pub wb_gains: BnrPublicConfigWbGainsConfig,
    /// Wb gains thr.
    pub wb_gains_thr: BnrPublicConfigWbGainsThrConfig,
    /// Thr coeffs.
    pub thr_coeffs: BnrPublicConfigThrCoeffsConfig,
    /// Thr ctrl shd.
    pub thr_ctrl_shd: BnrPublicConfigThrCtrlShdConfig,
    #[doc(hidden)]
    pub padding_22: [u8; 2],
    /// Opt center.
    pub opt_center: BnrPublicConfigOptCenterConfig,
    /// Bp ctrl.
    pub bp_ctrl: BnrPublicConfigBpCtrlConfig,
    /// Dn detect ctrl.
    pub dn_detect_ctrl: BnrPublicConfigDnDetectCtrlConfig,
    /// Lut.
    pub lut: BnrPublicConfigLutConfig,
    #[doc(hidden)]
    pub padding_94: [u8; 2],
}
layout!(BnrPublicConfig, 96, wb_gains 0, wb_gains_thr 8, thr_coeffs 12, thr_ctrl_shd 18, opt_center 24, bp_ctrl 36, dn_detect_ctrl 52, lut 62);

/// `bnr_public_config_lut_config_green_disparity`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigLutConfigGreenDisparity {
    /// Gd red.
    pub gd_red: u32,
    /// Gd green.
    pub gd_green: u32,
    /// Gd blue.
    pub gd_blue: u32,
    /// Gd black.
    pub gd_black: u32,
    /// Gd shading.
    pub gd_shading: u32,
    /// Gd support.
    pub gd_support: u32,
    /// Gd clip.
    pub gd_clip: u32,
    /// Gd central weight.
    pub gd_central_weight: u32,
}
layout!(BnrPublicConfigLutConfigGreenDisparity, 32, gd_red 0, gd_green 4, gd_blue 8, gd_black 12, gd_shading 16, gd_support 20, gd_clip 24, gd_central_weight 28);

/// `shd_kernel_config`, 32172 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ShdKernelConfig {
    /// General.
    pub general: ShdPublicConfig,
    /// Grid.
    pub grid: ShdGridPublicConfig,
    /// Black level.
    pub black_level: ShdBlackLevelPublicConfig,
    /// Luts.
    pub luts: ShdLutsPublicConfig,
}
layout!(ShdKernelConfig, 32172, general 0, grid 8, black_level 32, luts 52);

/// `dm_public_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct DmPublicConfig {
    /// Dm en.
    pub dm_en: u8,
    /// Ch ar en.
    pub ch_ar_en: u8,
    /// Fcc en.
    pub fcc_en: u8,
    /// Gamma sc.
    pub gamma_sc: u8,
    /// Lc ctrl.
    pub lc_ctrl: u8,
    /// Cr param1.
    pub cr_param1: u8,
    /// Cr param2.
    pub cr_param2: u8,
    /// Coring param.
    pub coring_param: u8,
}
layout!(DmPublicConfig, 8, dm_en 0, ch_ar_en 1, fcc_en 2, gamma_sc 3, lc_ctrl 4, cr_param1 5, cr_param2 6, coring_param 7);

/// `dpc_public_config`, 118284 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct DpcPublicConfig {
    /// Grad threshold.
    pub grad_threshold: u32,
    /// Number of of dp gr.
    pub num_of_dp_gr: u32,
    /// Number of of dp bg.
    pub num_of_dp_bg: u32,
    /// Lut gr.
    pub lut_gr: DpcPublicLut,
    /// Lut bg.
    pub lut_bg: DpcPublicLut,
}
layout!(DpcPublicConfig, 118284, grad_threshold 0, num_of_dp_gr 4, num_of_dp_bg 8, lut_gr 12, lut_bg 59148);

/// `bnr_public_config_wb_gains_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigWbGainsConfig {
    /// Gr.
    pub gr: u16,
    /// R.
    pub r: u16,
    /// B.
    pub b: u16,
    /// Gb.
    pub gb: u16,
}
layout!(BnrPublicConfigWbGainsConfig, 8, gr 0, r 2, b 4, gb 6);

/// `bnr_public_config_wb_gains_thr_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigWbGainsThrConfig {
    /// Gr.
    pub gr: u8,
    /// R.
    pub r: u8,
    /// B.
    pub b: u8,
    /// Gb.
    pub gb: u8,
}
layout!(BnrPublicConfigWbGainsThrConfig, 4, gr 0, r 1, b 2, gb 3);

/// `bnr_public_config_thr_coeffs_config`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigThrCoeffsConfig {
    /// Cf.
    pub cf: u16,
    /// Cg.
    pub cg: u8,
    /// Ci.
    pub ci: u8,
    /// R nf.
    pub r_nf: u8,
    #[doc(hidden)]
    pub padding_5: [u8; 1],
}
layout!(BnrPublicConfigThrCoeffsConfig, 6, cf 0, cg 2, ci 3, r_nf 4);

/// `bnr_public_config_thr_ctrl_shd_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigThrCtrlShdConfig {
    /// Gr.
    pub gr: u8,
    /// R.
    pub r: u8,
    /// B.
    pub b: u8,
    /// Gb.
    pub gb: u8,
}
layout!(BnrPublicConfigThrCtrlShdConfig, 4, gr 0, r 1, b 2, gb 3);

/// `bnr_public_config_opt_center_config`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigOptCenterConfig {
    /// X reset.
    pub x_reset: i16,
    /// Y reset.
    pub y_reset: i16,
    /// X sqr reset.
    pub x_sqr_reset: u32,
    /// Y sqr reset.
    pub y_sqr_reset: u32,
}
layout!(BnrPublicConfigOptCenterConfig, 12, x_reset 0, y_reset 2, x_sqr_reset 4, y_sqr_reset 8);

/// `bnr_public_config_bp_ctrl_config`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigBpCtrlConfig {
    /// Bp thr gain.
    pub bp_thr_gain: u8,
    /// Defect mode.
    pub defect_mode: u8,
    #[doc(hidden)]
    pub padding_2: [u8; 2],
    /// Bp gain.
    pub bp_gain: u32,
    /// W0 coeff.
    pub w0_coeff: u32,
    /// W1 coeff.
    pub w1_coeff: u32,
}
layout!(BnrPublicConfigBpCtrlConfig, 16, bp_thr_gain 0, defect_mode 1, bp_gain 4, w0_coeff 8, w1_coeff 12);

/// `bnr_public_config_dn_detect_ctrl_config`, 10 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigDnDetectCtrlConfig {
    /// Alpha.
    pub alpha: u8,
    /// Beta.
    pub beta: u8,
    /// Gamma.
    pub gamma: u8,
    #[doc(hidden)]
    pub padding_3: [u8; 1],
    /// Max inf.
    pub max_inf: u16,
    /// Gd en.
    pub gd_en: u8,
    /// Bpc en.
    pub bpc_en: u8,
    /// Bnr en.
    pub bnr_en: u8,
    #[doc(hidden)]
    pub padding_9: [u8; 1],
}
layout!(BnrPublicConfigDnDetectCtrlConfig, 10, alpha 0, beta 1, gamma 2, max_inf 4, gd_en 6, bpc_en 7, bnr_en 8);

/// `bnr_public_config_lut_config`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BnrPublicConfigLutConfig {
    /// Values.
    pub values: [u8; 32],
}
layout!(BnrPublicConfigLutConfig, 32, values 0);

/// `shd_public_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ShdPublicConfig {
    /// Shd enable.
    pub shd_enable: u32,
    /// Gain factor.
    pub gain_factor: u32,
}
layout!(ShdPublicConfig, 8, shd_enable 0, gain_factor 4);

/// `shd_grid_public_config`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ShdGridPublicConfig {
    /// Columns of the grid.
    pub grid_width: u32,
    /// Rows of the grid.
    pub grid_height: u32,
    /// Block width.
    pub block_width: u32,
    /// Block height.
    pub block_height: u32,
    /// X start.
    pub x_start: i32,
    /// Y start.
    pub y_start: i32,
}
layout!(ShdGridPublicConfig, 24, grid_width 0, grid_height 4, block_width 8, block_height 12, x_start 16, y_start 20);

/// `shd_black_level_public_config`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ShdBlackLevelPublicConfig {
    /// Bl r.
    pub bl_r: i32,
    /// Bl gr.
    pub bl_gr: i32,
    /// Bl gb.
    pub bl_gb: i32,
    /// Bl b.
    pub bl_b: i32,
    /// Normalization shift.
    pub normalization_shift: u32,
}
layout!(ShdBlackLevelPublicConfig, 20, bl_r 0, bl_gr 4, bl_gb 8, bl_b 12, normalization_shift 16);

/// `shd_luts_public_config`, 32120 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ShdLutsPublicConfig {
    /// R.
    pub r: [u16; 4015],
    /// Gr.
    pub gr: [u16; 4015],
    /// Gb.
    pub gb: [u16; 4015],
    /// B.
    pub b: [u16; 4015],
}
layout!(ShdLutsPublicConfig, 32120, r 0, gr 8030, gb 16060, b 24090);

/// `dpc_public_lut`, 59136 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct DpcPublicLut {
    /// Elems.
    pub elems: [DpcPublicLutElem; 14784],
}
layout!(DpcPublicLut, 59136, elems 0);

/// `dpc_public_lut_elem`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct DpcPublicLutElem {
    /// Packed.
    pub packed: u32,
}
layout!(DpcPublicLutElem, 4, packed 0);
