//! Parameters of the ISP blocks that measure: AWB, AE, AF, filter response of AWB.

bits! { "ipu3_uapi_grid_config, blocks", GridConfigBlocksWords, GridConfigBlocks, [u16; 1]:
    block_width_log2: u32 (0, 0, 3), block_height_log2: u32 (0, 3, 3),
    height_per_slice: u32 (0, 6, 8),
}

plain! { "ipu3_uapi_grid_config", GridConfig, 12:
    width: u8 = 0,
    height: u8 = 1,
    blocks: GridConfigBlocksWords = 2,
    x_start: u16 = 4,
    y_start: u16 = 6,
    x_end: u16 = 8,
    y_end: u16 = 10,
}

plain! { "ipu3_uapi_awb_config_s", AwbConfigS, 32:
    rgbs_thr_gr: u16 = 0,
    rgbs_thr_r: u16 = 2,
    rgbs_thr_gb: u16 = 4,
    rgbs_thr_b: u16 = 6,
    grid: GridConfig = 8,
    padding_20: [u8; 12] = 20,
}

plain! { "ipu3_uapi_awb_config", AwbConfig, 32:
    config: AwbConfigS = 0,
}

bits! { "ipu3_uapi_ae_grid_config, blocks", AeGridConfigBlocksWords, AeGridConfigBlocks, [u8; 2]:
    block_width_log2: u32 (0, 0, 4), block_height_log2: u32 (0, 4, 4), ae_en: u32 (1, 5, 1),
    rst_hist_array: u32 (1, 6, 1), done_rst_hist_array: u32 (1, 7, 1),
}

plain! { "ipu3_uapi_ae_grid_config", AeGridConfig, 12:
    width: u8 = 0,
    height: u8 = 1,
    blocks: AeGridConfigBlocksWords = 2,
    x_start: u16 = 4,
    y_start: u16 = 6,
    x_end: u16 = 8,
    y_end: u16 = 10,
}

bits! { "ipu3_uapi_ae_weight_elem", AeWeightElemWords, AeWeightElem, [u32; 1]:
    cell0: u32 (0, 0, 4), cell1: u32 (0, 4, 4), cell2: u32 (0, 8, 4), cell3: u32 (0, 12, 4),
    cell4: u32 (0, 16, 4), cell5: u32 (0, 20, 4), cell6: u32 (0, 24, 4), cell7: u32 (0, 28, 4),
}

plain! { "ipu3_uapi_ae_ccm", AeCcm, 40:
    gain_gr: u16 = 0,
    gain_r: u16 = 2,
    gain_b: u16 = 4,
    gain_gb: u16 = 6,
    mat: [i16; 16] = 8,
}

plain! { "ipu3_uapi_ae_config", AeConfig, 480:
    grid_cfg: AeGridConfig = 0,
    padding_12: [u8; 20] = 12,
    weights: [AeWeightElemWords; 96] = 32,
    ae_ccm: AeCcm = 416,
    padding_456: [u8; 24] = 456,
}

bits! { "ipu3_uapi_af_filter_config, nf", AfFilterConfigNfWords, AfFilterConfigNf, [u32; 1]:
    y1_nf: u32 (0, 8, 4), y2_nf: u32 (0, 16, 4),
}

plain! { "ipu3_uapi_af_filter_config", AfFilterConfig, 40:
    y1_coeffs: [u8; 12] = 0,
    y1_sign_vec: u32 = 12,
    y2_coeffs: [u8; 12] = 16,
    y2_sign_vec: u32 = 28,
    y_gen_rate: [u8; 4] = 32,
    nf: AfFilterConfigNfWords = 36,
}

plain! { "ipu3_uapi_af_config_s", AfConfigS, 96:
    filter_config: AfFilterConfig = 0,
    padding: [u8; 4] = 40,
    padding_44: [u8; 20] = 44,
    grid_cfg: GridConfig = 64,
    padding_76: [u8; 20] = 76,
}

plain! { "ipu3_uapi_awb_fr_config_s", AwbFrConfigS, 32:
    grid_cfg: GridConfig = 0,
    bayer_coeff: [u8; 6] = 12,
    reserved1: u16 = 18,
    bayer_sign: u32 = 20,
    bayer_nf: u8 = 24,
    reserved2: [u8; 7] = 25,
}
