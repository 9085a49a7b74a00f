//! Blocks on raw pixels, but for shading.

use super::{low_u16, wide};
use crate::payload::{
    BnrPublicConfig, BnrPublicConfigLutConfigGreenDisparity, CssLinKernelConfig,
    CssObgridKernelConfig, DmPublicConfig,
};
use crate::uapi::{
    BnrStaticConfig, BnrStaticConfigBpCtrlConfig, BnrStaticConfigDnDetectCtrlConfig,
    BnrStaticConfigGreenDisparity, BnrStaticConfigGreenDisparityWords, BnrStaticConfigLutConfig,
    BnrStaticConfigOptCenterConfig, BnrStaticConfigOptCenterSqrConfig,
    BnrStaticConfigThrCoeffsConfig, BnrStaticConfigThrCtrlShdConfig, BnrStaticConfigWbGainsConfig,
    BnrStaticConfigWbGainsThrConfig, DmConfig, DmConfigWords, IspLinVmemParams, ObgridParam,
};

/// The largest value of a linearised pixel: 11 bits.
const LIN_MAX: i16 = (1 << 11) - 1;

/// Bayer noise reduction and white balance.
pub(super) fn bnr(from: &BnrPublicConfig) -> BnrStaticConfig {
    let detect = &from.dn_detect_ctrl;
    BnrStaticConfig {
        wb_gains: BnrStaticConfigWbGainsConfig {
            gr: from.wb_gains.gr,
            r: from.wb_gains.r,
            b: from.wb_gains.b,
            gb: from.wb_gains.gb,
        },
        wb_gains_thr: BnrStaticConfigWbGainsThrConfig {
            gr: from.wb_gains_thr.gr,
            r: from.wb_gains_thr.r,
            b: from.wb_gains_thr.b,
            gb: from.wb_gains_thr.gb,
        },
        thr_coeffs: BnrStaticConfigThrCoeffsConfig {
            cf: from.thr_coeffs.cf.into(),
            cg: from.thr_coeffs.cg.into(),
            ci: from.thr_coeffs.ci.into(),
            r_nf: from.thr_coeffs.r_nf.into(),
        }
        .pack(),
        thr_ctrl_shd: BnrStaticConfigThrCtrlShdConfig {
            gr: from.thr_ctrl_shd.gr,
            r: from.thr_ctrl_shd.r,
            b: from.thr_ctrl_shd.b,
            gb: from.thr_ctrl_shd.gb,
        },
        opt_center: BnrStaticConfigOptCenterConfig {
            x_reset: from.opt_center.x_reset.into(),
            y_reset: from.opt_center.y_reset.into(),
        }
        .pack(),
        lut: BnrStaticConfigLutConfig { values: from.lut.values },
        bp_ctrl: BnrStaticConfigBpCtrlConfig {
            bp_thr_gain: from.bp_ctrl.bp_thr_gain.into(),
            defect_mode: from.bp_ctrl.defect_mode.into(),
            bp_gain: from.bp_ctrl.bp_gain,
            w0_coeff: from.bp_ctrl.w0_coeff,
            w1_coeff: from.bp_ctrl.w1_coeff,
        }
        .pack(),
        dn_detect_ctrl: BnrStaticConfigDnDetectCtrlConfig {
            alpha: detect.alpha.into(),
            beta: detect.beta.into(),
            gamma: detect.gamma.into(),
            max_inf: detect.max_inf.into(),
            gd_enable: detect.gd_en.into(),
            bpc_enable: detect.bpc_en.into(),
            bnr_enable: detect.bnr_en.into(),
            ff_enable: 1,
        }
        .pack(),
        // The driver fills it in.
        column_size: 0,
        opt_center_sqr: BnrStaticConfigOptCenterSqrConfig {
            x_sqr_reset: from.opt_center.x_sqr_reset,
            y_sqr_reset: from.opt_center.y_sqr_reset,
        },
    }
}

/// Green disparity correction.
pub(super) fn green_disparity(
    from: &BnrPublicConfigLutConfigGreenDisparity,
) -> BnrStaticConfigGreenDisparityWords {
    BnrStaticConfigGreenDisparity {
        gd_red: from.gd_red,
        gd_green: from.gd_green,
        gd_blue: from.gd_blue,
        gd_black: from.gd_black,
        gd_shading: from.gd_shading,
        gd_support: from.gd_support,
        gd_clip: from.gd_clip,
        gd_central_weight: from.gd_central_weight,
    }
    .pack()
}

/// Demosaic.
pub(super) fn dm(from: &DmPublicConfig) -> DmConfigWords {
    DmConfig {
        dm_en: 1,
        ch_ar_en: from.ch_ar_en.into(),
        fcc_en: from.fcc_en.into(),
        // The driver fills it in.
        frame_width: 0,
        gamma_sc: from.gamma_sc.into(),
        lc_ctrl: from.lc_ctrl.into(),
        cr_param1: from.cr_param1.into(),
        cr_param2: from.cr_param2.into(),
        coring_param: from.coring_param.into(),
    }
    .pack()
}

/// Linearisation: each of 64 segments by its start, limited, and its rise, which is not.
pub(super) fn lin(to: &mut IspLinVmemParams, from: &CssLinKernelConfig) {
    segments(&mut to.lin_lutlow_gr, &mut to.lin_lutdif_gr, &from.curve_lut_gr);
    segments(&mut to.lin_lutlow_r, &mut to.lin_lutdif_r, &from.curve_lut_r);
    segments(&mut to.lin_lutlow_b, &mut to.lin_lutdif_b, &from.curve_lut_b);
    segments(&mut to.lin_lutlow_gb, &mut to.lin_lutdif_gb, &from.curve_lut_gb);
}

fn segments(low: &mut [i16; 64], rise: &mut [i16; 64], curve: &[i16; 65]) {
    for ((low, rise), (&from, &to)) in
        low.iter_mut().zip(rise).zip(curve.iter().zip(curve.iter().skip(1)))
    {
        *low = from.min(LIN_MAX);
        *rise = to.wrapping_sub(from);
    }
}

/// Black level: the grid's first cell stands for all.
pub(super) fn obgrid(from: &CssObgridKernelConfig) -> ObgridParam {
    let [gr, ..] = from.table_gr;
    let [r, ..] = from.table_r;
    let [b, ..] = from.table_b;
    let [gb, ..] = from.table_gb;
    let [gr, r, b, gb] = [gr, r, b, gb].map(|level| low_u16(wide(level)));
    ObgridParam { gr, r, b, gb }
}
