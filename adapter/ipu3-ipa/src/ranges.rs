//! The ranges of controls that do not depend on the sensor, and what their values are in the
//! protocol's units.

use std::ops::RangeInclusive;

use cami_ipu3::sequence::aic::Adjustments;

use crate::numbers::round_to_i32;
use crate::settings::Settings;

/// A range of numbers and where it begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floats {
    /// The smallest.
    pub min: f32,
    /// The largest.
    pub max: f32,
    /// Where nothing was asked for.
    pub def: f32,
}

/// Stops: Android's range, which the library honours (spec/ipu3-protocol.md, 5.1).
pub const EXPOSURE_VALUE: Floats = Floats { min: -4.0, max: 4.0, def: 0.0 };
/// The protocol has one byte for each of these, with the tuning's own value at 0.
pub const BRIGHTNESS: Floats = Floats { min: -1.0, max: 1.0, def: 0.0 };
/// See [`BRIGHTNESS`].
pub const CONTRAST: Floats = Floats { min: 0.0, max: 2.0, def: 1.0 };
/// See [`BRIGHTNESS`].
pub const SATURATION: Floats = CONTRAST;
/// See [`BRIGHTNESS`].
pub const SHARPNESS: Floats = CONTRAST;
/// The ISP has gains of 1 and more, in steps of 1/8192 and 16 bits (`acc_bnr.wb_gains`).
pub const COLOUR_GAINS: Floats = Floats { min: 1.0, max: 8.0, def: 1.0 };
/// Dioptres, where the tuning does not tell the lens's own: 10 cm is near for a camera of a laptop or
/// tablet, and 1 m what it usually looks at.
pub const LENS_POSITION: Floats = Floats { min: 0.0, max: 10.0, def: 1.0 };
/// Dioptres of 2 cm: no lens that moves comes nearer.
pub const MOST_DIOPTRES: f32 = 50.0;
/// Kelvin.
pub const COLOUR_TEMPERATURE: (i32, i32) = (2000, 10_000);
/// `AwbAuto` to `AwbCloudy`; there is no `AwbCustom`.
pub const AWB_MODES: RangeInclusive<i32> = 0..=6;
/// Periods of light on mains of 60 and 50 Hz, in µs: the two that the library can avoid.
pub const FLICKER_PERIODS_US: (i32, i32) = (8333, 10_000);

/// The range of a lens whose nearest distance, in cm, the tuning may tell.
#[must_use]
pub fn lens_position(nearest_cm: Option<u16>) -> Floats {
    let dioptres = |cm| (100.0 / f32::from(cm)).clamp(LENS_POSITION.def, MOST_DIOPTRES);
    Floats { max: nearest_cm.map_or(LENS_POSITION.max, dioptres), ..LENS_POSITION }
}

/// The settings in the protocol's steps.
#[must_use]
pub fn adjustments(settings: &Settings) -> Adjustments {
    Adjustments {
        brightness: step(settings.brightness),
        contrast: step(settings.contrast - CONTRAST.def),
        hue: 0,
        saturation: step(settings.saturation - SATURATION.def),
        sharpness: step(settings.sharpness - SHARPNESS.def),
    }
}

/// −1 to 1 in steps of a byte, as many below 0 as above.
fn step(value: f32) -> i8 {
    let steps = round_to_i32(f64::from(value) * f64::from(i8::MAX));
    i8::try_from(steps.clamp(-127, 127)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_is_nothing_and_the_ends_are_the_ends() {
        assert_eq!(adjustments(&Settings::default()), Adjustments::default());
        let ends = Settings {
            brightness: 1.0,
            contrast: 0.0,
            saturation: 2.0,
            sharpness: 1.5,
            ..Settings::default()
        };
        let found = adjustments(&ends);
        assert_eq!((found.brightness, found.contrast), (127, -127));
        assert_eq!((found.saturation, found.sharpness), (127, 64));
    }
}
