//! BPF programs made of the description.
//!
//! A program of `seccompiler` knows two answers, so there is one for each errno, one that kills, and
//! one with the list of what exists. The kernel runs all and takes the strongest answer: the end of
//! the process before an errno before leave; among errnos that of the program installed last
//! (seccomp(2), `SECCOMP_SET_MODE_FILTER`). So the list, whose answer is `ENOSYS`, comes first.
//!
//! The kernel remembers which calls all programs let through whatever their arguments, and does not
//! run the programs for them (since Linux 5.11): that is so for all calls of a request's way.

use std::collections::BTreeMap;
use std::fmt;

use nix::errno::Errno;
use seccompiler::{
    BackendError, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

pub use seccompiler::BpfProgram;

use crate::rule::{Answer, Limit, Named, Rule, Since, Test, Tier, Width};
use crate::rules::{NEVER_AN_IOCTL, rules};
use crate::{Arch, system_call_number};

/// When a filter is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Before the library is opened, for the one thread there is.
    Loading,
    /// Once `initialize` has returned, for all threads, upon the first.
    Running,
}

impl Phase {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Loading, Self::Running];

    /// The phase's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Running => "running",
        }
    }
}

/// What differs from one system to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// ioctl numbers to allow besides those that every library may use: `sandbox.ioctl`.
    /// `DMA_BUF_IOCTL_SYNC` is 0x40086200 (linux `include/uapi/linux/dma-buf.h`).
    pub ioctls: Vec<u32>,
    /// Whether `open` may truncate. Only where a mount namespace hides `/proc/self/fd`, by which
    /// the HAL's buffers could be opened again.
    pub may_truncate: bool,
}

