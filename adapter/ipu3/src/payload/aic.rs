//! ISP configuration: AIC_INIT, AIC_RUN, AIC_RESET, AIC_GETAICVERSION, AIC_GETAICCONFIG.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{
    AicConfig, AwbResults, BinaryDataMod, ExposureParameters, FrameParams, GbceResults,
    HistWeightGrid, PaRunParamsResults, Rectangle, SaRunParamsResults,
};

/// `Transport`, 1201128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Transport {
    /// Number of pipes.
    pub num_pipes: u32,
    /// The tuning file.
    pub aiqb: BinaryDataMod,
    /// Handle of the CMC, from CMC_INIT.
    pub cmc_remote_handle: u64,
    /// What goes in.
    pub input: IPU3AICRuntimeParamsData,
    /// Dump aic parameters.
    pub dump_aic_parameters: u32,
    /// Test framework dump.
    pub test_framework_dump: i32,
    /// 0 still, 1 video.
    pub aic_mode: i32,
    #[doc(hidden)]
    pub padding_1201124: [u8; 4],
}
layout!(Transport, 1201128, num_pipes 0, aiqb 4, cmc_remote_handle 800008, input 800016, dump_aic_parameters 1201112, test_framework_dump 1201116, aic_mode 1201120);

/// `IPU3AICRuntimeParams_data`, 401096 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct IPU3AICRuntimeParamsData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: IPU3AICRuntimeParams,
    /// Input frame params.
    pub input_frame_params: AicInputFrameParameters,
    /// Frame resolution parameters.
    pub frame_resolution_parameters: AicResolutionConfigParameters,
    /// Output frame params.
    pub output_frame_params: OutputFrameParameters,
    #[doc(hidden)]
    pub padding_162: [u8; 2],
    /// Exposure results.
    pub exposure_results: ExposureParameters,
    /// Weight grid.
    pub weight_grid: HistWeightGrid,
    /// The AWB result in effect.
    pub awb_results: AwbResults,
    /// Gbce results.
    pub gbce_results: GbceResults,
    /// Pa results.
    pub pa_results: PaRunParamsResults,
    /// Sa results.
    pub sa_results: SaRunParamsResults,
    /// Focus rect.
    pub focus_rect: Rectangle,
    /// One weight per cell, row by row.
    pub weights: [u8; 16384],
    /// R gamma lut.
    pub r_gamma_lut: [f32; 1024],
    /// B gamma lut.
    pub b_gamma_lut: [f32; 1024],
    /// G gamma lut.
    pub g_gamma_lut: [f32; 1024],
    /// Tone map lut.
    pub tone_map_lut: [f32; 1024],
}
layout!(IPU3AICRuntimeParamsData, 401096, base 0, input_frame_params 128, frame_resolution_parameters 142, output_frame_params 156, exposure_results 164, weight_grid 192, awb_results 208, gbce_results 232, pa_results 280, sa_results 105944, focus_rect 368312, weights 368328, r_gamma_lut 384712, b_gamma_lut 388808, g_gamma_lut 392904, tone_map_lut 397000);

