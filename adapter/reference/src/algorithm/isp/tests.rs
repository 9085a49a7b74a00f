//! An encoder accepts what comes out, whatever went in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects of its own set-up"
)]

use cami_ipu3::payload::{AicConfig, IPU3AICRuntimeParamsData};
use cami_ipu3::{bytes_of_mut, zeroed_box};

use super::aic_config;

/// Asserts that every value that the encoder writes fits its register: bits of
/// `ipu3_uapi_params` (kernel, `intel-ipu3.h`).
fn assert_fits(c: &AicConfig) {
    let bits = |name: &str, value: i64, bits: u32| {
        assert!((0..1 << bits).contains(&value), "{name} {value} has more than {bits} bits");
    };
    let signed = |name: &str, value: i64, bits: u32| {
        assert!((-(1 << (bits - 1))..1 << (bits - 1)).contains(&value), "{name} {value}, s{bits}");
    };
    let lin = &c.lin_2500_config;
    for curve in [&lin.curve_lut_gr, &lin.curve_lut_r, &lin.curve_lut_b, &lin.curve_lut_gb] {
        assert!(curve.iter().all(|value| (0..=2047).contains(value)));
        assert!(curve.windows(2).all(|pair| pair[0] <= pair[1]), "linearisation falls");
    }
    let ob = &c.obgrid_2500_config;
    assert!(ob.tile_size > 0 && ob.table_width >= 1 && ob.table_height >= 1);
    assert!(ob.table_width * ob.table_height <= 16_060);
    for table in [&ob.table_gr, &ob.table_r, &ob.table_b, &ob.table_gb] {
        assert!(table.iter().all(|value| (0..2048).contains(value)));
    }
    let bnr = &c.bnr_2500_config.bnr;
    bits("cf", bnr.thr_coeffs.cf.into(), 13);
    bits("cg", bnr.thr_coeffs.cg.into(), 5);
    bits("ci", bnr.thr_coeffs.ci.into(), 5);
    bits("r_nf", bnr.thr_coeffs.r_nf.into(), 5);
    signed("x_reset", bnr.opt_center.x_reset.into(), 13);
    signed("y_reset", bnr.opt_center.y_reset.into(), 13);
    bits("x_sqr", bnr.opt_center.x_sqr_reset.into(), 24);
    bits("y_sqr", bnr.opt_center.y_sqr_reset.into(), 24);
    bits("bp_thr_gain", bnr.bp_ctrl.bp_thr_gain.into(), 5);
    bits("defect_mode", bnr.bp_ctrl.defect_mode.into(), 1);
    bits("bp_gain", bnr.bp_ctrl.bp_gain.into(), 6);
    bits("w0", bnr.bp_ctrl.w0_coeff.into(), 4);
    bits("w1", bnr.bp_ctrl.w1_coeff.into(), 4);
    bits("alpha", bnr.dn_detect_ctrl.alpha.into(), 4);
    bits("beta", bnr.dn_detect_ctrl.beta.into(), 4);
    bits("gamma", bnr.dn_detect_ctrl.gamma.into(), 4);
    assert!((5..=10).contains(&bnr.dn_detect_ctrl.max_inf));
    let gd = &c.bnr_2500_config.green_disparity;
    for (name, value, width) in [
        ("gd_red", gd.gd_red, 6),
        ("gd_green", gd.gd_green, 6),
        ("gd_blue", gd.gd_blue, 6),
        ("gd_black", gd.gd_black, 14),
        ("gd_shading", gd.gd_shading, 7),
        ("gd_support", gd.gd_support, 2),
        ("gd_clip", gd.gd_clip, 1),
        ("gd_central_weight", gd.gd_central_weight, 4),
    ] {
        bits(name, value.into(), width);
    }
    let shd = &c.shd_2500_config.shd;
    let (width, height) = (shd.grid.grid_width, shd.grid.grid_height);
    assert!((1..=146).contains(&width) && height >= 1, "shading {width} × {height}");
    assert!(height <= 28 * (146 / width) && width * height <= 4015, "{width} × {height}");
    assert!(shd.grid.block_width <= 7 && shd.grid.block_height <= 7);
    bits("gain_factor", shd.general.gain_factor.into(), 2);
    for lut in [&shd.luts.r, &shd.luts.gr, &shd.luts.gb, &shd.luts.b] {
        assert!(lut.iter().all(|value| *value <= 4095));
    }
    let dm = &c.dm_2500_config.dm;
    for value in [dm.gamma_sc, dm.lc_ctrl, dm.cr_param1, dm.cr_param2, dm.coring_param] {
        bits("dm", value.into(), 5);
    }
    assert!(c.rgbpp_2500_config.gamma.lut_entries.iter().all(|value| *value <= 8191));
    let csc = &c.rgbpp_2500_config.csc;
    for value in [csc.mat.c11, csc.mat.c21, csc.mat.c31, csc.mat.c12, csc.mat.c22, csc.mat.c33] {
        signed("csc", value.into(), 15);
    }
    signed("b1", csc.offset.b1.into(), 14);
    let cds = &c.rgbpp_2500_config.cds;
    let cc = cds.coeffs;
    for value in [cc.c00, cc.c01, cc.c02, cc.c03, cc.c10, cc.c11, cc.c12, cc.c13] {
        bits("cds", value.into(), 2);
    }
    bits("cds nf", cds.nf.into(), 5);
    let tcc = &c.yuvp2_2500_config.tcc;
    bits("blend_shift", tcc.gen_control.blend_shift.into(), 3);
    signed("tcc gamma", tcc.gen_control.gamma.into(), 5);
    for entry in &tcc.macc_table.entries {
        for value in [entry.a, entry.b, entry.c, entry.d] {
            signed("macc", value.into(), 12);
        }
    }
    let awb = &c.awb_2500_config.awb.grid;
    assert!((1..=80).contains(&awb.grid_width) && (1..=60).contains(&awb.grid_height));
    assert!(awb.grid_block_width <= 7 && awb.grid_block_height <= 7);
    assert!(awb.grid_x_start <= 4095 && awb.grid_y_start <= 4095);
    let (af, fr) = (&c.af_2500_config.af, &c.awb_fr_2500_config.awb_fr);
    for (width, height) in [
        (af.grid.grid_width, af.grid.grid_height),
        (fr.grid.grid_width, fr.grid.grid_height),
        (c.ae_2500_config.ae.ae_grid_config.grid_width, 1),
        (1, c.ae_2500_config.ae.ae_grid_config.grid_height),
    ] {
        assert!((1..=32).contains(&width) && (1..=24).contains(&height), "{width} × {height}");
    }
    bits("y1_nf", af.nf.y1_nf.into(), 4);
    bits("y2_nf", af.nf.y2_nf.into(), 4);
    assert!(c.ae_2500_config.ae.ae_weights.val.iter().all(|weight| *weight <= 15));
    let chnr = &c.yuvp1_c0_2500_config.chnr_c0;
    for value in [chnr.iir_fir.fir_0h, chnr.iir_fir.fir_1h, chnr.iir_fir.fir_2h] {
        bits("fir", value.into(), 6);
    }
    bits("iir", chnr.iir_fir.iir_min_prev.into(), 9);
    let iefd = &c.yuvp1_c0_2500_config.iefd;
    bits("horver", iefd.config.horver_diag_coeff.into(), 7);
    bits("metric", iefd.config.direct_metric_update.into(), 5);
    bits("ed_horver", iefd.config.ed_horver_diag_coeff.into(), 7);
    bits("c00", iefd.unsharp.unsharp_coef0.c00.into(), 9);
    signed("radial x", iefd.rad.reset.x.into(), 13);
    bits("radial x²", iefd.rad.reset.x2.into(), 24);
    bits("rad_nf", iefd.rad.cfg.rad_nf.into(), 4);
    bits("rad_inv_r2", iefd.rad.cfg.rad_inv_r2.into(), 7);
    assert!(iefd.cfg_units.cu_ed.x.iter().all(|x| (0..512).contains(x)));
    assert!(iefd.cfg_units.cu_radial.x.iter().all(|x| (0..256).contains(x)));
    let knees = c.tnr3_2500_config.knee_y;
    assert!(0 < knees[0] && knees[0] < knees[1] && knees[1] <= 8191);
    let anr = &c.anr_2500_config.anr;
    signed("xreset", anr.transform.calc.xreset.into(), 13);
    bits("x_sqr_reset", anr.transform.calc.x_sqr_reset.into(), 24);
    bits("r_norm", anr.transform.calc.r_norm_factor.into(), 5);
    bits("gain_scale", anr.transform.calc.radial_gain_scale_factor.into(), 8);
    assert!(anr.stitch.pyramid_reg.iter().all(|value| (1..64).contains(value)));
    assert!(c.xnr_2500_config.sigma.y0 > 0);
}

