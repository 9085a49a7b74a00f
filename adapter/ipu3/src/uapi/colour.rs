//! Parameters of the ISP blocks on colour: matrices, gamma, scaling of chroma and luma, total colour
//! correction.

plain! { "ipu3_uapi_ccm_mat_config", CcmMatConfig, 24:
    coeff_m11: i16 = 0,
    coeff_m12: i16 = 2,
    coeff_m13: i16 = 4,
    coeff_o_r: i16 = 6,
    coeff_m21: i16 = 8,
    coeff_m22: i16 = 10,
    coeff_m23: i16 = 12,
    coeff_o_g: i16 = 14,
    coeff_m31: i16 = 16,
    coeff_m32: i16 = 18,
    coeff_m33: i16 = 20,
    coeff_o_b: i16 = 22,
}

bits! { "ipu3_uapi_gamma_corr_ctrl", GammaCorrCtrlWords, GammaCorrCtrl, [u32; 1]:
    enable: u32 (0, 0, 1),
}

plain! { "ipu3_uapi_gamma_corr_lut", GammaCorrLut, 512:
    lut: [u16; 256] = 0,
}

plain! { "ipu3_uapi_gamma_config", GammaConfig, 544:
    gc_ctrl: GammaCorrCtrlWords = 0,
    padding_4: [u8; 28] = 4,
    gc_lut: GammaCorrLut = 32,
}

plain! { "ipu3_uapi_csc_mat_config", CscMatConfig, 24:
    coeff_c11: i16 = 0,
    coeff_c12: i16 = 2,
    coeff_c13: i16 = 4,
    coeff_b1: i16 = 6,
    coeff_c21: i16 = 8,
    coeff_c22: i16 = 10,
    coeff_c23: i16 = 12,
    coeff_b2: i16 = 14,
    coeff_c31: i16 = 16,
    coeff_c32: i16 = 18,
    coeff_c33: i16 = 20,
    coeff_b3: i16 = 22,
}

bits! { "ipu3_uapi_cds_params", CdsParamsWords, CdsParams, [u32; 1]:
    ds_c00: u32 (0, 0, 2), ds_c01: u32 (0, 2, 2), ds_c02: u32 (0, 4, 2), ds_c03: u32 (0, 6, 2),
    ds_c10: u32 (0, 8, 2), ds_c11: u32 (0, 10, 2), ds_c12: u32 (0, 12, 2), ds_c13: u32 (0, 14, 2),
    ds_nf: u32 (0, 16, 5), csc_en: u32 (0, 24, 1), uv_bin_output: u32 (0, 25, 1),
}

bits! { "ipu3_uapi_yuvp1_yds_config", Yuvp1YdsConfigWords, Yuvp1YdsConfig, [u32; 1]:
    c00: u32 (0, 0, 2), c01: u32 (0, 2, 2), c02: u32 (0, 4, 2), c03: u32 (0, 6, 2),
    c10: u32 (0, 8, 2), c11: u32 (0, 10, 2), c12: u32 (0, 12, 2), c13: u32 (0, 14, 2),
    norm_factor: u32 (0, 16, 5), bin_output: u32 (0, 25, 1),
}

bits! { "ipu3_uapi_yuvp2_tcc_gen_control_static_config",
    Yuvp2TccGenControlStaticConfigWords, Yuvp2TccGenControlStaticConfig, [u32; 1]:
    en: u32 (0, 0, 1), blend_shift: u32 (0, 1, 3), gain_according_to_y_only: u32 (0, 4, 1),
    gamma: i32 (0, 16, 5), delta: i32 (0, 24, 5),
}

bits! { "ipu3_uapi_yuvp2_tcc_macc_elem_static_config",
    Yuvp2TccMaccElemStaticConfigWords, Yuvp2TccMaccElemStaticConfig, [u32; 2]:
    a: i32 (0, 0, 12), b: i32 (0, 16, 12), c: i32 (1, 0, 12), d: i32 (1, 16, 12),
}

plain! { "ipu3_uapi_yuvp2_tcc_macc_table_static_config", Yuvp2TccMaccTableStaticConfig, 128:
    entries: [Yuvp2TccMaccElemStaticConfigWords; 16] = 0,
}

plain! { "ipu3_uapi_yuvp2_tcc_inv_y_lut_static_config", Yuvp2TccInvYLutStaticConfig, 28:
    entries: [u16; 14] = 0,
}

plain! { "ipu3_uapi_yuvp2_tcc_gain_pcwl_lut_static_config", Yuvp2TccGainPcwlLutStaticConfig, 516:
    entries: [u16; 258] = 0,
}

plain! { "ipu3_uapi_yuvp2_tcc_r_sqr_lut_static_config", Yuvp2TccRSqrLutStaticConfig, 48:
    entries: [i16; 24] = 0,
}

plain! { "ipu3_uapi_yuvp2_tcc_static_config", Yuvp2TccStaticConfig, 724:
    gen_control: Yuvp2TccGenControlStaticConfigWords = 0,
    macc_table: Yuvp2TccMaccTableStaticConfig = 4,
    inv_y_lut: Yuvp2TccInvYLutStaticConfig = 132,
    gain_pcwl: Yuvp2TccGainPcwlLutStaticConfig = 160,
    r_sqr_lut: Yuvp2TccRSqrLutStaticConfig = 676,
}
