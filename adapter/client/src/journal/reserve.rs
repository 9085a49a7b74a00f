//! Whether a second host stands by.

use nix::unistd::Pid;

use super::Journal;

/// The second host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reserve {
    /// It was not asked for since the last recovery.
    #[default]
    Wanted,
    /// It was, and there may be none: it failed, or is the service's.
    Asked,
    /// It is our child.
    Child(Pid),
}

impl Journal {
    /// Whether a second host is configured and has not been asked for since the last recovery.
    pub(crate) fn wants_standby(&self) -> bool {
        self.recovery.standby && *self.standby.lock() == Reserve::Wanted
    }

    /// It is started now: true, once until the next recovery.
    pub(crate) fn ask_for_standby(&self) -> bool {
        let mut standby = self.standby.lock();
        let wanted = *standby == Reserve::Wanted;
        if wanted {
            *standby = Reserve::Asked;
        }
        wanted
    }

    /// The second host is this child.
    pub(crate) fn set_standby(&self, pid: Pid) {
        *self.standby.lock() = Reserve::Child(pid);
    }

    /// The second host is in use, or of no use: its number, if it is still to be reaped.
    pub(crate) fn take_standby(&self) -> Option<Pid> {
        match std::mem::take(&mut *self.standby.lock()) {
            Reserve::Child(pid) => Some(pid),
            Reserve::Wanted | Reserve::Asked => None,
        }
    }
}
