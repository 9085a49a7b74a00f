//! ISP kernels on luma and chroma: sharpening, edge and chroma noise reduction.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `ia_css_2500_yuvp1_b0_kernel_config`, 68 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssYuvp1B0KernelConfig {
    /// Y ee nr.
    pub y_ee_nr: Yuvp1YEeNrPublicConfig,
    /// Yds.
    pub yds: Yuvp1YdsPublicConfig,
    /// Chnr.
    pub chnr: Yuvp1ChnrPublicConfig,
}
layout!(CssYuvp1B0KernelConfig, 68, y_ee_nr 0, yds 42, chnr 52);

/// `ia_css_2500_yuvp1_c0_kernel_config`, 248 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CssYuvp1C0KernelConfig {
    /// Iefd.
    pub iefd: Yuvp1IefdPublicConfig,
    /// Yds c0.
    pub yds_c0: Yuvp1YdsPublicConfig,
    /// Chnr c0.
    pub chnr_c0: Yuvp1ChnrPublicConfig,
    #[doc(hidden)]
    pub padding_246: [u8; 2],
}
layout!(CssYuvp1C0KernelConfig, 248, iefd 0, yds_c0 220, chnr_c0 230);

/// `yuvp1_y_ee_nr_public_config`, 42 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrPublicConfig {
    /// Lpf.
    pub lpf: Yuvp1YEeNrLpfPublicConfig,
    /// Sense.
    pub sense: Yuvp1YEeNrSensePublicConfig,
    /// Gain.
    pub gain: Yuvp1YEeNrGainPublicConfig,
    /// Clip.
    pub clip: Yuvp1YEeNrClipPublicConfig,
    /// Frng.
    pub frng: Yuvp1YEeNrFrngPublicConfig,
    /// Diag.
    pub diag: Yuvp1YEeNrDiagPublicConfig,
    #[doc(hidden)]
    pub padding_33: [u8; 1],
    /// Fc coring.
    pub fc_coring: Yuvp1YEeNrFcCoringPublicConfig,
}
layout!(Yuvp1YEeNrPublicConfig, 42, lpf 0, sense 4, gain 12, clip 16, frng 20, diag 28, fc_coring 34);

/// `yuvp1_yds_public_config`, 10 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YdsPublicConfig {
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
layout!(Yuvp1YdsPublicConfig, 10, c00 0, c01 1, c02 2, c03 3, c10 4, c11 5, c12 6, c13 7, norm_factor 8, bin_output 9);

/// `yuvp1_chnr_public_config`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1ChnrPublicConfig {
    /// Coring.
    pub coring: Yuvp1ChnrCoringPublicConfig,
    /// Sense gain.
    pub sense_gain: Yuvp1ChnrSenseGainPublicConfig,
    /// Iir fir.
    pub iir_fir: Yuvp1ChnrIirFirPublicConfig,
}
layout!(Yuvp1ChnrPublicConfig, 16, coring 0, sense_gain 4, iir_fir 10);

/// `yuvp1_iefd_public_config`, 220 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1IefdPublicConfig {
    /// Cfg units.
    pub cfg_units: PublicCfgUnits,
    /// Config.
    pub config: Yuvp1IefdConfigPublicConfig,
    /// Control.
    pub control: Yuvp1IefdControlPublicConfig,
    #[doc(hidden)]
    pub padding_153: [u8; 1],
    /// Sharp.
    pub sharp: Yuvp1IefdShrpCfgPublicConfig,
    /// Unsharp.
    pub unsharp: Yuvp1IefdUnshrpCfgPublicConfig,
    #[doc(hidden)]
    pub padding_182: [u8; 2],
    /// Rad.
    pub rad: Yuvp1IefdRadCfgPublicConfig,
    /// Vsslnm.
    pub vsslnm: Yuvp1IefdVssnlmCfgPublicConfig,
    #[doc(hidden)]
    pub padding_218: [u8; 2],
}
layout!(Yuvp1IefdPublicConfig, 220, cfg_units 0, config 144, control 148, sharp 154, unsharp 170, rad 184, vsslnm 212);

/// `yuvp1_y_ee_nr_lpf_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrLpfPublicConfig {
    /// A diag.
    pub a_diag: u8,
    /// A periph.
    pub a_periph: u8,
    /// A cent.
    pub a_cent: u8,
    /// Y ee nr en.
    pub y_ee_nr_en: u8,
}
layout!(Yuvp1YEeNrLpfPublicConfig, 4, a_diag 0, a_periph 1, a_cent 2, y_ee_nr_en 3);

/// `yuvp1_y_ee_nr_sense_public_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrSensePublicConfig {
    /// Edge sense 0.
    pub edge_sense_0: u16,
    /// Delta edge sense.
    pub delta_edge_sense: u16,
    /// Corner sense 0.
    pub corner_sense_0: u16,
    /// Delta corner sense.
    pub delta_corner_sense: u16,
}
layout!(Yuvp1YEeNrSensePublicConfig, 8, edge_sense_0 0, delta_edge_sense 2, corner_sense_0 4, delta_corner_sense 6);

