//! Events that the reader has to deliver but has not received just now.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use cami_link::sync::Mutex;
use cami_wire::cros::Returned;

/// Events that may wait: what a callback's own call receives before its answer, and requests that
/// found the link full.
const MAX_EVENTS: usize = 4096;
/// Header bytes that may wait.
const MAX_BYTES: usize = 8 << 20;

/// One event of a session.
#[derive(Debug)]
pub(crate) enum Event {
    /// `return_callback`.
    Returned(Returned),
    /// `update`.
    Updated { upd_id: u32, header: Vec<u8>, fd: Option<OwnedFd> },
}

impl Event {
    fn bytes(&self) -> usize {
        match self {
            Self::Returned(_) => 0,
            Self::Updated { header, .. } => header.len(),
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<(u64, Event)>,
    bytes: usize,
}

/// The queue: bounded, in order of arrival, each event with its session's generation.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    queue: Mutex<Queue>,
    /// Lets the reader skip the lock.
    any: AtomicBool,
}

impl Pending {
    /// Appends an event; gives it back where there is no room.
    pub(crate) fn push(&self, generation: u64, event: Event) -> Result<(), Event> {
        let mut queue = self.queue.lock();
        let bytes = queue.bytes.saturating_add(event.bytes());
        if queue.events.len() >= MAX_EVENTS || bytes > MAX_BYTES {
            return Err(event);
        }
        if queue.events.capacity() == 0 {
            // Once and for all: growing it would end in `mremap` (see cami-link's backlog).
            queue.events.reserve_exact(MAX_EVENTS);
        }
        queue.bytes = bytes;
        queue.events.push_back((generation, event));
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        if self.any.load(Ordering::Acquire) { self.queue.lock().events.len() } else { 0 }
    }

    /// The next event of `generation`. Those of older sessions are dropped on the way; one of a
    /// newer session stays for it.
    pub(crate) fn pop(&self, generation: u64) -> Option<Event> {
        let mut dropped = Vec::new();
        let mut queue = self.queue.lock();
        let found = loop {
            if queue.events.front().is_none_or(|&(front, _)| front > generation) {
                break None;
            }
            let Some((owner, event)) = queue.events.pop_front() else { break None };
            queue.bytes = queue.bytes.saturating_sub(event.bytes());
            if owner == generation {
                break Some(event);
            }
            dropped.push(event);
        };
        self.any.store(!queue.events.is_empty(), Ordering::Release);
        // Descriptors of dropped events are closed after the lock.
        drop(queue);
        found
    }

    /// What a dead session did still answer is delivered on the one that takes its place.
    pub(crate) fn hand_over(&self, from: u64, to: u64) {
        for (owner, _) in &mut self.queue.lock().events {
            if *owner == from {
                *owner = to;
            }
        }
    }

    /// Drops all events up to `generation`.
    pub(crate) fn forget(&self, generation: u64) {
        let mut queue = self.queue.lock();
        let (old, kept) = queue.events.drain(..).partition(|&(owner, _)| owner <= generation);
        queue.events = kept;
        queue.bytes = queue.events.iter().map(|(_, event)| event.bytes()).sum();
        self.any.store(!queue.events.is_empty(), Ordering::Release);
        drop(queue);
        let old: VecDeque<(u64, Event)> = old;
        drop(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned(req_id: u32) -> Event {
        Event::Returned(Returned { req_id, status: 0, buffer_handle: -1 })
    }

    fn id(event: Option<Event>) -> Option<u32> {
        match event {
            Some(Event::Returned(returned)) => Some(returned.req_id),
            _ => None,
        }
    }

    #[test]
    fn old_sessions_events_are_dropped_and_new_ones_stay() {
        let pending = Pending::default();
        for (generation, req_id) in [(1, 10), (2, 20), (3, 30)] {
            pending.push(generation, returned(req_id)).unwrap();
        }
        assert_eq!(id(pending.pop(2)), Some(20));
        assert_eq!(id(pending.pop(2)), None);
        assert_eq!(pending.len(), 1);
        assert_eq!(id(pending.pop(3)), Some(30));
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn events_and_bytes_are_bounded() {
        let pending = Pending::default();
        let update = || Event::Updated { upd_id: 1, header: vec![0; 65536], fd: None };
        let mut accepted = 0;
        while pending.push(1, update()).is_ok() {
            accepted += 1;
        }
        assert_eq!(accepted, MAX_BYTES / 65536);
        pending.forget(1);
        let mut accepted = 0;
        while pending.push(1, returned(0)).is_ok() {
            accepted += 1;
        }
        assert_eq!(accepted, MAX_EVENTS);
    }
}
