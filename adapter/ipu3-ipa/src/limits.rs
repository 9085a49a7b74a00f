//! The controls that a camera has, and their limits.

use cami_wire::libcamera::{ControlElement, ControlInfo, ControlValue, Rectangle};

use crate::control_ids::{ControlIds, ControlName};
use crate::ranges::{self, Floats};
use crate::sensor::Sensor;

/// `ControlInfo::direction`: requests only; requests and metadata.
const IN: u8 = 1;
const BOTH: u8 = 3;

/// Everything that an application may ask for. Limits are single values: before 0.6.0 the wire has
/// no others, not even for controls that are arrays (spec/libcamera-ipa.md, 2.5).
/// `gains` and `nearest_cm`, the lens's nearest distance, are there where the tuning tells them.
pub fn controls(
    ids: ControlIds,
    sensor: &Sensor,
    gains: Option<(f32, f32)>,
    nearest_cm: Option<u16>,
) -> Vec<ControlInfo> {
    let mut limits = Limits { ids, controls: Vec::new() };
    limits.add(ControlName::AeEnable, IN, false, true, true);
    limits.add(ControlName::AeMeteringMode, BOTH, 0, 2, 2);
    limits.number(ControlName::ExposureValue, ranges::EXPOSURE_VALUE);
    let us = |lines| sensor.lines_to_us(lines);
    let exposure = sensor.exposure;
    let (min, max, def) = (us(exposure.min), us(exposure.max), us(exposure.def));
    limits.add(ControlName::ExposureTime, BOTH, min, max, def);
    limits.add(ControlName::ExposureTimeMode, BOTH, 0, 1, 0);
    if let Some((min, max)) = gains {
        limits.number(ControlName::AnalogueGain, Floats { min, max, def: min });
    }
    limits.add(ControlName::AnalogueGainMode, BOTH, 0, 1, 0);
    limits.add(ControlName::AeFlickerMode, BOTH, 0, 2, 2);
    let (min, max) = ranges::FLICKER_PERIODS_US;
    limits.add(ControlName::AeFlickerPeriod, BOTH, min, max, max);
    limits.add(ControlName::AwbEnable, BOTH, false, true, true);
    let modes = ranges::AWB_MODES;
    limits.add(ControlName::AwbMode, BOTH, *modes.start(), *modes.end(), 0);
    limits.number(ControlName::ColourGains, ranges::COLOUR_GAINS);
    let (min, max) = ranges::COLOUR_TEMPERATURE;
    limits.add(ControlName::ColourTemperature, BOTH, min, max, 5000);
    limits.number(ControlName::Brightness, ranges::BRIGHTNESS);
    limits.number(ControlName::Contrast, ranges::CONTRAST);
    limits.number(ControlName::Saturation, ranges::SATURATION);
    limits.number(ControlName::Sharpness, ranges::SHARPNESS);
    let frame = sensor.frame_duration_us();
    limits.add(ControlName::FrameDurationLimits, BOTH, frame, frame, frame);
    if sensor.focus.is_some() {
        limits.focus(nearest_cm);
    }
    limits.controls
}

struct Limits {
    ids: ControlIds,
    controls: Vec<ControlInfo>,
}

impl Limits {
    fn add<T: ControlElement>(
        &mut self,
        control: ControlName,
        direction: u8,
        min: T,
        max: T,
        def: T,
    ) {
        let Some(id) = self.ids.id(control) else { return };
        let [min, max, def] = [min, max, def].map(|value| ControlValue::scalar(&value));
        self.controls.push(ControlInfo { id, kind: T::TYPE, direction, min, max, def });
    }

    fn number(&mut self, control: ControlName, limits: Floats) {
        self.add(control, BOTH, limits.min, limits.max, limits.def);
    }

