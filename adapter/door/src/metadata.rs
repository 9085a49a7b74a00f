//! The metadata of frames that the IPA says nothing of.

use cami_ipu3_ipa::{ControlIds, ControlName};
use cami_wire::libcamera::{Control, ControlElement};

/// The IPA's last metadata: sensor and ISP go on as they were, so they still hold, but for what the
/// frame itself shows to be otherwise.
#[derive(Debug, Default)]
pub(crate) struct LastMetadata {
    controls: Vec<Control>,
    /// The sensor's code of the analogue gain of that frame, if it is known.
    code: Option<i32>,
}

impl LastMetadata {
    /// Keeps what the IPA says of a frame; `code` is the gain's that was in effect.
    pub(crate) fn keep(&mut self, controls: Vec<Control>, code: Option<i32>) {
        *self = Self { controls, code };
    }

    /// What is known.
    pub(crate) fn controls(&self) -> &[Control] {
        &self.controls
    }

    /// Makes it that of a frame with another exposure and gain. Which gain a code is, the library
    /// knows alone: a wrong one is worse than none.
    pub(crate) fn follow(&mut self, ids: ControlIds, exposure: Option<Control>, code: Option<i32>) {
        if code.is_none() || code != self.code {
            self.code = None;
            self.controls.retain(|control| {
                // In the libcameras that cannot be told apart the other control with that number is
                // not a float.
                let is_gain = ids.may_be(control.id, ControlName::AnalogueGain)
                    && control.value.kind() == f32::TYPE;
                !is_gain
            });
        }
        if let Some(exposure) = exposure {
            self.controls.retain(|control| control.id != exposure.id);
            self.controls.push(exposure);
        }
    }
}

#[cfg(test)]
mod tests {
    use cami_wire::libcamera::{ControlValue, Dialect};

    use super::*;

    fn float(id: u32) -> Control {
        Control { id, value: ControlValue::scalar(&2.0_f32) }
    }

    fn number(id: u32) -> Control {
        Control { id, value: ControlValue::scalar(&1_i32) }
    }

    fn ids(last: &LastMetadata) -> Vec<u32> {
        last.controls().iter().map(|control| control.id).collect()
    }

    #[test]
    fn a_gain_is_told_of_frames_that_have_it() {
        let dialect = ControlIds::of_dialect(Dialect::V0_6);
        let mut last = LastMetadata::default();
        last.keep(vec![number(7), number(8), float(9)], Some(128));
        last.follow(dialect, Some(number(7)), Some(128));
        assert_eq!(ids(&last), [8, 9, 7]);
        last.follow(dialect, Some(number(7)), Some(256));
        assert_eq!(ids(&last), [8, 7], "another gain");
        last.keep(vec![float(9)], None);
        last.follow(dialect, None, Some(256));
        assert!(last.controls().is_empty(), "it is not known which frame the gain was of");
        last.keep(vec![float(9)], Some(128));
        last.follow(dialect, None, None);
        assert!(last.controls().is_empty());
    }

    /// 0.4 and 0.5: 8 is `AnalogueGain` or `ExposureTimeMode`, 9 is `AeFlickerMode` or `AnalogueGain`.
    #[test]
    fn a_gain_is_found_where_its_number_is_not_known() {
        let dialect = ControlIds::of_dialect(Dialect::V0_4);
        let mut last = LastMetadata::default();
        last.keep(vec![float(8), number(9)], Some(1));
        last.follow(dialect, None, Some(2));
        assert_eq!(ids(&last), [9]);
        last.keep(vec![number(8), float(9), float(30)], Some(1));
        last.follow(dialect, None, Some(2));
        assert_eq!(ids(&last), [8, 30]);
    }
}
