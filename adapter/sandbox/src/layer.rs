//! The layers' names, and why one did not engage.

use std::fmt;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// A layer of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// A user namespace of its own, in which the vendor process is no more than itself.
    User,
    /// A network namespace without any interface that is up.
    Net,
    /// System V IPC and message queues of its own.
    Ipc,
    /// A host name of its own.
    Uts,
    /// A PID namespace: it sees and signals nobody else, and nothing outlives it.
    Pid,
    /// A root of its own that holds what the library needs, read-only, and no `/proc`.
    Mount,
    /// Landlock: the same files, no abstract sockets, no signals out, no TCP.
    Landlock,
    /// The system call filter.
    Seccomp,
    /// Resource limits.
    Rlimits,
    /// No capabilities.
    Caps,
}

impl Layer {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 10] = [
        Self::User,
        Self::Net,
        Self::Ipc,
        Self::Uts,
        Self::Pid,
        Self::Mount,
        Self::Landlock,
        Self::Seccomp,
        Self::Rlimits,
        Self::Caps,
    ];

    /// Its name, as in `sandbox.require`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Net => "net",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::Pid => "pid",
            Self::Mount => "mount",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
            Self::Rlimits => "rlimits",
            Self::Caps => "caps",
        }
    }

    /// The layer of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }

    fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers(u16);

impl Layers {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self(0x3ff);

    /// Whether `layer` is among them.
    #[must_use]
    pub fn has(self, layer: Layer) -> bool {
        self.0 & layer.bit() != 0
    }

    /// These and `layer`.
    #[must_use]
    pub fn with(self, layer: Layer) -> Self {
        Self(self.0 | layer.bit())
    }

    /// These but `layer`.
    #[must_use]
    pub fn without(self, layer: Layer) -> Self {
        Self(self.0 & !layer.bit())
    }

    /// In the order of [`Layer::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Layer> {
        Layer::ALL.into_iter().filter(move |layer| self.has(*layer))
    }
}

/// What a layer failed at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerError {
    /// What was tried, as the system call's name and its subject: "unshare(CLONE_NEWUSER)".
    pub action: String,
    /// What the kernel answered; 0 where the answer is in `action`.
    pub errno: i32,
}

impl LayerError {
    /// An answer of the kernel.
    pub fn new(action: impl Into<String>, errno: Errno) -> Self {
        Self { action: action.into(), errno: errno as i32 }
    }

    /// A failure that has no number.
    pub fn text(action: impl Into<String>) -> Self {
        Self { action: action.into(), errno: 0 }
    }

    /// For `map_err`.
    pub fn at<E: Into<Errno>>(action: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |error| Self::new(action, error.into())
    }

    /// For `map_err` of the standard library's errors.
    pub fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self {
            action: action.into(),
            errno: error.raw_os_error().unwrap_or(Errno::EIO as i32),
        }
    }
}

impl fmt::Display for LayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno {
            0 => f.write_str(&self.action),
            errno => write!(f, "{}: {}", self.action, Errno::from_raw(errno).desc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Layer, Layers};

    #[test]
    fn names_lead_back_to_their_layers() {
        for layer in Layer::ALL {
            assert_eq!(Layer::by_name(layer.name()), Some(layer));
        }
        assert_eq!(Layer::by_name("userns"), None);
    }

    #[test]
    fn set_holds_what_was_put_in() {
        assert_eq!(Layers::ALL.iter().collect::<Vec<_>>(), Layer::ALL);
        let two = Layers::NONE.with(Layer::Net).with(Layer::Caps);
        assert_eq!(two.iter().collect::<Vec<_>>(), [Layer::Net, Layer::Caps]);
        assert_eq!(two.without(Layer::Net).without(Layer::User), Layers::NONE.with(Layer::Caps));
    }
}
