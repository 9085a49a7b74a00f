//! How far a field may be off.

use std::fmt;

use cami_ipu3::fields::{Field, Value};

/// Rules `FIELD=PERCENT`, of which the last that fits a field holds. Without one, a value must be the
/// same, bit by bit.
#[derive(Clone, Debug, Default)]
pub struct Tolerances {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    allowed: Allowed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Allowed {
    /// Per cent of the recorded value.
    Percent(f64),
    /// Anything.
    Any,
}

/// What stands on the command line is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRule(String);

impl fmt::Display for NoRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" is not FIELD=PERCENT, as exposure_time_us=0.5, AIQ_AWB_RUN.*=1 or lux*=any",
            self.0
        )
    }
}

impl std::error::Error for NoRule {}

impl Tolerances {
    /// Adds a rule.
    ///
    /// # Errors
    /// [`NoRule`].
    pub fn add(&mut self, text: &str) -> Result<(), NoRule> {
        let wrong = || NoRule(text.to_owned());
        let (pattern, allowed) = text.rsplit_once('=').ok_or_else(wrong)?;
        let allowed = match allowed {
            "any" => Allowed::Any,
            percent => {
                let percent: f64 = percent.parse().map_err(|_| wrong())?;
                if !(percent.is_finite() && percent >= 0.0) {
                    return Err(wrong());
                }
                Allowed::Percent(percent)
            }
        };
        if pattern.is_empty() {
            return Err(wrong());
        }
        self.rules.push(Rule { pattern: pattern.to_owned(), allowed });
        Ok(())
    }

    /// The rule that holds for a field.
    #[must_use]
    pub(crate) fn of(&self, command: &str, field: &Field) -> Tolerance {
        let name = field.name.replace("[]", "");
        let path = field.path.replace("[]", "");
        let names = [format!("{command}.{name}"), format!("{command}.{path}"), name, path];
        let fits = |rule: &&Rule| names.iter().any(|name| matches(&rule.pattern, name));
        Tolerance(self.rules.iter().rev().find(fits).map(|rule| rule.allowed))
    }

    /// Whether the rule that holds for something without a value is `any`: `bytes`, and what an update
    /// brings.
    pub(crate) fn leave_out(&self, command: &str, field: &str) -> bool {
        let whole = format!("{command}.{field}");
        let fits = |rule: &&Rule| [&whole, field].iter().any(|name| matches(&rule.pattern, name));
        self.rules.iter().rev().find(fits).is_some_and(|rule| rule.allowed == Allowed::Any)
    }
}

/// How far one field may be off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance(Option<Allowed>);

impl Tolerance {
    /// Whether a value passes for the recorded one.
    pub(crate) fn passes(self, recorded: Value, now: Value) -> bool {
        if recorded.same(now) {
            return true;
        }
        match self.0 {
            None => false,
            Some(Allowed::Any) => true,
            Some(Allowed::Percent(percent)) => {
                let (recorded, now) = (recorded.as_f64(), now.as_f64());
                (now - recorded).abs() <= percent / 100.0 * recorded.abs()
            }
        }
    }
}

/// Whether a text fits a pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("ab*bc", "abc", false),
            ("*b*", "abc", true),
            ("*x*", "abc", false),
            ("a**c", "abc", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for text in ["", "a", "=1", "a=", "a=-1", "a=nan", "a=inf", "a=x"] {
            let error = Tolerances::default().add(text).expect_err("a mistake");
            assert!(error.to_string().contains("FIELD=PERCENT"), "{error}");
        }
    }
}
