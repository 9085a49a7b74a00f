//! AIQ_AE_RUN: automatic exposure.

use std::mem::offset_of;
use std::ops::Range;

use super::answer::{BadAnswer, cells, count, finite, positive, present};
use super::pointer::{ABSENT, PRESENT, same, word};
use crate::payload::{
    AeFeatures, AeInputParams, AeManualLimits, AeRunParams, AeRunParamsResults, Coordinate,
    ExposureSensorDescriptor, Rectangle,
};

/// Cells of a weight grid that a payload has room for.
const WEIGHT_CELLS: usize = 16384;
/// `flash_mode`: off.
const FLASH_OFF: i32 = 2;
/// A feature setting: left to the tuning, or disabled.
const FEATURE_TUNING: i32 = 0;
const FEATURE_DISABLED: i32 = 1;
/// A limit or time that is left to the library.
const LEFT_OPEN: i32 = -1;
/// The convergence time that is left to the library.
pub(super) const CONVERGENCE_LEFT_OPEN: f32 = -1.0;

/// What AE shall do. The default is a HAL's preview: everything automatic.
#[derive(Debug, Clone, Copy)]
pub struct AeControls {
    /// `ia_aiq_frame_use`: 0 preview, 1 still, 2 continuous, 3 video.
    pub frame_use: i32,
    /// Timing of the sensor.
    pub sensor: ExposureSensorDescriptor,
    /// Shortest and longest frame time, in µs. Without both AE chooses a frame length of its own.
    pub frame_time_us: (i32, i32),
    /// `ia_aiq_ae_operation_mode`, 0 automatic.
    pub operation_mode: i32,
    /// `ia_aiq_ae_metering_mode`: 0 evaluative, 1 centre.
    pub metering_mode: i32,
    /// `ia_aiq_ae_flicker_reduction`: 0 off, 1 50 Hz, 2 60 Hz, 3 automatic, 4 detect.
    pub flicker_reduction: i32,
    /// Exposure compensation, in stops.
    pub ev_shift: f32,
    /// The region to meter, in IA coordinates (0 to 8192); all 0 for the whole picture.
    pub window: Rectangle,
    /// The point of interest, in IA coordinates.
    pub coordinate: Option<Coordinate>,
    /// Exposure time to be kept, in µs.
    pub manual_exposure_us: Option<i64>,
    /// Analogue gain to be kept.
    pub manual_analog_gain: Option<f32>,
    /// ISO to be kept.
    pub manual_iso: Option<i16>,
}

impl AeControls {
    /// A preview's controls for a sensor whose frames take about `frame_time_us` µs.
    #[must_use]
    pub fn preview(sensor: ExposureSensorDescriptor, frame_time_us: (i32, i32)) -> Self {
        Self {
            frame_use: 0,
            sensor,
            frame_time_us,
            operation_mode: 0,
            metering_mode: 0,
            flicker_reduction: 3,
            ev_shift: 0.0,
            window: Rectangle { left: 0, top: 0, right: 0, bottom: 0 },
            coordinate: None,
            manual_exposure_us: None,
            manual_analog_gain: None,
            manual_iso: None,
        }
    }
}

/// Fills the request.
pub fn fill(payload: &mut AeRunParams, aiq: u64, controls: &AeControls) {
    payload.aiq_handle = aiq;
    payload.base = AeInputParams {
        num_exposures: 1,
        frame_use: controls.frame_use,
        flash_mode: FLASH_OFF,
        operation_mode: controls.operation_mode,
        metering_mode: controls.metering_mode,
        priority_mode: 0,
        flicker_reduction_mode: controls.flicker_reduction,
        sensor_descriptor: PRESENT,
        exposure_window: PRESENT,
        exposure_coordinate: word(controls.coordinate.is_some()),
        ev_shift: controls.ev_shift,
        manual_exposure_time_us: word(controls.manual_exposure_us.is_some()),
        manual_analog_gain: word(controls.manual_analog_gain.is_some()),
        manual_iso: word(controls.manual_iso.is_some()),
        aec_features: PRESENT,
        manual_limits: PRESENT,
        manual_aperture_fn: 0.0,
        manual_dc_iris_command: 0,
        exposure_distribution_priority: 0,
        manual_convergence_time: CONVERGENCE_LEFT_OPEN,
        ..payload.base
    };
    payload.sensor_descriptor = controls.sensor;
    payload.exposure_window = controls.window;
    if let Some(coordinate) = controls.coordinate {
        payload.exposure_coordinate = coordinate;
    }
    if let Some(time) = controls.manual_exposure_us {
        payload.manual_exposure_time_us = time;
    }
    if let Some(gain) = controls.manual_analog_gain {
        payload.manual_analog_gain = gain;
    }
    if let Some(iso) = controls.manual_iso {
        payload.manual_iso = iso;
    }
    payload.aec_features = AeFeatures {
        motion_blur_control: FEATURE_DISABLED,
        backlight_compensation: FEATURE_DISABLED,
        face_utilization: FEATURE_TUNING,
        red_eye_reduction_flash: FEATURE_DISABLED,
        fill_in_flash: FEATURE_DISABLED,
    };
    payload.manual_limits = AeManualLimits {
        manual_exposure_time_min: LEFT_OPEN,
        manual_exposure_time_max: LEFT_OPEN,
        manual_frame_time_us_min: controls.frame_time_us.0,
        manual_frame_time_us_max: controls.frame_time_us.1,
        manual_iso_min: -1,
        manual_iso_max: -1,
    };
}

