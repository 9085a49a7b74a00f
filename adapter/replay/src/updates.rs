//! The library's own calls of `update`, and where among a host's requests each came.

use cami_recording::ContentId;
use cami_recording::block::{UpdateReturned, Updated};

use crate::exchanges::Exchange;

/// A recorded call of `update`.
#[derive(Clone, Debug)]
pub struct Update {
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// The frame during which it came, if it was during one.
    pub frame: Option<u64>,
    /// The library's number.
    pub upd_id: u32,
    /// The header.
    pub header: Vec<u8>,
    /// What its buffer held; 0: not recorded, or no buffer.
    pub content: ContentId,
    /// Why it is not recorded: an errno; 0 where it is.
    pub content_errno: u32,
    /// What the HAL said to it, if it did.
    pub returned: Option<Back>,
    /// The request or answer that came last before it.
    pub after: After,
    /// The update that was returned last since then: its place among the host's updates. The library
    /// may have waited for that.
    pub behind: Option<usize>,
}

/// The HAL's `update_return`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// The HAL's status.
    pub status: u32,
}

/// Something after which something else happened. Requests are told by their place among the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum After {
    /// `initialize`.
    Start,
    /// A request.
    Requested(usize),
    /// The answer to one.
    Answered(usize),
}

impl Update {
    /// Not yet in its place.
    pub(crate) fn of(
        updated: &Updated,
        returned: Option<&UpdateReturned>,
        frame: Option<u64>,
    ) -> Self {
        Self {
            at_ns: updated.at_ns,
            frame,
            upd_id: updated.upd_id,
            header: updated.header.0.clone(),
            content: updated.content,
            content_errno: updated.content_errno,
            returned: returned.map(|back| Back { at_ns: back.at_ns, status: back.status }),
            after: After::Start,
            behind: None,
        }
    }
}

/// What happens, in the order in which it is taken where the times are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Requested(usize),
    Updated(usize),
    Returned(usize),
    Answered(usize),
}

/// Puts updates in their places among the requests, and tells the answers which update was returned
/// before them.
pub(crate) fn place(exchanges: &mut [&mut Exchange], updates: &mut [Update]) {
    let mut marks = Vec::new();
    for (place, exchange) in exchanges.iter().enumerate() {
        marks.push((exchange.at_ns, Mark::Requested(place)));
        marks.extend(exchange.answer.map(|answer| (answer.at_ns, Mark::Answered(place))));
    }
    for (place, update) in updates.iter().enumerate() {
        marks.push((update.at_ns, Mark::Updated(place)));
        marks.extend(update.returned.map(|back| (back.at_ns, Mark::Returned(place))));
    }
    marks.sort_unstable();
    let mut after = After::Start;
    let mut behind = None;
    // The update that was returned last, with the times of both.
    let mut last: Option<(usize, u64, u64)> = None;
    for (at_ns, mark) in marks {
        match mark {
            Mark::Requested(place) => (after, behind) = (After::Requested(place), None),
            Mark::Answered(place) => {
                if let Some(exchange) = exchanges.get_mut(place) {
                    let during = last.filter(|&(_, from, to)| from.min(to) >= exchange.at_ns);
                    if let (Some(answer), Some((update, ..))) = (&mut exchange.answer, during) {
                        answer.behind = Some(update);
                    }
                }
                (after, behind) = (After::Answered(place), None);
            }
            Mark::Updated(place) => {
                if let Some(update) = updates.get_mut(place) {
                    (update.after, update.behind) = (after, behind);
                }
            }
            Mark::Returned(place) => {
                if let Some(update) = updates.get(place) {
                    last = Some((place, update.at_ns, at_ns));
                }
                behind = Some(place);
            }
        }
    }
}
