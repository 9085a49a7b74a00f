//! Which libcamera the peer is.

/// The states that libcamera's wire has been through, named after the first release of each. Later
/// is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// 0.0.x.
    V0_0,
    /// 0.1.0 to 0.3.x: `IPACameraSensorInfo` gained `cfaPattern` (libcamera 54340ef7).
    V0_1,
    /// 0.4.0 to 0.5.x: two control types were inserted, and info entries gained a direction.
    V0_4,
    /// 0.6.0 to 0.7.0: version 2 control packets (libcamera cfdc2811). In 0.6.0 info maps have unused
    /// bytes behind their entries, which are understood and never written.
    V0_6,
    /// Since 0.7.1: `vimc`'s `init` gained a file descriptor; `ipu3` is that of 0.6.0.
    V0_7_1,
}

impl Dialect {
    /// Every dialect, oldest first.
    pub const ALL: [Self; 5] = [Self::V0_0, Self::V0_1, Self::V0_4, Self::V0_6, Self::V0_7_1];

    /// Whether `IPACameraSensorInfo` has the `cfaPattern` word.
    #[must_use]
    pub fn has_cfa_pattern(self) -> bool {
        self >= Self::V0_1
    }

    /// Whether control info entries carry a direction.
    #[must_use]
    pub fn has_direction(self) -> bool {
        self >= Self::V0_4
    }

    /// Whether `ControlType` knows the unsigned 16 and 32 bit integers, and points.
    #[must_use]
    pub fn has_unsigned_types(self) -> bool {
        self >= Self::V0_4
    }

    /// Version of control packets (`IPA_CONTROLS_FORMAT_VERSION`).
    #[must_use]
    pub fn packet_version(self) -> u32 {
        if self >= Self::V0_6 { 2 } else { 1 }
    }

    /// Whether `vimc`'s `init` has the `traceFd` parameter.
    #[must_use]
    pub fn vimc_has_trace_fd(self) -> bool {
        self >= Self::V0_7_1
    }
}
