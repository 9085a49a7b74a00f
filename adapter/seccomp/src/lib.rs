//! Which system calls the vendor process may use.
//!
//! One description (`rules`) says it of every call: allowed, allowed under limits, refused with an
//! errno, or the end of the process. Three things are made of it: BPF filters for x86_64 and aarch64
//! ([`compile`]), a policy text for minijail ([`minijail_policy`]), and the answer to a single call
//! ([`decide`]), which `cami-ipa learn` uses and the tests hold against the filters.
//!
//! | what | answer | because |
//! |---|---|---|
//! | what a 3A library needs | allowed, by intent | ChromeOS's lists (spec/cami-abi.md, 3.2) and what today's glibc adds |
//! | every other call, known or not | `ENOSYS` | a newer libc tries a new call and falls back; an allow-list that kills breaks with every libc (spec/anchors.md, 4.2) |
//! | a short list of dangerous calls | SIGSYS for the process | no 3A library has a use for them: the attempt is the attack |
//! | the calls of another ABI | i386, arm: SIGSYS; x32: `ENOSYS` | other numbers would pass all of the above |
//!
//! What an innocent library may try is refused with the error that its author has met before, and
//! never kills: a socket of another family is `EAFNOSUPPORT`, an unknown ioctl `ENOTTY`, an unknown
//! `prctl` option `EINVAL`.
//!
//! There are two phases. [`Phase::Loading`] is installed before the library is opened;
//! [`Phase::Running`] is stacked on it once `initialize` has returned, for all threads, and takes
//! what only loading needs: new executable memory, and further filters. [`own_signals`] makes a
//! third program, of the process's own number.
//!
//! A filter sees numbers and never memory. So paths are for Landlock and the mount namespace, and
//! whom `sched_setaffinity` or `setpriority` may name is for the PID namespace.

mod arch;
mod compile;
mod decide;
mod install;
mod minijail;
mod rule;
mod rules;
mod text;

pub use arch::{Arch, system_call_name, system_call_names, system_call_number};
pub use compile::{BpfProgram, Error, Options, Phase, compile, own_signals};
pub use decide::{Verdict, decide, rule_for};
pub use install::{InstallError, install};
pub use minijail::minijail_policy;
pub use rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Tier, Width};
pub use rules::rules;
