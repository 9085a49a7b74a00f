//! Blocks on luma and chroma.

use super::wide;
use crate::payload::{
    Cux2, Cux4, Cux6, PublicCfgUnits, Yuvp1ChnrPublicConfig, Yuvp1IefdPublicConfig,
    Yuvp1IefdRadCfgPublicConfig, Yuvp1IefdShrpCfgPublicConfig, Yuvp1YEeNrPublicConfig,
};
use crate::uapi::{
    CuCfg0, CuCfg1, FarW, IefdCux2, IefdCux2Words, IefdCux4, IefdCux4Words, IefdCux6Ed,
    IefdCux6EdWords, IefdCux6Rad, IefdCux6RadWords, IefdCux21, RadFarW, RadialCfg, RadialResetX2,
    RadialResetXy, RadialResetY2, SharpCfg, UnsharpCfg, UnsharpCoef0, UnsharpCoef1, VssLutX,
    VssLutY, Yuvp1ChnrConfig, Yuvp1ChnrCoringConfig, Yuvp1ChnrEnableConfig, Yuvp1ChnrIirFirConfig,
    Yuvp1ChnrSenseGainConfig, Yuvp1IefdCfgUnits, Yuvp1IefdConfig, Yuvp1IefdConfigS,
    Yuvp1IefdControl, Yuvp1IefdRadCfg, Yuvp1IefdShrpCfg, Yuvp1IefdUnshrpCfg, Yuvp1IefdVssnlmCfg,
    Yuvp1YEeNrClipConfig, Yuvp1YEeNrConfig, Yuvp1YEeNrDiagConfig, Yuvp1YEeNrFcCoringConfig,
    Yuvp1YEeNrFrngConfig, Yuvp1YEeNrGainConfig, Yuvp1YEeNrLpfConfig, Yuvp1YEeNrSenseConfig,
};

/// What the minimum of the previous pixel's weight is taken from.
const ALPHA_ONE: u32 = 256;

/// Image enhancement filter, directional.
pub(super) fn iefd(from: &Yuvp1IefdPublicConfig) -> Yuvp1IefdConfig {
    let (config, control, unsharp) = (&from.config, &from.control, &from.unsharp);
    let (x, y) = (&from.vsslnm.vss_lut_x, &from.vsslnm.vss_lut_y);
    Yuvp1IefdConfig {
        units: units(&from.cfg_units),
        config: Yuvp1IefdConfigS {
            horver_diag_coeff: config.horver_diag_coeff.into(),
            clamp_stitch: config.clamp_stitch.into(),
            direct_metric_update: config.direct_metric_update.into(),
            ed_horver_diag_coeff: config.ed_horver_diag_coeff.into(),
        }
        .pack(),
        // Any number but 0 switches on; the last is on whatever the configuration says.
        control: Yuvp1IefdControl {
            iefd_en: (control.iefd_en != 0).into(),
            denoise_en: (control.iefd_denoise_en != 0).into(),
            direct_smooth_en: (control.iefd_dir_en != 0).into(),
            rad_en: (control.iefd_radial_en != 0).into(),
            vssnlm_en: 1,
        }
        .pack(),
        sharp: sharp(&from.sharp),
        unsharp: Yuvp1IefdUnshrpCfg {
            unsharp_coef0: UnsharpCoef0 {
                c00: unsharp.unsharp_coef0.c00.into(),
                c01: unsharp.unsharp_coef0.c01.into(),
                c02: unsharp.unsharp_coef0.c02.into(),
            }
            .pack(),
            unsharp_coef1: UnsharpCoef1 {
                c11: unsharp.unsharp_coef1.c11.into(),
                c12: unsharp.unsharp_coef1.c12.into(),
                c22: unsharp.unsharp_coef1.c22.into(),
            }
            .pack(),
        },
        rad: radial(&from.rad),
        vsslnm: Yuvp1IefdVssnlmCfg {
            vss_lut_x: VssLutX {
                vs_x0: x.vs_x0.into(),
                vs_x1: x.vs_x1.into(),
                vs_x2: x.vs_x2.into(),
            }
            .pack(),
            vss_lut_y: VssLutY {
                vs_y1: y.vs_y1.into(),
                vs_y2: y.vs_y2.into(),
                vs_y3: y.vs_y3.into(),
            }
            .pack(),
        },
    }
}

