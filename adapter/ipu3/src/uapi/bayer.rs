//! Parameters of the ISP blocks on raw pixels: noise reduction, green disparity, demosaic, shading,
//! linearisation, black level.

plain! { "ipu3_uapi_bnr_static_config_wb_gains_config", BnrStaticConfigWbGainsConfig, 8:
    gr: u16 = 0,
    r: u16 = 2,
    b: u16 = 4,
    gb: u16 = 6,
}

plain! { "ipu3_uapi_bnr_static_config_wb_gains_thr_config", BnrStaticConfigWbGainsThrConfig, 4:
    gr: u8 = 0,
    r: u8 = 1,
    b: u8 = 2,
    gb: u8 = 3,
}

bits! { "ipu3_uapi_bnr_static_config_thr_coeffs_config",
    BnrStaticConfigThrCoeffsConfigWords, BnrStaticConfigThrCoeffsConfig, [u32; 1]:
    cf: u32 (0, 0, 13), cg: u32 (0, 16, 5), ci: u32 (0, 21, 5), r_nf: u32 (0, 27, 5),
}

plain! { "ipu3_uapi_bnr_static_config_thr_ctrl_shd_config", BnrStaticConfigThrCtrlShdConfig, 4:
    gr: u8 = 0,
    r: u8 = 1,
    b: u8 = 2,
    gb: u8 = 3,
}

bits! { "ipu3_uapi_bnr_static_config_opt_center_config",
    BnrStaticConfigOptCenterConfigWords, BnrStaticConfigOptCenterConfig, [u32; 1]:
    x_reset: i32 (0, 0, 13), y_reset: i32 (0, 16, 13),
}

plain! { "ipu3_uapi_bnr_static_config_lut_config", BnrStaticConfigLutConfig, 32:
    values: [u8; 32] = 0,
}

bits! { "ipu3_uapi_bnr_static_config_bp_ctrl_config",
    BnrStaticConfigBpCtrlConfigWords, BnrStaticConfigBpCtrlConfig, [u32; 2]:
    bp_thr_gain: u32 (0, 0, 5), defect_mode: u32 (0, 7, 1), bp_gain: u32 (0, 8, 6),
    w0_coeff: u32 (1, 0, 4), w1_coeff: u32 (1, 8, 4),
}

bits! { "ipu3_uapi_bnr_static_config_dn_detect_ctrl_config",
    BnrStaticConfigDnDetectCtrlConfigWords, BnrStaticConfigDnDetectCtrlConfig, [u32; 1]:
    alpha: u32 (0, 0, 4), beta: u32 (0, 4, 4), gamma: u32 (0, 8, 4), max_inf: u32 (0, 16, 4),
    gd_enable: u32 (0, 27, 1), bpc_enable: u32 (0, 28, 1), bnr_enable: u32 (0, 29, 1),
    ff_enable: u32 (0, 30, 1),
}

plain! { "ipu3_uapi_bnr_static_config_opt_center_sqr_config", BnrStaticConfigOptCenterSqrConfig, 8:
    x_sqr_reset: u32 = 0,
    y_sqr_reset: u32 = 4,
}

plain! { "ipu3_uapi_bnr_static_config", BnrStaticConfig, 80:
    wb_gains: BnrStaticConfigWbGainsConfig = 0,
    wb_gains_thr: BnrStaticConfigWbGainsThrConfig = 8,
    thr_coeffs: BnrStaticConfigThrCoeffsConfigWords = 12,
    thr_ctrl_shd: BnrStaticConfigThrCtrlShdConfig = 16,
    opt_center: BnrStaticConfigOptCenterConfigWords = 20,
    lut: BnrStaticConfigLutConfig = 24,
    bp_ctrl: BnrStaticConfigBpCtrlConfigWords = 56,
    dn_detect_ctrl: BnrStaticConfigDnDetectCtrlConfigWords = 64,
    column_size: u32 = 68,
    opt_center_sqr: BnrStaticConfigOptCenterSqrConfig = 72,
}

