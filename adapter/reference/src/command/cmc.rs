//! CMC_INIT, CMC_DEINIT: the camera module's characterisation.
//!
//! The original parses a tuning file. This library has none of its own and does not read those of
//! others: whatever it is given, it describes one generic sensor and leaves the rest absent.

use std::sync::atomic::{AtomicBool, Ordering};

use cami_ipu3::payload::{
    CmcAnalogGainSegment, CmcData, CmcDeinitParams, CmcGeneralData, CmcInitParams,
    CmcParsedBlackLevelData, CmcParsedLensShadingData, CmcParsedOpticsData, CmcSaturationLevel,
    CmcSensitivity,
};
use cami_ipu3::zeroed_box;
use zerocopy::FromZeros;

use super::part::{read, write};
use super::{PRESENT, Refusal, Session};
use crate::algorithm::af::POSITIONS;
use crate::algorithm::sa::DEFAULT_GRID;
use crate::log;
use crate::shared_memory::SharedMemory;

/// Bytes of tuning data that the payload has room for.
const TUNING_ROOM: u32 = 800_000;
/// The generic sensor's size in pixels: that of the OV13858, for which the protocol's recorded
/// requests were made.
const SIZE: (u16, u16) = (4224, 3136);
/// Bits of a pixel.
const BIT_DEPTH: u16 = 10;
/// `cmc_bayer_order`: 0 is GRBG.
const COLOUR_ORDER: u16 = 0;
/// Black level in codes of `BIT_DEPTH` bits. The record has 8 bits of fraction.
const BLACK_LEVEL: u16 = 64;
/// Full scale in codes of `BIT_DEPTH` bits.
const SATURATION: u16 = 1023;
/// ISO at gain 1.
pub const BASE_ISO: u16 = 100;
/// Codes of the analogue gain: gain × 128, from 1 to 16.
const GAIN_CODES: (u32, u32) = (128, 2048);
/// The denominator of the codes.
const GAIN_ONE: i16 = 128;
/// `conversion_type` of a table of segments (a recorded answer of the original).
const CONVERSION_BY_SEGMENTS: u16 = 1;
/// 1.0 in the segment's 16 bits of integer and 16 of fraction.
const FIXED_ONE: u32 = 1 << 16;

/// Name numbers of the records (a recorded answer of the original, at offset 6 of each record).
mod name {
    pub const GENERAL: u16 = 2;
    pub const BLACK_LEVEL: u16 = 3;
    pub const SATURATION: u16 = 5;
    pub const SENSITIVITY: u16 = 7;
    pub const LENS_SHADING: u16 = 10;
    pub const OPTICS: u16 = 13;
    pub const ANALOG_GAIN: u16 = 19;
}

/// A characterisation. All are alike, so that nothing is kept but that it exists.
#[derive(Debug)]
pub struct Cmc;

impl Session {
    pub(super) fn cmc_init(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        static TOLD: AtomicBool = AtomicBool::new(false);
        let size = read!(memory, CmcInitParams, input.size)?;
        if size > TUNING_ROOM {
            return Err(Refusal::Value("tuning size"));
        }
        if size > 0 && !TOLD.swap(true, Ordering::Relaxed) {
            log::line(format_args!(
                "tuning data ({size} bytes) is accepted and ignored: this library describes a \
                 generic sensor of {} x {} pixels",
                SIZE.0, SIZE.1
            ));
        }
        let mut results = generic();
        results.cmc_remote_handle = self.cmcs.lock().insert(&self.numbers, Cmc)?;
        write!(memory, CmcInitParams, results, &*results)
    }

    pub(super) fn cmc_deinit(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, CmcDeinitParams, cmc_handle)?;
        self.cmcs.lock().remove(handle)
    }
}

