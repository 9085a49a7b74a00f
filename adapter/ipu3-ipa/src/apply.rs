//! A request's controls become settings.
//!
//! Meanings and versions: libcamera `src/libcamera/control_ids_core.yaml` (`control_ids.yaml` up to
//! 0.1.0). What libcamera's controls have no limits for is limited here; a value of a wrong type, or
//! one that is no number, is as good as none.

use cami_wire::libcamera::{ControlElement, ControlList, Rectangle};

use crate::control_ids::{ControlIds, ControlName, IdSet};
use crate::numbers::finite;
use crate::ranges;
use crate::settings::{AfMode, AfPause, AfRange, AfTrigger, Flicker, Kept, Metering, Settings};

/// The controls of a request, by name.
struct Asked<'a> {
    list: &'a ControlList,
    ids: ControlIds,
}

impl Asked<'_> {
    fn get<T: ControlElement>(&self, control: ControlName) -> Option<T> {
        self.list.get(self.ids.id(control)?)?.get()
    }

    fn number(&self, control: ControlName, limits: ranges::Floats) -> Option<f32> {
        finite(self.get(control)?).map(|value| value.clamp(limits.min, limits.max))
    }

    fn elements<T: ControlElement>(&self, control: ControlName) -> Option<Vec<T>> {
        self.list.get(self.ids.id(control)?)?.elements()
    }
}

impl Settings {
    /// Takes a request's controls over.
    pub fn apply(&mut self, ids: ControlIds, list: &ControlList) {
        let asked = Asked { list, ids };
        if ids.known() == Some(IdSet::From0_5) {
            self.apply_modes(&asked);
        } else {
            self.apply_fixed(&asked);
        }
        self.apply_exposure(&asked);
        self.apply_colour(&asked);
        self.apply_focus(&asked);
        for (control, limits, setting) in [
            (ControlName::Brightness, ranges::BRIGHTNESS, &mut self.brightness),
            (ControlName::Contrast, ranges::CONTRAST, &mut self.contrast),
            (ControlName::Saturation, ranges::SATURATION, &mut self.saturation),
            (ControlName::Sharpness, ranges::SHARPNESS, &mut self.sharpness),
        ] {
            set(setting, asked.number(control, limits));
        }
    }

    /// Since 0.5.0: exposure time and gain have a mode each, and a value counts only in manual mode.
    fn apply_modes(&mut self, asked: &Asked<'_>) {
        const MANUAL: i32 = 1;
        let enable: Option<bool> = asked.get(ControlName::AeEnable);
        let mode = |control| match asked.get(control) {
            Some(mode @ (0 | MANUAL)) => Some(mode == MANUAL),
            _ => enable.map(|enable| !enable),
        };
        let modes = (mode(ControlName::ExposureTimeMode), mode(ControlName::AnalogueGainMode));
        let time = asked.get(ControlName::ExposureTime).filter(|time: &i32| *time > 0);
        let gain = asked.get(ControlName::AnalogueGain).and_then(finite);
        keep(&mut self.exposure, modes.0, time);
        keep(&mut self.gain, modes.1, gain.filter(|gain| *gain > 0.0));
    }

    /// Before: a value fixes what it is for, and 0 gives it back to AE; `AeEnable` off keeps both.
    /// Also where it is not known which controls there are: applications of 0.5.0 and later that
    /// set an exposure time turn `AeEnable` off.
    fn apply_fixed(&mut self, asked: &Asked<'_>) {
        set(&mut self.ae_enable, asked.get(ControlName::AeEnable));
        if let Some(time) = asked.get::<i32>(ControlName::ExposureTime) {
            self.exposure.value = (time > 0).then_some(time);
        }
        if let Some(gain) = asked.get(ControlName::AnalogueGain).and_then(finite) {
            self.gain.value = (gain > 0.0).then_some(gain);
        }
        self.exposure.manual = !self.ae_enable || self.exposure.value.is_some();
        self.gain.manual = !self.ae_enable || self.gain.value.is_some();
    }

