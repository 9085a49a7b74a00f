//! What an IPU3 library answered, read from the part of its buffer in which it stands.

use std::mem::offset_of;

use cami_ipu3::payload::{
    AeExposureResult, AeRunParams, AeRunParamsResults, AfRunParams, AwbRunParams,
    ExposureParameters, PaResults, PaRunParams, PaRunParamsResults,
};
use cami_ipu3::{Command, Pod, bytes_of_mut, zeroed_box};
use cami_recording::{ContentId, PageCache, Recording, Source};

use super::Exchange;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// Of AE.
    Ae(AeValues),
    /// Of AWB.
    Awb(AwbValues),
    /// Of AF.
    Af(AfValues),
    /// Of PA.
    Pa(PaValues),
}

/// Exposure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AeValues {
    /// Exposure time in µs.
    pub exposure_time_us: i32,
    /// Gain of the sensor.
    pub analogue_gain: f32,
    /// Gain behind it.
    pub digital_gain: f32,
    /// Whether AE has converged.
    pub converged: bool,
}

/// White balance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AwbValues {
    /// Colour temperature in kelvin.
    pub cct_k: u32,
    /// Red over green of the white point.
    pub final_r_per_g: f32,
    /// Blue over green of the white point.
    pub final_b_per_g: f32,
}

/// Focus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AfValues {
    /// `ia_aiq_af_status`.
    pub status: i32,
    /// Where the lens is to go, in steps.
    pub next_lens_position: i32,
    /// Focus distance in mm.
    pub focus_distance_mm: u16,
}

/// White balance gains over the mean of both greens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaValues {
    /// Of red.
    pub red_gain: f32,
    /// Of blue.
    pub blue_gain: f32,
}

/// Reads the answer in a content.
pub fn of<S: Source>(
    recording: &Recording<S>,
    exchange: &Exchange<'_>,
    content: ContentId,
    cache: &mut PageCache,
) -> Option<Values> {
    match exchange.protocol.ipu3(exchange.command)? {
        Command::AeRun => {
            let results = offset_of!(AeRunParams, res);
            let exposure = results + offset_of!(AeRunParamsResults, exposure);
            let exposure: Box<ExposureParameters> = part(recording, content, exposure, cache)?;
            let result = results + offset_of!(AeRunParamsResults, exposures);
            let result: Box<AeExposureResult> = part(recording, content, result, cache)?;
            Some(Values::Ae(AeValues {
                exposure_time_us: exposure.exposure_time_us,
                analogue_gain: exposure.analog_gain,
                digital_gain: exposure.digital_gain,
                converged: result.converged != 0,
            }))
        }
        Command::AwbRun => {
            let awb: Box<AwbRunParams> = part(recording, content, 0, cache)?;
            Some(Values::Awb(AwbValues {
                cct_k: awb.results.cct_estimate,
                final_r_per_g: awb.results.final_r_per_g,
                final_b_per_g: awb.results.final_b_per_g,
            }))
        }
        Command::AfRun => {
            let af: Box<AfRunParams> = part(recording, content, 0, cache)?;
            Some(Values::Af(AfValues {
                status: af.results.status,
                next_lens_position: af.results.next_lens_position,
                focus_distance_mm: af.results.current_focus_distance,
            }))
        }
        Command::PaRun => {
            let base = offset_of!(PaRunParams, res) + offset_of!(PaRunParamsResults, base);
            let gains = part::<PaResults, S>(recording, content, base, cache)?.color_gains;
            let green = f32::midpoint(gains.gr, gains.gb);
            Some(Values::Pa(PaValues { red_gain: gains.r / green, blue_gain: gains.b / green }))
        }
        _ => None,
    }
}

/// A struct at an offset of a content; `None` where the content ends before.
pub fn part<T: Pod, S: Source>(
    recording: &Recording<S>,
    content: ContentId,
    at: usize,
    cache: &mut PageCache,
) -> Option<Box<T>> {
    let from = u64::try_from(at).ok()?;
    let to = from.checked_add(u64::try_from(size_of::<T>()).ok()?)?;
    let bytes = recording.part(content, from..to, cache).ok()?;
    let mut value = zeroed_box::<T>();
    let target = bytes_of_mut(&mut *value);
    (target.len() == bytes.len()).then(|| target.copy_from_slice(&bytes))?;
    Some(value)
}
