//! What of a control may be sent to which libcamera.

use cami_ipu3_ipa::{Mode, SensorSettings};
use cami_wire::libcamera::{Control, ControlInfo, ControlType, ControlValue, Dialect};

/// `linux/v4l2-controls.h`.
pub(crate) const V4L2_CID_EXPOSURE: u32 = 0x0098_0911;
pub(crate) const V4L2_CID_ANALOGUE_GAIN: u32 = 0x009e_0903;
pub(crate) const V4L2_CID_FOCUS_ABSOLUTE: u32 = 0x009a_090a;

/// The limits that this libcamera can read.
///
/// Before 0.6.0 a limit has no element count on the wire and its reader assumes one: an array or a
/// string would shift all that follows (spec/libcamera-ipa.md, section 5, number 23). And not every
/// dialect has every type.
pub(crate) fn limits_for(controls: Vec<ControlInfo>, dialect: Dialect) -> Vec<ControlInfo> {
    let arrays = dialect.packet_version() > 1;
    let (fit, unfit): (Vec<_>, Vec<_>) = controls.into_iter().partition(|control| {
        let values = [&control.min, &control.max, &control.def];
        control.kind.number(dialect).is_ok()
            && values.iter().all(|value| fits(value, dialect) && (arrays || is_plain(value)))
    });
    for control in unfit {
        log::debug!("control {:#x} is not offered: this libcamera cannot read it", control.id);
    }
    fit
}

/// More controls than libcamera has, which has about a hundred.
const MOST_VALUES: usize = 256;

/// The values that this libcamera can read, each control once.
pub(crate) fn values_for(controls: &[Control], dialect: Dialect) -> Vec<Control> {
    let mut fit: Vec<Control> = Vec::with_capacity(controls.len().min(MOST_VALUES));
    for control in controls.iter().take(MOST_VALUES) {
        let known = fit.iter().any(|other| other.id == control.id);
        if !known && fits(&control.value, dialect) {
            fit.push(control.clone());
        }
    }
    fit
}

fn fits(value: &ControlValue, dialect: Dialect) -> bool {
    value.kind().number(dialect).is_ok()
}

fn is_plain(value: &ControlValue) -> bool {
    !value.is_array() && value.kind() != ControlType::String
}

/// The controls of sensor and lens that are ever sent.
///
/// `DelayedControls::push` drops a whole list for one control that it does not know, and it knows
/// these two (libcamera `src/libcamera/pipeline/ipu3/ipu3.cpp`, `registerCameras`). Of the lens the
/// pipeline reads one.
#[derive(Clone, Debug, Default)]
pub(crate) struct SensorLimits {
    exposure: Option<ControlInfo>,
    gain: Option<ControlInfo>,
    focus: Option<ControlInfo>,
}

impl SensorLimits {
    pub(crate) fn of(mode: &Mode) -> Self {
        let find = |controls: &[ControlInfo], id| {
            controls.iter().find(|control| control.id == id).cloned()
        };
        Self {
            exposure: find(&mode.sensor_controls, V4L2_CID_EXPOSURE),
            gain: find(&mode.sensor_controls, V4L2_CID_ANALOGUE_GAIN),
            focus: find(&mode.lens_controls, V4L2_CID_FOCUS_ABSOLUTE),
        }
    }

    /// The sensor's, to be sent as a map.
    pub(crate) fn sensor_map(&self) -> Vec<ControlInfo> {
        self.exposure.iter().chain(&self.gain).cloned().collect()
    }

    /// The lens's; empty where there is none.
    pub(crate) fn lens_map(&self) -> Vec<ControlInfo> {
        self.focus.iter().cloned().collect()
    }

    /// The sensor's values, within its limits: a driver refuses all where one is outside.
    pub(crate) fn sensor(&self, settings: &SensorSettings) -> Vec<Control> {
        let exposure = set(self.exposure.as_ref(), settings.exposure_lines);
        exposure.into_iter().chain(set(self.gain.as_ref(), settings.analogue_gain_code)).collect()
    }

