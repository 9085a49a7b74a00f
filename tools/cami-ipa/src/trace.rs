//! The trace: every result of every frame, as comma-separated values.
//!
//! Columns, order and number format (`%.9g`) are those of recorded runs of real 3A libraries, so
//! that traces are compared as text.

use virtual_camera::{Exposure, SceneColumns};

use crate::printf::g9;

/// The first line.
pub const HEADER: &str = "frame,scene_E,scene_rg,scene_bg,scene_E2,scene_rg2,scene_bg2,scene_lens,\
applied_frame,applied_exp_us,applied_again,applied_dgain,lens_pos,\
ae_exp_us,ae_again,ae_dgain,ae_iso,ae_coarse,ae_gain_code,ae_dgain_code,ae_llp,ae_fll,\
ae_distance,ae_converged,lux,\
awb_acc_rg,awb_acc_bg,awb_final_rg,awb_final_bg,awb_cct,awb_distance,\
pa_gr,pa_r,pa_b,pa_gb,pa_bl_gr,ccm00,sa_w,sa_h,sa_update,gbce_size,gbce_mid,\
af_status,af_next,af_action,af_final,rgbs_crc32,af_fr1,af_fr2";

/// One frame.
#[derive(Debug, Clone)]
pub struct TraceRow {
    /// Number of the frame.
    pub frame: u64,
    /// The scene.
    pub scene: SceneColumns,
    /// The frame whose AE result was in effect, and that result; `None` without statistics.
    pub applied: Option<(u64, Exposure)>,
    /// Lens position when the statistics were made.
    pub lens: i32,
    /// The AE answer.
    pub ae: AeColumns,
    /// The AWB answer.
    pub awb: AwbColumns,
    /// The PA answer.
    pub pa: PaColumns,
    /// The SA answer: width, height, whether it changed.
    pub sa: (u16, u16, bool),
    /// The GBCE answer: table size, middle entry of the green one.
    pub gbce: (u32, f32),
    /// The AF answer: status, next position, action, final position reached; `None` if it failed.
    pub af: Option<(i32, i32, i32, bool)>,
    /// The statistics that were sent: checksum, first focus cell; `None` without any.
    pub statistics: Option<(u32, i32, i32)>,
}

/// Columns of AE.
#[derive(Debug, Clone, Copy)]
pub struct AeColumns {
    pub exposure: Exposure,
    pub iso: i32,
    pub coarse: u16,
    pub gain_code: u16,
    pub digital_gain_code: u16,
    pub line_length: u16,
    pub frame_length: u16,
    pub distance: f32,
    pub converged: bool,
    pub lux: u32,
}

/// Columns of AWB.
#[derive(Debug, Clone, Copy)]
pub struct AwbColumns {
    pub accurate_r_per_g: f32,
    pub accurate_b_per_g: f32,
    pub final_r_per_g: f32,
    pub final_b_per_g: f32,
    pub cct: u32,
    pub distance: f32,
}

/// Columns of PA.
#[derive(Debug, Clone, Copy)]
pub struct PaColumns {
    pub gain_gr: f32,
    pub gain_r: f32,
    pub gain_b: f32,
    pub gain_gb: f32,
    pub black_level_gr: f32,
    pub ccm00: f32,
}

