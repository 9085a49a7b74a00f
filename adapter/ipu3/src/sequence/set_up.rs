//! Requests before the first frame and after the last.

use std::fmt;

use super::answer::{BadAnswer, finite};
use super::pointer::same;
use crate::payload::{
    AiqDeinitParams, AiqInitParams, BinaryDataMod, CmcDeinitParams, CmcInitParams,
    CmcParsedAnalogGainConversion, CmcParsedAnalogGainConversionData,
    ExcAnalogGainToSensorUnitsParams, MknEnableParams, MknInitParams, MknUninitParams,
};

/// Bytes of tuning data that a payload has room for.
pub const MAX_TUNING_BYTES: usize = 800_000;
/// Largest grids and number of statistics that AIQ_INIT announces (the HAL's values).
const MAX_GRID: u32 = 150;
const MAX_STATISTICS: u32 = 1;
/// Maker-note settings of the HAL: compression, and the sizes of both sections in bytes.
const MKN_COMPRESSION: i32 = 1;
const MKN_SECTION_1: u64 = 56_000;
const MKN_SECTION_2: u64 = 110_592;
/// An analogue gain that no sensor has: its code is that of the largest gain.
pub const UNREACHABLE_GAIN: f32 = 1000.0;

/// Tuning data that a payload has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// Its size in bytes.
    pub size: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tuning data of {} bytes; the protocol carries at most {MAX_TUNING_BYTES}",
            self.size
        )
    }
}

impl std::error::Error for TooLarge {}

/// Writes sized data; what lies behind it stays.
pub(super) fn blob(target: &mut BinaryDataMod, data: &[u8]) -> Result<(), TooLarge> {
    let too_large = TooLarge { size: data.len() };
    let size = u32::try_from(data.len()).map_err(|_| too_large)?;
    target.data.get_mut(..data.len()).ok_or(too_large)?.copy_from_slice(data);
    target.size = size;
    Ok(())
}

/// Fills CMC_INIT.
pub fn fill_cmc_init(payload: &mut CmcInitParams, aiqb: &[u8]) -> Result<(), TooLarge> {
    blob(&mut payload.input, aiqb)
}

/// What is used of a parsed tuning file.
#[derive(Debug, Clone)]
pub struct CmcAnswer {
    /// The library's handle; meaningless here.
    pub handle: u64,
    /// Width and height of the sensor; `None` if the tuning does not tell.
    pub size: Option<(u16, u16)>,
    /// The nearest distance that the lens focuses at, in cm; `None` if the tuning does not tell.
    pub nearest_cm: Option<u16>,
    gain_pointers: CmcParsedAnalogGainConversion,
    gain_tables: Box<CmcParsedAnalogGainConversionData>,
}

impl CmcAnswer {
    /// Takes the answer out of a payload.
    pub fn take(payload: &CmcInitParams) -> Result<Self, BadAnswer> {
        let results = &payload.results;
        if results.cmc_remote_handle == 0 {
            // Later requests with it would crash the library (spec/ipu3-protocol.md, 0.8).
            return Err(BadAnswer::new("cmcRemoteHandle", 0_u8, "a handle"));
        }
        let general = &results.cmc_general_data;
        let known = results.base.cmc_general_data != 0 && general.width > 0 && general.height > 0;
        let from = &results.base.cmc_parsed_analog_gain_conversion;
        Ok(Self {
            handle: results.cmc_remote_handle,
            size: known.then_some((general.width, general.height)),
            nearest_cm: nearest_cm(results),
            gain_pointers: CmcParsedAnalogGainConversion {
                cmc_analog_gain_conversion: same(from.cmc_analog_gain_conversion),
                cmc_analog_gain_segments: same(from.cmc_analog_gain_segments),
                cmc_analog_gain_pairs: same(from.cmc_analog_gain_pairs),
            },
            gain_tables: Box::new(results.cmc_parsed_analog_gain_conversion),
        })
    }

    /// Whether the tuning has what the gain conversions need.
    #[must_use]
    pub fn converts_gains(&self) -> bool {
        self.gain_pointers.cmc_analog_gain_conversion != 0
    }

