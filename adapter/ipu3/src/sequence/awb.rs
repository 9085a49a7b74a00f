//! AIQ_AWB_RUN: automatic white balance.

use super::ae::CONVERGENCE_LEFT_OPEN;
use super::answer::{BadAnswer, finite, positive};
use super::pointer::word;
use crate::payload::{AwbInputParams, AwbManualCctRange, AwbResults, AwbRunParams, Coordinate};

/// What AWB shall do. The default is a HAL's preview: everything automatic.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwbControls {
    /// `ia_aiq_frame_use`.
    pub frame_use: i32,
    /// `ia_aiq_awb_operation_mode`: 0 automatic, 8 a range of colour temperatures, 9 a white point.
    pub scene_mode: i32,
    /// The range of colour temperatures, in kelvin.
    pub cct_range: Option<(u32, u32)>,
    /// A point in the picture that is white, in IA coordinates.
    pub white: Option<(i32, i32)>,
}

/// Fills the request.
pub fn fill(payload: &mut AwbRunParams, aiq: u64, controls: &AwbControls) {
    payload.aiq_handle = aiq;
    payload.base = AwbInputParams {
        frame_use: controls.frame_use,
        scene_mode: controls.scene_mode,
        manual_cct_range: word(controls.cct_range.is_some()),
        manual_white_coordinate: word(controls.white.is_some()),
        manual_convergence_time: CONVERGENCE_LEFT_OPEN,
        ..payload.base
    };
    if let Some((min_cct, max_cct)) = controls.cct_range {
        payload.manual_cct_range = AwbManualCctRange { min_cct, max_cct };
    }
    if let Some((x, y)) = controls.white {
        payload.manual_white_coordinate = Coordinate { x, y };
    }
}

/// Takes the answer out of a payload.
pub fn take(payload: &AwbRunParams) -> Result<AwbResults, BadAnswer> {
    let results = payload.results;
    positive("accurate_r_per_g", results.accurate_r_per_g)?;
    positive("accurate_b_per_g", results.accurate_b_per_g)?;
    positive("final_r_per_g", results.final_r_per_g)?;
    positive("final_b_per_g", results.final_b_per_g)?;
    finite("distance_from_convergence", results.distance_from_convergence)?;
    Ok(results)
}