fn sharp(from: &Yuvp1IefdShrpCfgPublicConfig) -> Yuvp1IefdShrpCfg {
    Yuvp1IefdShrpCfg {
        cfg: SharpCfg {
            nega_lmt_txt: from.cfg.nega_lmt_txt.into(),
            posi_lmt_txt: from.cfg.posi_lmt_txt.into(),
            nega_lmt_dir: from.cfg.nega_lmt_dir.into(),
            posi_lmt_dir: from.cfg.posi_lmt_dir.into(),
        }
        .pack(),
        far_w: FarW {
            dir_shrp: from.far_w.dir_shrp.into(),
            dir_dns: from.far_w.dir_dns.into(),
            ndir_dns_powr: from.far_w.ndir_dns_powr.into(),
        }
        .pack(),
        unshrp_cfg: UnsharpCfg {
            unsharp_weight: from.unshrp_cfg.unsharp_weight.into(),
            unsharp_amount: from.unshrp_cfg.unsharp_amount.into(),
        }
        .pack(),
    }
}

/// The squares are those of the centre; the configuration's own are not used.
fn radial(from: &Yuvp1IefdRadCfgPublicConfig) -> Yuvp1IefdRadCfg {
    let square = |value: i16| u32::from(value.unsigned_abs()).pow(2);
    Yuvp1IefdRadCfg {
        reset_xy: RadialResetXy { x: from.reset.x.into(), y: from.reset.y.into() }.pack(),
        reset_x2: RadialResetX2 { x2: square(from.reset.x) }.pack(),
        reset_y2: RadialResetY2 { y2: square(from.reset.y) }.pack(),
        cfg: RadialCfg { rad_nf: from.cfg.rad_nf.into(), rad_inv_r2: from.cfg.rad_inv_r2.into() }
            .pack(),
        rad_far_w: RadFarW {
            rad_dir_far_sharp_w: from.rad_far_w.rad_dir_far_sharp_w.into(),
            rad_dir_far_dns_w: from.rad_far_w.rad_dir_far_dns_w.into(),
            rad_ndir_far_dns_power: from.rad_far_w.rad_ndir_far_dns_power.into(),
        }
        .pack(),
        cu_cfg0: CuCfg0 {
            cu6_pow: from.cu_cfg0.cu6_pow.into(),
            cu_unsharp_pow: from.cu_cfg0.cu_unsharp_pow.into(),
            rad_cu6_pow: from.cu_cfg0.rad_cu6_pow.into(),
            rad_cu_unsharp_pow: from.cu_cfg0.rad_cu_unsharp_pow.into(),
        }
        .pack(),
        cu_cfg1: CuCfg1 {
            rad_cu6_x1: from.cu_cfg1.rad_cu6_x1.into(),
            rad_cu_unsharp_x1: from.cu_cfg1.rad_cu_unsharp_x1.into(),
        }
        .pack(),
    }
}

/// Curves: each by its points, and slope and height of the lines between them.
fn units(from: &PublicCfgUnits) -> Yuvp1IefdCfgUnits {
    let cu_5 = &from.cu_5;
    let ([x0, x1], [a01], [b01]) = (cu_5.x.map(wide), cu_5.a.map(wide), cu_5.b.map(wide));
    Yuvp1IefdCfgUnits {
        cu_1: cux2(&from.cu_1),
        cu_ed: cux6_ed(&from.cu_ed),
        cu_3: cux2(&from.cu_3),
        cu_5: IefdCux21 { x0, x1, a01, b01 }.pack(),
        cu_6: cux4(&from.cu_6),
        cu_7: cux2(&from.cu_7),
        cu_unsharp: cux4(&from.cu_unsharp),
        cu_radial: cux6_rad(&from.cu_radial),
        cu_vssnlm: cux2(&from.cu_vssnlm),
    }
}

fn cux2(from: &Cux2) -> IefdCux2Words {
    let ([x0, x1], [a01], [b01]) = (from.x.map(wide), from.a.map(wide), from.b.map(wide));
    IefdCux2 { x0, x1, a01, b01 }.pack()
}

fn cux4(from: &Cux4) -> IefdCux4Words {
    let [x0, x1, x2, x3] = from.x.map(wide);
    let [a01, a12, a23] = from.a.map(wide);
    let [b01, b12, b23] = from.b.map(wide);
    IefdCux4 { x0, x1, x2, x3, a01, a12, a23, b01, b12, b23 }.pack()
}

fn cux6_ed(from: &Cux6) -> IefdCux6EdWords {
    let [x0, x1, x2, x3, x4, x5] = from.x.map(wide);
    let [a01, a12, a23, a34, a45] = from.a.map(wide);
    let [b01, b12, b23, b34, b45] = from.b.map(wide);
    IefdCux6Ed { x0, x1, x2, x3, x4, x5, a01, a12, a23, a34, a45, b01, b12, b23, b34, b45 }.pack()
}

