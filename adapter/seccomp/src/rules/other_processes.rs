//! Other processes: nobody's to look into.

use nix::errno::Errno;

use super::{CHROMEOS, MAINTENANCE, Of};
use crate::rule::{Intent, Rule};

const OF: Of = Of(Intent::OtherProcesses);

pub(super) const RULES: &[Rule] = &[
    OF.kill("ptrace", "it takes over processes of the same user", MAINTENANCE),
    OF.kill("process_vm_writev", "it writes into processes of the same user", MAINTENANCE),
    OF.refuse(
        "process_vm_readv",
        Errno::EPERM,
        "crash handlers read their own memory with it, and cope; ChromeOS's arm64 list has it",
        CHROMEOS,
    ),
    OF.kill("pidfd_getfd", "it takes descriptors from processes of the same user", MAINTENANCE),
    OF.refuse("pidfd_open", Errno::ENOSYS, "callers fall back to numbers", CHROMEOS),
];