/// `yuvp1_y_ee_nr_gain_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrGainPublicConfig {
    /// Gain pos 0.
    pub gain_pos_0: u8,
    /// Delta gain posi.
    pub delta_gain_posi: u8,
    /// Gain neg 0.
    pub gain_neg_0: u8,
    /// Delta gain neg.
    pub delta_gain_neg: u8,
}
layout!(Yuvp1YEeNrGainPublicConfig, 4, gain_pos_0 0, delta_gain_posi 1, gain_neg_0 2, delta_gain_neg 3);

/// `yuvp1_y_ee_nr_clip_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrClipPublicConfig {
    /// Clip pos 0.
    pub clip_pos_0: u8,
    /// Delta clip posi.
    pub delta_clip_posi: u8,
    /// Clip neg 0.
    pub clip_neg_0: u8,
    /// Delta clip neg.
    pub delta_clip_neg: u8,
}
layout!(Yuvp1YEeNrClipPublicConfig, 4, clip_pos_0 0, delta_clip_posi 1, clip_neg_0 2, delta_clip_neg 3);

/// `yuvp1_y_ee_nr_frng_public_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrFrngPublicConfig {
    /// Gain exp.
    pub gain_exp: u8,
    #[doc(hidden)]
    pub padding_1: [u8; 1],
    /// Min edge.
    pub min_edge: u16,
    /// Lin seg param.
    pub lin_seg_param: u8,
    /// T1.
    pub t1: u8,
    /// T2.
    pub t2: u8,
    #[doc(hidden)]
    pub padding_7: [u8; 1],
}
layout!(Yuvp1YEeNrFrngPublicConfig, 8, gain_exp 0, min_edge 2, lin_seg_param 4, t1 5, t2 6);

/// `yuvp1_y_ee_nr_diag_public_config`, 5 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrDiagPublicConfig {
    /// Diag disc g.
    pub diag_disc_g: u8,
    /// Hvw hor.
    pub hvw_hor: u8,
    /// Dw hor.
    pub dw_hor: u8,
    /// Hvw diag.
    pub hvw_diag: u8,
    /// Dw diag.
    pub dw_diag: u8,
}
layout!(Yuvp1YEeNrDiagPublicConfig, 5, diag_disc_g 0, hvw_hor 1, dw_hor 2, hvw_diag 3, dw_diag 4);

/// `yuvp1_y_ee_nr_fc_coring_public_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1YEeNrFcCoringPublicConfig {
    /// Pos 0.
    pub pos_0: u16,
    /// Pos delta.
    pub pos_delta: u16,
    /// Neg 0.
    pub neg_0: u16,
    /// Neg delta.
    pub neg_delta: u16,
}
layout!(Yuvp1YEeNrFcCoringPublicConfig, 8, pos_0 0, pos_delta 2, neg_0 4, neg_delta 6);

/// `yuvp1_chnr_coring_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1ChnrCoringPublicConfig {
    /// U.
    pub u: u16,
    /// V.
    pub v: u16,
}
layout!(Yuvp1ChnrCoringPublicConfig, 4, u 0, v 2);

/// `yuvp1_chnr_sense_gain_public_config`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1ChnrSenseGainPublicConfig {
    /// Vy.
    pub vy: u8,
    /// Vu.
    pub vu: u8,
    /// Vv.
    pub vv: u8,
    /// Hy.
    pub hy: u8,
    /// Hu.
    pub hu: u8,
    /// Hv.
    pub hv: u8,
}
layout!(Yuvp1ChnrSenseGainPublicConfig, 6, vy 0, vu 1, vv 2, hy 3, hu 4, hv 5);

/// `yuvp1_chnr_iir_fir_public_config`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1ChnrIirFirPublicConfig {
    /// Fir 0h.
    pub fir_0h: u8,
    /// Fir 1h.
    pub fir_1h: u8,
    /// Fir 2h.
    pub fir_2h: u8,
    #[doc(hidden)]
    pub padding_3: [u8; 1],
    /// Iir min prev.
    pub iir_min_prev: u16,
}
layout!(Yuvp1ChnrIirFirPublicConfig, 6, fir_0h 0, fir_1h 1, fir_2h 2, iir_min_prev 4);

