//! The numbers of libcamera's own controls.
//!
//! libcamera numbers its controls by their order in `src/libcamera/control_ids.yaml` (up to 0.1.0)
//! or `control_ids_core.yaml` (since 0.2.0), from 1 on, and has put new ones in between twice. Three
//! sets of numbers exist: read at the tags v0.0.3 to v0.1.0, v0.2.0 to v0.4.0, and v0.5.0 to master
//! at 94d17442; between those tags controls were only appended. The wire does not show which set
//! holds (spec/libcamera-ipa.md, 2.5).

use cami_wire::libcamera::Dialect;

/// A set of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdSet {
    /// libcamera up to 0.1.0.
    UpTo0_1,
    /// 0.2.0 to 0.4.0: flicker controls behind `AnalogueGain`.
    From0_2To0_4,
    /// 0.5.0 and later: `AeState` in the place of `AeLocked`, and the modes of exposure time and
    /// analogue gain.
    From0_5,
}

impl IdSet {
    /// All of them, in the order of the versions.
    pub const ALL: [Self; 3] = [Self::UpTo0_1, Self::From0_2To0_4, Self::From0_5];

    /// The set of a version.
    #[must_use]
    pub const fn of_version(major: u32, minor: u32) -> Self {
        match (major, minor) {
            (0, 0 | 1) => Self::UpTo0_1,
            (0, 2..=4) => Self::From0_2To0_4,
            _ => Self::From0_5,
        }
    }
}

macro_rules! controls {
    ($($name:ident $ids:expr;)+) => {
        /// A control of libcamera's that this IPA knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ControlName {
            $(#[doc = concat!("`", stringify!($name), "`.")] $name,)+
        }

        impl ControlName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// libcamera's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The numbers in the order of [`IdSet::ALL`]; 0 where there is no such control.
            const fn numbers(self) -> [u32; 3] {
                match self { $(Self::$name => $ids,)+ }
            }
        }
    };
}

controls! {
    AeEnable [1, 1, 1];
    AeLocked [2, 2, 0];
    AeState [0, 0, 2];
    AeMeteringMode [3, 3, 3];
    AeConstraintMode [4, 4, 4];
    AeExposureMode [5, 5, 5];
    ExposureValue [6, 6, 6];
    ExposureTime [7, 7, 7];
    ExposureTimeMode [0, 0, 8];
    AnalogueGain [8, 8, 9];
    AnalogueGainMode [0, 0, 10];
    AeFlickerMode [0, 9, 11];
    AeFlickerPeriod [0, 10, 12];
    AeFlickerDetected [0, 11, 13];
    Brightness [9, 12, 14];
    Contrast [10, 13, 15];
    Lux [11, 14, 16];
    AwbEnable [12, 15, 17];
    AwbMode [13, 16, 18];
    AwbLocked [14, 17, 19];
    ColourGains [15, 18, 20];
    ColourTemperature [16, 19, 21];
    Saturation [17, 20, 22];
    SensorBlackLevels [18, 21, 23];
    Sharpness [19, 22, 24];
    FocusFoM [20, 23, 25];
    ColourCorrectionMatrix [21, 24, 26];
    ScalerCrop [22, 25, 27];
    DigitalGain [23, 26, 28];
    FrameDuration [24, 27, 29];
    FrameDurationLimits [25, 28, 30];
    SensorTemperature [26, 29, 31];
    SensorTimestamp [27, 30, 32];
    AfMode [28, 31, 33];
    AfRange [29, 32, 34];
    AfSpeed [30, 33, 35];
    AfMetering [31, 34, 36];
    AfWindows [32, 35, 37];
    AfTrigger [33, 36, 38];
    AfPause [34, 37, 39];
    LensPosition [35, 38, 40];
    AfState [36, 39, 41];
    AfPauseState [37, 40, 42];
}

/// Which numbers libcamera's controls have, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlIds {
    /// Which of [`IdSet::ALL`] may hold.
    candidates: [bool; 3],
}

impl From<IdSet> for ControlIds {
    fn from(set: IdSet) -> Self {
        Self::any_of(&[set])
    }
}

impl ControlIds {
    /// One of these sets holds, and it is not known which. No set at all knows no control.
    #[must_use]
    pub fn any_of(sets: &[IdSet]) -> Self {
        Self { candidates: IdSet::ALL.map(|set| sets.contains(&set)) }
    }

