//! Events that a library sends without being asked: told one by one as long as they are no flood.
//!
//! A library may answer what nobody asked and call `update` as fast as it likes. Told one by one such
//! events take the memory of whoever keeps them and the room of what was asked for, and nobody looks at a
//! hundred thousand of them. Beyond a bound they are counted, by kind, and told together once a second.

use cami_recording::block::{Answered, Counted, Returned, Updated};

/// So many of a kind are told one by one at once: more than may be under way (`tap`'s `MAX_OPEN`), so that a
/// library which answers all that in another order is told whole.
const AT_ONCE: u64 = 8192;
/// As long as one of these takes, on the average, each is told: 1000 a second.
const INTERVAL_NS: u64 = 1_000_000;
/// How long what was counted waits to be told.
const PATIENCE_NS: u64 = 1_000_000_000;

/// What nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// An answer to no call.
    Answer,
    /// A callback to no request.
    Callback,
    /// An `update`.
    Update,
}

impl Unasked {
    const ALL: [Self; 3] = [Self::Answer, Self::Callback, Self::Update];

    const fn block_kind(self) -> u32 {
        match self {
            Self::Answer => Answered::KIND,
            Self::Callback => Returned::KIND,
            Self::Update => Updated::KIND,
        }
    }
}

/// Of one kind.
#[derive(Debug, Default)]
struct Kind {
    /// When all that were told will have had their time, as the monotonic clock has it in nanoseconds.
    busy_until_ns: u64,
    counted: u64,
    first_ns: u64,
    last_ns: u64,
}

/// How many there were of late.
#[derive(Debug, Default)]
pub struct Flood {
    kinds: [Kind; 3],
}

impl Flood {
    /// Whether this one is told; otherwise it is counted.
    pub fn tells(&mut self, unasked: Unasked, at_ns: u64) -> bool {
        let [answers, callbacks, updates] = &mut self.kinds;
        let kind = match unasked {
            Unasked::Answer => answers,
            Unasked::Callback => callbacks,
            Unasked::Update => updates,
        };
        let next = kind.busy_until_ns.max(at_ns).saturating_add(INTERVAL_NS);
        if next <= at_ns.saturating_add(AT_ONCE * INTERVAL_NS) {
            kind.busy_until_ns = next;
            return true;
        }
        if kind.counted == 0 {
            kind.first_ns = at_ns;
        }
        kind.counted = kind.counted.saturating_add(1);
        kind.last_ns = at_ns;
        false
    }

    /// What was counted and has waited for long enough; with `None` all of it.
    pub fn take(&mut self, now_ns: Option<u64>) -> Vec<Counted> {
        let mut taken = Vec::new();
        for (kind, unasked) in self.kinds.iter_mut().zip(Unasked::ALL) {
            let waits = |now: u64| now < kind.first_ns.saturating_add(PATIENCE_NS);
            if kind.counted == 0 || now_ns.is_some_and(waits) {
                continue;
            }
            taken.push(Counted {
                host: 0,
                at_ns: kind.first_ns,
                until_ns: kind.last_ns,
                of_kind: unasked.block_kind(),
                events: std::mem::take(&mut kind.counted),
            });
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 is no time that this clock shows while a host runs.
    const BEGIN: u64 = 77_000_000_000;

    #[test]
    fn a_flood_is_counted_and_what_is_none_is_told() {
        let mut flood = Flood::default();
        let told = (0..100_000).filter(|_| flood.tells(Unasked::Callback, BEGIN)).count();
        assert_eq!(told as u64, AT_ONCE);
        // Others are not the worse for it.
        assert!(flood.tells(Unasked::Update, BEGIN) && flood.tells(Unasked::Answer, BEGIN));
        assert_eq!(flood.take(Some(BEGIN + PATIENCE_NS - 1)), []);
        assert!(!flood.tells(Unasked::Callback, BEGIN + 5));
        let counted = Counted {
            host: 0,
            at_ns: BEGIN,
            until_ns: BEGIN + 5,
            of_kind: Returned::KIND,
            events: 100_001 - AT_ONCE,
        };
        assert_eq!(flood.take(Some(BEGIN + PATIENCE_NS)), [counted]);
        assert_eq!(flood.take(None), []);
        // Sixty a second for an hour are no flood.
        let hour = (1..3600 * 60).map(|number| BEGIN + 10_000_000_000 + number * 16_666_667);
        assert!(hour.into_iter().all(|at| flood.tells(Unasked::Callback, at)));
        assert_eq!(flood.take(None), []);
    }

    #[test]
    fn what_is_left_at_the_end_is_told() {
        let mut flood = Flood::default();
        while flood.tells(Unasked::Update, BEGIN) {}
        let taken = flood.take(None);
        assert_eq!((taken[0].of_kind, taken[0].events), (Updated::KIND, 1));
    }
}
