//! ISP kernels of temporal and spatial noise reduction, and scaling.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `ia_css_tnr3_kernel_config`, 84 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssTnr3KernelConfig {
    /// Maxfb y.
    pub maxfb_y: u32,
    /// Maxfb u.
    pub maxfb_u: u32,
    /// Maxfb v.
    pub maxfb_v: u32,
    /// Round adj y.
    pub round_adj_y: u32,
    /// Round adj u.
    pub round_adj_u: u32,
    /// Round adj v.
    pub round_adj_v: u32,
    /// Knee y.
    pub knee_y: [u32; 2],
    /// Sigma y.
    pub sigma_y: [u32; 4],
    /// Sigma u.
    pub sigma_u: [u32; 4],
    /// Sigma v.
    pub sigma_v: [u32; 4],
    /// Ref buf select.
    pub ref_buf_select: u32,
}
layout!(CssTnr3KernelConfig, 84, maxfb_y 0, maxfb_u 4, maxfb_v 8, round_adj_y 12, round_adj_u 16, round_adj_v 20, knee_y 24, sigma_y 32, sigma_u 48, sigma_v 64, ref_buf_select 80);

/// `ia_css_2500_anr_kernel_config`, 604 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssAnrKernelConfig {
    /// Anr.
    pub anr: AnrPublicConfig,
}
layout!(CssAnrKernelConfig, 604, anr 0);

/// `ia_css_2500_bds_kernel_config`, 3644 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssBdsKernelConfig {
    /// Bds.
    pub bds: BdsPublicConfig,
}
layout!(CssBdsKernelConfig, 3644, bds 0);

/// `ia_css_xnr3_config`, 44 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssXnr3Config {
    /// Sigma.
    pub sigma: CssXnr3SigmaParams,
    /// Coring.
    pub coring: CssXnr3CoringParams,
    /// Blending.
    pub blending: CssXnr3BlendingParams,
}
layout!(CssXnr3Config, 44, sigma 0, coring 24, blending 40);

/// `anr_public_config`, 604 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AnrPublicConfig {
    /// Transform.
    pub transform: AnrTransformPublic,
    /// Stitch.
    pub stitch: AnrStitchPublic,
}
layout!(AnrPublicConfig, 604, transform 0, stitch 476);

/// `bds_public_config`, 3644 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BdsPublicConfig {
    /// Hor crop enable.
    pub hor_crop_enable: u32,
    /// Hor crop start.
    pub hor_crop_start: u32,
    /// Hor crop end.
    pub hor_crop_end: u32,
    /// Hor enable.
    pub hor_enable: u32,
    /// Hor coeffs.
    pub hor_coeffs: [[i32; 6]; 64],
    /// Hor nf.
    pub hor_nf: [u32; 64],
    /// Ver enable.
    pub ver_enable: u32,
    /// Ver coeffs.
    pub ver_coeffs: [[i32; 6]; 64],
    /// Ver nf.
    pub ver_nf: [u32; 64],
    /// Phase count.
    pub phase_count: u32,
    /// Sequence len.
    pub sequence_len: u32,
    /// Sequence pat.
    pub sequence_pat: [u32; 8],
}
layout!(BdsPublicConfig, 3644, hor_crop_enable 0, hor_crop_start 4, hor_crop_end 8, hor_enable 12, hor_coeffs 16, hor_nf 1552, ver_enable 1808, ver_coeffs 1812, ver_nf 3348, phase_count 3604, sequence_len 3608, sequence_pat 3612);

/// `ia_css_xnr3_sigma_params`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssXnr3SigmaParams {
    /// Y0.
    pub y0: i32,
    /// Y1.
    pub y1: i32,
    /// U0.
    pub u0: i32,
    /// U1.
    pub u1: i32,
    /// V0.
    pub v0: i32,
    /// V1.
    pub v1: i32,
}
layout!(CssXnr3SigmaParams, 24, y0 0, y1 4, u0 8, u1 12, v0 16, v1 20);