fn cux6_rad(from: &Cux6) -> IefdCux6RadWords {
    let [x0, x1, x2, x3, x4, x5] = from.x.map(wide);
    let [a01, a12, a23, a34, a45] = from.a.map(wide);
    let [b01, b12, b23, b34, b45] = from.b.map(wide);
    IefdCux6Rad { x0, x1, x2, x3, x4, x5, a01, a12, a23, a34, a45, b01, b12, b23, b34, b45 }.pack()
}

/// Chroma noise reduction.
pub(super) fn chnr(from: &Yuvp1ChnrPublicConfig) -> Yuvp1ChnrConfig {
    let (gain, filter) = (&from.sense_gain, &from.iir_fir);
    Yuvp1ChnrConfig {
        // The driver fills it in.
        enable: Yuvp1ChnrEnableConfig::default().pack(),
        coring: Yuvp1ChnrCoringConfig { u: from.coring.u.into(), v: from.coring.v.into() }.pack(),
        sense_gain: Yuvp1ChnrSenseGainConfig {
            vy: gain.vy.into(),
            vu: gain.vu.into(),
            vv: gain.vv.into(),
            hy: gain.hy.into(),
            hu: gain.hu.into(),
            hv: gain.hv.into(),
        }
        .pack(),
        iir_fir: Yuvp1ChnrIirFirConfig {
            fir_0h: filter.fir_0h.into(),
            fir_1h: filter.fir_1h.into(),
            fir_2h: filter.fir_2h.into(),
            dalpha_clip_val: ALPHA_ONE.wrapping_sub(filter.iir_min_prev.into()),
        }
        .pack(),
    }
}

/// Edge enhancement and noise reduction.
pub(super) fn y_ee_nr(from: &Yuvp1YEeNrPublicConfig) -> Yuvp1YEeNrConfig {
    let (lpf, sense, gain, clip) = (&from.lpf, &from.sense, &from.gain, &from.clip);
    let (frng, diag, coring) = (&from.frng, &from.diag, &from.fc_coring);
    Yuvp1YEeNrConfig {
        lpf: Yuvp1YEeNrLpfConfig {
            a_diag: lpf.a_diag.into(),
            a_periph: lpf.a_periph.into(),
            a_cent: lpf.a_cent.into(),
            enable: lpf.y_ee_nr_en.into(),
        }
        .pack(),
        sense: Yuvp1YEeNrSenseConfig {
            edge_sense_0: sense.edge_sense_0.into(),
            delta_edge_sense: sense.delta_edge_sense.into(),
            corner_sense_0: sense.corner_sense_0.into(),
            delta_corner_sense: sense.delta_corner_sense.into(),
        }
        .pack(),
        gain: Yuvp1YEeNrGainConfig {
            gain_pos_0: gain.gain_pos_0.into(),
            delta_gain_posi: gain.delta_gain_posi.into(),
            gain_neg_0: gain.gain_neg_0.into(),
            delta_gain_neg: gain.delta_gain_neg.into(),
        }
        .pack(),
        clip: Yuvp1YEeNrClipConfig {
            clip_pos_0: clip.clip_pos_0.into(),
            delta_clip_posi: clip.delta_clip_posi.into(),
            clip_neg_0: clip.clip_neg_0.into(),
            delta_clip_neg: clip.delta_clip_neg.into(),
        }
        .pack(),
        frng: Yuvp1YEeNrFrngConfig {
            gain_exp: frng.gain_exp.into(),
            min_edge: frng.min_edge.into(),
            lin_seg_param: frng.lin_seg_param.into(),
            t1: frng.t1.into(),
            t2: frng.t2.into(),
        }
        .pack(),
        diag: Yuvp1YEeNrDiagConfig {
            diag_disc_g: diag.diag_disc_g.into(),
            hvw_hor: diag.hvw_hor.into(),
            dw_hor: diag.dw_hor.into(),
            hvw_diag: diag.hvw_diag.into(),
            dw_diag: diag.dw_diag.into(),
        }
        .pack(),
        fc_coring: Yuvp1YEeNrFcCoringConfig {
            pos_0: coring.pos_0.into(),
            pos_delta: coring.pos_delta.into(),
            neg_0: coring.neg_0.into(),
            neg_delta: coring.neg_delta.into(),
        }
        .pack(),
    }
}
