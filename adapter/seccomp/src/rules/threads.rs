//! Threads: their making, scheduling and locks.
//!
//! Which thread `sched_*` and `setpriority` mean cannot be limited here: glibc names its own
//! threads by number. Without a PID namespace they reach other processes of the same user.

use nix::errno::Errno;

use super::{CHROMEOS, GLIBC, HARMLESS, MAINTENANCE, Of, int};
use crate::rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Width};

const OF: Of = Of(Intent::Threads);

/// `CLONE_NEWTIME` is missing: its bit is part of the exit signal in clone's flags, and only
/// clone3 and unshare understand it (linux `include/uapi/linux/sched.h`).
const CLONE: &[Limit] = &[
    Limit {
        argument: 0,
        name: "flags",
        width: Width::Int,
        test: Test::NoBits(&[
            Named("CLONE_NEWNS", 0x0002_0000),
            Named("CLONE_NEWCGROUP", 0x0200_0000),
            Named("CLONE_NEWUTS", 0x0400_0000),
            Named("CLONE_NEWIPC", 0x0800_0000),
            Named("CLONE_NEWUSER", 0x1000_0000),
            Named("CLONE_NEWPID", 0x2000_0000),
            Named("CLONE_NEWNET", 0x4000_0000),
        ]),
        otherwise: Answer::Kill,
        since: Since::Loading,
        reason: "a new user namespace gives all capabilities inside it, and with them the kernel's \
                 least tested code",
    },
    int(
        0,
        "flags",
        Test::NoBits(&[
            Named("CLONE_PTRACE", 0x0000_2000),
            Named("CLONE_PARENT", 0x0000_8000),
            Named("CLONE_UNTRACED", 0x0080_0000),
        ]),
        Errno::EPERM,
        "a child must stay the library's own and under the monitor's eyes",
    ),
];

pub(super) const RULES: &[Rule] = &[
    OF.limited("clone", CLONE, "pthread_create and fork", CHROMEOS),
    OF.refuse(
        "clone3",
        Errno::ENOSYS,
        "its flags lie in memory, where a filter cannot look; glibc falls back to clone",
        MAINTENANCE,
    ),
    OF.allow("set_tid_address", "pthread's bookkeeping of thread ends", CHROMEOS),
    OF.allow("set_robust_list", "locks whose owner died", CHROMEOS),
    OF.allow("get_robust_list", "locks whose owner died", GLIBC),
    OF.allow("rseq", "glibc registers each thread, and aborts where it cannot", MAINTENANCE),
    OF.allow("futex", "every lock that is waited for", CHROMEOS),
    OF.allow("futex_waitv", "waits for one of several locks", HARMLESS),
    OF.allow("futex_wait", "futex, one call for each operation", HARMLESS),
    OF.allow("futex_wake", "futex, one call for each operation", HARMLESS),
    OF.allow("futex_requeue", "futex, one call for each operation", HARMLESS),
    OF.allow("exit", "a thread ends", CHROMEOS),
    OF.allow("gettid", "a thread's number", CHROMEOS),
    OF.allow("getcpu", "sched_getcpu without its vDSO", GLIBC),
    OF.allow("membarrier", "barriers of lock-free code", GLIBC),
    OF.allow("arch_prctl", "the loader sets the thread pointer; AMX asks for its state", CHROMEOS),
    OF.allow("sched_yield", "spinning locks give way", CHROMEOS),
    OF.allow("sched_getaffinity", "how many processors there are", CHROMEOS),
    OF.allow("sched_setaffinity", "libraries pin their workers", CHROMEOS),
    OF.allow("sched_getparam", "pthread_getschedparam", CHROMEOS),
    OF.allow("sched_setparam", "pthread_setschedprio", GLIBC),
    OF.allow("sched_getscheduler", "pthread_getschedparam", CHROMEOS),
    OF.allow("sched_setscheduler", "pthread_setschedparam, within RLIMIT_RTPRIO", CHROMEOS),
    OF.allow("sched_getattr", "pthread_getattr_np of newer libraries", CHROMEOS),
    OF.allow("sched_setattr", "priorities, within RLIMIT_RTPRIO and RLIMIT_NICE", CHROMEOS),
    OF.allow("sched_get_priority_max", "the range for pthread_setschedparam", GLIBC),
    OF.allow("sched_get_priority_min", "the range for pthread_setschedparam", GLIBC),
    OF.allow("sched_rr_get_interval", "a thread's share of time", HARMLESS),
    OF.allow("getpriority", "a thread's nice value", CHROMEOS),
    OF.allow("setpriority", "a thread's nice value, within RLIMIT_NICE", CHROMEOS),
];
