//! The summary for people.

use std::fmt::Write;

use cami_conform::{Level, State};

use super::results::{Outcome, Results};
use crate::status::human::printable;
use crate::terminal;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Whether standard output is a terminal with colours whose user did not say no
/// (<https://no-color.org>).
pub fn colour_is_wanted() -> bool {
    let no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no && terminal::can_draw(&std::io::stdout())
}

/// Every rule in a line, those that do not hold with what was seen, and the counts.
pub fn render(results: &Results, colour: bool) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(results, colour, &mut text);
    text
}

fn write(results: &Results, colour: bool, text: &mut String) -> std::fmt::Result {
    let paint = |code: &'static str| if colour { code } else { "" };
    let (bold, plain) = (paint(BOLD), paint(PLAIN));
    let library = printable(&results.library.display().to_string());
    writeln!(text, "{bold}{library}{plain}")?;
    writeln!(
        text,
        "  revision {}, build-id {}, profile {}\n",
        results.revision,
        results.build_id.as_deref().unwrap_or("none"),
        results.profile.name()
    )?;
    for outcome in &results.rules {
        let (code, word) = look(outcome);
        let level = outcome.rule.level;
        let id = outcome.rule.id;
        let detail = printable(&outcome.verdict.detail);
        match outcome.verdict.state {
            State::Fail => {
                writeln!(text, "{}{word:<8}{plain} {level:<6} {id}", paint(code))?;
                writeln!(text, "    seen    {detail}")?;
                writeln!(text, "    rule    {}", outcome.rule.rule)?;
                writeln!(text, "    field   {}", outcome.rule.field)?;
                writeln!(text, "    source  {}", outcome.rule.source)?;
            }
            _ if detail.is_empty() => {
                writeln!(text, "{}{word:<8}{plain} {level:<6} {id}", paint(code))?;
            }
            _ => {
                let dim = paint(DIM);
                writeln!(
                    text,
                    "{}{word:<8}{plain} {level:<6} {id:<34} {dim}{detail}{plain}",
                    paint(code)
                )?;
            }
        }
    }
    let summary = &results.summary;
    let (code, verdict) = match (results.conforms, summary.shoulds_broken) {
        (true, 0) => (GREEN, "it conforms"),
        (true, _) => (GREEN, "it conforms; not all of what it should do holds"),
        (false, _) => (RED, "it does not conform"),
    };
    writeln!(
        text,
        "\n{}{bold}{verdict}{plain}:\n  {} hold, {} do not ({} must, {} should, {} habit), {} skipped, {} \
         not seen",
        paint(code),
        summary.pass,
        summary.fail,
        summary.musts_broken,
        summary.shoulds_broken,
        summary.habits_broken,
        summary.skipped,
        summary.not_seen
    )
}

fn look(outcome: &Outcome) -> (&'static str, &'static str) {
    match (outcome.verdict.state, outcome.rule.level) {
        (State::Pass, _) => (GREEN, "pass"),
        (State::Fail, Level::Habit) => (YELLOW, "differs"),
        (State::Fail, Level::Should) if !outcome.counts => (YELLOW, "FAIL"),
        (State::Fail, _) => (RED, "FAIL"),
        (State::Skipped, _) if outcome.verdict.blocked_by.is_some() => (RED, "hidden"),
        (State::Skipped, _) => (DIM, "skipped"),
        (State::NotSeen, _) => (DIM, "not seen"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::{of_each, results};
    use super::*;

    #[test]
    fn what_does_not_hold_is_told_with_its_reason_and_no_control_characters() {
        let text = render(&results(false, &of_each()), false);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
        assert!(
            text.contains("FAIL     must   header.not-written\n    seen    killed by"),
            "{text}"
        );
        assert!(text.contains("differs  habit  process.locale\n"));
        assert!(text.contains("skipped  must   deinitialize.returns"));
        assert!(
            text.contains("it does not conform:\n  1 hold, 3 do not (1 must, 1 should, 1 habit)")
        );
    }

    #[test]
    fn colours_come_and_go() {
        let coloured = render(&results(false, &of_each()), true);
        assert!(coloured.contains("\x1b[31mFAIL    \x1b[0m must"));
        assert!(coloured.contains("\x1b[33mFAIL    \x1b[0m should"));
    }
}
