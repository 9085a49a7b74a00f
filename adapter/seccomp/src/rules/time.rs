//! Clocks, timers and sleep. Setting a clock is not among them.

use super::{CHROMEOS, GLIBC, HARMLESS, Of};
use crate::rule::{Intent, Rule};

const OF: Of = Of(Intent::Time);

pub(super) const RULES: &[Rule] = &[
    OF.allow("clock_gettime", "time where the vDSO cannot tell it", CHROMEOS),
    OF.allow("clock_getres", "how fine a clock is", HARMLESS),
    OF.allow("clock_nanosleep", "sleep; Rust asserts that it is there", CHROMEOS),
    OF.allow("nanosleep", "sleep, in older libraries", CHROMEOS),
    OF.allow("gettimeofday", "time where the vDSO cannot tell it", CHROMEOS),
    OF.allow("time", "time where the vDSO cannot tell it", GLIBC),
    OF.allow("times", "processor time", HARMLESS),
    OF.allow("getitimer", "the process's own timers", HARMLESS),
    OF.allow("setitimer", "the process's own timers", HARMLESS),
    OF.allow("alarm", "the process's own timers", HARMLESS),
    OF.allow("timer_create", "the process's own timers", HARMLESS),
    OF.allow("timer_settime", "the process's own timers", HARMLESS),
    OF.allow("timer_gettime", "the process's own timers", HARMLESS),
    OF.allow("timer_getoverrun", "the process's own timers", HARMLESS),
    OF.allow("timer_delete", "the process's own timers", HARMLESS),
    OF.allow("timerfd_create", "timers as descriptors", HARMLESS),
    OF.allow("timerfd_settime", "timers as descriptors", HARMLESS),
    OF.allow("timerfd_gettime", "timers as descriptors", HARMLESS),
];
