//! The rules, in the order in which they are looked at: what others need comes first.

mod buffers;
mod callbacks;
mod ipu3;
mod lifecycle;
mod process;
mod requests;

use std::fmt;

use serde::Serialize;

/// How much depends on a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Hosts rely on it: a library that breaks it fails in the field.
    Must,
    /// The ABI asks for it, and some hosts or HALs rely on it. Shipped libraries are known that break
    /// some of these.
    Should,
    /// What most libraries do and the ABI does not ask for; worth to be known, never a failure.
    Habit,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Habit => "habit",
        })
    }
}

/// Where a rule is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// In the vendor process, by the guest.
    Beside,
    /// By a client of a host that holds the library.
    Outside,
    /// In the library's file.
    File,
}

/// How far a library must come before a rule can be looked at. Each is a rule itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing.
    Nothing,
    /// It is loaded: `load.survives`.
    Loaded,
    /// `initialize.succeeds`.
    Initialized,
    /// `register.accepts`.
    Registered,
    /// `request.survives`.
    Requested,
}

impl Stage {
    /// The stage that a rule decides on, if it is such a rule.
    #[must_use]
    pub fn decided_by(rule: &str) -> Option<Self> {
        match rule {
            "load.survives" => Some(Self::Loaded),
            "initialize.succeeds" => Some(Self::Initialized),
            "register.accepts" => Some(Self::Registered),
            "request.survives" => Some(Self::Requested),
            _ => None,
        }
    }
}

/// What of a protocol is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Nothing is known of it.
    #[default]
    Generic,
    /// Intel's IPU3 protocol.
    IntelIpu3,
}

impl Profile {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::IntelIpu3 => "intel-ipu3",
        }
    }
}

/// A rule.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule {
    /// Its name, which never changes: scripts skip by it.
    pub id: &'static str,
    /// How much depends on it.
    pub level: Level,
    /// Where it is looked at.
    pub seen: Seen,
    /// How far the library must have come.
    pub after: Stage,
    /// The profile that it belongs to; `generic` for all.
    pub profile: Profile,
    /// The rule, as a sentence.
    pub rule: &'static str,
    /// Where it is from (docs/sources.md).
    pub source: &'static str,
    /// What goes wrong in the field, as a sentence.
    pub field: &'static str,
}

impl Rule {
    const fn new(level: Level, id: &'static str, after: Stage) -> Self {
        Self {
            id,
            level,
            seen: Seen::Beside,
            after,
            profile: Profile::Generic,
            rule: "",
            source: "",
            field: "",
        }
    }

    const fn must(id: &'static str, after: Stage) -> Self {
        Self::new(Level::Must, id, after)
    }

    const fn should(id: &'static str, after: Stage) -> Self {
        Self::new(Level::Should, id, after)
    }

    const fn habit(id: &'static str, after: Stage) -> Self {
        Self::new(Level::Habit, id, after)
    }

    const fn says(mut self, rule: &'static str, source: &'static str, field: &'static str) -> Self {
        self.rule = rule;
        self.source = source;
        self.field = field;
        self
    }

    const fn outside(mut self) -> Self {
        self.seen = Seen::Outside;
        self
    }

    const fn in_the_file(mut self) -> Self {
        self.seen = Seen::File;
        self
    }

    const fn ipu3(mut self) -> Self {
        self.profile = Profile::IntelIpu3;
        self.outside()
    }
}

/// All rules, in the order in which they are looked at.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    // Set-up first: what a library breaks there, it breaks everywhere.
    let (first, rest): (Vec<&Rule>, Vec<&Rule>) = [
        lifecycle::RULES,
        buffers::RULES,
        requests::RULES,
        callbacks::RULES,
        process::RULES,
        ipu3::RULES,
    ]
    .into_iter()
    .flatten()
    .partition(|rule| Stage::decided_by(rule.id).is_some());
    first.into_iter().chain(rest)
}

/// The rule of that name.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_every_rule_says_everything() {
        let mut seen = HashSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{} twice", rule.id);
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
            assert!(rule.id.chars().all(good) && rule.id.contains('.'), "{}", rule.id);
            for text in [rule.rule, rule.source, rule.field] {
                assert!(text.len() > 10, "{}", rule.id);
                assert!(
                    !text.contains('\n') && !text.contains("  ") && !text.contains('|'),
                    "{text}"
                );
            }
            assert!(rule.rule.ends_with('.') && rule.field.ends_with('.'), "{}", rule.id);
        }
        assert!(seen.len() > 50);
    }

    #[test]
    fn what_a_stage_needs_comes_before_it_and_the_four_are_musts() {
        let all: Vec<_> = rules().collect();
        for (rule, stage) in all
            .iter()
            .zip([Stage::Loaded, Stage::Initialized, Stage::Registered, Stage::Requested].map(Some))
        {
            assert_eq!(Stage::decided_by(rule.id), stage);
            assert!(rule.after < stage.unwrap_or(Stage::Nothing), "{}", rule.id);
            assert_eq!(rule.level, Level::Must);
        }
    }

    #[test]
    fn only_rules_of_a_profile_have_its_name() {
        for rule in rules() {
            let ipu3 = rule.profile == Profile::IntelIpu3;
            assert_eq!(rule.id.starts_with("ipu3."), ipu3, "{}", rule.id);
        }
    }
}
