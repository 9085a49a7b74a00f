//! EXC_ANALOG_GAIN_TO_SENSOR, EXC_SENSOR_TO_ANALOG_GAIN: gains in the sensor's codes.
//!
//! Each request brings the conversion table along, so that no handle is needed.

use std::mem::offset_of;

use cami_ipu3::payload::{
    CmcAnalogGainPair, CmcAnalogGainSegment, CmcParsedAnalogGainConversionData,
    ExcAnalogGainToSensorUnitsParams,
};

use super::part::{read, write};
use super::{ABSENT, Refusal, narrow};
use crate::algorithm::{GainModel, Segment};
use crate::shared_memory::SharedMemory;

type Exc = ExcAnalogGainToSensorUnitsParams;
type Table = CmcParsedAnalogGainConversionData;

/// Segments and pairs that the payload has room for.
const MOST_SEGMENTS: u16 = 512;
const MOST_PAIRS: u16 = 1024;
/// Codes that 16 bits have. Segments with more of them repeat themselves, and are only meant to keep
/// this library busy.
const MOST_CODES: usize = 65_536;
/// 1.0 in the 16 bits of integer and 16 of fraction that gains have in a table.
const FIXED_ONE: f64 = 65_536.0;

/// The code of a gain.
pub fn gain_to_code(memory: &SharedMemory) -> Result<(), Refusal> {
    let gain = f32::from_le_bytes(read!(memory, Exc, input)?);
    let code = model(memory)?.code_of(f64::from(gain));
    // The code is the lower half of a union; the upper half stays.
    memory.write_items(offset_of!(Exc, results), &code.to_le_bytes())
}

/// The gain of a code.
pub fn code_to_gain(memory: &SharedMemory) -> Result<(), Refusal> {
    let [low, high, ..] = read!(memory, Exc, input)?;
    let gain = model(memory)?.gain_of(u16::from_le_bytes([low, high]));
    write!(memory, Exc, results, &narrow(gain).to_le_bytes())
}

/// The table of the request: its segments, or its pairs where it has none. Which of them there are
/// is told by their numbers; `conversion_type` is not needed for that.
fn model(memory: &SharedMemory) -> Result<GainModel, Refusal> {
    let words = read!(memory, Exc, base)?;
    if words.cmc_analog_gain_conversion == ABSENT {
        return Err(Refusal::Value("conversion table"));
    }
    let model = if words.cmc_analog_gain_segments != ABSENT
        && read!(memory, Exc, gain_conversion.num_segments)? > 0
    {
        GainModel::from_segments(&segments(memory)?)
    } else if words.cmc_analog_gain_pairs != ABSENT {
        GainModel::from_pairs(&pairs(memory)?)
    } else {
        return Err(Refusal::Value("segments or pairs"));
    };
    model.ok_or(Refusal::Value("gain in the conversion table"))
}

/// The segments whose codes have 16 bits.
fn segments(memory: &SharedMemory) -> Result<Vec<Segment>, Refusal> {
    let count = read!(memory, Exc, gain_conversion.num_segments)?;
    if count > MOST_SEGMENTS {
        return Err(Refusal::Value("number of segments"));
    }
    let offset = offset_of!(Exc, gain_conversion) + offset_of!(Table, segments);
    let segments: Vec<CmcAnalogGainSegment> = memory.read_items(offset, usize::from(count))?;
    let usable = segments.iter().filter_map(|segment| {
        Some(Segment {
            m0: segment.m0,
            c0: segment.c0,
            m1: segment.m1,
            c1: segment.c1,
            code_min: segment.code_min.try_into().ok()?,
            code_max: segment.code_max.try_into().ok()?,
            code_step: segment.code_step.try_into().ok()?,
        })
    });
    let usable: Vec<Segment> = usable.collect();
    let codes = |segment: &Segment| {
        let span = segment.code_max.saturating_sub(segment.code_min);
        usize::from(span) / usize::from(segment.code_step.max(1)) + 1
    };
    if usable.iter().map(codes).sum::<usize>() > MOST_CODES {
        return Err(Refusal::Value("number of codes"));
    }
    Ok(usable)
}

/// The pairs whose code has 16 bits.
fn pairs(memory: &SharedMemory) -> Result<Vec<(f64, u16)>, Refusal> {
    let count = read!(memory, Exc, gain_conversion.num_pairs)?;
    if count > MOST_PAIRS {
        return Err(Refusal::Value("number of pairs"));
    }
    let offset = offset_of!(Exc, gain_conversion) + offset_of!(Table, pairs);
    let pairs: Vec<CmcAnalogGainPair> = memory.read_items(offset, usize::from(count))?;
    let usable = pairs
        .iter()
        .filter_map(|pair| Some((f64::from(pair.gain) / FIXED_ONE, pair.code.try_into().ok()?)));
    Ok(usable.collect())
}
