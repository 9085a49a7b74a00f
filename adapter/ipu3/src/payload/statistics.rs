//! Statistics: AIQ_STATISTICS_SET.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{
    AeRunParamsResults, AfResults, AwbResults, Coordinate, PaRunParamsResults, Rectangle,
    SaRunParamsResults,
};

/// `set_statistics_params`, 1178008 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct SetStatisticsParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub ia_aiq: u64,
    /// What goes in.
    pub input: SetStatisticsParamsData,
}
layout!(SetStatisticsParams, 1178008, ia_aiq 0, input 8);

/// `set_statistics_params_data`, 1178000 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct SetStatisticsParamsData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: StatisticsInputParams,
    /// The AE result that the frame was taken with.
    pub frame_ae_parameters: AeRunParamsResults,
    /// Frame af parameters.
    pub frame_af_parameters: AfResults,
    #[doc(hidden)]
    pub padding_16732: [u8; 4],
    /// Whether there is an `rgbs_grids_array`: not 0 if there is.
    pub rgbs_grids_array: [u64; 1],
    /// The grid of colour means; there is one.
    pub rgbs_grids: [RgbsGridData; 1],
    /// Hdr rgbs grid.
    pub hdr_rgbs_grid: HdrRgbsGridData,
    /// Whether there is an `af_grids_array`: not 0 if there is.
    pub af_grids_array: [u64; 1],
    /// The grid of filter responses; there is one.
    pub af_grids: [AfGridData; 1],
    /// Frame pa parameters.
    pub frame_pa_parameters: PaRunParamsResults,
    /// Faces that were found.
    pub faces: FaceStateData,
    /// The AWB result in effect.
    pub awb_results: AwbResults,
    /// Frame sa parameters.
    pub frame_sa_parameters: SaRunParamsResults,
    /// Whether there is a `depth_grids_array`: not 0 if there is.
    pub depth_grids_array: [u64; 1],
    /// Depth grids.
    pub depth_grids: [DepthGridData; 1],
}
layout!(SetStatisticsParamsData, 1178000, base 0, frame_ae_parameters 144, frame_af_parameters 16712, rgbs_grids_array 16736, rgbs_grids 16744, hdr_rgbs_grid 98680, af_grids_array 426384, af_grids 426392, frame_pa_parameters 464816, faces 570480, awb_results 571496, frame_sa_parameters 571520, depth_grids_array 833888, depth_grids 833896);

/// `ia_aiq_statistics_input_params`, 144 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct StatisticsInputParams {
    /// Number of the frame.
    pub frame_id: u64,
    /// Start of the exposure, µs.
    pub frame_timestamp: u64,
    /// Whether there is a `frame_ae_parameters`: not 0 if there is.
    pub frame_ae_parameters: u64,
    /// Whether there is a `frame_af_parameters`: not 0 if there is.
    pub frame_af_parameters: u64,
    /// Whether there is an `rgbs_grids`: not 0 if there is.
    pub rgbs_grids: u64,
    /// Number of rgbs grids.
    pub num_rgbs_grids: u32,
    #[doc(hidden)]
    pub padding_44: [u8; 4],
    /// Whether there is a `hdr_rgbs_grid`: not 0 if there is.
    pub hdr_rgbs_grid: u64,
    /// Whether there is an `af_grids`: not 0 if there is.
    pub af_grids: u64,
    /// Number of af grids.
    pub num_af_grids: u32,
    #[doc(hidden)]
    pub padding_68: [u8; 4],
    /// Whether there is an `external_histograms`: not 0 if there is.
    pub external_histograms: u64,
    /// Number of external histograms.
    pub num_external_histograms: u32,
    #[doc(hidden)]
    pub padding_84: [u8; 4],
    /// Whether there is a `frame_pa_parameters`: not 0 if there is.
    pub frame_pa_parameters: u64,
    /// Whether there is a `faces`: not 0 if there is.
    pub faces: u64,
    /// Camera orientation, a value of `ia_aiq_camera_orientation`.
    pub camera_orientation: i32,
    #[doc(hidden)]
    pub padding_108: [u8; 4],
    /// Whether there is an `awb_results`: not 0 if there is.
    pub awb_results: u64,
    /// Whether there is a `frame_sa_parameters`: not 0 if there is.
    pub frame_sa_parameters: u64,
    /// Whether there is a `depth_grids`: not 0 if there is.
    pub depth_grids: u64,
    /// Number of depth grids.
    pub num_depth_grids: u32,
    #[doc(hidden)]
    pub padding_140: [u8; 4],
}
layout!(StatisticsInputParams, 144, frame_id 0, frame_timestamp 8, frame_ae_parameters 16, frame_af_parameters 24, rgbs_grids 32, num_rgbs_grids 40, hdr_rgbs_grid 48, af_grids 56, num_af_grids 64, external_histograms 72, num_external_histograms 80, frame_pa_parameters 88, faces 96, camera_orientation 104, awb_results 112, frame_sa_parameters 120, depth_grids 128, num_depth_grids 136);

