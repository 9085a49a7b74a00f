//! What becomes of each of libcamera's controls, version by version: honoured, or impossible and why.
//!
//! docs/libcamera-controls.md has the table; a test keeps it the same.

use crate::control_ids::{ControlIds, ControlName, IdSet};

/// What becomes of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// An application may set it, and it does what libcamera says; the text says by what.
    Honoured(&'static str),
    /// It is told in a frame's metadata, and cannot be set; the text says what it is.
    Told(&'static str),
    /// It cannot be had; the text says why.
    Impossible(&'static str),
    /// This libcamera has no such control.
    Unknown,
}

use Support::{Honoured, Impossible, Told};

/// What becomes of a control in a version that has these controls.
#[must_use]
pub fn support(control: ControlName, set: IdSet) -> Support {
    if ControlIds::from(set).id(control).is_none() {
        return Support::Unknown;
    }
    match control {
        ControlName::AeEnable => match set {
            IdSet::From0_5 => Honoured("sets both modes"),
            _ => Honoured("off keeps exposure time and gain where they are"),
        },
        ControlName::AeLocked => Told("AE says that it has converged"),
        ControlName::AeState => Told("idle, searching or converged, as AE says"),
        ControlName::AeMeteringMode => {
            Honoured("centre, spot (a window of an eighth of each side), matrix; not custom")
        }
        ControlName::AeConstraintMode => Impossible("AE's input has nothing like it"),
        ControlName::AeExposureMode => {
            Impossible("AE's input has no profile of exposure times; the tuning has the only one")
        }
        ControlName::ExposureValue => Honoured("AE's ev_shift, −4 to 4"),
        ControlName::ExposureTime => match set {
            IdSet::From0_5 => Honoured("AE's manual_exposure_time_us, in manual mode"),
            _ => Honoured("AE's manual_exposure_time_us; 0 gives it back to AE"),
        },
        ControlName::ExposureTimeMode => Honoured("manual keeps the last time until one is set"),
        ControlName::AnalogueGain => match set {
            IdSet::From0_5 => Honoured("AE's manual_analog_gain, in manual mode"),
            _ => Honoured("AE's manual_analog_gain; 0 gives it back to AE"),
        },
        ControlName::AnalogueGainMode => Honoured("manual keeps the last gain until one is set"),
        ControlName::AeFlickerMode => Honoured("AE's flicker_reduction_mode"),
        ControlName::AeFlickerPeriod => {
            Honoured("the nearer of 10000 (50 Hz) and 8333 (60 Hz): AE knows no other")
        }
        ControlName::AeFlickerDetected => Told("the mains that AE says it avoids"),
        ControlName::Brightness => Honoured("AIC's manual_brightness"),
        ControlName::Contrast => Honoured("AIC's manual_contrast"),
        ControlName::Saturation => Honoured("AIC's manual_saturation"),
        ControlName::Sharpness => Honoured("AIC's manual_sharpness"),
        ControlName::Lux => Told("AE's estimate, whose unit is not documented"),
        ControlName::AwbEnable => Honoured("off leaves the last white balance"),
        ControlName::AwbMode => {
            Honoured("AWB's scene_mode; indoor is a range of 2700 to 5000 K; not custom")
        }
        ControlName::AwbLocked => Impossible("AWB has a distance from convergence and no lock"),
        ControlName::ColourGains => Honoured(
            "overwrite PA's colour gains while AWB is off; no temperature is told then: \
             nothing that the library tells leads from gains to one",
        ),
        ControlName::ColourTemperature => {
            Honoured("AWB's manual_cct_range with equal ends, while AWB is off")
        }
        ControlName::SensorBlackLevels => Told("PA's black levels"),
        ControlName::FocusFoM => Impossible("AF keeps its figure of merit to itself"),
        ControlName::ColourCorrectionMatrix => Told("PA's matrix"),
        ControlName::ScalerCrop => Impossible("libcamera's pipeline handler answers it itself"),
        ControlName::DigitalGain => {
            Told("AE's, which goes into the shading table; AE's input has none")
        }
        ControlName::FrameDuration => {
            Told("the frame's length at the blanking that the driver has")
        }
        ControlName::FrameDurationLimits => Impossible(
            "libcamera's IPU3 pipeline handler sets no blanking, so the only duration is advertised",
        ),
        ControlName::SensorTemperature => Impossible("nobody measures it"),
        ControlName::SensorTimestamp => Impossible("libcamera's pipeline handler tells it itself"),
        ControlName::AfMode => Honoured("with a lens; continuous is the default, as in the HAL"),
        ControlName::AfRange => Honoured("AF's focus_range"),
        ControlName::AfSpeed => Impossible("AF's input has no speed"),
        ControlName::AfMetering => Honoured("AF's metering_mode"),
        ControlName::AfWindows => Honoured("AF's focus_rect: the first window, AF has one"),
        ControlName::AfTrigger => Honoured("AF's trigger_new_search; cancelled by asking no more"),
        ControlName::AfPause => Honoured("AF is not asked meanwhile"),
        ControlName::LensPosition => Honoured(
            "AF's manual focus distance, 1000 mm ÷ dioptres; as near as the tuning says, else 10",
        ),
        ControlName::AfState => Told("AF's status, as the mode defines it"),
        ControlName::AfPauseState => Told("running, pausing or paused"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::limits;
    use crate::made_up::{lens_controls, sensor_controls, sensor_info};
    use crate::sensor::Sensor;
    use std::fmt::Write;

    /// The document's table.
    fn table() -> String {
        let mut table = String::from(
            "| control | up to 0.1 | 0.2 to 0.4 | since 0.5 | by what, or why not |\n\
             |---|---|---|---|---|\n",
        );
        for control in ControlName::ALL {
            let found = IdSet::ALL.map(|set| support(*control, set));
            let words = found.map(|support| match support {
                Honoured(_) => "honoured",
                Told(_) => "told",
                Impossible(_) => "impossible",
                Support::Unknown => "–",
            });
            let mut texts: Vec<&str> = found
                .iter()
                .filter_map(|support| match support {
                    Honoured(text) | Told(text) | Impossible(text) => Some(*text),
                    Support::Unknown => None,
                })
                .collect();
            texts.dedup();
            let [old, middle, new] = words;
            let text = texts.join("; since 0.5: ");
            writeln!(table, "| {} | {old} | {middle} | {new} | {text} |", control.name()).unwrap();
        }
        table
    }

    #[test]
    fn the_document_has_this_very_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/libcamera-controls.md");
        let document = std::fs::read_to_string(path).unwrap();
        let expected = table();
        assert!(document.contains(&expected), "docs/libcamera-controls.md lacks\n{expected}");
    }

    /// Whether that which is honoured is done is tested with the library (`tests/ipa/controls.rs`).
    #[test]
    fn what_is_honoured_is_what_is_advertised() {
        let sensor = Sensor::new(&sensor_info(), &sensor_controls(), &lens_controls()).unwrap();
        for set in IdSet::ALL {
            let ids = ControlIds::from(set);
            let advertised = limits::controls(ids, &sensor, Some((1.0, 16.0)), None);
            for control in ControlName::ALL {
                let id = ids.id(*control);
                let is_advertised = advertised.iter().any(|info| Some(info.id) == id);
                let expected = match support(*control, set) {
                    Honoured(_) => true,
                    // Its one value is a limit that applications may want to know.
                    Impossible(_) => *control == ControlName::FrameDurationLimits,
                    Told(_) | Support::Unknown => false,
                };
                assert_eq!(is_advertised, expected, "{} {set:?}", control.name());
            }
        }
    }

    #[test]
    fn modes_are_unknown_before_0_5_and_flicker_before_0_2() {
        let unknown = |control, set| support(control, set) == Support::Unknown;
        assert!(unknown(ControlName::ExposureTimeMode, IdSet::From0_2To0_4));
        assert!(unknown(ControlName::AeFlickerMode, IdSet::UpTo0_1));
        assert!(unknown(ControlName::AeLocked, IdSet::From0_5));
        assert!(!unknown(ControlName::AfTrigger, IdSet::UpTo0_1));
    }
}
