//! Parameters of the ISP blocks on luma and chroma: sharpening, chroma noise reduction, edge
//! enhancement.

bits! { "ipu3_uapi_iefd_cux2", IefdCux2Words, IefdCux2, [u32; 1]:
    x0: u32 (0, 0, 9), x1: u32 (0, 9, 9), a01: u32 (0, 18, 9), b01: u32 (0, 27, 5),
}

bits! { "ipu3_uapi_iefd_cux6_ed", IefdCux6EdWords, IefdCux6Ed, [u32; 6]:
    x0: u32 (0, 0, 9), x1: u32 (0, 9, 9), x2: u32 (0, 18, 9), x3: u32 (1, 0, 9),
    x4: u32 (1, 9, 9), x5: u32 (1, 18, 9), a01: u32 (2, 0, 9), a12: u32 (2, 9, 9),
    a23: u32 (2, 18, 9), a34: u32 (3, 0, 9), a45: u32 (3, 9, 9), b01: u32 (4, 0, 9),
    b12: u32 (4, 9, 9), b23: u32 (4, 18, 9), b34: u32 (5, 0, 9), b45: u32 (5, 9, 9),
}

bits! { "ipu3_uapi_iefd_cux2_1", IefdCux21Words, IefdCux21, [u32; 2]:
    x0: u32 (0, 0, 9), x1: u32 (0, 9, 9), a01: u32 (0, 18, 9), b01: u32 (1, 0, 8),
}

bits! { "ipu3_uapi_iefd_cux4", IefdCux4Words, IefdCux4, [u32; 4]:
    x0: u32 (0, 0, 9), x1: u32 (0, 9, 9), x2: u32 (0, 18, 9), x3: u32 (1, 0, 9),
    a01: u32 (1, 9, 9), a12: u32 (1, 18, 9), a23: u32 (2, 0, 9), b01: u32 (2, 9, 8),
    b12: u32 (2, 17, 8), b23: u32 (3, 0, 8),
}

bits! { "ipu3_uapi_iefd_cux6_rad", IefdCux6RadWords, IefdCux6Rad, [u32; 7]:
    x0: u32 (0, 0, 8), x1: u32 (0, 8, 8), x2: u32 (0, 16, 8), x3: u32 (0, 24, 8),
    x4: u32 (1, 0, 8), x5: u32 (1, 8, 8), a01: u32 (2, 0, 16), a12: u32 (2, 16, 16),
    a23: u32 (3, 0, 16), a34: u32 (3, 16, 16), a45: u32 (4, 0, 16), b01: u32 (5, 0, 10),
    b12: u32 (5, 10, 10), b23: u32 (5, 20, 10), b34: u32 (6, 0, 10), b45: u32 (6, 10, 10),
}

plain! { "ipu3_uapi_yuvp1_iefd_cfg_units", Yuvp1IefdCfgUnits, 108:
    cu_1: IefdCux2Words = 0,
    cu_ed: IefdCux6EdWords = 4,
    cu_3: IefdCux2Words = 28,
    cu_5: IefdCux21Words = 32,
    cu_6: IefdCux4Words = 40,
    cu_7: IefdCux2Words = 56,
    cu_unsharp: IefdCux4Words = 60,
    cu_radial: IefdCux6RadWords = 76,
    cu_vssnlm: IefdCux2Words = 104,
}

bits! { "ipu3_uapi_yuvp1_iefd_config_s", Yuvp1IefdConfigSWords, Yuvp1IefdConfigS, [u32; 1]:
    horver_diag_coeff: u32 (0, 0, 7), clamp_stitch: u32 (0, 8, 6),
    direct_metric_update: u32 (0, 16, 5), ed_horver_diag_coeff: u32 (0, 24, 7),
}

bits! { "ipu3_uapi_yuvp1_iefd_control", Yuvp1IefdControlWords, Yuvp1IefdControl, [u32; 1]:
    iefd_en: u32 (0, 0, 1), denoise_en: u32 (0, 1, 1), direct_smooth_en: u32 (0, 2, 1),
    rad_en: u32 (0, 3, 1), vssnlm_en: u32 (0, 4, 1),
}

bits! { "ipu3_uapi_sharp_cfg", SharpCfgWords, SharpCfg, [u32; 4]:
    nega_lmt_txt: u32 (0, 0, 13), posi_lmt_txt: u32 (1, 0, 13), nega_lmt_dir: u32 (2, 0, 13),
    posi_lmt_dir: u32 (3, 0, 13),
}

bits! { "ipu3_uapi_far_w", FarWWords, FarW, [u32; 1]:
    dir_shrp: u32 (0, 0, 7), dir_dns: u32 (0, 8, 7), ndir_dns_powr: u32 (0, 16, 7),
}

bits! { "ipu3_uapi_unsharp_cfg", UnsharpCfgWords, UnsharpCfg, [u32; 1]:
    unsharp_weight: u32 (0, 0, 7), unsharp_amount: u32 (0, 8, 9),
}