/// `IPU3AICRuntimeParams`, 128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct IPU3AICRuntimeParams {
    /// Time of the frame, µs.
    pub time_stamp: i64,
    /// `ia_aiq_frame_use`: 0 preview, 1 still, 2 continuous, 3 video.
    pub frame_use: i32,
    /// Mode index.
    pub mode_index: i32,
    /// Whether there is an `input_frame_params`: not 0 if there is.
    pub input_frame_params: u64,
    /// Whether there is a `frame_resolution_parameters`: not 0 if there is.
    pub frame_resolution_parameters: u64,
    /// Whether there is an `output_frame_params`: not 0 if there is.
    pub output_frame_params: u64,
    /// Whether there is an `exposure_results`: not 0 if there is.
    pub exposure_results: u64,
    /// Whether there is a `weight_grid`: not 0 if there is.
    pub weight_grid: u64,
    /// Whether there is an `awb_results`: not 0 if there is.
    pub awb_results: u64,
    /// Whether there is a `gbce_results`: not 0 if there is.
    pub gbce_results: u64,
    /// Whether there is a `pa_results`: not 0 if there is.
    pub pa_results: u64,
    /// Whether there is a `sa_results`: not 0 if there is.
    pub sa_results: u64,
    /// Isp vamem type.
    pub isp_vamem_type: u32,
    /// Brightness to be kept, where the inputs say that it is present.
    pub manual_brightness: u8,
    /// Contrast to be kept, where the inputs say that it is present.
    pub manual_contrast: u8,
    /// Hue to be kept, where the inputs say that it is present.
    pub manual_hue: u8,
    /// Saturation to be kept, where the inputs say that it is present.
    pub manual_saturation: u8,
    /// Sharpness to be kept, where the inputs say that it is present.
    pub manual_sharpness: u8,
    #[doc(hidden)]
    pub padding_97: [u8; 3],
    /// Effects, a value of `ia_isp_effect`.
    pub effects: i32,
    /// Whether there is a `focus_rect`: not 0 if there is.
    pub focus_rect: u64,
    /// Whether there is a `scdpc_data`: not 0 if there is.
    pub scdpc_data: u64,
    /// Disable gamma.
    pub disable_gamma: u8,
    /// Preserve color.
    pub preserve_color: u8,
    /// Ull on.
    pub ull_on: u8,
    #[doc(hidden)]
    pub padding_123: [u8; 5],
}
layout!(IPU3AICRuntimeParams, 128, time_stamp 0, frame_use 8, mode_index 12, input_frame_params 16, frame_resolution_parameters 24, output_frame_params 32, exposure_results 40, weight_grid 48, awb_results 56, gbce_results 64, pa_results 72, sa_results 80, isp_vamem_type 88, manual_brightness 92, manual_contrast 93, manual_hue 94, manual_saturation 95, manual_sharpness 96, effects 100, focus_rect 104, scdpc_data 112, disable_gamma 120, preserve_color 121, ull_on 122);

/// `aic_input_frame_parameters`, 14 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AicInputFrameParameters {
    /// What part of the sensor is read out, and how it is scaled.
    pub sensor_frame_params: FrameParams,
    /// Fix flip x.
    pub fix_flip_x: u8,
    /// Fix flip y.
    pub fix_flip_y: u8,
}
layout!(AicInputFrameParameters, 14, sensor_frame_params 0, fix_flip_x 12, fix_flip_y 13);

/// `aic_resolution_config_parameters`, 14 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AicResolutionConfigParameters {
    /// Horizontal if crop.
    pub horizontal_if_crop: u16,
    /// Vertical if crop.
    pub vertical_if_crop: u16,
    /// Bds in img width.
    pub bds_in_img_width: u16,
    /// Bds in img height.
    pub bds_in_img_height: u16,
    /// Bds out img width.
    pub bds_out_img_width: u16,
    /// Bds out img height.
    pub bds_out_img_height: u16,
    /// Bds horizontal padding.
    pub bds_horizontal_padding: u16,
}
layout!(AicResolutionConfigParameters, 14, horizontal_if_crop 0, vertical_if_crop 2, bds_in_img_width 4, bds_in_img_height 6, bds_out_img_width 8, bds_out_img_height 10, bds_horizontal_padding 12);

/// `ia_aiq_output_frame_parameters`, 6 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct OutputFrameParameters {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Fix flip x.
    pub fix_flip_x: u8,
    /// Fix flip y.
    pub fix_flip_y: u8,
}
layout!(OutputFrameParameters, 6, width 0, height 2, fix_flip_x 4, fix_flip_y 5);

/// `IPU3AicConfig`, 288072 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct IPU3AicConfig {
    /// Aic config.
    pub aic_config: AicConfig,
    /// 0 still, 1 video.
    pub aic_mode: i32,
}
layout!(IPU3AicConfig, 288072, aic_config 0, aic_mode 288068);

/// `ia_aic_version_params`, 108 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AicVersionParams {
    /// The bytes.
    pub data: [u8; 100],
    /// Bytes, or cells, in use.
    pub size: u32,
    /// 0 still, 1 video.
    pub aic_mode: i32,
}
layout!(AicVersionParams, 108, data 0, size 100, aic_mode 104);
