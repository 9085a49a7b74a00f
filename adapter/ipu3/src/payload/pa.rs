//! Parameter adaptation: AIQ_PA_RUN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{AwbResults, ExposureParameters};

/// `pa_run_params`, 105768 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PaRunParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: PaInputParams,
    /// The AWB result in effect.
    pub awb_results: AwbResults,
    /// Exposure params.
    pub exposure_params: ExposureParameters,
    /// Color gains.
    pub color_gains: ColorChannels,
    #[doc(hidden)]
    pub padding_100: [u8; 4],
    /// The answer.
    pub res: PaRunParamsResults,
}
layout!(PaRunParams, 105768, aiq_handle 0, base 8, awb_results 32, exposure_params 56, color_gains 84, res 104);

/// `pa_run_params_results`, 105664 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PaRunParamsResults {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: PaResults,
    /// Preferred acm.
    pub preferred_acm: AdvancedCcm,
    /// Ir weight.
    pub ir_weight: IrWeight,
    /// Gr.
    pub gr: [f32; 128],
    /// R.
    pub r: [f32; 128],
    /// B.
    pub b: [f32; 128],
    /// Gb.
    pub gb: [f32; 128],
    /// Hue of sectors.
    pub hue_of_sectors: [u32; 128],
    /// Advanced color conversion matrices.
    pub advanced_color_conversion_matrices: [[[f32; 3]; 3]; 128],
    /// Ir weight grid r.
    pub ir_weight_grid_r: [u16; 16384],
    /// Ir weight grid g.
    pub ir_weight_grid_g: [u16; 16384],
    /// Ir weight grid b.
    pub ir_weight_grid_b: [u16; 16384],
}
layout!(PaRunParamsResults, 105664, base 0, preferred_acm 136, ir_weight 160, gr 192, r 704, b 1216, gb 1728, hue_of_sectors 2240, advanced_color_conversion_matrices 2752, ir_weight_grid_r 7360, ir_weight_grid_g 40128, ir_weight_grid_b 72896);

/// `ia_aiq_pa_input_params`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PaInputParams {
    /// Whether there is an `awb_results`: not 0 if there is.
    pub awb_results: u64,
    /// Whether there is an `exposure_params`: not 0 if there is.
    pub exposure_params: u64,
    /// Whether there is a `color_gains`: not 0 if there is.
    pub color_gains: u64,
}
layout!(PaInputParams, 24, awb_results 0, exposure_params 8, color_gains 16);

/// `ia_aiq_pa_results`, 136 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PaResults {
    /// Color conversion matrix.
    pub color_conversion_matrix: [[f32; 3]; 3],
    /// Black level.
    pub black_level: ColorChannels,
    /// Color gains.
    pub color_gains: ColorChannels,
    #[doc(hidden)]
    pub padding_68: [u8; 4],
    /// Linearization.
    pub linearization: ColorChannelsLut,
    /// Saturation factor.
    pub saturation_factor: f32,
    /// Brightness level.
    pub brightness_level: f32,
    /// Whether there is a `preferred_acm`: not 0 if there is.
    pub preferred_acm: u64,
    /// Whether there is an `ir_weight`: not 0 if there is.
    pub ir_weight: u64,
}
layout!(PaResults, 136, color_conversion_matrix 0, black_level 36, color_gains 52, linearization 72, saturation_factor 112, brightness_level 116, preferred_acm 120, ir_weight 128);

/// `ia_aiq_color_channels`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ColorChannels {
    /// Gr.
    pub gr: f32,
    /// R.
    pub r: f32,
    /// B.
    pub b: f32,
    /// Gb.
    pub gb: f32,
}
layout!(ColorChannels, 16, gr 0, r 4, b 8, gb 12);

/// `ia_aiq_color_channels_lut`, 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ColorChannelsLut {
    /// Whether there is a `gr`: not 0 if there is.
    pub gr: u64,
    /// Whether there is a `r`: not 0 if there is.
    pub r: u64,
    /// Whether there is a `b`: not 0 if there is.
    pub b: u64,
    /// Whether there is a `gb`: not 0 if there is.
    pub gb: u64,
    /// Bytes, or cells, in use.
    pub size: u32,
    #[doc(hidden)]
    pub padding_36: [u8; 4],
}
layout!(ColorChannelsLut, 40, gr 0, r 8, b 16, gb 24, size 32);

/// `ia_aiq_advanced_ccm`, 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AdvancedCcm {
    /// Sector count.
    pub sector_count: u32,
    #[doc(hidden)]
    pub padding_4: [u8; 4],
    /// Whether there is a `hue_of_sectors`: not 0 if there is.
    pub hue_of_sectors: u64,
    /// Whether there is an `advanced_color_conversion_matrices`: not 0 if there is.
    pub advanced_color_conversion_matrices: u64,
}
layout!(AdvancedCcm, 24, sector_count 0, hue_of_sectors 8, advanced_color_conversion_matrices 16);

/// `ia_aiq_ir_weight`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct IrWeight {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether there is an `ir_weight_grid_r`: not 0 if there is.
    pub ir_weight_grid_r: u64,
    /// Whether there is an `ir_weight_grid_g`: not 0 if there is.
    pub ir_weight_grid_g: u64,
    /// Whether there is an `ir_weight_grid_b`: not 0 if there is.
    pub ir_weight_grid_b: u64,
}
layout!(IrWeight, 32, width 0, height 4, ir_weight_grid_r 8, ir_weight_grid_g 16, ir_weight_grid_b 24);
