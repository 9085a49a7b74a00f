//! How much of a recording that is made smaller there is room for.

use crate::frame::BLOCK_BYTES;
use crate::reader::Recording;
use crate::source::Source;

/// What a library says without being asked has the n-th part of the room, where the rest needs the
/// others.
const UNASKED_PART: u64 = 4;

/// What is left for events.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    pub(crate) events: u64,
}

impl Room {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.events = self.events.saturating_add(1);
    }

    /// Takes one event's; false where there is not as much.
    pub(crate) fn take(&mut self, bytes: u64) -> bool {
        let has_room = bytes <= self.bytes && self.events > 0;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.events = self.events.saturating_sub(1);
        has_room
    }

    pub(crate) fn is_spent(self) -> bool {
        self.bytes == 0 || self.events == 0
    }

    /// What of it events have that nobody asked for.
    pub(crate) fn part_beside<S: Source>(self, asked_for: Self, recording: &Recording<S>) -> Self {
        // Contents are the others'.
        let contents: u64 = recording
            .page_places()
            .chain(recording.content_places().map(|(_, place)| place))
            .map(|place| place.header.bytes + BLOCK_BYTES + 8)
            .sum();
        let rest = self.bytes.saturating_sub(asked_for.bytes.saturating_add(contents));
        Self {
            bytes: (self.bytes / UNASKED_PART).max(rest),
            events: (self.events / UNASKED_PART).max(self.events.saturating_sub(asked_for.events)),
        }
    }
}