    /// What a libcamera that speaks this dialect may use: the wire changed in 0.1.0, 0.4.0, 0.6.0
    /// and 0.7.1, the numbers in 0.2.0 and 0.5.0.
    #[must_use]
    pub fn of_dialect(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V0_0 => Self::any_of(&[IdSet::UpTo0_1]),
            Dialect::V0_1 => Self::any_of(&[IdSet::UpTo0_1, IdSet::From0_2To0_4]),
            Dialect::V0_4 => Self::any_of(&[IdSet::From0_2To0_4, IdSet::From0_5]),
            Dialect::V0_6 | Dialect::V0_7_1 => Self::any_of(&[IdSet::From0_5]),
        }
    }

    /// The set that holds; `None` where several may.
    #[must_use]
    pub fn known(&self) -> Option<IdSet> {
        let mut sets = self.sets();
        sets.next().filter(|_| sets.next().is_none())
    }

    /// A control's number: `None` where libcamera has no such control, or where it is not known
    /// which number it has.
    #[must_use]
    pub fn id(&self, control: ControlName) -> Option<u32> {
        let mut numbers = control
            .numbers()
            .into_iter()
            .zip(self.candidates)
            .filter_map(|(number, may_hold)| may_hold.then_some(number));
        let first = numbers.next().filter(|number| *number != 0)?;
        numbers.all(|number| number == first).then_some(first)
    }

    /// The control with that number; `None` where it is not known, or may be another.
    #[must_use]
    pub fn control(&self, id: u32) -> Option<ControlName> {
        ControlName::ALL.iter().copied().find(|control| self.id(*control) == Some(id))
    }

    /// Whether that number may be that control's.
    #[must_use]
    pub fn may_be(&self, id: u32, control: ControlName) -> bool {
        let numbers = control.numbers().into_iter().zip(self.candidates);
        id != 0 && numbers.into_iter().any(|(number, may_hold)| may_hold && number == id)
    }

    fn sets(&self) -> impl Iterator<Item = IdSet> {
        IdSet::ALL.into_iter().zip(self.candidates).filter_map(|(set, held)| held.then_some(set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(set: IdSet, control: ControlName) -> Option<u32> {
        ControlIds::from(set).id(control)
    }

    /// spec/libcamera-ipa.md, 2.5, checked there with dlsym on 0.0.3, 0.4.0 and 0.7.2.
    #[test]
    fn numbers_are_those_that_the_libraries_export() {
        for (control, numbers) in [
            (ControlName::AeEnable, [1, 1, 1]),
            (ControlName::ExposureTime, [7, 7, 7]),
            (ControlName::ColourGains, [0x0f, 0x12, 0x14]),
            (ControlName::ColourTemperature, [0x10, 0x13, 0x15]),
            (ControlName::FrameDuration, [0x18, 0x1b, 0x1d]),
            (ControlName::FrameDurationLimits, [0x19, 0x1c, 0x1e]),
        ] {
            let found = IdSet::ALL.map(|set| number(set, control));
            assert_eq!(found, numbers.map(Some), "{}", control.name());
        }
    }

    #[test]
    fn no_two_controls_have_the_same_number_in_one_set() {
        for set in IdSet::ALL {
            let mut numbers: Vec<u32> =
                ControlName::ALL.iter().filter_map(|control| number(set, *control)).collect();
            let all = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), all, "{set:?}");
            for control in ControlName::ALL {
                if let Some(id) = number(set, *control) {
                    assert_eq!(ControlIds::from(set).control(id), Some(*control));
                }
            }
        }
    }

    #[test]
    fn an_unknown_set_has_only_the_numbers_that_cannot_be_wrong() {
        let unknown = ControlIds::any_of(&IdSet::ALL);
        assert_eq!(unknown.known(), None);
        let known: Vec<&str> = ControlName::ALL
            .iter()
            .filter(|control| unknown.id(**control).is_some())
            .map(|control| control.name())
            .collect();
        assert_eq!(
            known,
            [
                "AeEnable",
                "AeMeteringMode",
                "AeConstraintMode",
                "AeExposureMode",
                "ExposureValue",
                "ExposureTime"
            ]
        );
        assert_eq!(unknown.control(8), None, "AnalogueGain or ExposureTimeMode");
        assert_eq!(unknown.control(2), None, "AeLocked or AeState");
        let old = ControlIds::of_dialect(Dialect::V0_1);
        assert_eq!(old.id(ControlName::AnalogueGain), Some(8));
        assert_eq!(old.id(ControlName::Brightness), None);
        assert!(old.may_be(9, ControlName::Brightness) && old.may_be(12, ControlName::Brightness));
        assert!(!old.may_be(14, ControlName::Brightness));
        assert!(!old.may_be(0, ControlName::AeState), "0 is no number");
        assert_eq!(ControlIds::any_of(&[]).id(ControlName::AeEnable), None);
    }

    #[test]
    fn a_version_has_its_set() {
        for (major, minor, set) in [
            (0, 0, IdSet::UpTo0_1),
            (0, 1, IdSet::UpTo0_1),
            (0, 2, IdSet::From0_2To0_4),
            (0, 4, IdSet::From0_2To0_4),
            (0, 5, IdSet::From0_5),
            (0, 7, IdSet::From0_5),
            (1, 0, IdSet::From0_5),
        ] {
            assert_eq!(IdSet::of_version(major, minor), set, "{major}.{minor}");
            assert_eq!(ControlIds::from(set).known(), Some(set));
        }
        assert_eq!(ControlIds::of_dialect(Dialect::V0_0).known(), Some(IdSet::UpTo0_1));
        assert_eq!(ControlIds::of_dialect(Dialect::V0_7_1).known(), Some(IdSet::From0_5));
    }
}