/// `ia_aiq_rgbs_grid_data`, 81936 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct RgbsGridData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: RgbsGrid,
    /// The cells, row by row.
    pub blocks_ptr: [RgbsGridBlock; 16384],
}
layout!(RgbsGridData, 81936, base 0, blocks_ptr 16);

/// `ia_aiq_rgbs_grid`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct RgbsGrid {
    /// Whether there is a `blocks_ptr`: not 0 if there is.
    pub blocks_ptr: u64,
    /// Columns of the grid.
    pub grid_width: u16,
    /// Rows of the grid.
    pub grid_height: u16,
    #[doc(hidden)]
    pub padding_12: [u8; 4],
}
layout!(RgbsGrid, 16, blocks_ptr 0, grid_width 8, grid_height 10);

/// `rgbs_grid_block`, 5 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct RgbsGridBlock {
    /// Mean of green in red rows, 0 to 255.
    pub avg_gr: u8,
    /// Mean of red, 0 to 255.
    pub avg_r: u8,
    /// Mean of blue, 0 to 255.
    pub avg_b: u8,
    /// Mean of green in blue rows, 0 to 255.
    pub avg_gb: u8,
    /// Share of saturated pixels, 0 to 255.
    pub sat: u8,
}
layout!(RgbsGridBlock, 5, avg_gr 0, avg_r 1, avg_b 2, avg_gb 3, sat 4);

/// `ia_aiq_af_grid_data`, 38424 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfGridData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: AfGrid,
    /// Response of the first filter per cell.
    pub filter_response_1: [i32; 4800],
    /// Response of the second filter per cell.
    pub filter_response_2: [i32; 4800],
}
layout!(AfGridData, 38424, base 0, filter_response_1 24, filter_response_2 19224);

/// `ia_aiq_af_grid`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfGrid {
    /// Columns of the grid.
    pub grid_width: u16,
    /// Rows of the grid.
    pub grid_height: u16,
    /// Block width.
    pub block_width: u16,
    /// Block height.
    pub block_height: u16,
    /// Whether there is a `filter_response_1`: not 0 if there is.
    pub filter_response_1: u64,
    /// Whether there is a `filter_response_2`: not 0 if there is.
    pub filter_response_2: u64,
}
layout!(AfGrid, 24, grid_width 0, grid_height 2, block_width 4, block_height 6, filter_response_1 8, filter_response_2 16);

/// `ia_aiq_hdr_rgbs_grid_data`, 327704 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct HdrRgbsGridData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: HdrRgbsGrid,
    /// The cells, row by row.
    pub blocks_ptr: [HdrRgbsGridBlock; 16384],
}
layout!(HdrRgbsGridData, 327704, base 0, blocks_ptr 24);

/// `ia_aiq_hdr_rgbs_grid`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct HdrRgbsGrid {
    /// Whether there is a `blocks_ptr`: not 0 if there is.
    pub blocks_ptr: u64,
    /// Columns of the grid.
    pub grid_width: u32,
    /// Rows of the grid.
    pub grid_height: u32,
    /// Grid data bit depth.
    pub grid_data_bit_depth: u32,
    #[doc(hidden)]
    pub padding_20: [u8; 4],
}
layout!(HdrRgbsGrid, 24, blocks_ptr 0, grid_width 8, grid_height 12, grid_data_bit_depth 16);

