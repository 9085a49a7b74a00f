//! The calls that are answered.

/// The calls that are answered. Their numbers are those of the link's messages
/// (`cami_wire::cros::command`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// The library is loaded.
    Load,
    /// `initialize`.
    Initialize,
    /// `deinitialize`.
    Deinitialize,
    /// `register_buffer`.
    RegisterBuffer,
    /// `deregister_buffers`.
    DeregisterBuffers,
}

impl Call {
    const ALL: [Self; 5] = [
        Self::Load,
        Self::Initialize,
        Self::Deinitialize,
        Self::RegisterBuffer,
        Self::DeregisterBuffers,
    ];

    /// Its number in a file.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Load => 1,
            Self::Initialize => 2,
            Self::Deinitialize => 3,
            Self::RegisterBuffer => 4,
            Self::DeregisterBuffers => 5,
        }
    }

    /// The call of this number.
    #[must_use]
    pub fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.number() == number)
    }

    /// The function's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Initialize => "initialize",
            Self::Deinitialize => "deinitialize",
            Self::RegisterBuffer => "register_buffer",
            Self::DeregisterBuffers => "deregister_buffers",
        }
    }
}
