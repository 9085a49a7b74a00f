//! AIC_INIT, AIC_RUN, AIC_GETAICCONFIG: from 3A results to the ISP's configuration.

use std::mem::offset_of;
use std::ops::Range;

use super::ae::AeAnswer;
use super::gbce::GbceAnswer;
use super::pa::{self, PaAnswer};
use super::parts::{Parts, items};
use super::pointer::{ABSENT, PRESENT, word};
use super::sa::{self, SaAnswer, Tables};
use super::set_up::{TooLarge, blob};
use crate::payload::{
    AicInputFrameParameters, AicResolutionConfigParameters, AwbResults, FrameParams,
    HistWeightGrid, IPU3AICRuntimeParams, IPU3AicConfig, OutputFrameParameters, Rectangle,
    Transport,
};

/// Entries of a table that a payload has room for.
const TABLE: usize = 1024;
/// Columns in which the ISP works; outputs are padded to a multiple of it.
const ALIGNMENT: u16 = 128;

/// Which pipe a configuration is for (`AicMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AicMode {
    /// Still pictures.
    Still = 0,
    /// Video and preview.
    Video = 1,
}

impl AicMode {
    fn word(self) -> i32 {
        match self {
            Self::Still => 0,
            Self::Video => 1,
        }
    }
}

/// How the picture shrinks on its way from the sensor.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    /// The sensor's crop and scaling.
    pub sensor: FrameParams,
    /// Size of the sensor's output, after binning.
    pub output: (u16, u16),
    /// Size at the input of the scaler (BDS).
    pub bds_input: (u16, u16),
    /// Size at its output.
    pub bds_output: (u16, u16),
}

impl Geometry {
    /// The whole of a sensor without binning, scaled to `bds_output`. The scaler's input is the
    /// sensor's size, its sides cut to multiples of 16.
    #[must_use]
    pub fn full(sensor: (u16, u16), bds_output: (u16, u16)) -> Self {
        let (width, height) = sensor;
        Self {
            sensor: FrameParams {
                horizontal_crop_offset: 0,
                vertical_crop_offset: 0,
                cropped_image_width: width,
                cropped_image_height: height,
                horizontal_scaling_numerator: 1,
                horizontal_scaling_denominator: 1,
                vertical_scaling_numerator: 1,
                vertical_scaling_denominator: 1,
            },
            output: sensor,
            bds_input: (width / 16 * 16, height / 16 * 16),
            bds_output,
        }
    }

    /// The tuning's mode for this output: main 0, full HD 1, HD 2, VGA 3.
    #[must_use]
    pub fn mode_index(&self) -> i32 {
        match self.bds_output.0 {
            1921.. => 0,
            1281.. => 1,
            641.. => 2,
            _ => 3,
        }
    }

    fn resolution(&self) -> AicResolutionConfigParameters {
        let (width, _) = self.bds_output;
        let padded = width.div_ceil(ALIGNMENT).saturating_mul(ALIGNMENT);
        AicResolutionConfigParameters {
            horizontal_if_crop: self.output.0.saturating_sub(self.bds_input.0) / 2,
            vertical_if_crop: self.output.1.saturating_sub(self.bds_input.1) / 2,
            bds_in_img_width: self.bds_input.0,
            bds_in_img_height: self.bds_input.1,
            bds_out_img_width: self.bds_output.0,
            bds_out_img_height: self.bds_output.1,
            bds_horizontal_padding: padded.saturating_sub(width),
        }
    }
}

/// The user's adjustments, each −128 to 127 with 0 in the middle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adjustments {
    /// Brightness.
    pub brightness: i8,
    /// Contrast.
    pub contrast: i8,
    /// Hue.
    pub hue: i8,
    /// Saturation.
    pub saturation: i8,
    /// Sharpness.
    pub sharpness: i8,
}

/// Results for AIC_RUN.
#[derive(Debug, Clone, Copy)]
pub struct AicResults<'a> {
    /// The frame's time, in µs.
    pub timestamp_us: i64,
    /// Exposure and metering weights.
    pub ae: &'a AeAnswer,
    /// White balance.
    pub awb: &'a AwbResults,
    /// Gamma and tone map.
    pub gbce: &'a GbceAnswer,
    /// Colour.
    pub pa: &'a PaAnswer,
    /// Shading.
    pub sa: &'a SaAnswer,
    /// How its tables go along.
    pub tables: Tables,
}

/// What stays the same from run to run.
#[derive(Debug, Clone, Copy)]
pub struct AicSetup {
    /// The pipe.
    pub mode: AicMode,
    /// `ia_aiq_frame_use`.
    pub frame_use: i32,
    /// Sizes.
    pub geometry: Geometry,
    /// The user's adjustments.
    pub adjustments: Adjustments,
}

/// Fills AIC_INIT: tuning data and sizes, no results yet.
pub fn fill_init(
    payload: &mut Transport,
    cmc: u64,
    aiqb: &[u8],
    setup: &AicSetup,
) -> Result<(), TooLarge> {
    blob(&mut payload.aiqb, aiqb)?;
    payload.num_pipes = 1;
    payload.cmc_remote_handle = cmc;
    fill_common(payload, setup);
    Ok(())
}