/// `public_cfg_units`, 144 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PublicCfgUnits {
    /// Cu 1.
    pub cu_1: Cux2,
    /// Cu ed.
    pub cu_ed: Cux6,
    /// Cu 3.
    pub cu_3: Cux2,
    /// Cu 5.
    pub cu_5: Cux2,
    /// Cu 6.
    pub cu_6: Cux4,
    /// Cu 7.
    pub cu_7: Cux2,
    /// Cu unsharp.
    pub cu_unsharp: Cux4,
    /// Cu radial.
    pub cu_radial: Cux6,
    /// Cu vssnlm.
    pub cu_vssnlm: Cux2,
}
layout!(PublicCfgUnits, 144, cu_1 0, cu_ed 8, cu_3 40, cu_5 48, cu_6 56, cu_7 76, cu_unsharp 84, cu_radial 104, cu_vssnlm 136);

/// `yuvp1_iefd_config_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1IefdConfigPublicConfig {
    /// Horver diag coeff.
    pub horver_diag_coeff: u8,
    /// Clamp stitch.
    pub clamp_stitch: u8,
    /// Direct metric update.
    pub direct_metric_update: u8,
    /// Ed horver diag coeff.
    pub ed_horver_diag_coeff: u8,
}
layout!(Yuvp1IefdConfigPublicConfig, 4, horver_diag_coeff 0, clamp_stitch 1, direct_metric_update 2, ed_horver_diag_coeff 3);

/// `yuvp1_iefd_control_public_config`, 5 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1IefdControlPublicConfig {
    /// Iefd en.
    pub iefd_en: u8,
    /// Iefd denoise en.
    pub iefd_denoise_en: u8,
    /// Iefd dir en.
    pub iefd_dir_en: u8,
    /// Iefd radial en.
    pub iefd_radial_en: u8,
    /// Iefd vssnlm en.
    pub iefd_vssnlm_en: u8,
}
layout!(Yuvp1IefdControlPublicConfig, 5, iefd_en 0, iefd_denoise_en 1, iefd_dir_en 2, iefd_radial_en 3, iefd_vssnlm_en 4);

/// `yuvp1_iefd_shrp_cfg_public_config`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1IefdShrpCfgPublicConfig {
    /// Cfg.
    pub cfg: SharpPublicConfig,
    /// Far w.
    pub far_w: FarWPublicConfig,
    #[doc(hidden)]
    pub padding_11: [u8; 1],
    /// Unshrp cfg.
    pub unshrp_cfg: UnsharpCfgPublicConfig,
}
layout!(Yuvp1IefdShrpCfgPublicConfig, 16, cfg 0, far_w 8, unshrp_cfg 12);

/// `yuvp1_iefd_unshrp_cfg_public_config`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1IefdUnshrpCfgPublicConfig {
    /// Unsharp coef0.
    pub unsharp_coef0: UnsharpCoef0PublicConfig,
    /// Unsharp coef1.
    pub unsharp_coef1: UnsharpCoef1PublicConfig,
}
layout!(Yuvp1IefdUnshrpCfgPublicConfig, 12, unsharp_coef0 0, unsharp_coef1 6);

/// `yuvp1_iefd_rad_cfg_public_config`, 28 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1IefdRadCfgPublicConfig {
    /// Reset.
    pub reset: RadialReset,
    /// Cfg.
    pub cfg: RadialCfgPublicConfig,
    /// Rad far w.
    pub rad_far_w: RadFarWPublicConfig,
    /// Cu cfg0.
    pub cu_cfg0: CuCfg0PublicConfig,
    #[doc(hidden)]
    pub padding_21: [u8; 1],
    /// Cu cfg1.
    pub cu_cfg1: CuCfg1PublicConfig,
    #[doc(hidden)]
    pub padding_26: [u8; 2],
}
layout!(Yuvp1IefdRadCfgPublicConfig, 28, reset 0, cfg 12, rad_far_w 14, cu_cfg0 17, cu_cfg1 22);

/// `yuvp1_iefd_vssnlm_cfg_public_config`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Yuvp1IefdVssnlmCfgPublicConfig {
    /// Vss lut x.
    pub vss_lut_x: VssLutXPublicConfig,
    /// Vss lut y.
    pub vss_lut_y: VssLutYPublicConfig,
}
layout!(Yuvp1IefdVssnlmCfgPublicConfig, 6, vss_lut_x 0, vss_lut_y 3);

/// `cux2`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Cux2 {
    /// Horizontal position.
    pub x: [i16; 2],
    /// A.
    pub a: [i16; 1],
    /// B.
    pub b: [i16; 1],
}
layout!(Cux2, 8, x 0, a 4, b 6);

/// `cux6`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Cux6 {
    /// Horizontal position.
    pub x: [i16; 6],
    /// A.
    pub a: [i16; 5],
    /// B.
    pub b: [i16; 5],
}
layout!(Cux6, 32, x 0, a 12, b 22);

/// `cux4`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Cux4 {
    /// Horizontal position.
    pub x: [i16; 4],
    /// A.
    pub a: [i16; 3],
    /// B.
    pub b: [i16; 3],
}
layout!(Cux4, 20, x 0, a 8, b 14);