/// The generic sensor.
fn generic() -> Box<CmcData> {
    let mut data = zeroed_box::<CmcData>();
    let base = &mut data.base;
    base.cmc_general_data = PRESENT;
    base.cmc_saturation_level = PRESENT;
    base.cmc_sensitivity = PRESENT;
    base.cmc_parsed_analog_gain_conversion.cmc_analog_gain_conversion = PRESENT;
    base.cmc_parsed_analog_gain_conversion.cmc_analog_gain_segments = PRESENT;
    point(&mut base.cmc_parsed_black_level, 2);
    point(&mut base.cmc_parsed_lens_shading, 3);
    point(&mut base.cmc_parsed_optics, 2);

    data.cmc_general_data = CmcGeneralData {
        header: header(size_of::<CmcGeneralData>(), name::GENERAL),
        width: SIZE.0,
        height: SIZE.1,
        bit_depth: BIT_DEPTH,
        color_order: COLOUR_ORDER,
        bit_depth_packed: BIT_DEPTH,
        ..CmcGeneralData::new_zeroed()
    };
    data.cmc_parsed_black_level = CmcParsedBlackLevelData {
        header: header(size_of::<CmcParsedBlackLevelData>(), name::BLACK_LEVEL),
        num_bl_luts: 1,
        exposure_time: 0,
        analog_gain: 0,
        color_channels: [BLACK_LEVEL << 8; 4],
    };
    data.cmc_saturation_level = CmcSaturationLevel {
        header: header(size_of::<CmcSaturationLevel>(), name::SATURATION),
        saturation: [SATURATION; 4],
    };
    data.cmc_sensitivity = CmcSensitivity {
        header: header(size_of::<CmcSensitivity>(), name::SENSITIVITY),
        base_iso: BASE_ISO,
        ..CmcSensitivity::new_zeroed()
    };
    data.cmc_parsed_lens_shading = CmcParsedLensShadingData {
        header: header(size_of::<CmcParsedLensShadingData>(), name::LENS_SHADING),
        num_grids: 1,
        grid_width: DEFAULT_GRID.0,
        grid_height: DEFAULT_GRID.1,
        ..CmcParsedLensShadingData::new_zeroed()
    };
    data.cmc_parsed_optics = optics();
    let gains = &mut data.cmc_parsed_analog_gain_conversion;
    gains.header = header(0, name::ANALOG_GAIN);
    gains.conversion_type = CONVERSION_BY_SEGMENTS;
    gains.num_segments = 1;
    if let Some(first) = gains.segments.first_mut() {
        let (lowest, highest) = GAIN_CODES;
        *first = CmcAnalogGainSegment {
            gain_begin: FIXED_ONE,
            gain_end: FIXED_ONE * (highest / lowest),
            code_min: lowest,
            code_max: highest,
            code_step: 1,
            m0: 1,
            c0: 0,
            m1: 0,
            c1: GAIN_ONE,
        };
    }
    data
}

/// The generic lens: f = 4 mm, f/2, moved from infinity to 100 mm by an actuator whose position
/// grows with the reciprocal of the distance.
fn optics() -> CmcParsedOpticsData {
    const NEAREST_MM: i32 = 100;
    let travel = |distance_mm: i32| {
        let steps = POSITIONS.end() * NEAREST_MM / distance_mm.max(NEAREST_MM);
        u16::try_from(steps).unwrap_or(u16::MAX)
    };
    CmcParsedOpticsData {
        header: header(size_of::<CmcParsedOpticsData>(), name::OPTICS),
        // Values of the module that was recorded: a voice coil, and 1.12 µm.
        actuator: 1,
        sensor_pix_size_v: 112,
        sensor_pix_size_h: 112,
        effect_focal_length: 400,
        sensor_width_pix_total: SIZE.0,
        sensor_height_pix_total: SIZE.1,
        range_inf_to_85mm: travel(85),
        range_inf_to_100mm: travel(100),
        range_inf_to_300mm: travel(300),
        range_inf_to_500mm: travel(500),
        range_inf_to_950mm: travel(950),
        range_inf_to_1200mm: travel(1200),
        range_inf_to_hyperfocal: travel(2000),
        range_inf_to_min_focusing_distance: travel(NEAREST_MM),
        // In cm.
        min_focus_distance: u16::try_from(NEAREST_MM / 10).unwrap_or(0),
        num_apertures: 1,
        // Hundredths, as recorded.
        aperture: 200,
        ..CmcParsedOpticsData::new_zeroed()
    }
}

/// A record's header: size in bytes, format, key, name.
fn header(size: usize, name: u16) -> [u8; 8] {
    const FORMAT: u8 = 100;
    let [a, b, c, d] = u32::try_from(size).unwrap_or(0).to_le_bytes();
    let [low, high] = name.to_le_bytes();
    [a, b, c, d, FORMAT, 0, low, high]
}

/// Makes the first words of a group of the base struct present: its pointers. What follows them is
/// none (a recorded answer of the original).
fn point<const N: usize>(group: &mut [u8; N], pointers: usize) {
    let (words, _) = group.as_chunks_mut::<8>();
    for word in words.iter_mut().take(pointers) {
        *word = PRESENT.to_le_bytes();
    }
}