plain! { "ipu3_uapi_yuvp1_iefd_shrp_cfg", Yuvp1IefdShrpCfg, 24:
    cfg: SharpCfgWords = 0,
    far_w: FarWWords = 16,
    unshrp_cfg: UnsharpCfgWords = 20,
}

bits! { "ipu3_uapi_unsharp_coef0", UnsharpCoef0Words, UnsharpCoef0, [u32; 1]:
    c00: u32 (0, 0, 9), c01: u32 (0, 9, 9), c02: u32 (0, 18, 9),
}

bits! { "ipu3_uapi_unsharp_coef1", UnsharpCoef1Words, UnsharpCoef1, [u32; 1]:
    c11: u32 (0, 0, 9), c12: u32 (0, 9, 9), c22: u32 (0, 18, 9),
}

plain! { "ipu3_uapi_yuvp1_iefd_unshrp_cfg", Yuvp1IefdUnshrpCfg, 8:
    unsharp_coef0: UnsharpCoef0Words = 0,
    unsharp_coef1: UnsharpCoef1Words = 4,
}

bits! { "ipu3_uapi_radial_reset_xy", RadialResetXyWords, RadialResetXy, [u32; 1]:
    x: i32 (0, 0, 13), y: i32 (0, 16, 13),
}

bits! { "ipu3_uapi_radial_reset_x2", RadialResetX2Words, RadialResetX2, [u32; 1]:
    x2: u32 (0, 0, 24),
}

bits! { "ipu3_uapi_radial_reset_y2", RadialResetY2Words, RadialResetY2, [u32; 1]:
    y2: u32 (0, 0, 24),
}

bits! { "ipu3_uapi_radial_cfg", RadialCfgWords, RadialCfg, [u32; 1]:
    rad_nf: u32 (0, 0, 4), rad_inv_r2: u32 (0, 8, 7),
}

bits! { "ipu3_uapi_rad_far_w", RadFarWWords, RadFarW, [u32; 1]:
    rad_dir_far_sharp_w: u32 (0, 0, 8), rad_dir_far_dns_w: u32 (0, 8, 8),
    rad_ndir_far_dns_power: u32 (0, 16, 8),
}

bits! { "ipu3_uapi_cu_cfg0", CuCfg0Words, CuCfg0, [u32; 1]:
    cu6_pow: u32 (0, 0, 7), cu_unsharp_pow: u32 (0, 8, 7), rad_cu6_pow: u32 (0, 16, 7),
    rad_cu_unsharp_pow: u32 (0, 24, 6),
}

bits! { "ipu3_uapi_cu_cfg1", CuCfg1Words, CuCfg1, [u32; 1]:
    rad_cu6_x1: u32 (0, 0, 9), rad_cu_unsharp_x1: u32 (0, 10, 9),
}

plain! { "ipu3_uapi_yuvp1_iefd_rad_cfg", Yuvp1IefdRadCfg, 28:
    reset_xy: RadialResetXyWords = 0,
    reset_x2: RadialResetX2Words = 4,
    reset_y2: RadialResetY2Words = 8,
    cfg: RadialCfgWords = 12,
    rad_far_w: RadFarWWords = 16,
    cu_cfg0: CuCfg0Words = 20,
    cu_cfg1: CuCfg1Words = 24,
}

bits! { "ipu3_uapi_vss_lut_x", VssLutXWords, VssLutX, [u32; 1]:
    vs_x0: u32 (0, 0, 8), vs_x1: u32 (0, 8, 8), vs_x2: u32 (0, 16, 8),
}

bits! { "ipu3_uapi_vss_lut_y", VssLutYWords, VssLutY, [u32; 1]:
    vs_y1: u32 (0, 0, 4), vs_y2: u32 (0, 8, 4), vs_y3: u32 (0, 16, 4),
}

plain! { "ipu3_uapi_yuvp1_iefd_vssnlm_cfg", Yuvp1IefdVssnlmCfg, 8:
    vss_lut_x: VssLutXWords = 0,
    vss_lut_y: VssLutYWords = 4,
}

plain! { "ipu3_uapi_yuvp1_iefd_config", Yuvp1IefdConfig, 184:
    units: Yuvp1IefdCfgUnits = 0,
    config: Yuvp1IefdConfigSWords = 108,
    control: Yuvp1IefdControlWords = 112,
    sharp: Yuvp1IefdShrpCfg = 116,
    unsharp: Yuvp1IefdUnshrpCfg = 140,
    rad: Yuvp1IefdRadCfg = 148,
    vsslnm: Yuvp1IefdVssnlmCfg = 176,
}

bits! { "ipu3_uapi_yuvp1_chnr_enable_config",
    Yuvp1ChnrEnableConfigWords, Yuvp1ChnrEnableConfig, [u32; 1]:
    enable: u32 (0, 0, 1), yuv_mode: u32 (0, 1, 1), col_size: u32 (0, 16, 12),
}

