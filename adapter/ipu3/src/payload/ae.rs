//! Automatic exposure: AIQ_AE_RUN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Coordinate, ExposureParameters, Rectangle};

/// `ae_run_params`, 16800 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AeRunParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: AeInputParams,
    /// Timing of the sensor.
    pub sensor_descriptor: ExposureSensorDescriptor,
    /// Region to be metered, in IA coordinates (0 to 8192); all 0 for the whole picture.
    pub exposure_window: Rectangle,
    /// Exposure coordinate.
    pub exposure_coordinate: Coordinate,
    #[doc(hidden)]
    pub padding_172: [u8; 4],
    /// Manual exposure time, µs.
    pub manual_exposure_time_us: i64,
    /// Analogue gain to be kept, where the inputs say that it is present.
    pub manual_analog_gain: f32,
    /// ISO to be kept, where the inputs say that it is present.
    pub manual_iso: i16,
    #[doc(hidden)]
    pub padding_190: [u8; 2],
    /// Aec features.
    pub aec_features: AeFeatures,
    /// Limits to be kept.
    pub manual_limits: AeManualLimits,
    /// The answer.
    pub res: AeRunParamsResults,
}
layout!(AeRunParams, 16800, aiq_handle 0, base 8, sensor_descriptor 128, exposure_window 148, exposure_coordinate 164, manual_exposure_time_us 176, manual_analog_gain 184, manual_iso 188, aec_features 192, manual_limits 212, res 232);

/// `ae_run_params_results`, 16568 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AeRunParamsResults {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: AeResults,
    /// The exposure; there is one.
    pub exposures: [AeExposureResult; 1],
    /// Weight grid.
    pub weight_grid: HistWeightGrid,
    /// Flashes.
    pub flashes: [FlashParameters; 1],
    /// Aperture control.
    pub aperture_control: ApertureControl,
    /// Exposure.
    pub exposure: ExposureParameters,
    /// Sensor exposure.
    pub sensor_exposure: ExposureSensorParameters,
    /// Plan of each exposure.
    pub exposure_plan_ids: [u32; 1],
    /// One weight per cell, row by row.
    pub weights: [u8; 16384],
}
layout!(AeRunParamsResults, 16568, base 0, exposures 56, weight_grid 104, flashes 120, aperture_control 128, exposure 140, sensor_exposure 168, exposure_plan_ids 180, weights 184);

/// `ia_aiq_ae_input_params`, 120 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AeInputParams {
    /// Number of exposures.
    pub num_exposures: u32,
    /// `ia_aiq_frame_use`: 0 preview, 1 still, 2 continuous, 3 video.
    pub frame_use: i32,
    /// `ia_aiq_flash_mode`: 0 automatic, 1 on, 2 off.
    pub flash_mode: i32,
    /// Operation mode, a value of `ia_aiq_ae_operation_mode`.
    pub operation_mode: i32,
    /// Metering: 0 evaluative (AF: automatic), 1 centre.
    pub metering_mode: i32,
    /// Priority mode, a value of `ia_aiq_ae_priority_mode`.
    pub priority_mode: i32,
    /// Flicker reduction mode, a value of `ia_aiq_ae_flicker_reduction`.
    pub flicker_reduction_mode: i32,
    #[doc(hidden)]
    pub padding_28: [u8; 4],
    /// Whether there is a `sensor_descriptor`: not 0 if there is.
    pub sensor_descriptor: u64,
    /// Whether there is an `exposure_window`: not 0 if there is.
    pub exposure_window: u64,
    /// Whether there is an `exposure_coordinate`: not 0 if there is.
    pub exposure_coordinate: u64,
    /// Exposure compensation, stops.
    pub ev_shift: f32,
    #[doc(hidden)]
    pub padding_60: [u8; 4],
    /// Whether there is a `manual_exposure_time_us`: not 0 if there is.
    pub manual_exposure_time_us: u64,
    /// Whether there is a `manual_analog_gain`: not 0 if there is.
    pub manual_analog_gain: u64,
    /// Whether there is a `manual_iso`: not 0 if there is.
    pub manual_iso: u64,
    /// Whether there is an `aec_features`: not 0 if there is.
    pub aec_features: u64,
    /// Whether there is a `manual_limits`: not 0 if there is.
    pub manual_limits: u64,
    /// Aperture fn to be kept, where the inputs say that it is present.
    pub manual_aperture_fn: f32,
    /// Manual dc iris command, a value of `ia_aiq_aperture_control_dc_iris_command`.
    pub manual_dc_iris_command: i32,
    /// Exposure distribution priority, a value of `ia_aiq_ae_exposure_distribution_priority`.
    pub exposure_distribution_priority: i32,
    /// Convergence time, s; negative leaves it to the library.
    pub manual_convergence_time: f32,
}
layout!(AeInputParams, 120, num_exposures 0, frame_use 4, flash_mode 8, operation_mode 12, metering_mode 16, priority_mode 20, flicker_reduction_mode 24, sensor_descriptor 32, exposure_window 40, exposure_coordinate 48, ev_shift 56, manual_exposure_time_us 64, manual_analog_gain 72, manual_iso 80, aec_features 88, manual_limits 96, manual_aperture_fn 104, manual_dc_iris_command 108, exposure_distribution_priority 112, manual_convergence_time 116);

