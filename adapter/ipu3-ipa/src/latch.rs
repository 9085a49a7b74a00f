//! Controls come with requests, and hold from their request's frame on.

use std::collections::VecDeque;

use cami_wire::libcamera::ControlList;

use crate::control_ids::ControlIds;
use crate::settings::Settings;

/// Requests that are remembered ahead: libcamera queues some ten. The oldest of more takes effect
/// early.
const MOST_PENDING: usize = 256;

/// The settings that hold, and those that will.
#[derive(Debug)]
pub struct Latch {
    ids: ControlIds,
    /// What holds.
    pub settings: Settings,
    pending: VecDeque<(u32, ControlList)>,
}

impl Latch {
    /// Nothing was asked for yet.
    pub fn new(ids: ControlIds) -> Self {
        Self { ids, settings: Settings::default(), pending: VecDeque::new() }
    }

    /// Remembers a request's controls.
    pub fn queue(&mut self, frame: u32, controls: &ControlList) {
        if controls.controls.is_empty() {
            return;
        }
        if self.pending.len() >= MOST_PENDING {
            self.apply_first();
        }
        let place = self.pending.partition_point(|(known, _)| *known <= frame);
        self.pending.insert(place, (frame, controls.clone()));
    }

    /// Brings everything into effect up to a frame.
    pub fn advance(&mut self, frame: u32) {
        while self.pending.front().is_some_and(|(known, _)| *known <= frame) {
            self.apply_first();
        }
    }

    /// Requests that have not begun are cancelled; what held still does.
    pub fn stop(&mut self) {
        self.pending.clear();
    }

    fn apply_first(&mut self) {
        if let Some((_, controls)) = self.pending.pop_front() {
            self.settings.apply(self.ids, &controls);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control_ids::{ControlName, IdSet};
    use crate::made_up::list;
    use cami_wire::libcamera::ControlValue;

    fn brightness(value: f32) -> ControlList {
        list(IdSet::From0_5.into(), &[(ControlName::Brightness, ControlValue::scalar(&value))])
    }

    #[test]
    fn controls_hold_from_their_frame_on() {
        let mut latch = Latch::new(IdSet::From0_5.into());
        latch.queue(5, &brightness(0.5));
        latch.queue(2, &brightness(0.2));
        latch.queue(9, &brightness(0.9));
        for (frame, expected) in [(1, 0.0), (2, 0.2), (4, 0.2), (7, 0.5)] {
            latch.advance(frame);
            assert_eq!(latch.settings.brightness, expected, "frame {frame}");
        }
        latch.stop();
        latch.advance(100);
        assert_eq!(latch.settings.brightness, 0.5, "a cancelled request asks for nothing");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut latch = Latch::new(IdSet::From0_5.into());
        for frame in 0..10_000 {
            latch.queue(frame, &brightness(0.5));
        }
        assert_eq!(latch.pending.len(), MOST_PENDING);
        assert_eq!(latch.settings.brightness, 0.5);
    }
}
