//! Camera module characterisation: CMC_INIT, CMC_DEINIT.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::BinaryDataMod;

/// `cmc_init_params`, 823296 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcInitParams {
    /// What goes in.
    pub input: BinaryDataMod,
    #[doc(hidden)]
    pub padding_800004: [u8; 4],
    /// The answer.
    pub results: CmcData,
}
layout!(CmcInitParams, 823296, input 0, results 800008);

/// `cmc_deinit_params`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcDeinitParams {
    /// Handle of the CMC, from CMC_INIT.
    pub cmc_handle: u64,
}
layout!(CmcDeinitParams, 8, cmc_handle 0);

/// `ia_cmc_data`, 23288 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcData {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: Cmc,
    /// Cmc general data.
    pub cmc_general_data: CmcGeneralData,
    /// Cmc parsed black level.
    pub cmc_parsed_black_level: CmcParsedBlackLevelData,
    /// Cmc saturation level.
    pub cmc_saturation_level: CmcSaturationLevel,
    /// Cmc sensitivity.
    pub cmc_sensitivity: CmcSensitivity,
    /// Cmc parsed lens shading.
    pub cmc_parsed_lens_shading: CmcParsedLensShadingData,
    /// Cmc parsed optics.
    pub cmc_parsed_optics: CmcParsedOpticsData,
    /// Cmc parsed color matrices.
    pub cmc_parsed_color_matrices: CmcParsedColorMatricesData,
    /// Cmc parsed analog gain conversion.
    pub cmc_parsed_analog_gain_conversion: CmcParsedAnalogGainConversionData,
    #[doc(hidden)]
    pub padding_23276: [u8; 4],
    /// Handle of the CMC, from CMC_INIT.
    pub cmc_remote_handle: u64,
}
layout!(CmcData, 23288, base 0, cmc_general_data 432, cmc_parsed_black_level 468, cmc_saturation_level 496, cmc_sensitivity 512, cmc_parsed_lens_shading 524, cmc_parsed_optics 556, cmc_parsed_color_matrices 632, cmc_parsed_analog_gain_conversion 732, cmc_remote_handle 23280);

