//! The results. The field names are those of the JSON.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cami_abi::TableSymbol;
use cami_conform::{Level, Profile, Rule, State, Verdict};
use serde::Serialize;

use super::ConformOptions;

/// Everything.
#[derive(Debug, Serialize)]
pub struct Results {
    /// The version of this format.
    pub format: u32,
    /// Version of cami-ipa.
    pub tool_version: &'static str,
    /// The library's path.
    pub library: PathBuf,
    /// Its build-id, in hexadecimal digits.
    pub build_id: Option<String>,
    /// E, F or G.
    pub revision: String,
    /// The protocol whose rules were looked at.
    pub profile: Profile,
    /// Whether broken shoulds count.
    pub strict: bool,
    /// Whether all rules that count hold.
    pub conforms: bool,
    /// How many there are of each.
    pub summary: Summary,
    /// Rule by rule, in the order in which they were looked at.
    pub rules: Vec<Outcome>,
}

/// Counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Rules that hold.
    pub pass: usize,
    /// Rules that are broken.
    pub fail: usize,
    /// Rules that were not looked at.
    pub skipped: usize,
    /// Rules of which there was nothing to see.
    pub not_seen: usize,
    /// Broken musts.
    pub musts_broken: usize,
    /// Broken shoulds.
    pub shoulds_broken: usize,
    /// Habits that the library does not have.
    pub habits_broken: usize,
    /// Rules hidden by one that is broken.
    pub hidden: usize,
}

/// One rule's.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The rule.
    #[serde(flatten)]
    pub rule: &'static Rule,
    /// The result, with what was seen.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Whether the library falls short by it.
    pub counts: bool,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// The last lines of the host's log, where the rule does not hold.
    pub log: Vec<String>,
}

impl Outcome {
    /// A result.
    pub fn new(
        rule: &'static Rule,
        verdict: Verdict,
        duration: Duration,
        log: Vec<String>,
    ) -> Self {
        let log = if verdict.state == State::Pass { Vec::new() } else { log };
        let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self { rule, verdict, counts: false, duration_us, log }
    }

    /// The first part of the rule's name.
    pub fn group(&self) -> &'static str {
        self.rule.id.split('.').next().unwrap_or_default()
    }
}

impl Results {
    /// None yet.
    pub fn new(options: &ConformOptions, library: &Path, table: &TableSymbol) -> Self {
        Self {
            format: 1,
            tool_version: env!("CARGO_PKG_VERSION"),
            library: library.to_path_buf(),
            build_id: table.build_id.clone(),
            revision: table.revision.to_string(),
            profile: options.profile,
            strict: options.strict,
            conforms: true,
            summary: Summary::default(),
            rules: Vec::new(),
        }
    }

    /// One more.
    pub fn push(&mut self, mut outcome: Outcome) {
        let summary = &mut self.summary;
        let level = outcome.rule.level;
        match outcome.verdict.state {
            State::Pass => summary.pass += 1,
            State::Skipped => summary.skipped += 1,
            State::NotSeen => summary.not_seen += 1,
            State::Fail => {
                summary.fail += 1;
                match level {
                    Level::Must => summary.musts_broken += 1,
                    Level::Should => summary.shoulds_broken += 1,
                    Level::Habit => summary.habits_broken += 1,
                }
            }
        }
        let hidden = outcome.verdict.blocked_by.is_some();
        summary.hidden += usize::from(hidden);
        let relevant = level == Level::Must || (level == Level::Should && self.strict);
        // What nobody could look at may be broken as well.
        outcome.counts = relevant && (outcome.verdict.state == State::Fail || hidden);
        self.conforms &= !outcome.counts;
        self.rules.push(outcome);
    }

    /// How many of the rules that count are broken, or hidden by one that is.
    pub fn broken(&self) -> usize {
        self.rules.iter().filter(|outcome| outcome.counts).count()
    }
}

#[cfg(test)]
pub mod tests {
    use cami_abi::Revision;
    use cami_conform::find;

    use super::*;

    /// Results of some rules.
    pub fn results(strict: bool, verdicts: &[(&str, Verdict)]) -> Results {
        let mut results = Results {
            format: 1,
            tool_version: "0",
            library: "/tmp/<lib> \"x\".so".into(),
            build_id: None,
            revision: Revision::E.to_string(),
            profile: Profile::Generic,
            strict,
            conforms: true,
            summary: Summary::default(),
            rules: Vec::new(),
        };
        for (id, verdict) in verdicts {
            let log = vec!["a line & more".to_owned()];
            let rule = find(id).unwrap();
            results.push(Outcome::new(rule, verdict.clone(), Duration::from_millis(3), log));
        }
        results
    }

    /// One of each kind.
    pub fn of_each() -> Vec<(&'static str, Verdict)> {
        vec![
            ("load.survives", Verdict::pass("")),
            ("header.not-written", Verdict::fail("killed by <SIGSEGV> & \"more\"")),
            ("callback.once", Verdict::fail("twice\u{1}")),
            ("process.locale", Verdict::fail("it is de_DE")),
            ("deinitialize.returns", Verdict::skipped("none # here")),
            ("update.descriptor-is-given", Verdict::not_seen("no update")),
        ]
    }

    #[test]
    fn musts_count_shoulds_when_it_is_strict_and_habits_never() {
        let loose = results(false, &of_each());
        assert_eq!((loose.broken(), loose.conforms), (1, false));
        assert_eq!(results(true, &of_each()).broken(), 2);
        let expected = Summary {
            pass: 1,
            fail: 3,
            skipped: 1,
            not_seen: 1,
            musts_broken: 1,
            shoulds_broken: 1,
            habits_broken: 1,
            hidden: 0,
        };
        assert_eq!(loose.summary, expected);
        let should = results(false, &[("callback.once", Verdict::fail(""))]);
        assert!(should.conforms);
    }

    #[test]
    fn a_must_that_is_hidden_counts() {
        let hidden = Verdict::blame("load.survives", "header.not-written", "it died");
        let results = results(false, &[("header.not-written", hidden)]);
        assert_eq!((results.broken(), results.summary.hidden), (1, 1));
    }

    #[test]
    fn the_log_is_kept_where_a_rule_does_not_hold() {
        let results = results(false, &of_each());
        let lines: Vec<usize> = results.rules.iter().map(|outcome| outcome.log.len()).collect();
        assert_eq!(lines, [0, 1, 1, 1, 1, 1]);
    }
}
