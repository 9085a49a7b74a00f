//! Global brightness and contrast enhancement: AIQ_GBCE_RUN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `gbce_run_params`, 16456 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct GbceRunParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: GbceInputParams,
    /// The answer itself; the tables follow.
    pub res_base: GbceResults,
    /// R gamma lut.
    pub r_gamma_lut: [f32; 1024],
    /// B gamma lut.
    pub b_gamma_lut: [f32; 1024],
    /// G gamma lut.
    pub g_gamma_lut: [f32; 1024],
    /// Tone map lut.
    pub tone_map_lut: [f32; 1024],
}
layout!(GbceRunParams, 16456, aiq_handle 0, base 8, res_base 24, r_gamma_lut 72, b_gamma_lut 4168, g_gamma_lut 8264, tone_map_lut 12360);

/// `ia_aiq_gbce_input_params`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct GbceInputParams {
    /// Gbce level, a value of `ia_aiq_gbce_level`.
    pub gbce_level: i32,
    /// Tone map level, a value of `ia_aiq_tone_map_level`.
    pub tone_map_level: i32,
    /// `ia_aiq_frame_use`: 0 preview, 1 still, 2 continuous, 3 video.
    pub frame_use: i32,
    /// Exposure compensation, stops.
    pub ev_shift: f32,
}
layout!(GbceInputParams, 16, gbce_level 0, tone_map_level 4, frame_use 8, ev_shift 12);

/// `ia_aiq_gbce_results`, 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct GbceResults {
    /// Whether there is a `r_gamma_lut`: not 0 if there is.
    pub r_gamma_lut: u64,
    /// Whether there is a `b_gamma_lut`: not 0 if there is.
    pub b_gamma_lut: u64,
    /// Whether there is a `g_gamma_lut`: not 0 if there is.
    pub g_gamma_lut: u64,
    /// Entries of each gamma table in use.
    pub gamma_lut_size: u32,
    #[doc(hidden)]
    pub padding_28: [u8; 4],
    /// Whether there is a `tone_map_lut`: not 0 if there is.
    pub tone_map_lut: u64,
    /// Entries of the tone map in use.
    pub tone_map_lut_size: u32,
    #[doc(hidden)]
    pub padding_44: [u8; 4],
}
layout!(GbceResults, 48, r_gamma_lut 0, b_gamma_lut 8, g_gamma_lut 16, gamma_lut_size 24, tone_map_lut 32, tone_map_lut_size 40);
