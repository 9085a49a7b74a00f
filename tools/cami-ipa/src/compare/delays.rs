//! From what the IPA orders to what the sensor does: libcamera's `DelayedControls`
//! (`src/libcamera/delayed_controls.cpp`), where the longest delay is 2 frames.

/// Frames from an order's slot to its effect: exposure times take two frames, gains one, and both come
/// into effect together.
const DELAY: usize = 2;

/// What is set of a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SensorSettings {
    /// Exposure time, in lines.
    pub lines: i32,
    /// Code of the analogue gain.
    pub gain_code: i32,
}

/// The orders, one slot for each frame.
#[derive(Debug)]
pub struct DelayedControls {
    slots: Vec<SensorSettings>,
}

impl DelayedControls {
    /// A sensor with these settings.
    pub fn new(initial: SensorSettings) -> Self {
        Self { slots: vec![initial] }
    }

    /// The IPA has ordered something.
    pub fn push(&mut self, settings: SensorSettings) {
        self.slots.push(settings);
    }

    /// The newest order.
    pub fn newest(&self) -> Option<SensorSettings> {
        self.slots.last().copied()
    }

    /// The exposure of frame `sequence` begins: no order that comes later has its slot or an earlier one.
    pub fn frame_start(&mut self, sequence: usize) {
        while let Some(last) = self.newest().filter(|_| self.slots.len() <= sequence) {
            self.slots.push(last);
        }
    }

    /// What is in effect for a frame.
    pub fn in_effect(&self, sequence: usize) -> Option<SensorSettings> {
        self.slots.get(sequence.saturating_sub(DELAY)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: i32) -> SensorSettings {
        SensorSettings { lines, gain_code: 128 }
    }

    #[test]
    fn an_order_is_in_effect_four_frames_after_its_statistics() {
        let mut delays = DelayedControls::new(lines(0));
        // The IPA's first, in `start`.
        delays.push(lines(1));
        for frame in 0..10 {
            // The next frame is being exposed when the statistics of this one are there.
            delays.frame_start(frame + 1);
            delays.push(lines(100 + i32::try_from(frame).expect("a small number")));
        }
        let found: Vec<i32> =
            (0..9).map(|frame| delays.in_effect(frame).expect("a slot").lines).collect();
        assert_eq!(found, [0, 0, 0, 1, 100, 101, 102, 103, 104]);
    }

    #[test]
    fn a_frame_without_an_order_keeps_the_last() {
        let mut delays = DelayedControls::new(lines(5));
        delays.frame_start(6);
        assert_eq!(delays.in_effect(8), Some(lines(5)));
    }
}