/// `ia_aiq_ae_features`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AeFeatures {
    /// Motion blur control, a value of `ia_aiq_ae_feature_setting`.
    pub motion_blur_control: i32,
    /// Backlight compensation, a value of `ia_aiq_ae_feature_setting`.
    pub backlight_compensation: i32,
    /// Face utilization, a value of `ia_aiq_ae_feature_setting`.
    pub face_utilization: i32,
    /// Red eye reduction flash, a value of `ia_aiq_ae_feature_setting`.
    pub red_eye_reduction_flash: i32,
    /// Fill in flash, a value of `ia_aiq_ae_feature_setting`.
    pub fill_in_flash: i32,
}
layout!(AeFeatures, 20, motion_blur_control 0, backlight_compensation 4, face_utilization 8, red_eye_reduction_flash 12, fill_in_flash 16);

/// `ia_aiq_ae_manual_limits`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AeManualLimits {
    /// Least manual exposure time, µs; -1 leaves it open.
    pub manual_exposure_time_min: i32,
    /// Greatest manual exposure time, µs; -1 leaves it open.
    pub manual_exposure_time_max: i32,
    /// Least frame time, µs; -1 leaves it open.
    pub manual_frame_time_us_min: i32,
    /// Greatest frame time, µs; -1 leaves it open.
    pub manual_frame_time_us_max: i32,
    /// Least ISO; -1 leaves it open.
    pub manual_iso_min: i16,
    /// Greatest ISO; -1 leaves it open.
    pub manual_iso_max: i16,
}
layout!(AeManualLimits, 20, manual_exposure_time_min 0, manual_exposure_time_max 4, manual_frame_time_us_min 8, manual_frame_time_us_max 12, manual_iso_min 16, manual_iso_max 18);

/// `ia_aiq_exposure_sensor_descriptor`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ExposureSensorDescriptor {
    /// Pixel clock, MHz.
    pub pixel_clock_freq_mhz: f32,
    /// Line length, pixel clocks.
    pub pixel_periods_per_line: u16,
    /// Frame length, lines.
    pub line_periods_per_field: u16,
    /// Vertical blanking, lines.
    pub line_periods_vertical_blanking: u16,
    /// Smallest remainder, pixels.
    pub fine_integration_time_min: u16,
    /// Pixels by which the largest remainder is shorter than the line.
    pub fine_integration_time_max_margin: u16,
    /// Shortest exposure time, lines.
    pub coarse_integration_time_min: u16,
    /// Lines by which the longest exposure is shorter than the frame.
    pub coarse_integration_time_max_margin: u16,
    #[doc(hidden)]
    pub padding_18: [u8; 2],
}
layout!(ExposureSensorDescriptor, 20, pixel_clock_freq_mhz 0, pixel_periods_per_line 4, line_periods_per_field 6, line_periods_vertical_blanking 8, fine_integration_time_min 10, fine_integration_time_max_margin 12, coarse_integration_time_min 14, coarse_integration_time_max_margin 16);

