//! The results as JUnit XML, in the form that CI servers read.

use std::fmt::Write;

use cami_conform::State;

use super::results::{Outcome, Results};

/// One case for each rule. What does not count is skipped, with what was seen.
pub fn render(results: &Results) -> String {
    let failures = results.broken();
    let skipped = results
        .rules
        .iter()
        .filter(|outcome| outcome.verdict.state != State::Pass && !outcome.counts)
        .count();
    let seconds = |us: u64| us as f64 / 1e6;
    let total = seconds(results.rules.iter().map(|outcome| outcome.duration_us).sum());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"cami-ipa conform \
         {}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" \
         time=\"{total:.3}\">\n",
        escaped(&results.library.display().to_string()),
        results.rules.len()
    );
    for outcome in &results.rules {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<testcase classname=\"conform.{}\" name=\"{}\" time=\"{:.3}\">{}</testcase>",
            outcome.group(),
            outcome.rule.id,
            seconds(outcome.duration_us),
            body(outcome)
        );
    }
    text.push_str("</testsuite>\n</testsuites>\n");
    text
}

fn body(outcome: &Outcome) -> String {
    let detail = escaped(&outcome.verdict.detail);
    let level = outcome.rule.level;
    match outcome.verdict.state {
        State::Pass => String::new(),
        _ if outcome.counts => format!(
            "<failure type=\"{level}\" message=\"{detail}\">{}\n{}\n{}</failure><system-err>{}\
             </system-err>",
            escaped(outcome.rule.rule),
            escaped(outcome.rule.field),
            escaped(outcome.rule.source),
            escaped(&outcome.log.join("\n"))
        ),
        State::Fail => format!("<skipped message=\"not kept ({level}): {detail}\"/>"),
        State::Skipped => format!("<skipped message=\"{detail}\"/>"),
        State::NotSeen => format!("<skipped message=\"not seen: {detail}\"/>"),
    }
}

/// For attributes and text; characters that XML 1.0 does not have are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::{of_each, results};
    use super::*;

    #[test]
    fn every_state_has_its_form_and_nothing_breaks_the_markup() {
        let text = render(&results(false, &of_each()));
        assert!(
            text.contains("tests=\"6\" failures=\"1\" errors=\"0\" skipped=\"4\" time=\"0.018\"")
        );
        assert!(text.contains("message=\"killed by &lt;SIGSEGV&gt; &amp; &quot;more&quot;\""));
        assert!(text.contains("<system-err>a line &amp; more</system-err>"));
        assert!(text.contains("<skipped message=\"not kept (should): twice\u{fffd}\"/>"));
        assert!(text.contains("name=\"load.survives\" time=\"0.003\"></testcase>"));
        assert!(text.contains("conform /tmp/&lt;lib&gt; &quot;x&quot;.so"));
        assert_eq!(text.matches('<').count(), text.matches('>').count());
    }
}