/// `ia_cmc`, 432 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Cmc {
    /// Cmc parsed comment: `cmc_parsed_comment_t`, addresses, not looked at.
    pub cmc_parsed_comment: [u8; 16],
    /// Whether there is a `cmc_general_data`: not 0 if there is.
    pub cmc_general_data: u64,
    /// Cmc parsed black level: `cmc_parsed_black_level_t`, addresses, not looked at.
    pub cmc_parsed_black_level: [u8; 16],
    /// Whether there is a `cmc_saturation_level`: not 0 if there is.
    pub cmc_saturation_level: u64,
    /// Cmc parsed linearity: `cmc_parsed_linearity_t`, addresses, not looked at.
    pub cmc_parsed_linearity: [u8; 16],
    /// Whether there is a `cmc_sensitivity`: not 0 if there is.
    pub cmc_sensitivity: u64,
    /// Whether there is a `cmc_defect_pixel`: not 0 if there is.
    pub cmc_defect_pixel: u64,
    /// Whether there is a `cmc_noise`: not 0 if there is.
    pub cmc_noise: u64,
    /// Cmc parsed lens shading: `cmc_parsed_lens_shading_t`, addresses, not looked at.
    pub cmc_parsed_lens_shading: [u8; 32],
    /// Cmc parsed lens shading ratio: `cmc_parsed_lens_shading_ratio_t`, addresses, not looked at.
    pub cmc_parsed_lens_shading_ratio: [u8; 24],
    /// Whether there is a `cmc_geometric_distortion`: not 0 if there is.
    pub cmc_geometric_distortion: u64,
    /// Cmc parsed optics: `cmc_parsed_optics_t`, addresses; not 0 at its front if there is one.
    pub cmc_parsed_optics: [u8; 24],
    /// Cmc parsed spectral response: `cmc_parsed_spectral_response_t`, addresses, not looked at.
    pub cmc_parsed_spectral_response: [u8; 16],
    /// Cmc parsed chromaticity response: `cmc_parsed_chromaticity_response_t`, addresses, not looked at.
    pub cmc_parsed_chromaticity_response: [u8; 48],
    /// Cmc parsed flash chromaticity: `cmc_parsed_flash_chromaticity_t`, addresses, not looked at.
    pub cmc_parsed_flash_chromaticity: [u8; 16],
    /// Cmc parsed nvm info: `cmc_parsed_nvm_info_t`, addresses, not looked at.
    pub cmc_parsed_nvm_info: [u8; 16],
    /// Cmc parsed color matrices: `cmc_parsed_color_matrices_t`, addresses, not looked at.
    pub cmc_parsed_color_matrices: [u8; 24],
    /// Cmc parsed analog gain conversion.
    pub cmc_parsed_analog_gain_conversion: CmcParsedAnalogGainConversion,
    /// Cmc parsed digital gain: `cmc_parsed_digital_gain_t`, addresses, not looked at.
    pub cmc_parsed_digital_gain: [u8; 24],
    /// Cmc parsed geometric distortion2: `cmc_parsed_geometric_distortion2_t`, addresses, not looked at.
    pub cmc_parsed_geometric_distortion2: [u8; 16],
    /// Whether there is a `cmc_exposure_range`: not 0 if there is.
    pub cmc_exposure_range: u64,
    /// Whether there is a `cmc_multi_led_flashes`: not 0 if there is.
    pub cmc_multi_led_flashes: u64,
    /// Whether there is a `cmc_emd_decoder_config`: not 0 if there is.
    pub cmc_emd_decoder_config: u64,
    /// Cmc parsed advanced color matrix: `cmc_parsed_advanced_color_matrix_t`, addresses, not looked at.
    pub cmc_parsed_advanced_color_matrix: [u8; 24],
    /// Whether there is a `cmc_parsed_hdr_parameters`: not 0 if there is.
    pub cmc_parsed_hdr_parameters: u64,
    /// Cmc parsed ir weight: `cmc_parsed_ir_weight_t`, addresses, not looked at.
    pub cmc_parsed_ir_weight: [u8; 16],
}
layout!(Cmc, 432, cmc_parsed_comment 0, cmc_general_data 16, cmc_parsed_black_level 24, cmc_saturation_level 40, cmc_parsed_linearity 48, cmc_sensitivity 64, cmc_defect_pixel 72, cmc_noise 80, cmc_parsed_lens_shading 88, cmc_parsed_lens_shading_ratio 120, cmc_geometric_distortion 144, cmc_parsed_optics 152, cmc_parsed_spectral_response 176, cmc_parsed_chromaticity_response 192, cmc_parsed_flash_chromaticity 240, cmc_parsed_nvm_info 256, cmc_parsed_color_matrices 272, cmc_parsed_analog_gain_conversion 296, cmc_parsed_digital_gain 320, cmc_parsed_geometric_distortion2 344, cmc_exposure_range 360, cmc_multi_led_flashes 368, cmc_emd_decoder_config 376, cmc_parsed_advanced_color_matrix 384, cmc_parsed_hdr_parameters 408, cmc_parsed_ir_weight 416);

/// `cmc_general_data`, 36 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcGeneralData {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Bit depth.
    pub bit_depth: u16,
    /// Color order.
    pub color_order: u16,
    /// Bit depth packed.
    pub bit_depth_packed: u16,
    /// Sve pattern.
    pub sve_pattern: [u8; 16],
    #[doc(hidden)]
    pub padding_34: [u8; 2],
}
layout!(CmcGeneralData, 36, header 0, width 8, height 10, bit_depth 12, color_order 14, bit_depth_packed 16, sve_pattern 18);