/// Runtime parameters of a frame with everything present.
fn frame(width: u16, height: u16, padding: u16) -> Box<IPU3AICRuntimeParamsData> {
    let mut input = zeroed_box::<IPU3AICRuntimeParamsData>();
    let base = &mut input.base;
    base.input_frame_params = 1;
    base.frame_resolution_parameters = 1;
    base.weight_grid = 1;
    base.gbce_results = 1;
    base.pa_results = 1;
    base.sa_results = 1;
    let sensor = &mut input.input_frame_params.sensor_frame_params;
    (sensor.cropped_image_width, sensor.cropped_image_height) = (4224, 3136);
    sensor.horizontal_scaling_numerator = 1;
    sensor.horizontal_scaling_denominator = 1;
    sensor.vertical_scaling_numerator = 1;
    sensor.vertical_scaling_denominator = 1;
    let resolution = &mut input.frame_resolution_parameters;
    (resolution.bds_in_img_width, resolution.bds_in_img_height) = (4224, 3136);
    (resolution.bds_out_img_width, resolution.bds_out_img_height) = (width, height);
    resolution.bds_horizontal_padding = padding;
    (input.weight_grid.width, input.weight_grid.height) = (32, 24);
    input.weights.fill(7);
    let pa = &mut input.pa_results.base;
    pa.color_conversion_matrix = [[1.6, -0.5, -0.1], [-0.1, 1.6, -0.5], [-0.1, -0.6, 1.7]];
    let level = &mut pa.black_level;
    (level.gr, level.r, level.b, level.gb) = (64.0, 64.0, 64.0, 64.0);
    let gains = &mut pa.color_gains;
    (gains.gr, gains.r, gains.b, gains.gb) = (1.0, 2.0, 1.25, 1.0);
    pa.saturation_factor = 1.0;
    (input.sa_results.base.width, input.sa_results.base.height) = (67, 49);
    for channel in [
        &mut input.sa_results.channel_gr,
        &mut input.sa_results.channel_r,
        &mut input.sa_results.channel_b,
        &mut input.sa_results.channel_gb,
    ] {
        channel[..67 * 49].fill(1.0);
    }
    input
}

