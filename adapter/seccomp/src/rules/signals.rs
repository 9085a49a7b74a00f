//! Signals within the process.
//!
//! Without a PID namespace or Landlock's signal scope a process may signal others of its user, the
//! monitor and the HAL among them. Its own number is known when it starts, so
//! [`crate::own_signals`] limits these calls to it; `abort` still ends as SIGABRT. What else makes
//! the kernel send signals for a process, `F_SETOWN`, is limited in `files_read`.

use nix::errno::Errno;

use super::{CHROMEOS, GLIBC, HARMLESS, MAINTENANCE, Of, int};
use crate::rule::{Intent, Limit, Rule, Test};

const OF: Of = Of(Intent::Signals);

const OWN: &[Limit] =
    &[int(0, "pid", Test::OwnProcess, Errno::EPERM, "the HAL and the monitor are nobody's to end")];

pub(super) const RULES: &[Rule] = &[
    OF.allow("rt_sigaction", "handlers; abort puts SIGABRT back", CHROMEOS),
    OF.allow("rt_sigprocmask", "pthread_create and abort block signals for a moment", CHROMEOS),
    OF.allow("rt_sigreturn", "the way back from every handler", CHROMEOS),
    OF.allow("rt_sigpending", "which signals wait", HARMLESS),
    OF.allow("rt_sigsuspend", "waits for a signal", HARMLESS),
    OF.allow("rt_sigtimedwait", "sigwait", GLIBC),
    OF.allow("sigaltstack", "stacks for handlers; Rust sets one for each thread", CHROMEOS),
    OF.allow("restart_syscall", "the kernel goes on with a sleep after a signal", CHROMEOS),
    OF.allow("pause", "waits for a signal", HARMLESS),
    OF.allow("signalfd", "signals as a descriptor", HARMLESS),
    OF.allow("signalfd4", "signals as a descriptor", HARMLESS),
    OF.limited("kill", OWN, "a library may end itself", CHROMEOS),
    OF.limited("tgkill", OWN, "raise, abort, pthread_kill, pthread_cancel", MAINTENANCE),
    OF.limited("rt_sigqueueinfo", OWN, "sigqueue", GLIBC),
    OF.limited("rt_tgsigqueueinfo", OWN, "pthread_sigqueue", GLIBC),
    OF.refuse("tkill", Errno::ENOSYS, "it names a thread of any process; see tgkill", CHROMEOS),
    OF.refuse("pidfd_send_signal", Errno::ENOSYS, "see kill", CHROMEOS),
];