/// `hdr_rgbs_grid_block`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct HdrRgbsGridBlock {
    /// Mean of green in red rows, 0 to 255.
    pub avg_gr: u32,
    /// Mean of red, 0 to 255.
    pub avg_r: u32,
    /// Mean of blue, 0 to 255.
    pub avg_b: u32,
    /// Mean of green in blue rows, 0 to 255.
    pub avg_gb: u32,
    /// Share of saturated pixels, 0 to 255.
    pub sat: u32,
}
layout!(HdrRgbsGridBlock, 20, avg_gr 0, avg_r 4, avg_b 8, avg_gb 12, sat 16);

/// `ia_aiq_depth_grid_data`, 344104 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct DepthGridData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: DepthGrid,
    /// Grid rect.
    pub grid_rect: [Rectangle; 16384],
    /// Depth data.
    pub depth_data: [i32; 16384],
    /// Confidence.
    pub confidence: [u8; 16384],
}
layout!(DepthGridData, 344104, base 0, grid_rect 40, depth_data 262184, confidence 327720);

/// `ia_aiq_depth_grid`, 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct DepthGrid {
    /// Kind, a value of `ia_aiq_depth_data_type`.
    pub kind: i32,
    #[doc(hidden)]
    pub padding_4: [u8; 4],
    /// Whether there is a `grid_rect`: not 0 if there is.
    pub grid_rect: u64,
    /// Whether there is a `depth_data`: not 0 if there is.
    pub depth_data: u64,
    /// Whether there is a `confidence`: not 0 if there is.
    pub confidence: u64,
    /// Columns of the grid.
    pub grid_width: u16,
    /// Rows of the grid.
    pub grid_height: u16,
    #[doc(hidden)]
    pub padding_36: [u8; 4],
}
layout!(DepthGrid, 40, kind 0, grid_rect 8, depth_data 16, confidence 24, grid_width 32, grid_height 34);

/// `ia_face_state_data`, 1016 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FaceStateData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: FaceState,
    /// Faces that were found.
    pub faces: [Face; 10],
}
layout!(FaceStateData, 1016, base 0, faces 16);

/// `ia_face_state`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FaceState {
    /// Number of faces.
    pub num_faces: i32,
    #[doc(hidden)]
    pub padding_4: [u8; 4],
    /// Whether there is a `faces`: not 0 if there is.
    pub faces: u64,
}
layout!(FaceState, 16, num_faces 0, faces 8);

/// `ia_face`, 100 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Face {
    /// Face area.
    pub face_area: Rectangle,
    /// Rip angle.
    pub rip_angle: i32,
    /// Rop angle.
    pub rop_angle: i32,
    /// Tracking id.
    pub tracking_id: i32,
    /// Confidence.
    pub confidence: i32,
    /// Person id.
    pub person_id: i32,
    /// Similarity.
    pub similarity: i32,
    /// Best ratio.
    pub best_ratio: i32,
    /// Face condition.
    pub face_condition: i32,
    /// Smile state.
    pub smile_state: i32,
    /// Smile score.
    pub smile_score: i32,
    /// Mouth.
    pub mouth: Coordinate,
    /// Left eye.
    pub left_eye: Eye,
    /// Right eye.
    pub right_eye: Eye,
    /// Eye validity.
    pub eye_validity: i32,
    /// Skin type dark likelihood.
    pub skin_type_dark_likelihood: i32,
    /// Skin type validity.
    pub skin_type_validity: i32,
}
layout!(Face, 100, face_area 0, rip_angle 16, rop_angle 20, tracking_id 24, confidence 28, person_id 32, similarity 36, best_ratio 40, face_condition 44, smile_state 48, smile_score 52, mouth 56, left_eye 64, right_eye 76, eye_validity 88, skin_type_dark_likelihood 92, skin_type_validity 96);

/// `ia_eye`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Eye {
    /// Position.
    pub position: Coordinate,
    /// Blink confidence.
    pub blink_confidence: i32,
}
layout!(Eye, 12, position 0, blink_confidence 8);
