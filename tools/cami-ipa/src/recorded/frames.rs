//! Which frame an event belongs to.

use std::collections::HashMap;

use cami_recording::session::Event;

use super::Recorded;

/// The frame of each event. Frames are counted through all hosts of a profile, as the HAL does not
/// count anew where one takes over from another; what a recovery says again belongs to the frame
/// that it interrupts.
pub fn of(recorded: &Recorded) -> Vec<Option<u32>> {
    let mut counters = HashMap::new();
    let mut latest = None;
    let mut frames = Vec::new();
    for event in &recorded.session.events {
        let frame = match event {
            Event::Exchange { requested, .. } => {
                let exchange = recorded.exchange(requested, None, None);
                let profile = exchange.protocol.name();
                let counter = counters.entry(profile).or_insert_with(|| exchange.protocol.frames());
                if !exchange.again {
                    let frame = counter.take(exchange.command);
                    let frame = frame.and_then(|frame| u32::try_from(frame).ok());
                    latest = latest.max(frame);
                    frame
                } else if exchange.protocol.is_step(exchange.command) {
                    latest
                } else {
                    None
                }
            }
            Event::Line(_) | Event::Usage(_) => latest,
            _ => None,
        };
        frames.push(frame);
    }
    frames
}
