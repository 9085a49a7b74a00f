//! The results as TAP (Test Anything Protocol, version 14, <https://testanything.org>).

use std::fmt::Write;

use cami_conform::State;

use super::results::Results;

/// One test point for each rule. What does not count is a TODO, what was not seen a SKIP.
pub fn render(results: &Results) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", results.rules.len());
    for (number, outcome) in results.rules.iter().enumerate() {
        let ok = match outcome.verdict.state {
            State::Fail => "not ok",
            State::Skipped if outcome.counts => "not ok",
            _ => "ok",
        };
        let detail = plain(&outcome.verdict.detail);
        let directive = match outcome.verdict.state {
            State::Fail if !outcome.counts => format!(" # TODO {}", outcome.rule.level),
            State::Skipped if !outcome.counts => format!(" # SKIP {detail}"),
            State::NotSeen => format!(" # SKIP not seen: {detail}"),
            _ => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{ok} {} - {}{directive}", number + 1, outcome.rule.id);
        if ok == "not ok" {
            let level = outcome.rule.level;
            let _ = writeln!(
                text,
                "  ---\n  level: {level}\n  message: {}\n  rule: {}\n  source: {}\n  ...",
                quoted(&outcome.verdict.detail),
                quoted(outcome.rule.rule),
                quoted(outcome.rule.source)
            );
        }
    }
    text
}

/// As YAML has it: JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// On one line, and without what begins a directive.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '#' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::{of_each, results};
    use super::*;

    #[test]
    fn every_state_has_its_form() {
        let text = render(&results(false, &of_each()));
        let points: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("ok") || line.starts_with("not ok"))
            .collect();
        assert_eq!(
            points,
            [
                "ok 1 - load.survives",
                "not ok 2 - header.not-written",
                "not ok 3 - callback.once # TODO should",
                "not ok 4 - process.locale # TODO habit",
                "ok 5 - deinitialize.returns # SKIP none   here",
                "ok 6 - update.descriptor-is-given # SKIP not seen: no update",
            ]
        );
        assert!(text.starts_with("TAP version 14\n1..6\n"));
        assert!(text.contains("  message: \"twice\\u0001\"\n"), "{text}");
    }
}