/// Fills AIC_RUN into a payload that AIC_INIT was filled into.
pub fn fill_run(payload: &mut Transport, setup: &AicSetup, results: &AicResults<'_>) {
    fill_common(payload, setup);
    let input = &mut payload.input;
    let base = &mut input.base;
    base.time_stamp = results.timestamp_us;
    base.exposure_results = PRESENT;
    base.weight_grid = PRESENT;
    base.awb_results = PRESENT;
    base.gbce_results = PRESENT;
    base.pa_results = PRESENT;
    base.sa_results = PRESENT;

    let ae = results.ae.results();
    input.exposure_results = ae.exposure;
    let weights = results.ae.weights();
    input.weight_grid = HistWeightGrid { weights: word(!weights.is_empty()), ..ae.weight_grid };
    copy(&mut input.weights, weights);
    input.awb_results = *results.awb;
    input.gbce_results = results.gbce.base();
    let [red, green, blue] = results.gbce.gamma();
    copy(&mut input.r_gamma_lut, red);
    copy(&mut input.b_gamma_lut, blue);
    copy(&mut input.g_gamma_lut, green);
    copy(&mut input.tone_map_lut, results.gbce.tone_map());
    results.pa.echo(&mut input.pa_results);
    results.sa.echo(&mut input.sa_results, results.tables);
}

/// The bytes that a filled AIC_RUN uses, but for those that its buffer has from before: the tuning
/// data of AIC_INIT are not among them.
#[must_use]
pub fn used_by_run(payload: &Transport, tables: Tables) -> Parts {
    let input = &payload.input;
    let gamma = usize::try_from(input.gbce_results.gamma_lut_size).unwrap_or(usize::MAX);
    let tone_map = usize::try_from(input.gbce_results.tone_map_lut_size).unwrap_or(usize::MAX);
    let table = |offset: usize, size: usize| items::<f32>(offset, size.min(TABLE));
    let mut parts = vec![
        items::<u32>(0, 1),
        // The handle, and all results before the colour ones.
        offset_of!(Transport, cmc_remote_handle)..offset_of!(Transport, input.pa_results),
        pa::used(&input.pa_results, offset_of!(Transport, input.pa_results)),
    ];
    parts.extend(sa::echoed(&input.sa_results, offset_of!(Transport, input.sa_results), tables));
    let weights = usize::from(input.weight_grid.width) * usize::from(input.weight_grid.height);
    parts.extend([
        items::<Rectangle>(offset_of!(Transport, input.focus_rect), 1),
        items::<u8>(offset_of!(Transport, input.weights), weights.min(input.weights.len())),
        table(offset_of!(Transport, input.r_gamma_lut), gamma),
        table(offset_of!(Transport, input.b_gamma_lut), gamma),
        table(offset_of!(Transport, input.g_gamma_lut), gamma),
        table(offset_of!(Transport, input.tone_map_lut), tone_map),
        offset_of!(Transport, dump_aic_parameters)..size_of::<Transport>(),
    ]);
    parts
}

/// The bytes of a filled AIC_GETAICCONFIG.
pub const GET_CONFIG_ASKED: Range<usize> =
    offset_of!(IPU3AicConfig, aic_mode)..size_of::<IPU3AicConfig>();

/// Fills AIC_GETAICCONFIG.
pub fn fill_get_config(payload: &mut IPU3AicConfig, mode: AicMode) {
    payload.aic_mode = mode.word();
}

fn fill_common(payload: &mut Transport, setup: &AicSetup) {
    let input = &mut payload.input;
    input.base = IPU3AICRuntimeParams {
        time_stamp: 0,
        frame_use: setup.frame_use,
        mode_index: setup.geometry.mode_index(),
        input_frame_params: PRESENT,
        frame_resolution_parameters: PRESENT,
        output_frame_params: PRESENT,
        exposure_results: ABSENT,
        weight_grid: ABSENT,
        awb_results: ABSENT,
        gbce_results: ABSENT,
        pa_results: ABSENT,
        sa_results: ABSENT,
        isp_vamem_type: 0,
        manual_brightness: setup.adjustments.brightness.cast_unsigned(),
        manual_contrast: setup.adjustments.contrast.cast_unsigned(),
        manual_hue: setup.adjustments.hue.cast_unsigned(),
        manual_saturation: setup.adjustments.saturation.cast_unsigned(),
        manual_sharpness: setup.adjustments.sharpness.cast_unsigned(),
        effects: 0,
        focus_rect: PRESENT,
        scdpc_data: ABSENT,
        disable_gamma: 0,
        preserve_color: 0,
        ull_on: 0,
        ..input.base
    };
    input.input_frame_params = AicInputFrameParameters {
        sensor_frame_params: setup.geometry.sensor,
        fix_flip_x: 0,
        fix_flip_y: 0,
    };
    input.frame_resolution_parameters = setup.geometry.resolution();
    input.output_frame_params = OutputFrameParameters {
        // The HAL's: the cropped sensor, before binning (spec/ipu3-protocol.md, 2).
        width: setup.geometry.sensor.cropped_image_width,
        height: setup.geometry.sensor.cropped_image_height,
        fix_flip_x: 0,
        fix_flip_y: 0,
    };
    input.focus_rect = Rectangle { left: 0, top: 0, right: 0, bottom: 0 };
    payload.dump_aic_parameters = 0;
    payload.test_framework_dump = 0;
    payload.aic_mode = setup.mode.word();
}

/// Copies all items, as far as there is room.
fn copy<T: Copy>(target: &mut [T], from: &[T]) {
    if let Some(target) = target.get_mut(..from.len()) {
        target.copy_from_slice(from);
    }
}
