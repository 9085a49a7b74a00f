//! The answer to one call, from the description itself.

use nix::errno::Errno;

use crate::compile::{Options, Phase};
use crate::rule::{Answer, Limit, Rule, Since, Test, Tier, Width};
use crate::rules::rules;
use crate::{Arch, system_call_name};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The kernel runs it.
    Allow,
    /// It fails with this.
    Errno(Errno),
    /// The process ends with SIGSYS.
    Kill,
}

impl From<Answer> for Verdict {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Errno(errno) => Self::Errno(errno),
            Answer::Kill => Self::Kill,
        }
    }
}

/// The rule of a call; `None` where no rule names it, and `ENOSYS` is the answer.
#[must_use]
pub fn rule_for(call: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.call == call)
}

/// What the filters of `phase` and those before it answer to a call. [`crate::own_signals`] is not
/// among them.
#[must_use]
pub fn decide(
    arch: Arch,
    phase: Phase,
    options: &Options,
    number: i64,
    arguments: [u64; 6],
) -> Verdict {
    let rule = system_call_name(arch, number).and_then(rule_for);
    match rule.map(|rule| (rule.tier, rule.limits)) {
        None => Verdict::Errno(Errno::ENOSYS),
        Some((Tier::Kill, _)) => Verdict::Kill,
        Some((Tier::Refuse(errno), _)) => Verdict::Errno(errno),
        Some((Tier::Allow, limits)) => {
            let mut verdict = Verdict::Allow;
            for limit in limits.iter().filter(|limit| limit.holds_in(phase, options)) {
                if !limit.lets_through(options, arguments) {
                    match limit.otherwise {
                        // Nothing is stronger.
                        Answer::Kill => return Verdict::Kill,
                        answer => verdict = answer.into(),
                    }
                }
            }
            verdict
        }
    }
}

impl Limit {
    /// Whether the filters that stand in `phase` keep to it.
    #[must_use]
    pub fn holds_in(&self, phase: Phase, options: &Options) -> bool {
        match self.since {
            Since::Loading => true,
            Since::LoadingUnlessMayTruncate => !options.may_truncate,
            Since::Running => phase == Phase::Running,
        }
    }

    fn lets_through(&self, options: &Options, arguments: [u64; 6]) -> bool {
        let argument = arguments.get(usize::from(self.argument)).copied().unwrap_or(0);
        let value = match self.width {
            Width::Int => argument & u64::from(u32::MAX),
            Width::Long => argument,
        };
        let is = |number: u32| value == u64::from(number);
        match self.test {
            Test::OneOf(values) => values.iter().any(|named| is(named.1)),
            Test::OneOfOrConfigured(values) => {
                values.iter().any(|named| is(named.1)) || options.ioctls.iter().any(|n| is(*n))
            }
            Test::NoneOf(values) => !values.iter().any(|named| is(named.1)),
            Test::NoBits(bits) => bits.iter().all(|named| value & u64::from(named.1) == 0),
            Test::NotBoth(one, other) => {
                value & u64::from(one.1) == 0 || value & u64::from(other.1) == 0
            }
            Test::Null => value == 0,
            Test::OwnProcess => true,
            Test::Never => false,
        }
    }
}