fn config(input: &IPU3AICRuntimeParamsData) -> Box<AicConfig> {
    let mut config = zeroed_box::<AicConfig>();
    bytes_of_mut(&mut *config).fill(0xA5);
    aic_config(input, &mut config);
    assert_fits(&config);
    config
}

#[test]
fn common_frames_fit_their_registers() {
    for (width, height, padding) in
        [(1920, 1080, 0), (1280, 720, 0), (640, 480, 0), (4096, 3072, 0), (1364, 768, 44)]
    {
        config(&frame(width, height, padding));
    }
}

#[test]
fn results_arrive_in_the_isp_s_units() {
    let mut input = frame(1920, 1080, 0);
    let c = config(&input);
    let gains = c.bnr_2500_config.bnr.wb_gains;
    assert_eq!((gains.gr, gains.r, gains.b, gains.gb), (0, 8192, 2048, 0), "gain − 1, u3.13");
    let row = c.rgbpp_2500_config.ccm.matrix_coeffs;
    assert!((i32::from(row.m11) + i32::from(row.m12) + i32::from(row.m13) - 8191).abs() <= 2);
    assert_eq!(c.obgrid_2500_config.table_r[0], 128, "64 of 10 bits is 128 of 11");
    assert!(c.shd_2500_config.shd.luts.r.iter().all(|value| *value == 0), "gain 1 is 0");
    assert_eq!(c.ae_2500_config.ae.ae_weights.val[0], 7);
    let gamma = &c.rgbpp_2500_config.gamma.lut_entries;
    // sRGB: 18 % grey is displayed at 46 %.
    assert!((i32::from(gamma[45]) - 3780).abs() < 40, "{}", gamma[45]);
    assert_eq!(gamma[255], 8191);
    assert!(gamma.windows(2).all(|pair| pair[0] < pair[1]));

    input.base.gbce_results = 1;
    input.gbce_results.g_gamma_lut = 1;
    input.gbce_results.gamma_lut_size = 1024;
    for (index, entry) in (0_u16..).zip(input.g_gamma_lut.iter_mut()) {
        *entry = f32::from(index) / 1023.0;
    }
    assert!((i32::from(config(&input).rgbpp_2500_config.gamma.lut_entries[127]) - 4096).abs() < 3);
}