    /// The lens's.
    pub(crate) fn lens(&self, settings: &SensorSettings) -> Vec<Control> {
        settings.lens_position.and_then(|to| set(self.focus.as_ref(), to)).into_iter().collect()
    }
}

fn set(limits: Option<&ControlInfo>, value: i32) -> Option<Control> {
    let limits = limits?;
    let min = limits.min.get::<i32>().unwrap_or(i32::MIN);
    let max = limits.max.get::<i32>().unwrap_or(i32::MAX);
    // Not `clamp`, which panics where the limits cross.
    let value = value.min(max).max(min);
    Some(Control { id: limits.id, value: ControlValue::scalar(&value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(id: u32, min: i32, max: i32) -> ControlInfo {
        ControlInfo {
            id,
            kind: ControlType::Integer32,
            direction: 3,
            min: ControlValue::scalar(&min),
            max: ControlValue::scalar(&max),
            def: ControlValue::scalar(&min),
        }
    }

    /// Number 23.
    #[test]
    fn arrays_and_unknown_types_are_offered_only_where_they_can_be_read() {
        let plain = limits(1, 0, 5);
        let mut array = limits(2, 0, 5);
        array.def = ControlValue::array(&[1_i32, 2]).unwrap();
        let mut text = limits(3, 0, 5);
        text.min = ControlValue::string("a").unwrap();
        let mut unsigned = limits(4, 0, 5);
        unsigned.kind = ControlType::Unsigned32;
        let all = [plain, array, text, unsigned].to_vec();
        let ids = |dialect| -> Vec<u32> {
            limits_for(all.clone(), dialect).iter().map(|control| control.id).collect()
        };
        assert_eq!(ids(Dialect::V0_0), [1]);
        assert_eq!(ids(Dialect::V0_1), [1]);
        assert_eq!(ids(Dialect::V0_4), [1, 4]);
        assert_eq!(ids(Dialect::V0_6), [1, 2, 3, 4]);
    }

    #[test]
    fn metadata_has_each_control_once_and_only_types_that_exist() {
        let control = |id, value| Control { id, value };
        let all = [
            control(1, ControlValue::scalar(&1_i32)),
            control(1, ControlValue::scalar(&2_i32)),
            control(2, ControlValue::scalar(&2_u16)),
            control(3, ControlValue::array(&[1.0_f32, 2.0]).unwrap()),
        ];
        let ids = |dialect| -> Vec<u32> {
            values_for(&all, dialect).iter().map(|control| control.id).collect()
        };
        assert_eq!(ids(Dialect::V0_0), [1, 3]);
        assert_eq!(ids(Dialect::V0_4), [1, 2, 3]);
    }

    #[test]
    fn the_sensor_gets_two_controls_within_its_limits_and_the_lens_one() {
        let mut mode = Mode {
            sensor_controls: vec![
                limits(V4L2_CID_EXPOSURE, 4, 2480),
                limits(0x009e_0901, 32, 63_069),
                limits(V4L2_CID_ANALOGUE_GAIN, 0, 232),
            ],
            ..Mode::default()
        };
        let absurd = SensorSettings {
            exposure_lines: i32::MAX,
            analogue_gain_code: i32::MIN,
            lens_position: Some(5000),
        };
        let found = SensorLimits::of(&mode);
        let values: Vec<(u32, i32)> = found
            .sensor(&absurd)
            .iter()
            .map(|control| (control.id, control.value.get().unwrap()))
            .collect();
        assert_eq!(values, [(V4L2_CID_EXPOSURE, 2480), (V4L2_CID_ANALOGUE_GAIN, 0)]);
        assert_eq!(found.sensor_map().len(), 2);
        assert!(found.lens(&absurd).is_empty() && found.lens_map().is_empty());
        mode.lens_controls = vec![limits(V4L2_CID_FOCUS_ABSOLUTE, 0, 1023)];
        let found = SensorLimits::of(&mode);
        assert_eq!(found.lens(&absurd)[0].value.get(), Some(1023));
        assert!(found.lens(&SensorSettings { lens_position: None, ..absurd }).is_empty());
    }
}
