//! What the process and its machine are. All of it can be asked, none of it changed.

use nix::errno::Errno;

use super::{CHROMEOS, GLIBC, HARMLESS, Of, int};
use crate::rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Width};

const OF: Of = Of(Intent::Identity);

const READ_ONLY: &[Limit] = &[Limit {
    argument: 2,
    name: "new_limit",
    width: Width::Long,
    test: Test::Null,
    otherwise: Answer::Errno(Errno::EPERM),
    since: Since::Loading,
    reason: "the limits are the sandbox's, and the call may name another process",
}];

const RANDOM: &[Limit] = &[int(
    2,
    "flags",
    Test::NoBits(&[Named("GRND_RANDOM", 2)]),
    Errno::EINVAL,
    "before Linux 5.6 it drains what other processes wait for",
)];

const FIXED: &str = "who the process is was settled before the library was loaded";

pub(super) const RULES: &[Rule] = &[
    OF.limited("getrandom", RANDOM, "seeds of hash maps and malloc", CHROMEOS),
    OF.allow("uname", "the kernel's version", CHROMEOS),
    OF.allow("sysinfo", "how much memory there is", CHROMEOS),
    OF.allow("getpid", "the process's number", CHROMEOS),
    OF.allow("getppid", "the parent's number", CHROMEOS),
    OF.allow("getpgrp", "the process group", HARMLESS),
    OF.allow("getpgid", "the process group", HARMLESS),
    OF.allow("getsid", "the session", CHROMEOS),
    OF.allow("getuid", "the user", CHROMEOS),
    OF.allow("geteuid", "the user", CHROMEOS),
    OF.allow("getgid", "the group", CHROMEOS),
    OF.allow("getegid", "the group", CHROMEOS),
    OF.allow("getresuid", "the user", CHROMEOS),
    OF.allow("getresgid", "the group", CHROMEOS),
    OF.allow("getgroups", "the groups", CHROMEOS),
    OF.allow("capget", "that there are no capabilities", HARMLESS),
    OF.allow("getrusage", "time and memory used", HARMLESS),
    OF.allow("getrlimit", "the process's limits", GLIBC),
    OF.allow("umask", "what new files may", CHROMEOS),
    OF.limited("prlimit64", READ_ONLY, "the process's limits; pthread asks for stacks", CHROMEOS),
    OF.refuse("setrlimit", Errno::EPERM, "the limits are the sandbox's", CHROMEOS),
    OF.refuse("capset", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setuid", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setgid", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setreuid", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setregid", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setresuid", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setresgid", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setgroups", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setsid", Errno::EPERM, FIXED, CHROMEOS),
    OF.refuse("setpgid", Errno::EPERM, FIXED, CHROMEOS),
];