impl TraceRow {
    /// The line, without its end.
    pub fn line(&self) -> String {
        let f = |value: f32| g9(f64::from(value));
        let mut columns: Vec<String> = Vec::with_capacity(49);
        let scene = &self.scene;
        columns.push(self.frame.to_string());
        for value in [scene.brightness, scene.r_per_g, scene.b_per_g] {
            columns.push(g9(value));
        }
        for value in [scene.right_brightness, scene.right_r_per_g, scene.right_b_per_g] {
            columns.push(g9(value));
        }
        columns.push(scene.lens.to_string());
        match &self.applied {
            Some((frame, exposure)) => columns.extend([
                frame.to_string(),
                exposure.time_us.to_string(),
                f(exposure.analogue_gain),
                f(exposure.digital_gain),
            ]),
            None => columns.extend(["-1"; 4].map(String::from)),
        }
        columns.push(self.lens.to_string());
        let ae = &self.ae;
        columns.extend([
            ae.exposure.time_us.to_string(),
            f(ae.exposure.analogue_gain),
            f(ae.exposure.digital_gain),
            ae.iso.to_string(),
            ae.coarse.to_string(),
            ae.gain_code.to_string(),
            ae.digital_gain_code.to_string(),
            ae.line_length.to_string(),
            ae.frame_length.to_string(),
            f(ae.distance),
            u8::from(ae.converged).to_string(),
            ae.lux.to_string(),
        ]);
        let awb = &self.awb;
        columns.extend([
            f(awb.accurate_r_per_g),
            f(awb.accurate_b_per_g),
            f(awb.final_r_per_g),
            f(awb.final_b_per_g),
            awb.cct.to_string(),
            f(awb.distance),
        ]);
        let pa = &self.pa;
        let pa_values = [pa.gain_gr, pa.gain_r, pa.gain_b, pa.gain_gb, pa.black_level_gr, pa.ccm00];
        columns.extend(pa_values.map(f));
        let (width, height, update) = self.sa;
        columns.extend([width.to_string(), height.to_string(), u8::from(update).to_string()]);
        columns.extend([self.gbce.0.to_string(), f(self.gbce.1)]);
        match self.af {
            Some((status, next, action, reached)) => columns.extend([
                status.to_string(),
                next.to_string(),
                action.to_string(),
                u8::from(reached).to_string(),
            ]),
            None => columns.extend(["-1"; 4].map(String::from)),
        }
        let (crc, first, second) = self.statistics.unwrap_or((0, -1, -1));
        columns.extend([format!("{crc:08x}"), first.to_string(), second.to_string()]);
        columns.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_value_for_every_column() {
        let exposure = Exposure { time_us: 995, analogue_gain: 1.0, digital_gain: 1.004_882_8 };
        let row = TraceRow {
            frame: 1,
            scene: SceneColumns { brightness: 0.0008, ..SceneColumns::default() },
            applied: None,
            lens: 222,
            ae: AeColumns {
                exposure,
                iso: 36,
                coarse: 96,
                gain_code: 128,
                digital_gain_code: 1029,
                line_length: 4480,
                frame_length: 3214,
                distance: -5.0,
                converged: true,
                lux: 65,
            },
            awb: AwbColumns {
                accurate_r_per_g: 0.5,
                accurate_b_per_g: 0.6,
                final_r_per_g: 0.7,
                final_b_per_g: 0.8,
                cct: 4826,
                distance: 0.0,
            },
            pa: PaColumns {
                gain_gr: 1.0,
                gain_r: 1.5,
                gain_b: 1.25,
                gain_gb: 1.0,
                black_level_gr: 64.5,
                ccm00: 1.75,
            },
            sa: (67, 49, true),
            gbce: (1024, 0.5),
            af: None,
            statistics: None,
        };
        assert_eq!(row.line().split(',').count(), HEADER.split(',').count());
        assert_eq!(
            row.line(),
            "1,0.0008,0,0,0,0,0,0,-1,-1,-1,-1,222,995,1,1.00488281,36,96,128,1029,4480,3214,-5,1,\
             65,0.5,0.600000024,0.699999988,0.800000012,4826,0,1,1.5,1.25,1,64.5,1.75,67,49,1,1024,\
             0.5,-1,-1,-1,-1,00000000,-1,-1"
        );
        let sent = TraceRow {
            applied: Some((0, exposure)),
            af: Some((2, 222, 1, false)),
            statistics: Some((0xab, 66, 199)),
            ..row
        };
        assert!(sent.line().ends_with(",2,222,1,0,000000ab,66,199"));
        assert!(sent.line().contains(",0,995,1,1.00488281,222,"));
    }
}