bits! { "ipu3_uapi_bnr_static_config_green_disparity",
    BnrStaticConfigGreenDisparityWords, BnrStaticConfigGreenDisparity, [u32; 2]:
    gd_red: u32 (0, 0, 6), gd_green: u32 (0, 8, 6), gd_blue: u32 (0, 16, 6),
    gd_black: u32 (1, 0, 14), gd_shading: u32 (1, 16, 7), gd_support: u32 (1, 24, 2),
    gd_clip: u32 (1, 27, 1), gd_central_weight: u32 (1, 28, 4),
}

bits! { "ipu3_uapi_dm_config", DmConfigWords, DmConfig, [u32; 3]:
    dm_en: u32 (0, 0, 1), ch_ar_en: u32 (0, 1, 1), fcc_en: u32 (0, 2, 1),
    frame_width: u32 (0, 16, 16), gamma_sc: u32 (1, 0, 5), lc_ctrl: u32 (1, 8, 5),
    cr_param1: u32 (1, 16, 5), cr_param2: u32 (1, 24, 5), coring_param: u32 (2, 0, 5),
}

bits! { "ipu3_uapi_shd_grid_config, blocks", ShdGridConfigBlocksWords, ShdGridConfigBlocks, [u8; 1]:
    block_width_log2: u32 (0, 0, 3), block_height_log2: u32 (0, 4, 3),
}

plain! { "ipu3_uapi_shd_grid_config", ShdGridConfig, 8:
    width: u8 = 0,
    height: u8 = 1,
    blocks: ShdGridConfigBlocksWords = 2,
    grid_height_per_slice: u8 = 3,
    x_start: i16 = 4,
    y_start: i16 = 6,
}

bits! { "ipu3_uapi_shd_general_config", ShdGeneralConfigWords, ShdGeneralConfig, [u32; 1]:
    init_set_vrt_offst_ul: u32 (0, 0, 8), shd_enable: u32 (0, 8, 1), gain_factor: u32 (0, 9, 2),
}

plain! { "ipu3_uapi_shd_black_level_config", ShdBlackLevelConfig, 8:
    bl_r: i16 = 0,
    bl_gr: i16 = 2,
    bl_gb: i16 = 4,
    bl_b: i16 = 6,
}

plain! { "ipu3_uapi_shd_config_static", ShdConfigStatic, 20:
    grid: ShdGridConfig = 0,
    general: ShdGeneralConfigWords = 8,
    black_level: ShdBlackLevelConfig = 12,
}

plain! { "ipu3_uapi_shd_lut, r_and_gr", ShdRedGreen, 4:
    r: u16 = 0,
    gr: u16 = 2,
}

plain! { "ipu3_uapi_shd_lut, gb_and_b", ShdGreenBlue, 4:
    gb: u16 = 0,
    b: u16 = 2,
}

plain! { "ipu3_uapi_shd_lut, sets", ShdSet, 1216:
    r_and_gr: [ShdRedGreen; 146] = 0,
    reserved1: [u8; 24] = 584,
    gb_and_b: [ShdGreenBlue; 146] = 608,
    reserved2: [u8; 24] = 1192,
}

plain! { "ipu3_uapi_shd_lut", ShdLut, 34048:
    sets: [ShdSet; 28] = 0,
}

plain! { "ipu3_uapi_shd_config", ShdConfig, 34080:
    shd: ShdConfigStatic = 0,
    padding_20: [u8; 12] = 20,
    shd_lut: ShdLut = 32,
}

plain! { "ipu3_uapi_isp_lin_vmem_params", IspLinVmemParams, 1024:
    lin_lutlow_gr: [i16; 64] = 0,
    lin_lutlow_r: [i16; 64] = 128,
    lin_lutlow_b: [i16; 64] = 256,
    lin_lutlow_gb: [i16; 64] = 384,
    lin_lutdif_gr: [i16; 64] = 512,
    lin_lutdif_r: [i16; 64] = 640,
    lin_lutdif_b: [i16; 64] = 768,
    lin_lutdif_gb: [i16; 64] = 896,
}

plain! { "ipu3_uapi_obgrid_param", ObgridParam, 8:
    gr: u16 = 0,
    r: u16 = 2,
    b: u16 = 4,
    gb: u16 = 6,
}