    fn apply_exposure(&mut self, asked: &Asked<'_>) {
        let shift = asked.number(ControlName::ExposureValue, ranges::EXPOSURE_VALUE);
        set(&mut self.exposure_value, shift);
        let metering = match asked.get(ControlName::AeMeteringMode) {
            Some(0) => Some(Metering::Centre),
            Some(1) => Some(Metering::Spot),
            Some(2) => Some(Metering::Matrix),
            _ => None,
        };
        set(&mut self.metering, metering);
        let flicker = match asked.get(ControlName::AeFlickerMode) {
            Some(0) => Some(Flicker::Off),
            Some(1) => Some(Flicker::Manual),
            Some(2) => Some(Flicker::Auto),
            _ => None,
        };
        set(&mut self.flicker, flicker);
        let period = asked.get(ControlName::AeFlickerPeriod).filter(|period: &i32| *period >= 0);
        set(&mut self.flicker_period_us, period);
    }

    fn apply_colour(&mut self, asked: &Asked<'_>) {
        set(&mut self.awb_enable, asked.get(ControlName::AwbEnable));
        let mode = asked.get(ControlName::AwbMode).filter(|mode| ranges::AWB_MODES.contains(mode));
        set(&mut self.awb_mode, mode);
        if let Some(kelvin) = asked.get::<i32>(ControlName::ColourTemperature) {
            let (min, max) = ranges::COLOUR_TEMPERATURE;
            self.colour_temperature = u32::try_from(kelvin.clamp(min, max)).ok();
        }
        let gains = asked.elements::<f32>(ControlName::ColourGains);
        if let Some(&[red, blue]) = gains.as_deref()
            && let (Some(red), Some(blue)) = (finite(red), finite(blue))
        {
            let limits = ranges::COLOUR_GAINS;
            let limited = |gain: f32| gain.clamp(limits.min, limits.max);
            self.colour_gains = Some((limited(red), limited(blue)));
        }
        if self.awb_enable {
            // Values that come while white balance is found are ignored, not kept for later.
            self.colour_temperature = None;
            self.colour_gains = None;
        }
    }