/// `ia_aiq_ae_results`, 56 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AeResults {
    /// Whether there is an `exposures`: not 0 if there is.
    pub exposures: u64,
    /// Number of exposures.
    pub num_exposures: u32,
    #[doc(hidden)]
    pub padding_12: [u8; 4],
    /// Whether there is a `weight_grid`: not 0 if there is.
    pub weight_grid: u64,
    /// Whether there is a `flashes`: not 0 if there is.
    pub flashes: u64,
    /// Number of flashes.
    pub num_flashes: u32,
    /// Estimate of the illuminance, lux.
    pub lux_level_estimate: u32,
    /// Multiframe, a value of `ia_aiq_bracket_mode`.
    pub multiframe: i32,
    /// Flicker reduction mode, a value of `ia_aiq_ae_flicker_reduction`.
    pub flicker_reduction_mode: i32,
    /// Whether there is an `aperture_control`: not 0 if there is.
    pub aperture_control: u64,
}
layout!(AeResults, 56, exposures 0, num_exposures 8, weight_grid 16, flashes 24, num_flashes 32, lux_level_estimate 36, multiframe 40, flicker_reduction_mode 44, aperture_control 48);

/// `ia_aiq_ae_exposure_result`, 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AeExposureResult {
    /// Exposure index.
    pub exposure_index: u32,
    #[doc(hidden)]
    pub padding_4: [u8; 4],
    /// Whether there is an `exposure`: not 0 if there is.
    pub exposure: u64,
    /// Whether there is a `sensor_exposure`: not 0 if there is.
    pub sensor_exposure: u64,
    /// How far AE is from its target, per cent; 0 at the target.
    pub distance_from_convergence: f32,
    /// Whether AE has converged, 0 or 1.
    pub converged: u8,
    #[doc(hidden)]
    pub padding_29: [u8; 3],
    /// Number of exposure plan.
    pub num_exposure_plan: u32,
    #[doc(hidden)]
    pub padding_36: [u8; 4],
    /// Whether there is an `exposure_plan_ids`: not 0 if there is.
    pub exposure_plan_ids: u64,
}
layout!(AeExposureResult, 48, exposure_index 0, exposure 8, sensor_exposure 16, distance_from_convergence 24, converged 28, num_exposure_plan 32, exposure_plan_ids 40);

/// `ia_aiq_hist_weight_grid`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct HistWeightGrid {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    #[doc(hidden)]
    pub padding_4: [u8; 4],
    /// Whether there is a `weights`: not 0 if there is.
    pub weights: u64,
}
layout!(HistWeightGrid, 16, width 0, height 2, weights 8);

/// `ia_aiq_flash_parameters`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FlashParameters {
    /// `ia_aiq_flash_status`: 0 none, 1 torch, 2 pre-flash, 3 main, 4 red-eye reduction.
    pub status: i32,
    /// Power prc.
    pub power_prc: u8,
    #[doc(hidden)]
    pub padding_5: [u8; 3],
}
layout!(FlashParameters, 8, status 0, power_prc 4);

/// `ia_aiq_aperture_control`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ApertureControl {
    /// Aperture fn.
    pub aperture_fn: f32,
    /// Dc iris command, a value of `ia_aiq_aperture_control_dc_iris_command`.
    pub dc_iris_command: i32,
    /// Code.
    pub code: i32,
}
layout!(ApertureControl, 12, aperture_fn 0, dc_iris_command 4, code 8);

/// `ia_aiq_exposure_sensor_parameters`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ExposureSensorParameters {
    /// Remainder of the exposure time, pixels.
    pub fine_integration_time: u16,
    /// Exposure time, lines.
    pub coarse_integration_time: u16,
    /// Analogue gain, in the sensor's code.
    pub analog_gain_code_global: u16,
    /// Digital gain, in the sensor's code.
    pub digital_gain_global: u16,
    /// Line length, pixel clocks.
    pub line_length_pixels: u16,
    /// Frame length, lines.
    pub frame_length_lines: u16,
}
layout!(ExposureSensorParameters, 12, fine_integration_time 0, coarse_integration_time 2, analog_gain_code_global 4, digital_gain_global 6, line_length_pixels 8, frame_length_lines 10);
