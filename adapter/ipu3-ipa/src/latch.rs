//! Controls come with requests, and hold from their request's frame on.

use std::collections::VecDeque;

use cami_wire::libcamera::{Control, ControlList};

use crate::control_ids::ControlIds;
use crate::settings::Settings;

/// Requests that are remembered ahead: libcamera queues some ten. The oldest of more takes effect
/// early.
const MOST_PENDING: usize = 256;

/// Bytes of their controls; the oldest of more take effect early too.
const MOST_BYTES: usize = 64 << 10;

/// Bytes of a value, more than any has that is understood here but a long list of `AfWindows`.
const MOST_VALUE_BYTES: usize = 1024;

/// The settings that hold, and those that will.
#[derive(Debug)]
pub struct Latch {
    ids: ControlIds,
    /// What holds.
    pub settings: Settings,
    pending: VecDeque<(u32, ControlList)>,
    /// Of all that is pending.
    bytes: usize,
}

impl Latch {
    /// Nothing was asked for yet.
    pub fn new(ids: ControlIds) -> Self {
        Self { ids, settings: Settings::default(), pending: VecDeque::new(), bytes: 0 }
    }

    /// Remembers a request's controls, as far as they are understood.
    pub fn queue(&mut self, frame: u32, controls: &ControlList) {
        let mut understood = ControlList { controls: Vec::new(), ..*controls };
        for control in &controls.controls {
            let known = self.ids.control(control.id).is_some();
            let small = control.value.data().len() <= MOST_VALUE_BYTES;
            if known && small && understood.get(control.id).is_none() {
                understood.controls.push(control.clone());
            }
        }
        if understood.controls.is_empty() {
            return;
        }
        let bytes = bytes(&understood);
        while self.pending.len() >= MOST_PENDING
            || (self.bytes.saturating_add(bytes) > MOST_BYTES && !self.pending.is_empty())
        {
            self.apply_first();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let place = self.pending.partition_point(|(known, _)| *known <= frame);
        self.pending.insert(place, (frame, understood));
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
        self.bytes = 0;
    }

    fn apply_first(&mut self) {
        if let Some((_, controls)) = self.pending.pop_front() {
            self.bytes = self.bytes.saturating_sub(bytes(&controls));
            self.settings.apply(self.ids, &controls);
        }
    }
}

fn bytes(list: &ControlList) -> usize {
    let bytes = |control: &Control| control.value.data().len().saturating_add(size_of::<Control>());
    list.controls.iter().map(bytes).fold(0, usize::saturating_add)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
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

    /// Requests as large as a message: controls that nobody knows, values that are too long, doubles.
    #[test]
    fn what_is_remembered_is_bounded_in_size() {
        let ids = ControlIds::from(IdSet::From0_5);
        let mut latch = Latch::new(ids);
        let windows = ids.id(ControlName::AfWindows).unwrap();
        for frame in 0..1000_u32 {
            let long = ControlValue::array(&[frame.to_le_bytes()[0]; 10_000]).unwrap();
            let whole = ControlValue::array(&[frame.to_le_bytes()[0]; MOST_VALUE_BYTES]).unwrap();
            let mut list = brightness(0.5);
            list.controls.extend((5000..5010).map(|id| Control { id, value: long.clone() }));
            list.controls.extend((0..10).map(|_| Control { id: windows, value: whole.clone() }));
            list.controls.push(Control { id: windows, value: long });
            latch.queue(frame, &list);
            let held: usize = latch.pending.iter().map(|(_, list)| bytes(list)).sum();
            assert_eq!(held, latch.bytes);
            assert!(held <= MOST_BYTES, "{held}");
        }
        assert_eq!(latch.settings.brightness, 0.5, "the oldest took effect early");
        latch.advance(2000);
        assert_eq!(latch.bytes, 0);
    }
}