    fn focus(&mut self, nearest_cm: Option<u16>) {
        self.add(ControlName::AfMode, BOTH, 0, 2, 2);
        self.add(ControlName::AfRange, BOTH, 0, 2, 0);
        self.add(ControlName::AfMetering, BOTH, 0, 1, 0);
        let nothing = Rectangle::default();
        let everything =
            Rectangle { x: 0, y: 0, width: u32::from(u16::MAX), height: u32::from(u16::MAX) };
        self.add(ControlName::AfWindows, BOTH, nothing, everything, nothing);
        self.add(ControlName::AfTrigger, IN, 0, 1, 0);
        self.add(ControlName::AfPause, IN, 0, 2, 2);
        self.number(ControlName::LensPosition, ranges::lens_position(nearest_cm));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::control_ids::IdSet;
    use crate::made_up::{lens_controls, sensor_controls, sensor_info};

    fn found(ids: ControlIds, lens: bool) -> Vec<ControlInfo> {
        let lens = if lens { lens_controls() } else { Vec::new() };
        let sensor = Sensor::new(&sensor_info(), &sensor_controls(), &lens).unwrap();
        controls(ids, &sensor, Some((1.0, 15.5)), Some(5))
    }

    #[test]
    fn limits_are_the_sensor_s() {
        let ids = ControlIds::from(IdSet::From0_5);
        let controls = found(ids, false);
        let info = |control| {
            let id = ids.id(control).unwrap();
            controls.iter().find(|info| info.id == id).unwrap()
        };
        let time = info(ControlName::ExposureTime);
        assert_eq!(
            (time.min.get(), time.max.get(), time.def.get()),
            (Some(41), Some(33_247), Some(16_593))
        );
        let gain = info(ControlName::AnalogueGain);
        assert_eq!((gain.min.get(), gain.max.get()), (Some(1.0_f32), Some(15.5_f32)));
        let frame = info(ControlName::FrameDurationLimits);
        assert_eq!((frame.min.get(), frame.max.get()), (Some(33_330_i64), Some(33_330_i64)));
    }

    #[test]
    fn the_lens_comes_as_near_as_the_tuning_says() {
        let ids = ControlIds::from(IdSet::From0_5);
        let id = ids.id(ControlName::LensPosition).unwrap();
        let sensor = Sensor::new(&sensor_info(), &sensor_controls(), &lens_controls()).unwrap();
        for (nearest_cm, dioptres) in
            [(None, 10.0), (Some(10), 10.0), (Some(5), 20.0), (Some(1), 50.0), (Some(60_000), 1.0)]
        {
            let controls = controls(ids, &sensor, None, nearest_cm);
            let info = controls.iter().find(|info| info.id == id).unwrap();
            assert_eq!((info.min.get(), info.max.get()), (Some(0.0_f32), Some(dioptres)));
        }
    }

    #[test]
    fn limits_are_in_order_and_of_their_control_s_type() {
        for set in IdSet::ALL {
            for info in found(set.into(), true) {
                for value in [&info.min, &info.max, &info.def] {
                    assert_eq!(value.kind(), info.kind);
                    assert!(!value.is_array(), "old wires have none");
                }
                if let (Some(min), Some(max)) = (info.min.get::<f32>(), info.max.get::<f32>()) {
                    let def = info.def.get::<f32>().unwrap();
                    assert!(min <= def && def <= max, "{info:?}");
                }
            }
        }
    }

    #[test]
    fn without_a_lens_nothing_of_focus_and_without_a_known_set_nothing_doubtful() {
        let ids = ControlIds::from(IdSet::From0_5);
        assert!(found(ids, true).len() > found(ids, false).len());
        let mode = ids.id(ControlName::AfMode).unwrap();
        assert!(found(ids, false).iter().all(|info| info.id != mode));
        let unknown = found(ControlIds::any_of(&IdSet::ALL), true);
        let known: Vec<u32> = unknown.iter().map(|info| info.id).collect();
        assert_eq!(known, [1, 3, 6, 7]);
    }
}