/// The bytes of a filled request, and those of its answer.
pub const ASKED: Range<usize> = 0..offset_of!(AeRunParams, res);
/// See [`ASKED`].
pub const ANSWERED: Range<usize> = ASKED.end..size_of::<AeRunParams>();

/// Cells of an echoed answer's weight grid.
pub(super) fn weight_cells(results: &AeRunParamsResults) -> usize {
    let grid = &results.weight_grid;
    (usize::from(grid.width) * usize::from(grid.height)).min(WEIGHT_CELLS)
}

/// How a frame was exposed; its digital gain is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposed {
    /// Exposure time, in µs.
    pub time_us: i32,
    /// The same in lines.
    pub lines: u16,
    /// Analogue gain.
    pub analog_gain: f32,
    /// The same in the sensor's code.
    pub gain_code: u16,
}

/// A checked answer of AE.
///
/// It is kept for as long as a frame may come back that was exposed by it: the statistics of such
/// a frame must name it.
#[derive(Debug, Clone)]
pub struct AeAnswer {
    results: Box<AeRunParamsResults>,
    weights: usize,
}

impl AeAnswer {
    /// Takes the answer out of a payload.
    pub fn take(payload: &AeRunParams) -> Result<Self, BadAnswer> {
        let results = &payload.res;
        present("exposures", results.base.exposures)?;
        if results.base.num_exposures != 1 {
            return Err(BadAnswer::new("num_exposures", results.base.num_exposures, "1"));
        }
        let [first] = &results.exposures;
        present("exposure", first.exposure)?;
        present("sensor_exposure", first.sensor_exposure)?;
        count("num_flashes", results.base.num_flashes, 1)?;
        finite("distance_from_convergence", first.distance_from_convergence)?;
        let exposure = &results.exposure;
        if exposure.exposure_time_us <= 0 {
            let time = exposure.exposure_time_us;
            return Err(BadAnswer::new("exposure_time_us", time, "a time above 0"));
        }
        positive("analog_gain", exposure.analog_gain)?;
        positive("digital_gain", exposure.digital_gain)?;
        if results.sensor_exposure.coarse_integration_time == 0 {
            return Err(BadAnswer::new("coarse_integration_time", 0_u8, "a line or more"));
        }
        let grid = &results.weight_grid;
        let weights = if results.base.weight_grid == ABSENT || grid.weights == ABSENT {
            0
        } else {
            cells("weight_grid", grid.width, grid.height, WEIGHT_CELLS)?
        };
        Ok(Self { results: Box::new(*results), weights })
    }

    /// Everything that was answered; pointer words are the library's and mean nothing.
    #[must_use]
    pub fn results(&self) -> &AeRunParamsResults {
        &self.results
    }

    /// Whether the library says that it has converged.
    #[must_use]
    pub fn converged(&self) -> bool {
        let [first] = &self.results.exposures;
        first.converged != 0
    }

    /// The exposure time, in lines, and the code of the analogue gain.
    #[must_use]
    pub fn sensor(&self) -> (u16, u16) {
        let sensor = &self.results.sensor_exposure;
        (sensor.coarse_integration_time, sensor.analog_gain_code_global)
    }

    /// The answer as it would be for another exposure: what a frame must be told to have been taken
    /// with that was exposed by none of the library's answers.
    #[must_use]
    pub fn exposed_by(&self, exposure: &Exposed) -> Self {
        let mut answer = self.clone();
        let results = &mut *answer.results;
        results.exposure.exposure_time_us = exposure.time_us;
        results.exposure.analog_gain = exposure.analog_gain;
        results.exposure.digital_gain = 1.0;
        results.sensor_exposure.fine_integration_time = 0;
        results.sensor_exposure.coarse_integration_time = exposure.lines;
        results.sensor_exposure.analog_gain_code_global = exposure.gain_code;
        answer
    }

    /// How far the library says that it is from convergence.
    #[must_use]
    pub fn distance(&self) -> f32 {
        let [first] = &self.results.exposures;
        first.distance_from_convergence
    }

    /// The weights of the metering grid, row by row.
    #[must_use]
    pub fn weights(&self) -> &[u8] {
        self.results.weights.get(..self.weights).unwrap_or_default()
    }

    /// Writes the answer into another payload's copy of it. The weights behind the grid's last
    /// stay as they were: nobody reads them.
    pub(super) fn echo(&self, target: &mut AeRunParamsResults) {
        let from = &*self.results;
        target.base = from.base;
        target.base.exposures = PRESENT;
        target.base.weight_grid = same(from.base.weight_grid);
        target.base.flashes = same(from.base.flashes);
        target.base.aperture_control = same(from.base.aperture_control);
        target.exposures = from.exposures;
        let [first] = &mut target.exposures;
        first.exposure = PRESENT;
        first.sensor_exposure = PRESENT;
        first.exposure_plan_ids = same(first.exposure_plan_ids);
        target.weight_grid = from.weight_grid;
        target.weight_grid.weights = same(from.weight_grid.weights);
        target.flashes = from.flashes;
        target.aperture_control = from.aperture_control;
        target.exposure = from.exposure;
        target.sensor_exposure = from.sensor_exposure;
        target.exposure_plan_ids = from.exposure_plan_ids;
        if let Some(weights) = target.weights.get_mut(..self.weights) {
            weights.copy_from_slice(self.weights());
        }
    }
}
