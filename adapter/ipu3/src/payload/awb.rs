//! Automatic white balance: AIQ_AWB_RUN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::Coordinate;

/// `awb_run_params`, 80 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbRunParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: AwbInputParams,
    /// Cct range to be kept, where the inputs say that it is present.
    pub manual_cct_range: AwbManualCctRange,
    /// White coordinate to be kept, where the inputs say that it is present.
    pub manual_white_coordinate: Coordinate,
    /// The answer.
    pub results: AwbResults,
}
layout!(AwbRunParams, 80, aiq_handle 0, base 8, manual_cct_range 40, manual_white_coordinate 48, results 56);

/// `ia_aiq_awb_input_params`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbInputParams {
    /// `ia_aiq_frame_use`: 0 preview, 1 still, 2 continuous, 3 video.
    pub frame_use: i32,
    /// `ia_aiq_awb_operation_mode`: 0 automatic, 8 range of colour temperatures, 9 white point.
    pub scene_mode: i32,
    /// Whether there is a `manual_cct_range`: not 0 if there is.
    pub manual_cct_range: u64,
    /// Whether there is a `manual_white_coordinate`: not 0 if there is.
    pub manual_white_coordinate: u64,
    /// Convergence time, s; negative leaves it to the library.
    pub manual_convergence_time: f32,
    #[doc(hidden)]
    pub padding_28: [u8; 4],
}
layout!(AwbInputParams, 32, frame_use 0, scene_mode 4, manual_cct_range 8, manual_white_coordinate 16, manual_convergence_time 24);

/// `ia_aiq_awb_manual_cct_range`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbManualCctRange {
    /// Lower bound, K.
    pub min_cct: u32,
    /// Upper bound, K.
    pub max_cct: u32,
}
layout!(AwbManualCctRange, 8, min_cct 0, max_cct 4);

/// `ia_aiq_awb_results`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AwbResults {
    /// Red over green of the estimated white point.
    pub accurate_r_per_g: f32,
    /// Blue over green of the estimated white point.
    pub accurate_b_per_g: f32,
    /// Red over green of the white point to be used.
    pub final_r_per_g: f32,
    /// Blue over green of the white point to be used.
    pub final_b_per_g: f32,
    /// Estimate of the correlated colour temperature, K.
    pub cct_estimate: u32,
    /// How far the white point in use is from the estimated one; 0 once converged.
    pub distance_from_convergence: f32,
}
layout!(AwbResults, 24, accurate_r_per_g 0, accurate_b_per_g 4, final_r_per_g 8, final_b_per_g 12, cct_estimate 16, distance_from_convergence 20);