#[test]
fn a_shading_table_that_is_not_flat_is_brought_to_the_isp_s_grid() {
    let mut input = frame(1920, 1080, 0);
    // Gain 3 on the left falls to 1 on the right.
    for (index, gain) in input.sa_results.channel_r[..67 * 49].iter_mut().enumerate() {
        *gain = 3.0 - 2.0 * (index % 67) as f32 / 66.0;
    }
    let shd = config(&input).shd_2500_config.shd;
    assert_eq!((shd.grid.grid_width, shd.general.gain_factor), (61, 0));
    assert_eq!((shd.luts.r[0], shd.luts.r[30], shd.luts.r[60]), (2048, 1024, 0));
    assert_eq!(shd.luts.b[0], 0);
    // Gains up to 17 fit with less precision.
    input.sa_results.channel_r[..67 * 49].fill(9.5);
    let shd = config(&input).shd_2500_config.shd;
    assert_eq!((shd.general.gain_factor, shd.luts.r[0]), (2, 2176));
}

#[test]
fn nothing_present_still_makes_a_whole_configuration() {
    let c = config(&zeroed_box::<IPU3AICRuntimeParamsData>());
    assert_eq!(c.awb_2500_config.awb.grid.grid_width, 60);
    assert_eq!(c.rgbpp_2500_config.ccm.matrix_coeffs.m11, 8191);
    assert_eq!(c.bnr_2500_config.bnr.wb_gains.r, 0);
}

#[test]
fn manual_adjustments_change_the_conversion() {
    let mut input = frame(1280, 720, 0);
    input.base.manual_saturation = 0x80;
    let grey = config(&input).rgbpp_2500_config.csc.mat;
    assert_eq!((grey.c21, grey.c31, grey.c11), (0, 0, 4899), "saturation −128 is grey");
    input.base.manual_saturation = 0;
    input.base.manual_brightness = 64;
    assert_eq!(config(&input).rgbpp_2500_config.csc.offset.b1, 1024);
    input.base.effects = 1 << 6;
    assert_eq!(config(&input).rgbpp_2500_config.csc.mat.c23, 0);
}

#[test]
fn random_parameters_fit_their_registers() {
    // xorshift64*, so that the test is the same everywhere.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    };
    for _ in 0..40 {
        let mut input = zeroed_box::<IPU3AICRuntimeParamsData>();
        for chunk in bytes_of_mut(&mut *input).chunks_mut(8) {
            let bytes = next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        // Half of the tables small enough to be used.
        if next() % 2 == 0 {
            (input.sa_results.base.width, input.sa_results.base.height) = (60, 40);
            input.frame_resolution_parameters.bds_out_img_width %= 5000;
            input.frame_resolution_parameters.bds_out_img_height %= 4000;
        }
        config(&input);
    }
}
