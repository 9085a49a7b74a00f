//! Shading adaptation: AIQ_SA_RUN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{AwbResults, FrameParams};

/// `sa_run_params`, 262440 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct SaRunParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: SaInputParams,
    /// What part of the sensor is read out, and how it is scaled.
    pub sensor_frame_params: FrameParams,
    /// The AWB result in effect.
    pub awb_results: AwbResults,
    #[doc(hidden)]
    pub padding_68: [u8; 4],
    /// The answer.
    pub res: SaRunParamsResults,
}
layout!(SaRunParams, 262440, aiq_handle 0, base 8, sensor_frame_params 32, awb_results 44, res 72);

/// `sa_run_params_results`, 262368 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct SaRunParamsResults {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: SaResults,
    /// Channel gr.
    pub channel_gr: [f32; 16384],
    /// Channel r.
    pub channel_r: [f32; 16384],
    /// Channel b.
    pub channel_b: [f32; 16384],
    /// Channel gb.
    pub channel_gb: [f32; 16384],
}
layout!(SaRunParamsResults, 262368, base 0, channel_gr 224, channel_r 65760, channel_b 131296, channel_gb 196832);

/// `ia_aiq_sa_input_params`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct SaInputParams {
    /// `ia_aiq_frame_use`: 0 preview, 1 still, 2 continuous, 3 video.
    pub frame_use: i32,
    #[doc(hidden)]
    pub padding_4: [u8; 4],
    /// Whether there is a `sensor_frame_params`: not 0 if there is.
    pub sensor_frame_params: u64,
    /// Whether there is an `awb_results`: not 0 if there is.
    pub awb_results: u64,
}
layout!(SaInputParams, 24, frame_use 0, sensor_frame_params 8, awb_results 16);

/// `ia_aiq_sa_results`, 224 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct SaResults {
    /// Whether there is a `channel_gr`: not 0 if there is.
    pub channel_gr: u64,
    /// Whether there is a `channel_r`: not 0 if there is.
    pub channel_r: u64,
    /// Whether there is a `channel_b`: not 0 if there is.
    pub channel_b: u64,
    /// Whether there is a `channel_gb`: not 0 if there is.
    pub channel_gb: u64,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Whether the table changed, 0 or 1.
    pub lsc_update: u8,
    #[doc(hidden)]
    pub padding_37: [u8; 3],
    /// Light source: `light_source_t`, not looked at.
    pub light_source: [[u8; 8]; 20],
    /// Scene difficulty.
    pub scene_difficulty: f32,
    /// Number of patches.
    pub num_patches: u16,
    #[doc(hidden)]
    pub padding_206: [u8; 2],
    /// Covered area.
    pub covered_area: f32,
    /// Frame params.
    pub frame_params: FrameParams,
}
layout!(SaResults, 224, channel_gr 0, channel_r 8, channel_b 16, channel_gb 24, width 32, height 34, lsc_update 36, light_source 40, scene_difficulty 200, num_patches 204, covered_area 208, frame_params 212);