/// `ia_css_xnr3_coring_params`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssXnr3CoringParams {
    /// U0.
    pub u0: i32,
    /// U1.
    pub u1: i32,
    /// V0.
    pub v0: i32,
    /// V1.
    pub v1: i32,
}
layout!(CssXnr3CoringParams, 16, u0 0, u1 4, v0 8, v1 12);

/// `ia_css_xnr3_blending_params`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssXnr3BlendingParams {
    /// Strength.
    pub strength: i32,
}
layout!(CssXnr3BlendingParams, 4, strength 0);

/// `anr_transform_public`, 476 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AnrTransformPublic {
    /// Adaptive treshhold en.
    pub adaptive_treshhold_en: i16,
    /// Plane 0.
    pub plane_0: AnrTransformPlane,
    /// Plane 1.
    pub plane_1: AnrTransformPlane,
    /// Plane 2.
    pub plane_2: AnrTransformPlane,
    #[doc(hidden)]
    pub padding_458: [u8; 2],
    /// Calc.
    pub calc: AnrTransformRCALC,
}
layout!(AnrTransformPublic, 476, adaptive_treshhold_en 0, plane_0 2, plane_1 154, plane_2 306, calc 460);

/// `anr_stitch_public`, 128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AnrStitchPublic {
    /// Pyramid reg.
    pub pyramid_reg: [i16; 64],
}
layout!(AnrStitchPublic, 128, pyramid_reg 0);

/// `anr_transform_plane`, 152 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AnrTransformPlane {
    /// Alpha.
    pub alpha: Alpha,
    /// Beta.
    pub beta: Beta,
    /// Color reg w.
    pub color_reg_w: PlainColorWMatrix,
}
layout!(AnrTransformPlane, 152, alpha 0, beta 16, color_reg_w 24);

/// `anr_transform_R_CALC`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AnrTransformRCALC {
    /// Xreset.
    pub xreset: i16,
    /// Yreset.
    pub yreset: i16,
    /// R norm factor.
    pub r_norm_factor: i16,
    /// Radial gain scale factor.
    pub radial_gain_scale_factor: i16,
    /// X sqr reset.
    pub x_sqr_reset: i32,
    /// Y sqr reset.
    pub y_sqr_reset: i32,
}
layout!(AnrTransformRCALC, 16, xreset 0, yreset 2, r_norm_factor 4, radial_gain_scale_factor 6, x_sqr_reset 8, y_sqr_reset 12);

/// `alpha`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Alpha {
    /// Alpha gr.
    pub alpha_gr: i16,
    /// Alpha r.
    pub alpha_r: i16,
    /// Alpha b.
    pub alpha_b: i16,
    /// Alpha gb.
    pub alpha_gb: i16,
    /// Alpha dc gr.
    pub alpha_dc_gr: i16,
    /// Alpha dc r.
    pub alpha_dc_r: i16,
    /// Alpha dc b.
    pub alpha_dc_b: i16,
    /// Alpha dc gb.
    pub alpha_dc_gb: i16,
}
layout!(Alpha, 16, alpha_gr 0, alpha_r 2, alpha_b 4, alpha_gb 6, alpha_dc_gr 8, alpha_dc_r 10, alpha_dc_b 12, alpha_dc_gb 14);

/// `beta`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Beta {
    /// Beta gr.
    pub beta_gr: i16,
    /// Beta r.
    pub beta_r: i16,
    /// Beta b.
    pub beta_b: i16,
    /// Beta gb.
    pub beta_gb: i16,
}
layout!(Beta, 8, beta_gr 0, beta_r 2, beta_b 4, beta_gb 6);

/// `plain_color_w_matrix`, 128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PlainColorWMatrix {
    /// Gr.
    pub gr: [i16; 16],
    /// R.
    pub r: [i16; 16],
    /// B.
    pub b: [i16; 16],
    /// Gb.
    pub gb: [i16; 16],
}
layout!(PlainColorWMatrix, 128, gr 0, r 32, b 64, gb 96);