    fn fill_tables(&self, payload: &mut ExcAnalogGainToSensorUnitsParams) {
        payload.base = self.gain_pointers;
        payload.gain_conversion = *self.gain_tables;
    }
}

fn nearest_cm(results: &crate::payload::CmcData) -> Option<u16> {
    let optics = results.base.cmc_parsed_optics.first_chunk::<8>()?;
    let nearest = results.cmc_parsed_optics.min_focus_distance;
    (u64::from_le_bytes(*optics) != 0 && nearest > 0).then_some(nearest)
}

/// Fills EXC_ANALOG_GAIN_TO_SENSOR.
pub fn fill_gain_to_code(
    payload: &mut ExcAnalogGainToSensorUnitsParams,
    cmc: &CmcAnswer,
    gain: f32,
) {
    cmc.fill_tables(payload);
    payload.input = gain.to_le_bytes();
}

/// Takes the sensor's code out of the answer.
#[must_use]
pub fn take_code(payload: &ExcAnalogGainToSensorUnitsParams) -> u16 {
    let [low, high, ..] = payload.results;
    u16::from_le_bytes([low, high])
}

/// Fills EXC_SENSOR_TO_ANALOG_GAIN. The code is the lower half of a union; the upper stays.
pub fn fill_code_to_gain(
    payload: &mut ExcAnalogGainToSensorUnitsParams,
    cmc: &CmcAnswer,
    code: u16,
) {
    cmc.fill_tables(payload);
    let [low, high] = code.to_le_bytes();
    let [_, _, third, fourth] = payload.input;
    payload.input = [low, high, third, fourth];
}

/// Takes the analogue gain out of the answer.
pub fn take_gain(payload: &ExcAnalogGainToSensorUnitsParams) -> Result<f32, BadAnswer> {
    finite("analogue gain", f32::from_le_bytes(payload.results))
}

/// Fills MKN_INIT.
pub fn fill_mkn_init(payload: &mut MknInitParams) {
    payload.mkn_config_bits = MKN_COMPRESSION;
    payload.mkn_section_1_size = MKN_SECTION_1;
    payload.mkn_section_2_size = MKN_SECTION_2;
}

/// Fills MKN_ENABLE.
pub fn fill_mkn_enable(payload: &mut MknEnableParams, mkn: u64, enable: bool) {
    payload.mkn_handle = mkn;
    payload.enable_data_collection = u8::from(enable);
}

/// The whole payload of AIQ_INIT: the struct, then the data, without gaps.
pub fn aiq_init(
    aiqb: &[u8],
    nvm: &[u8],
    aiqd: &[u8],
    mkn: u64,
    cmc: u64,
) -> Result<(AiqInitParams, Vec<u8>), TooLarge> {
    let size = |data: &[u8]| {
        let too_large = TooLarge { size: data.len() };
        u32::try_from(data.len()).map_err(|_| too_large)
    };
    let header = AiqInitParams {
        aiqb_size: size(aiqb)?,
        nvm_size: size(nvm)?,
        aiqd_size: size(aiqd)?,
        stats_max_width: MAX_GRID,
        stats_max_height: MAX_GRID,
        max_num_stats_in: MAX_STATISTICS,
        ia_mkn: mkn,
        cmc_remote_handle: cmc,
        results: 0,
    };
    Ok((header, [aiqb, nvm, aiqd].concat()))
}

/// Takes a handle out of an answer.
pub fn take_handle(field: &'static str, handle: u64) -> Result<u64, BadAnswer> {
    if handle == 0 { Err(BadAnswer::new(field, 0_u8, "a handle")) } else { Ok(handle) }
}

/// Fills AIQ_DEINIT.
pub fn fill_aiq_deinit(payload: &mut AiqDeinitParams, aiq: u64) {
    payload.aiq_handle = aiq;
}

/// Fills MKN_UNINIT.
pub fn fill_mkn_uninit(payload: &mut MknUninitParams, mkn: u64) {
    payload.mkn_handle = mkn;
}

/// Fills CMC_DEINIT.
pub fn fill_cmc_deinit(payload: &mut CmcDeinitParams, cmc: u64) {
    payload.cmc_handle = cmc;
}