/// `sharp_public_config`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct SharpPublicConfig {
    /// Nega lmt txt.
    pub nega_lmt_txt: u16,
    /// Posi lmt txt.
    pub posi_lmt_txt: u16,
    /// Nega lmt dir.
    pub nega_lmt_dir: u16,
    /// Posi lmt dir.
    pub posi_lmt_dir: u16,
}
layout!(SharpPublicConfig, 8, nega_lmt_txt 0, posi_lmt_txt 2, nega_lmt_dir 4, posi_lmt_dir 6);

/// `far_w_public_config`, 3 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FarWPublicConfig {
    /// Dir shrp.
    pub dir_shrp: u8,
    /// Dir dns.
    pub dir_dns: u8,
    /// Ndir dns powr.
    pub ndir_dns_powr: u8,
}
layout!(FarWPublicConfig, 3, dir_shrp 0, dir_dns 1, ndir_dns_powr 2);

/// `unsharp_cfg_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct UnsharpCfgPublicConfig {
    /// Unsharp weight.
    pub unsharp_weight: u8,
    #[doc(hidden)]
    pub padding_1: [u8; 1],
    /// Unsharp amount.
    pub unsharp_amount: u16,
}
layout!(UnsharpCfgPublicConfig, 4, unsharp_weight 0, unsharp_amount 2);

/// `unsharp_coef0_public_config`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct UnsharpCoef0PublicConfig {
    /// C00.
    pub c00: u16,
    /// C01.
    pub c01: u16,
    /// C02.
    pub c02: u16,
}
layout!(UnsharpCoef0PublicConfig, 6, c00 0, c01 2, c02 4);

/// `unsharp_coef1_public_config`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct UnsharpCoef1PublicConfig {
    /// C11.
    pub c11: u16,
    /// C12.
    pub c12: u16,
    /// C22.
    pub c22: u16,
}
layout!(UnsharpCoef1PublicConfig, 6, c11 0, c12 2, c22 4);

/// `radial_reset`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct RadialReset {
    /// Horizontal position.
    pub x: i16,
    /// Vertical position.
    pub y: i16,
    /// X2.
    pub x2: u32,
    /// Y2.
    pub y2: u32,
}
layout!(RadialReset, 12, x 0, y 2, x2 4, y2 8);

/// `radial_cfg_public_config`, 2 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct RadialCfgPublicConfig {
    /// Rad nf.
    pub rad_nf: u8,
    /// Rad inv r2.
    pub rad_inv_r2: u8,
}
layout!(RadialCfgPublicConfig, 2, rad_nf 0, rad_inv_r2 1);

/// `rad_far_w_public_config`, 3 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct RadFarWPublicConfig {
    /// Rad dir far sharp w.
    pub rad_dir_far_sharp_w: u8,
    /// Rad dir far dns w.
    pub rad_dir_far_dns_w: u8,
    /// Rad ndir far dns power.
    pub rad_ndir_far_dns_power: u8,
}
layout!(RadFarWPublicConfig, 3, rad_dir_far_sharp_w 0, rad_dir_far_dns_w 1, rad_ndir_far_dns_power 2);

/// `cu_cfg0_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CuCfg0PublicConfig {
    /// Cu6 pow.
    pub cu6_pow: u8,
    /// Cu unsharp pow.
    pub cu_unsharp_pow: u8,
    /// Rad cu6 pow.
    pub rad_cu6_pow: u8,
    /// Rad cu unsharp pow.
    pub rad_cu_unsharp_pow: u8,
}
layout!(CuCfg0PublicConfig, 4, cu6_pow 0, cu_unsharp_pow 1, rad_cu6_pow 2, rad_cu_unsharp_pow 3);

/// `cu_cfg1_public_config`, 4 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CuCfg1PublicConfig {
    /// Rad cu6 x1.
    pub rad_cu6_x1: u16,
    /// Rad cu unsharp x1.
    pub rad_cu_unsharp_x1: u16,
}
layout!(CuCfg1PublicConfig, 4, rad_cu6_x1 0, rad_cu_unsharp_x1 2);

/// `vss_lut_x_public_config`, 3 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct VssLutXPublicConfig {
    /// Vs x0.
    pub vs_x0: u8,
    /// Vs x1.
    pub vs_x1: u8,
    /// Vs x2.
    pub vs_x2: u8,
}
layout!(VssLutXPublicConfig, 3, vs_x0 0, vs_x1 1, vs_x2 2);

/// `vss_lut_y_public_config`, 3 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct VssLutYPublicConfig {
    /// Vs y1.
    pub vs_y1: u8,
    /// Vs y2.
    pub vs_y2: u8,
    /// Vs y3.
    pub vs_y3: u8,
}
layout!(VssLutYPublicConfig, 3, vs_y1 0, vs_y2 1, vs_y3 2);
