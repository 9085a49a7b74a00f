//! Rules as text, for people.

use std::fmt::Write as _;

use crate::compile::{Options, Phase};
use crate::rule::{Answer, Limit, Named, Rule, Test, Tier};

impl Rule {
    /// What must hold for the call to be let through, in `phase`; empty where nothing must.
    #[must_use]
    pub fn condition(&self, phase: Phase, options: &Options) -> String {
        let limits = self.limits.iter().filter(|limit| limit.holds_in(phase, options));
        limits.map(|limit| limit.condition(options)).collect::<Vec<_>>().join("; ")
    }

    /// What a call gets that is not let through, in `phase`; empty where all are.
    #[must_use]
    pub fn answer(&self, phase: Phase, options: &Options) -> String {
        match self.tier {
            Tier::Kill => "SIGSYS".to_owned(),
            Tier::Refuse(errno) => format!("{errno:?}"),
            Tier::Allow => {
                let limits = self.limits.iter().filter(|limit| limit.holds_in(phase, options));
                let mut answers: Vec<String> =
                    limits.map(|limit| limit.otherwise.to_string()).collect();
                answers.sort();
                answers.dedup();
                answers.join(" or ")
            }
        }
    }

    /// Whether `phase` lets no call through that [`Tier::Allow`] promises.
    #[must_use]
    pub fn never(&self, phase: Phase, options: &Options) -> bool {
        let mut limits = self.limits.iter().filter(|limit| limit.holds_in(phase, options));
        limits.any(|limit| limit.test == Test::Never)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Errno(errno) => write!(f, "{errno:?}"),
            Self::Kill => f.write_str("SIGSYS"),
        }
    }
}

impl Limit {
    /// What must hold, as text.
    #[must_use]
    pub fn condition(&self, options: &Options) -> String {
        let name = self.name;
        let names =
            |values: &[Named]| values.iter().map(|named| named.0).collect::<Vec<_>>().join(", ");
        match self.test {
            Test::OneOf(values) => format!("{name} is {}", names(values)),
            Test::OneOfOrConfigured(values) => {
                let mut text = format!("{name} is {}", names(values));
                for number in &options.ioctls {
                    let _ = write!(text, ", {number:#x}");
                }
                text
            }
            Test::NoneOf(values) => format!("{name} is not {}", names(values)),
            Test::NoBits(bits) => format!("{name} without {}", names(bits)),
            Test::NotBoth(one, other) => {
                format!("{name} without {} and {} together", one.0, other.0)
            }
            Test::Null => format!("{name} is NULL"),
            Test::OwnProcess => format!("{name} is the process itself"),
            Test::Never => "never".to_owned(),
        }
    }
}
