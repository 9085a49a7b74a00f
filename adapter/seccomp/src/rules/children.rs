//! Processes that the library starts. It may fork and wait, and never execute: `system`, `popen`
//! and `posix_spawn` lose their child to SIGSYS and report that, while the library goes on.

use nix::errno::Errno;

use super::{CHROMEOS, HARMLESS, MAINTENANCE, Of};
use crate::rule::{Intent, Rule};

const OF: Of = Of(Intent::Children);

pub(super) const RULES: &[Rule] = &[
    OF.allow("exit_group", "the process ends", CHROMEOS),
    OF.allow("wait4", "waits for a child", CHROMEOS),
    OF.allow("waitid", "waits for a child", HARMLESS),
    OF.kill(
        "execve",
        "another program in the library's place is what exploits end in",
        MAINTENANCE,
    ),
    OF.kill("execveat", "see execve", MAINTENANCE),
    OF.refuse("fork", Errno::ENOSYS, "the C library's fork is clone", CHROMEOS),
    OF.refuse("vfork", Errno::ENOSYS, "it is of use before execve only", CHROMEOS),
];