/// `cmc_parsed_black_level_data`, 28 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcParsedBlackLevelData {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// Number of bl luts.
    pub num_bl_luts: u32,
    /// Exposure time.
    pub exposure_time: u32,
    /// Analogue gain, 1.0 is none.
    pub analog_gain: u32,
    /// Color channels.
    pub color_channels: [u16; 4],
}
layout!(CmcParsedBlackLevelData, 28, header 0, num_bl_luts 8, exposure_time 12, analog_gain 16, color_channels 20);

/// `cmc_saturation_level`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcSaturationLevel {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// Saturation.
    pub saturation: [u16; 4],
}
layout!(CmcSaturationLevel, 16, header 0, saturation 8);

/// `cmc_sensitivity`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcSensitivity {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// ISO at gain 1.
    pub base_iso: u16,
    #[doc(hidden)]
    pub padding_10: [u8; 2],
}
layout!(CmcSensitivity, 12, header 0, base_iso 8);

/// `cmc_parsed_lens_shading_data`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcParsedLensShadingData {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// Lsc level.
    pub lsc_level: u16,
    /// Number of grids.
    pub num_grids: u16,
    /// Columns of the grid.
    pub grid_width: u16,
    /// Rows of the grid.
    pub grid_height: u16,
    #[doc(hidden)]
    pub padding_16: [u8; 16],
}
layout!(CmcParsedLensShadingData, 32, header 0, lsc_level 8, num_grids 10, grid_width 12, grid_height 14);

/// `cmc_parsed_optics_data`, 76 bytes: the record, then the first aperture.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcParsedOpticsData {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// Kind of the lens actuator.
    pub actuator: u8,
    /// How the module is mounted.
    pub camera_module_orientation: u8,
    /// What can be moved.
    pub camera_actuator_features: u16,
    /// Gain of the neutral density filter.
    pub nd_gain: u16,
    /// Focal length, hundredths of mm.
    pub effect_focal_length: u16,
    /// Height of a pixel, hundredths of µm.
    pub sensor_pix_size_v: u16,
    /// Width of a pixel, hundredths of µm.
    pub sensor_pix_size_h: u16,
    /// Columns of the sensor.
    pub sensor_width_pix_total: u16,
    /// Rows of the sensor.
    pub sensor_height_pix_total: u16,
    /// Lens offset, module up to horizontal.
    pub lens_offset_up_to_horz: u16,
    /// Lens offset, module horizontal to down.
    pub lens_offset_horz_to_down: u16,
    /// Travel from infinity to 85 mm, steps.
    pub range_inf_to_85mm: u16,
    /// Travel from infinity to 100 mm, steps.
    pub range_inf_to_100mm: u16,
    /// Travel from infinity to 300 mm, steps.
    pub range_inf_to_300mm: u16,
    /// Travel from infinity to 500 mm, steps.
    pub range_inf_to_500mm: u16,
    /// Travel from infinity to 950 mm, steps.
    pub range_inf_to_950mm: u16,
    /// Travel from infinity to 1200 mm, steps.
    pub range_inf_to_1200mm: u16,
    /// Travel from infinity to the hyperfocal distance, steps.
    pub range_inf_to_hyperfocal: u16,
    /// Travel from infinity to the far calibration distance, steps.
    pub range_inf_to_calibration_distance_far: u16,
    /// Travel from infinity to the near calibration distance, steps.
    pub range_inf_to_calibration_distance_near: u16,
    /// Travel from infinity to the least distance, steps.
    pub range_inf_to_min_focusing_distance: u16,
    /// Far calibration distance.
    pub calibration_distance_far: u16,
    /// Near calibration distance.
    pub calibration_distance_near: u16,
    /// Lens position at the far calibration distance, steps.
    pub calibration_position_far: i16,
    /// Lens position at the near calibration distance, steps.
    pub calibration_position_near: i16,
    /// Limit of the lens range.
    pub lens_range_limit: i32,
    /// Offset of the actuator.
    pub lens_actuator_offset: i32,
    /// Time of a movement.
    pub lens_movement_time: u32,
    /// Least focus distance, in cm: 10 where the travel to it is that to 100 mm (recorded).
    pub min_focus_distance: u16,
    /// Number of apertures.
    pub num_apertures: u16,
    /// The first aperture.
    pub aperture: u16,
    #[doc(hidden)]
    pub padding_74: [u8; 2],
}
layout!(CmcParsedOpticsData, 76, header 0, actuator 8, camera_module_orientation 9, camera_actuator_features 10, nd_gain 12, effect_focal_length 14, sensor_pix_size_v 16, sensor_pix_size_h 18, sensor_width_pix_total 20, sensor_height_pix_total 22, lens_offset_up_to_horz 24, lens_offset_horz_to_down 26, range_inf_to_85mm 28, range_inf_to_100mm 30, range_inf_to_300mm 32, range_inf_to_500mm 34, range_inf_to_950mm 36, range_inf_to_1200mm 38, range_inf_to_hyperfocal 40, range_inf_to_calibration_distance_far 42, range_inf_to_calibration_distance_near 44, range_inf_to_min_focusing_distance 46, calibration_distance_far 48, calibration_distance_near 50, calibration_position_far 52, calibration_position_near 54, lens_range_limit 56, lens_actuator_offset 60, lens_movement_time 64, min_focus_distance 68, num_apertures 70, aperture 72);

