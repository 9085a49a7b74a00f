//! AIQ_AWB_RUN.

use cami_ipu3::payload::{AwbResults, AwbRunParams};

use super::part::{read, write};
use super::{Session, narrow, present};
use crate::algorithm::awb::{Inputs, Mode};
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// `ia_aiq_awb_operation_mode`: the two that bring data of their own.
const MANUAL_CCT_RANGE: i32 = 8;
const MANUAL_WHITE: i32 = 9;

impl Session {
    pub(super) fn awb_run(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, AwbRunParams, aiq_handle)?;
        let mut aiqs = self.aiqs.lock();
        let aiq = aiqs.get(handle)?;
        let base = read!(memory, AwbRunParams, base)?;
        let range =
            present(base.manual_cct_range, || read!(memory, AwbRunParams, manual_cct_range))?;
        let white = present(base.manual_white_coordinate, || {
            read!(memory, AwbRunParams, manual_white_coordinate)
        })?;
        let mode = match (base.scene_mode, range, white) {
            (MANUAL_CCT_RANGE, Some(range), _) => {
                Mode::CctRange { min: f64::from(range.min_cct), max: f64::from(range.max_cct) }
            }
            (MANUAL_WHITE, _, Some(point)) => Mode::WhitePoint { x: point.x, y: point.y },
            (scene, ..) => Mode::from_scene(scene),
        };
        let time = base.manual_convergence_time;
        let outcome = aiq.awb.run(&Inputs {
            statistics: aiq.statistics.as_ref(),
            mode,
            convergence_time_s: (time >= 0.0).then(|| f64::from(time)),
        });
        let results = AwbResults {
            accurate_r_per_g: narrow(outcome.accurate_r_per_g),
            accurate_b_per_g: narrow(outcome.accurate_b_per_g),
            final_r_per_g: narrow(outcome.final_r_per_g),
            final_b_per_g: narrow(outcome.final_b_per_g),
            cct_estimate: outcome.cct,
            distance_from_convergence: narrow(outcome.distance),
        };
        write!(memory, AwbRunParams, results, &results)
    }
}
