//! `A..B`: frames from A to before B.

use std::ops::Range;

/// Some frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRange(Range<u32>);

impl FrameRange {
    /// Understands `A..B` (without B), `A..`, `..B` and `A`.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((from, to)) = text.split_once("..") else {
            let frame: u32 = text.parse().ok()?;
            return Some(Self(frame..frame.checked_add(1)?));
        };
        let from = if from.is_empty() { 0 } else { from.parse().ok()? };
        let to = if to.is_empty() { u32::MAX } else { to.parse().ok()? };
        (from < to).then_some(Self(from..to))
    }

    /// Whether it has this frame.
    pub fn has(&self, frame: u32) -> bool {
        self.0.contains(&frame)
    }
}

#[cfg(test)]
mod tests {
    use super::FrameRange;

    #[test]
    fn ranges_are_read_and_nonsense_is_not() {
        for (text, in_it, not) in [("3..5", 4, 5), ("3..", 9999, 2), ("..2", 0, 2), ("7", 7, 8)] {
            let range = FrameRange::parse(text).unwrap();
            assert!(range.has(in_it) && !range.has(not), "{text}");
        }
        for text in ["", "a", "5..3", "3..3", "-1..2", "1...2", "4294967295"] {
            assert_eq!(FrameRange::parse(text), None, "{text}");
        }
    }
}
