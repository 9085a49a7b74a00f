//! What the guest tells, as headers of the callback `update`.

use serde::{Deserialize, Serialize};

/// The `upd_id` of the updates that carry a [`Tell`].
pub const TELL_ID: u32 = 0x43_4f_4e_46;
/// A detail is a sentence; what a library has put into it is cut.
const MAX_DETAIL: usize = 4096;

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Pass,
    /// It is broken.
    Fail,
    /// It was not looked at: it does not apply, or the library broke another rule first.
    Skipped,
    /// It was looked at, and there was nothing to see: as when a library never calls back.
    NotSeen,
}

/// A rule's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The result.
    pub state: State,
    /// What was seen, as one line; may be empty where the rule holds.
    pub detail: String,
    /// The rule that the library broke, so that this one could not be looked at.
    pub blocked_by: Option<String>,
}

/// One message of the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tell {
    /// What happens from now on is to be blamed on this rule, should the process end or hang.
    Blame {
        /// The rule.
        rule: String,
        /// What is done, as the end of a sentence: "in initialize".
        doing: String,
    },
    /// The result. The first one counts.
    Verdict(Verdict),
}

impl Verdict {
    /// It holds.
    #[must_use]
    pub fn pass(detail: impl Into<String>) -> Self {
        Self::new(State::Pass, detail.into())
    }

    /// It is broken.
    #[must_use]
    pub fn fail(detail: impl Into<String>) -> Self {
        Self::new(State::Fail, detail.into())
    }

    /// It does not apply.
    #[must_use]
    pub fn skipped(detail: impl Into<String>) -> Self {
        Self::new(State::Skipped, detail.into())
    }

    /// Nothing was to be seen.
    #[must_use]
    pub fn not_seen(detail: impl Into<String>) -> Self {
        Self::new(State::NotSeen, detail.into())
    }

    /// What happened breaks `broken`: that is a failure if it is the rule that is looked at, and
    /// otherwise the reason why that one cannot be seen.
    #[must_use]
    pub fn blame(broken: &str, looked_at: &str, detail: impl Into<String>) -> Self {
        if broken == looked_at {
            return Self::fail(detail);
        }
        let detail = format!("the library breaks {broken}: {}", detail.into());
        Self { blocked_by: Some(broken.to_owned()), ..Self::skipped(detail) }
    }

    fn new(state: State, mut detail: String) -> Self {
        if detail.len() > MAX_DETAIL {
            let cut = (0..=MAX_DETAIL).rev().find(|at| detail.is_char_boundary(*at));
            detail.truncate(cut.unwrap_or(0));
        }
        Self { state, detail, blocked_by: None }
    }
}

impl Tell {
    /// As the header of an update.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Strings and names: there is nothing that JSON could refuse.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The opposite; `None` for anything else.
    #[must_use]
    pub fn decode(header: &[u8]) -> Option<Self> {
        serde_json::from_slice(header).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_come_back_as_they_were_and_rubbish_is_none() {
        let blame = Tell::Blame { rule: "a.b".into(), doing: "in \"x\"".into() };
        let verdict = Tell::Verdict(Verdict::blame("a", "b", "it died"));
        for tell in [blame, verdict] {
            assert_eq!(Tell::decode(&tell.encode()), Some(tell));
        }
        assert_eq!(Tell::decode(b"{}"), None);
        assert_eq!(Tell::decode(b""), None);
    }

    #[test]
    fn the_rule_itself_fails_and_another_is_skipped() {
        assert_eq!(Verdict::blame("a", "a", "x"), Verdict::fail("x"));
        let other = Verdict::blame("a", "b", "x");
        assert_eq!((other.state, other.blocked_by.as_deref()), (State::Skipped, Some("a")));
    }

    #[test]
    fn details_are_cut_between_characters() {
        let detail = Verdict::fail("ä".repeat(MAX_DETAIL)).detail;
        assert_eq!(detail.len(), MAX_DETAIL);
    }
}
