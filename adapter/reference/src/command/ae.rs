//! AIQ_AE_RUN.

use cami_ipu3::payload::{
    AeExposureResult, AeManualLimits, AeResults, AeRunParams, ApertureControl, ExposureParameters,
    ExposureSensorDescriptor, ExposureSensorParameters, FlashParameters, HistWeightGrid,
};
use zerocopy::FromZeros;

use super::cmc::BASE_ISO;
use super::part::{read, write, write_items};
use super::{PRESENT, Refusal, Session, narrow, present, target, whole, window};
use crate::algorithm::ae::{
    self, Flicker, Inputs, Limits, Metering, Outcome, SensorTiming, WEIGHT_COLUMNS, WEIGHT_ROWS,
};
use crate::shared_memory::SharedMemory;

/// `ia_aiq_ae_metering_mode`: centre.
const METERING_CENTRE: i32 = 1;
/// `ia_aiq_ae_flicker_reduction`.
const FLICKER_OFF: i32 = 0;
const FLICKER_50_HZ: i32 = 1;
const FLICKER_60_HZ: i32 = 2;
/// The f-number of the generic lens, which cannot be changed.
const APERTURE: f32 = 2.0;
/// What the original says of the control of an aperture that cannot be changed.
const NO_APERTURE_CONTROL: f32 = -1.0;

impl Session {
    pub(super) fn ae_run(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, AeRunParams, aiq_handle)?;
        let mut aiqs = self.aiqs.lock();
        let aiq = aiqs.get(handle)?;
        let base = read!(memory, AeRunParams, base)?;
        if base.num_exposures != 1 {
            return Err(Refusal::Value("number of exposures"));
        }
        let sensor =
            present(base.sensor_descriptor, || read!(memory, AeRunParams, sensor_descriptor))?
                .ok_or(Refusal::Value("sensor descriptor"))?;
        let time = present(base.manual_exposure_time_us, || {
            read!(memory, AeRunParams, manual_exposure_time_us)
        })?;
        let gain =
            present(base.manual_analog_gain, || read!(memory, AeRunParams, manual_analog_gain))?;
        let iso = present(base.manual_iso, || read!(memory, AeRunParams, manual_iso))?;
        let limits = present(base.manual_limits, || read!(memory, AeRunParams, manual_limits))?;
        let metering = match base.metering_mode {
            METERING_CENTRE => Metering::Centre,
            _ => Metering::Evaluative,
        };
        let metered =
            present(base.exposure_window, || read!(memory, AeRunParams, exposure_window))?;
        let metered = window(metered);
        let outcome = aiq.ae.run(&Inputs {
            statistics: aiq.statistics.as_ref(),
            sensor: timing(&sensor),
            gains: &aiq.gains,
            base_iso: f64::from(BASE_ISO),
            metering,
            window: metered,
            flicker: Flicker::from_protocol(base.flicker_reduction_mode),
            ev_shift: f64::from(base.ev_shift) + target::shift(),
            // Times of more than an hour and 11 minutes are as good as the longest that fits.
            manual_time_us: time.map(|time| f64::from(i32::try_from(time).unwrap_or(i32::MAX))),
            manual_analog_gain: gain.map(f64::from),
            manual_iso: iso.map(f64::from),
            limits: limits.as_ref().map(limits_of).unwrap_or_default(),
        });
        answer(memory, &outcome)?;
        write_items!(memory, AeRunParams, res.weights, &ae::weights(metering, metered))
    }
}

fn timing(sensor: &ExposureSensorDescriptor) -> SensorTiming {
    SensorTiming {
        pixel_clock_mhz: f64::from(sensor.pixel_clock_freq_mhz),
        line_length_pixels: sensor.pixel_periods_per_line,
        frame_length_lines: sensor.line_periods_per_field,
        vertical_blanking_lines: sensor.line_periods_vertical_blanking,
        coarse_min: sensor.coarse_integration_time_min,
        coarse_max_margin: sensor.coarse_integration_time_max_margin,
    }
}

/// Limits that are not above 0 are open: the protocol says -1.
fn limits_of(limits: &AeManualLimits) -> Limits {
    let limit = |value: i32| (value > 0).then(|| f64::from(value));
    Limits {
        time_min_us: limit(limits.manual_exposure_time_min),
        time_max_us: limit(limits.manual_exposure_time_max),
        frame_min_us: limit(limits.manual_frame_time_us_min),
        frame_max_us: limit(limits.manual_frame_time_us_max),
        iso_min: limit(limits.manual_iso_min.into()),
        iso_max: limit(limits.manual_iso_max.into()),
    }
}

fn answer(memory: &SharedMemory, outcome: &Outcome) -> Result<(), Refusal> {
    let flicker = match outcome.flicker {
        Flicker::Off | Flicker::Auto => FLICKER_OFF,
        Flicker::Hz50 => FLICKER_50_HZ,
        Flicker::Hz60 => FLICKER_60_HZ,
    };
    let base = AeResults {
        exposures: PRESENT,
        num_exposures: 1,
        weight_grid: PRESENT,
        flashes: PRESENT,
        num_flashes: 1,
        lux_level_estimate: outcome.lux,
        flicker_reduction_mode: flicker,
        aperture_control: PRESENT,
        ..AeResults::new_zeroed()
    };
    write!(memory, AeRunParams, res.base, &base)?;
    let exposure = AeExposureResult {
        exposure: PRESENT,
        sensor_exposure: PRESENT,
        distance_from_convergence: narrow(outcome.distance_percent),
        converged: u8::from(outcome.converged),
        ..AeExposureResult::new_zeroed()
    };
    write!(memory, AeRunParams, res.exposures, &[exposure])?;
    let grid = HistWeightGrid {
        width: u16::try_from(WEIGHT_COLUMNS).unwrap_or(0),
        height: u16::try_from(WEIGHT_ROWS).unwrap_or(0),
        weights: PRESENT,
        ..HistWeightGrid::new_zeroed()
    };
    write!(memory, AeRunParams, res.weight_grid, &grid)?;
    write!(memory, AeRunParams, res.flashes, &[FlashParameters::new_zeroed()])?;
    let aperture =
        ApertureControl { aperture_fn: NO_APERTURE_CONTROL, dc_iris_command: 0, code: 0 };
    write!(memory, AeRunParams, res.aperture_control, &aperture)?;
    let exposure = ExposureParameters {
        exposure_time_us: whole(outcome.exposure.time_us),
        analog_gain: narrow(outcome.exposure.analog_gain),
        digital_gain: narrow(outcome.exposure.digital_gain),
        aperture_fn: APERTURE,
        total_target_exposure: outcome.total_target_us,
        iso: outcome.iso,
        ..ExposureParameters::new_zeroed()
    };
    write!(memory, AeRunParams, res.exposure, &exposure)?;
    let sensor = ExposureSensorParameters {
        fine_integration_time: 0,
        coarse_integration_time: outcome.sensor.coarse_integration_time,
        analog_gain_code_global: outcome.sensor.analog_gain_code,
        digital_gain_global: outcome.sensor.digital_gain,
        line_length_pixels: outcome.sensor.line_length_pixels,
        frame_length_lines: outcome.sensor.frame_length_lines,
    };
    write!(memory, AeRunParams, res.sensor_exposure, &sensor)
}
