//! Gain conversions: EXC_ANALOG_GAIN_TO_SENSOR, EXC_SENSOR_TO_ANALOG_GAIN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{CmcParsedAnalogGainConversion, CmcParsedAnalogGainConversionData};

/// `ia_exc_analog_gain_to_sensor_units_params`, 22576 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ExcAnalogGainToSensorUnitsParams {
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: CmcParsedAnalogGainConversion,
    /// Gain conversion.
    pub gain_conversion: CmcParsedAnalogGainConversionData,
    /// A gain as `f32`, or a code as `u16` in the first two bytes.
    pub input: [u8; 4],
    /// A gain as `f32`, or a code as `u16` in the first two bytes.
    pub results: [u8; 4],
}
layout!(ExcAnalogGainToSensorUnitsParams, 22576, base 0, gain_conversion 24, input 22568, results 22572);