bits! { "ipu3_uapi_yuvp1_chnr_coring_config",
    Yuvp1ChnrCoringConfigWords, Yuvp1ChnrCoringConfig, [u32; 1]:
    u: u32 (0, 0, 13), v: u32 (0, 16, 13),
}

bits! { "ipu3_uapi_yuvp1_chnr_sense_gain_config",
    Yuvp1ChnrSenseGainConfigWords, Yuvp1ChnrSenseGainConfig, [u32; 2]:
    vy: u32 (0, 0, 8), vu: u32 (0, 8, 8), vv: u32 (0, 16, 8), hy: u32 (1, 0, 8),
    hu: u32 (1, 8, 8), hv: u32 (1, 16, 8),
}

bits! { "ipu3_uapi_yuvp1_chnr_iir_fir_config",
    Yuvp1ChnrIirFirConfigWords, Yuvp1ChnrIirFirConfig, [u32; 1]:
    fir_0h: u32 (0, 0, 6), fir_1h: u32 (0, 8, 6), fir_2h: u32 (0, 16, 6),
    dalpha_clip_val: u32 (0, 22, 9),
}

plain! { "ipu3_uapi_yuvp1_chnr_config", Yuvp1ChnrConfig, 20:
    enable: Yuvp1ChnrEnableConfigWords = 0,
    coring: Yuvp1ChnrCoringConfigWords = 4,
    sense_gain: Yuvp1ChnrSenseGainConfigWords = 8,
    iir_fir: Yuvp1ChnrIirFirConfigWords = 16,
}

bits! { "ipu3_uapi_yuvp1_y_ee_nr_lpf_config",
    Yuvp1YEeNrLpfConfigWords, Yuvp1YEeNrLpfConfig, [u32; 1]:
    a_diag: u32 (0, 0, 5), a_periph: u32 (0, 8, 5), a_cent: u32 (0, 16, 5),
    enable: u32 (0, 30, 1),
}

bits! { "ipu3_uapi_yuvp1_y_ee_nr_sense_config",
    Yuvp1YEeNrSenseConfigWords, Yuvp1YEeNrSenseConfig, [u32; 2]:
    edge_sense_0: u32 (0, 0, 13), delta_edge_sense: u32 (0, 16, 13),
    corner_sense_0: u32 (1, 0, 13), delta_corner_sense: u32 (1, 16, 13),
}

bits! { "ipu3_uapi_yuvp1_y_ee_nr_gain_config",
    Yuvp1YEeNrGainConfigWords, Yuvp1YEeNrGainConfig, [u32; 1]:
    gain_pos_0: u32 (0, 0, 5), delta_gain_posi: u32 (0, 8, 5), gain_neg_0: u32 (0, 16, 5),
    delta_gain_neg: u32 (0, 24, 5),
}

bits! { "ipu3_uapi_yuvp1_y_ee_nr_clip_config",
    Yuvp1YEeNrClipConfigWords, Yuvp1YEeNrClipConfig, [u32; 1]:
    clip_pos_0: u32 (0, 0, 5), delta_clip_posi: u32 (0, 8, 5), clip_neg_0: u32 (0, 16, 5),
    delta_clip_neg: u32 (0, 24, 5),
}

bits! { "ipu3_uapi_yuvp1_y_ee_nr_frng_config",
    Yuvp1YEeNrFrngConfigWords, Yuvp1YEeNrFrngConfig, [u32; 2]:
    gain_exp: u32 (0, 0, 4), min_edge: u32 (1, 0, 13), lin_seg_param: u32 (1, 16, 4),
    t1: u32 (1, 24, 1), t2: u32 (1, 25, 1),
}

bits! { "ipu3_uapi_yuvp1_y_ee_nr_diag_config",
    Yuvp1YEeNrDiagConfigWords, Yuvp1YEeNrDiagConfig, [u32; 1]:
    diag_disc_g: u32 (0, 0, 4), hvw_hor: u32 (0, 8, 4), dw_hor: u32 (0, 12, 4),
    hvw_diag: u32 (0, 16, 4), dw_diag: u32 (0, 20, 4),
}

bits! { "ipu3_uapi_yuvp1_y_ee_nr_fc_coring_config",
    Yuvp1YEeNrFcCoringConfigWords, Yuvp1YEeNrFcCoringConfig, [u32; 2]:
    pos_0: u32 (0, 0, 13), pos_delta: u32 (0, 16, 13), neg_0: u32 (1, 0, 13),
    neg_delta: u32 (1, 16, 13),
}

plain! { "ipu3_uapi_yuvp1_y_ee_nr_config", Yuvp1YEeNrConfig, 40:
    lpf: Yuvp1YEeNrLpfConfigWords = 0,
    sense: Yuvp1YEeNrSenseConfigWords = 4,
    gain: Yuvp1YEeNrGainConfigWords = 12,
    clip: Yuvp1YEeNrClipConfigWords = 16,
    frng: Yuvp1YEeNrFrngConfigWords = 20,
    diag: Yuvp1YEeNrDiagConfigWords = 28,
    fc_coring: Yuvp1YEeNrFcCoringConfigWords = 32,
}
