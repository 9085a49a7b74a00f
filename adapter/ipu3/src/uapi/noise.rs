//! Parameters of the ISP blocks of adaptive, temporal and chroma noise reduction.

plain! { "ipu3_uapi_anr_alpha", AnrAlpha, 16:
    gr: u16 = 0,
    r: u16 = 2,
    b: u16 = 4,
    gb: u16 = 6,
    dc_gr: u16 = 8,
    dc_r: u16 = 10,
    dc_b: u16 = 12,
    dc_gb: u16 = 14,
}

plain! { "ipu3_uapi_anr_beta", AnrBeta, 8:
    beta_gr: u16 = 0,
    beta_r: u16 = 2,
    beta_b: u16 = 4,
    beta_gb: u16 = 6,
}

plain! { "ipu3_uapi_anr_plane_color", AnrPlaneColor, 128:
    reg_w_gr: [u16; 16] = 0,
    reg_w_r: [u16; 16] = 32,
    reg_w_b: [u16; 16] = 64,
    reg_w_gb: [u16; 16] = 96,
}

bits! { "ipu3_uapi_anr_transform_config, control",
    AnrTransformConfigControlWords, AnrTransformConfigControl, [u32; 1]:
    enable: u32 (0, 0, 1), adaptive_treshhold_en: u32 (0, 1, 1),
}

bits! { "ipu3_uapi_anr_transform_config, centre",
    AnrTransformConfigCentreWords, AnrTransformConfigCentre, [u16; 2]:
    xreset: i32 (0, 0, 13), yreset: i32 (1, 0, 13),
}

bits! { "ipu3_uapi_anr_transform_config, squares",
    AnrTransformConfigSquaresWords, AnrTransformConfigSquares, [u32; 2]:
    x_sqr_reset: u32 (0, 0, 24), r_normfactor: u32 (0, 24, 5), y_sqr_reset: u32 (1, 0, 24),
    gain_scale: u32 (1, 24, 8),
}

plain! { "ipu3_uapi_anr_transform_config", AnrTransformConfig, 568:
    control: AnrTransformConfigControlWords = 0,
    reserved2: [u8; 44] = 4,
    alpha: [AnrAlpha; 3] = 48,
    beta: [AnrBeta; 3] = 96,
    color: [AnrPlaneColor; 3] = 120,
    sqrt_lut: [u16; 26] = 504,
    centre: AnrTransformConfigCentreWords = 556,
    squares: AnrTransformConfigSquaresWords = 560,
}

bits! { "ipu3_uapi_anr_stitch_pyramid", AnrStitchPyramidWords, AnrStitchPyramid, [u32; 1]:
    entry0: u32 (0, 0, 6), entry1: u32 (0, 6, 6), entry2: u32 (0, 12, 6),
}

plain! { "ipu3_uapi_anr_stitch_config", AnrStitchConfig, 136:
    anr_stitch_en: u32 = 0,
    reserved: [u8; 44] = 4,
    pyramid: [AnrStitchPyramidWords; 22] = 48,
}

plain! { "ipu3_uapi_anr_config", AnrConfig, 736:
    transform: AnrTransformConfig = 0,
    padding_568: [u8; 8] = 568,
    stitch: AnrStitchConfig = 576,
    padding_712: [u8; 24] = 712,
}

plain! { "ipu3_uapi_isp_tnr3_vmem_params", IspTnr3VmemParams, 256:
    slope: [u16; 9] = 0,
    reserved1: [u16; 55] = 18,
    sigma: [u16; 9] = 128,
    reserved2: [u16; 55] = 146,
}

plain! { "ipu3_uapi_isp_tnr3_params", IspTnr3Params, 36:
    knee_y1: u32 = 0,
    knee_y2: u32 = 4,
    maxfb_y: u32 = 8,
    maxfb_u: u32 = 12,
    maxfb_v: u32 = 16,
    round_adj_y: u32 = 20,
    round_adj_u: u32 = 24,
    round_adj_v: u32 = 28,
    ref_buf_select: u32 = 32,
}

plain! { "ipu3_uapi_isp_xnr3_vmem_params", IspXnr3VmemParams, 512:
    x: [u16; 64] = 0,
    a: [u16; 64] = 128,
    b: [u16; 64] = 256,
    c: [u16; 64] = 384,
}

plain! { "ipu3_uapi_xnr3_alpha_params", Xnr3AlphaParams, 24:
    y0: u32 = 0,
    u0: u32 = 4,
    v0: u32 = 8,
    ydiff: u32 = 12,
    udiff: u32 = 16,
    vdiff: u32 = 20,
}

plain! { "ipu3_uapi_xnr3_coring_params", Xnr3CoringParams, 16:
    u0: u32 = 0,
    v0: u32 = 4,
    udiff: u32 = 8,
    vdiff: u32 = 12,
}

plain! { "ipu3_uapi_xnr3_blending_params", Xnr3BlendingParams, 4:
    strength: u32 = 0,
}

plain! { "ipu3_uapi_isp_xnr3_params", IspXnr3Params, 44:
    alpha: Xnr3AlphaParams = 0,
    coring: Xnr3CoringParams = 24,
    blending: Xnr3BlendingParams = 40,
}