    fn apply_focus(&mut self, asked: &Asked<'_>) {
        let mode = match asked.get(ControlName::AfMode) {
            Some(0) => Some(AfMode::Manual),
            Some(1) => Some(AfMode::Auto),
            Some(2) => Some(AfMode::Continuous),
            _ => None,
        };
        set(&mut self.af_mode, mode);
        let range = match asked.get(ControlName::AfRange) {
            Some(0) => Some(AfRange::Normal),
            Some(1) => Some(AfRange::Macro),
            Some(2) => Some(AfRange::Full),
            _ => None,
        };
        set(&mut self.af_range, range);
        let by_windows = asked.get(ControlName::AfMetering).and_then(|mode: i32| match mode {
            0 | 1 => Some(mode == 1),
            _ => None,
        });
        set(&mut self.meters_windows, by_windows);
        if let Some(windows) = asked.elements::<Rectangle>(ControlName::AfWindows) {
            // The protocol has one window.
            self.af_windows =
                windows.into_iter().find(|window| window.width > 0 && window.height > 0);
        }
        self.af_window = self.af_windows.filter(|_| self.meters_windows);
        self.af_trigger = match asked.get(ControlName::AfTrigger) {
            Some(0) => Some(AfTrigger::Start),
            Some(1) => Some(AfTrigger::Cancel),
            _ => self.af_trigger,
        };
        self.af_pause = match asked.get(ControlName::AfPause) {
            Some(0) => Some(AfPause::Immediate),
            Some(1) => Some(AfPause::Deferred),
            Some(2) => Some(AfPause::Resume),
            _ => self.af_pause,
        };
        if self.af_mode == AfMode::Manual {
            // The lens's own limit is the focus's.
            let most = ranges::MOST_DIOPTRES;
            let limits = ranges::Floats { max: most, ..ranges::LENS_POSITION };
            let position = asked.number(ControlName::LensPosition, limits);
            self.lens_position = position.or(self.lens_position);
        } else {
            self.lens_position = None;
        }
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// A mode, and a value that counts in manual mode only.
fn keep<T>(kept: &mut Kept<T>, manual: Option<bool>, value: Option<T>) {
    set(&mut kept.manual, manual);
    if !kept.manual {
        kept.value = None;
    } else if value.is_some() {
        kept.value = value;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::made_up::list;
    use cami_wire::libcamera::ControlValue;

    fn scalar<T: ControlElement>(value: T) -> ControlValue {
        ControlValue::scalar(&value)
    }

    fn after(set: IdSet, requests: &[&[(ControlName, ControlValue)]]) -> Settings {
        let ids = ControlIds::from(set);
        let mut settings = Settings::default();
        for request in requests {
            settings.apply(ids, &list(ids, request));
        }
        settings
    }

    #[test]
    fn before_modes_a_value_fixes_and_zero_frees() {
        for set in [IdSet::UpTo0_1, IdSet::From0_2To0_4] {
            let fixed: &[_] = &[(ControlName::ExposureTime, scalar(5000_i32))];
            let found = after(set, &[fixed]);
            assert_eq!(found.exposure.at(), Some(5000));
            assert!(!found.gain.manual);
            let found = after(set, &[fixed, &[(ControlName::ExposureTime, scalar(0_i32))]]);
            assert!(!found.exposure.manual);
            let found = after(set, &[&[(ControlName::AeEnable, scalar(false))]]);
            assert!(found.exposure.manual && found.gain.manual);
            assert_eq!(found.exposure.at(), None, "wherever it is");
            let found = after(set, &[&[(ControlName::AnalogueGain, scalar(2.5_f32))]]);
            assert_eq!(found.gain.at(), Some(2.5));
        }
    }

    #[test]
    fn since_modes_a_value_counts_in_manual_mode_only() {
        let set = IdSet::From0_5;
        let time = (ControlName::ExposureTime, scalar(5000_i32));
        let manual = (ControlName::ExposureTimeMode, scalar(1_i32));
        let automatic = (ControlName::ExposureTimeMode, scalar(0_i32));
        let found = after(set, &[std::slice::from_ref(&time)]);
        assert_eq!(found.exposure, Kept::default());
        let found = after(set, &[std::slice::from_ref(&time), std::slice::from_ref(&manual)]);
        assert_eq!(found.exposure, Kept { manual: true, value: None }, "not retained");
        let found = after(set, &[&[manual.clone(), time.clone()]]);
        assert_eq!(found.exposure.at(), Some(5000));
        let found =
            after(set, &[&[manual.clone(), time.clone()], std::slice::from_ref(&automatic)]);
        assert_eq!(found.exposure, Kept::default());
        // AeEnable sets both modes, and a mode of its own comes before it.
        let found = after(set, &[&[(ControlName::AeEnable, scalar(false)), automatic, time]]);
        assert!(!found.exposure.manual && found.gain.manual);
    }

    #[test]
    fn nonsense_is_as_good_as_nothing() {
        let found = after(
            IdSet::From0_5,
            &[&[
                (ControlName::AeEnable, scalar(7_i32)),
                (ControlName::AnalogueGainMode, scalar(1_i32)),
                (ControlName::AnalogueGain, scalar(f32::NAN)),
                (ControlName::ExposureValue, scalar(f32::INFINITY)),
                (ControlName::AeMeteringMode, scalar(-1_i32)),
                (ControlName::AwbMode, scalar(99_i32)),
                (ControlName::AwbEnable, scalar(false)),
                (ControlName::ColourGains, ControlValue::array(&[1.0_f32]).unwrap()),
                (ControlName::ColourTemperature, scalar(i32::MIN)),
                (ControlName::Brightness, scalar(40.0_f32)),
                (ControlName::AfMode, scalar(9_i32)),
                (ControlName::AfWindows, scalar(1_i32)),
            ]],
        );
        let expected = Settings {
            gain: Kept { manual: true, value: None },
            awb_enable: false,
            colour_temperature: Some(2000),
            brightness: 1.0,
            ..Settings::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn colours_are_kept_only_while_white_balance_is_not_found() {
        let off = (ControlName::AwbEnable, scalar(false));
        let gains = (ControlName::ColourGains, ControlValue::array(&[1.5_f32, 2.0]).unwrap());
        let set = IdSet::UpTo0_1;
        assert_eq!(after(set, &[std::slice::from_ref(&gains)]).colour_gains, None);
        let found = after(set, &[&[off.clone(), gains.clone()]]);
        assert_eq!(found.colour_gains, Some((1.5, 2.0)));
        let on = (ControlName::AwbEnable, scalar(true));
        assert_eq!(after(set, &[&[off, gains], &[on]]).colour_gains, None);
    }

    #[test]
    fn windows_count_once_metering_is_by_windows() {
        let window = Rectangle { x: 100, y: 200, width: 300, height: 400 };
        let empty = Rectangle { width: 0, ..window };
        let windows = (ControlName::AfWindows, ControlValue::array(&[empty, window]).unwrap());
        let set = IdSet::From0_5;
        assert_eq!(after(set, &[std::slice::from_ref(&windows)]).af_window, None);
        let metering = (ControlName::AfMetering, scalar(1_i32));
        assert_eq!(after(set, &[&[windows], &[metering]]).af_window, Some(window));
    }
}