/// `cmc_parsed_color_matrices_data`, 100 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcParsedColorMatricesData {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// Number of matrices.
    pub num_matrices: u16,
    /// The first matrix, not looked at.
    pub first_matrix: [u8; 90],
}
layout!(CmcParsedColorMatricesData, 100, header 0, num_matrices 8, first_matrix 10);

/// `cmc_parsed_analog_gain_conversion`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcParsedAnalogGainConversion {
    /// Whether there is a `cmc_analog_gain_conversion`: not 0 if there is.
    pub cmc_analog_gain_conversion: u64,
    /// Whether there is a `cmc_analog_gain_segments`: not 0 if there is.
    pub cmc_analog_gain_segments: u64,
    /// Whether there is a `cmc_analog_gain_pairs`: not 0 if there is.
    pub cmc_analog_gain_pairs: u64,
}
layout!(CmcParsedAnalogGainConversion, 24, cmc_analog_gain_conversion 0, cmc_analog_gain_segments 8, cmc_analog_gain_pairs 16);

/// `cmc_parsed_analog_gain_conversion_data`, 22544 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcParsedAnalogGainConversionData {
    /// Record header of the tuning file.
    pub header: [u8; 8],
    /// Conversion type.
    pub conversion_type: u16,
    /// Reserved.
    pub reserved: u16,
    /// Number of segments.
    pub num_segments: u16,
    /// Number of pairs.
    pub num_pairs: u16,
    /// Segments.
    pub segments: [CmcAnalogGainSegment; 512],
    /// Pairs.
    pub pairs: [CmcAnalogGainPair; 1024],
}
layout!(CmcParsedAnalogGainConversionData, 22544, header 0, conversion_type 8, reserved 10, num_segments 12, num_pairs 14, segments 16, pairs 14352);

/// `cmc_analog_gain_segment`, 28 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcAnalogGainSegment {
    /// Gain begin.
    pub gain_begin: u32,
    /// Gain end.
    pub gain_end: u32,
    /// Code min.
    pub code_min: u32,
    /// Code max.
    pub code_max: u32,
    /// Code step.
    pub code_step: u32,
    /// M0.
    pub m0: i16,
    /// C0.
    pub c0: i16,
    /// M1.
    pub m1: i16,
    /// C1.
    pub c1: i16,
}
layout!(CmcAnalogGainSegment, 28, gain_begin 0, gain_end 4, code_min 8, code_max 12, code_step 16, m0 20, c0 22, m1 24, c1 26);

/// `cmc_analog_gain_pair`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CmcAnalogGainPair {
    /// Gain.
    pub gain: u32,
    /// Code.
    pub code: u32,
}
layout!(CmcAnalogGainPair, 8, gain 0, code 4);