/// Why there is no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A configured ioctl that no library may use.
    ForbiddenIoctl(u32, &'static str),
    /// `seccompiler` does not accept the description.
    Backend(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForbiddenIoctl(number, name) => write!(
                f,
                "sandbox.ioctl: {number:#x} is {name}, which types into the terminal of whoever \
                 started the camera service; no library may have it"
            ),
            Self::Backend(reason) => write!(f, "the filter cannot be made: {reason}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        Self::Backend(error.to_string())
    }
}

type Chains = BTreeMap<i64, Vec<SeccompRule>>;

/// The programs of a phase, to be installed in this order: [`crate::install`]. Those of
/// [`Phase::Running`] say only what it takes away, and stand upon those of [`Phase::Loading`].
///
/// # Errors
/// An ioctl that cannot be configured.
pub fn compile(arch: Arch, phase: Phase, options: &Options) -> Result<Vec<BpfProgram>, Error> {
    for named in NEVER_AN_IOCTL {
        if options.ioctls.contains(&named.1) {
            return Err(Error::ForbiddenIoctl(named.1, named.0));
        }
    }
    let mut exists = Chains::new();
    let mut kills = Chains::new();
    let mut errnos: BTreeMap<i32, Chains> = BTreeMap::new();
    for rule in rules() {
        // A call that this architecture does not have needs no rule.
        let Some(number) = system_call_number(arch, rule.call) else { continue };
        for (answer, chain) in denials(rule, phase, options)? {
            let chains = match answer {
                Answer::Kill => &mut kills,
                Answer::Errno(errno) => errnos.entry(errno as i32).or_default(),
            };
            chains.entry(number).or_default().extend(chain);
        }
        if rule.tier == Tier::Allow {
            exists.insert(number, vec![]);
        }
    }

    let mut programs = Vec::new();
    if phase == Phase::Loading {
        let absent = SeccompAction::Errno(Errno::ENOSYS as u32);
        programs.push(program(arch, exists, absent, SeccompAction::Allow)?);
    }
    // A program that refuses `seccomp` itself is the last that can be installed.
    let installer = system_call_number(arch, "seccomp");
    let mut denying: Vec<(SeccompAction, Chains)> = errnos
        .into_iter()
        .map(|(errno, chains)| (SeccompAction::Errno(errno.cast_unsigned()), chains))
        .chain((!kills.is_empty()).then_some((SeccompAction::KillProcess, kills)))
        .collect();
    denying.sort_by_key(|(_, chains)| installer.is_some_and(|number| chains.contains_key(&number)));
    for (answer, chains) in denying {
        programs.push(program(arch, chains, SeccompAction::Allow, answer)?);
    }
    Ok(programs)
}

/// A program that lets a process signal itself only: `EPERM` for `kill`, `tgkill` and the like that
/// name another. `process` is the number that the process has in its own PID namespace; its children
/// inherit the program, and can signal nobody but it.
///
/// # Errors
/// None that depends on the arguments.
pub fn own_signals(arch: Arch, process: u32) -> Result<BpfProgram, Error> {
    let mut chains = Chains::new();
    for rule in rules() {
        let Some(number) = system_call_number(arch, rule.call) else { continue };
        for limit in rule.limits.iter().filter(|limit| limit.test == Test::OwnProcess) {
            let other = condition(limit, SeccompCmpOp::Ne, u64::from(process))?;
            chains.entry(number).or_default().push(SeccompRule::new(vec![other])?);
        }
    }
    let refused = SeccompAction::Errno(Errno::EPERM as u32);
    program(arch, chains, SeccompAction::Allow, refused)
}

fn program(
    arch: Arch,
    chains: Chains,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, Error> {
    let target = match arch {
        Arch::X86_64 => TargetArch::x86_64,
        Arch::Aarch64 => TargetArch::aarch64,
    };
    // seccompiler checks the architecture first, and kills the process if it is another.
    Ok(SeccompFilter::new(chains, otherwise, matched, target)?.try_into()?)
}

/// What a phase's own programs deny of a call; an empty chain is all of it.
fn denials(
    rule: &Rule,
    phase: Phase,
    options: &Options,
) -> Result<Vec<(Answer, Vec<SeccompRule>)>, Error> {
    match (rule.tier, phase) {
        (Tier::Kill, Phase::Loading) => Ok(vec![(Answer::Kill, vec![])]),
        // It is not in the list of what exists.
        (Tier::Refuse(Errno::ENOSYS), _) => Ok(vec![]),
        (Tier::Refuse(errno), Phase::Loading) => Ok(vec![(Answer::Errno(errno), vec![])]),
        (Tier::Kill | Tier::Refuse(_), Phase::Running) => Ok(vec![]),
        (Tier::Allow, _) => rule
            .limits
            .iter()
            .filter(|limit| (limit.since == Since::Running) == (phase == Phase::Running))
            .filter(|limit| limit.holds_in(phase, options))
            .filter(|limit| limit.test != Test::OwnProcess)
            .map(|limit| Ok((limit.otherwise, chain(limit, options)?)))
            .collect(),
    }
}

/// The cases in which a limit does not let a call through, any of which is enough.
fn chain(limit: &Limit, options: &Options) -> Result<Vec<SeccompRule>, Error> {
    let all_differ = |values: &mut dyn Iterator<Item = u32>| {
        let conditions = values
            .map(|value| condition(limit, SeccompCmpOp::Ne, u64::from(value)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(vec![SeccompRule::new(conditions)?])
    };
    let each = |values: &[Named], operator: fn(u64) -> SeccompCmpOp| {
        let single = |named: &Named| {
            let value = u64::from(named.1);
            Ok(SeccompRule::new(vec![condition(limit, operator(value), value)?])?)
        };
        values.iter().map(single).collect()
    };
    match limit.test {
        Test::OneOf(values) => all_differ(&mut values.iter().map(|named| named.1)),
        Test::OneOfOrConfigured(values) => {
            let configured = options.ioctls.iter().copied();
            all_differ(&mut values.iter().map(|named| named.1).chain(configured))
        }
        Test::NoneOf(values) => each(values, |_| SeccompCmpOp::Eq),
        Test::NoBits(bits) => each(bits, SeccompCmpOp::MaskedEq),
        Test::NotBoth(one, other) => {
            let both = u64::from(one.1 | other.1);
            let operator = SeccompCmpOp::MaskedEq(both);
            Ok(vec![SeccompRule::new(vec![condition(limit, operator, both)?])?])
        }
        Test::Null => Ok(vec![SeccompRule::new(vec![condition(limit, SeccompCmpOp::Ne, 0)?])?]),
        Test::OwnProcess | Test::Never => Ok(vec![]),
    }
}

fn condition(
    limit: &Limit,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    let width = match limit.width {
        Width::Int => SeccompCmpArgLen::Dword,
        Width::Long => SeccompCmpArgLen::Qword,
    };
    SeccompCondition::new(limit.argument, width, operator, value)
}
