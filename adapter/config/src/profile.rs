//! What is known of a vendor's protocol.

/// One vendor's habits, as far as the host and the client need them
/// (spec/cami-abi.md, 5.1, gives each one's source).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Milliseconds a request may take; 0 is no limit. The vendors' own clients give up after
    /// 5000 ms, so that 4500 answers just before them.
    pub request_ms: u32,
    /// Whether a request without its callback counts as hung. Otherwise only the time that the
    /// library spends inside `request` counts.
    pub answers_every_request: bool,
    /// The status that its client takes for a failure.
    pub error_status: u32,
    /// Whether the library maps buffers by `fstat().st_size` alone: one that has none must not reach
    /// it, whatever `lseek` says of it.
    pub needs_st_size: bool,
}

impl Profile {
    /// Nothing is known.
    pub const GENERIC: Self = Self {
        name: "generic",
        request_ms: 0,
        answers_every_request: true,
        error_status: 1,
        needs_st_size: false,
    };

    const ALL: [Self; 5] = [
        Self::GENERIC,
        Self { name: "intel-ipu3", request_ms: 4500, needs_st_size: true, ..Self::GENERIC },
        // It drops a request for a thread that it does not have.
        Self {
            name: "intel-ipu6",
            request_ms: 4500,
            answers_every_request: false,
            needs_st_size: true,
            ..Self::GENERIC
        },
        // It works inside `request`, and answers nothing at all to a bad header.
        Self { name: "rockchip", request_ms: 4500, answers_every_request: false, ..Self::GENERIC },
        // Its long polls are answered when there is something to say.
        // UNKNOWN_ERROR of Android's status_t is INT32_MIN.
        Self {
            name: "mediatek",
            request_ms: 4500,
            answers_every_request: false,
            error_status: 1 << 31,
            ..Self::GENERIC
        },
    ];

    /// All names, for messages.
    pub const NAMES: &'static str = "generic, intel-ipu3, intel-ipu6, rockchip or mediatek";

    /// The built-in profile of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn every_named_profile_exists() {
        for name in Profile::NAMES.split([',', ' ']).filter(|name| !matches!(*name, "" | "or")) {
            assert!(Profile::by_name(name).is_some(), "{name}");
        }
    }
}
