//! What was recorded of one host, in the order in which it is made again.

use std::collections::HashMap;

use cami_recording::block::{Call, Requested, Returned};
use cami_recording::session::{Event, HostLife};
use cami_recording::{ContentId, Session};

use crate::death::Death;
use crate::protocol::Protocol;
use crate::updates::{self, Update};

/// One host of a recording.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its number in the recording.
    pub number: u32,
    /// What was done, in order.
    pub steps: Vec<Step>,
    /// The library's updates, in order.
    pub updates: Vec<Update>,
    /// How the recorded library died, if it did.
    pub death: Option<Death>,
}

/// What was done.
#[derive(Clone, Debug)]
pub enum Step {
    /// A buffer was registered.
    Register {
        /// When, in nanoseconds.
        at_ns: u64,
        /// The handle that it got.
        handle: i32,
        /// Its bytes.
        bytes: u64,
    },
    /// Buffers were deregistered.
    Deregister {
        /// When, in nanoseconds.
        at_ns: u64,
        /// Their handles.
        handles: Vec<i32>,
    },
    /// A request was made.
    Exchange(Exchange),
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it was made, in nanoseconds.
    pub at_ns: u64,
    /// Its number in the recording.
    pub number: u64,
    /// Its frame, if it is in one.
    pub frame: Option<u64>,
    /// Its command.
    pub command: u32,
    /// The HAL's number.
    pub req_id: u32,
    /// The buffer.
    pub handle: i32,
    /// The header.
    pub header: Vec<u8>,
    /// What the buffer held; 0: not recorded, or no buffer.
    pub content: ContentId,
    /// Why it is not recorded: an errno; 0 where it is.
    pub content_errno: u32,
    /// The answer, if there was one.
    pub answer: Option<Answer>,
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// When it came, in nanoseconds.
    pub at_ns: u64,
    /// The library's status.
    pub status: u32,
    /// What the buffer held; 0: not recorded, or no buffer.
    pub content: ContentId,
    /// The update that was made and returned since the request, the last returned: its place among the
    /// host's updates. The library may have waited for that.
    pub behind: Option<usize>,
}

impl Host {
    /// The steps of a host. A buffer whose registration was not recorded is registered before its
    /// first request, in the size that it had then (`bytes_of`).
    #[must_use]
    pub fn of(
        session: &Session,
        life: &HostLife,
        protocol: &Protocol,
        bytes_of: impl Fn(ContentId) -> Option<u64>,
    ) -> Self {
        let number = life.host.host;
        let mut frames = protocol.frames();
        let mut registered: HashMap<i32, u64> = HashMap::new();
        let mut steps = Vec::new();
        let mut updates = Vec::new();
        let mut frame = None;
        for event in session.events.iter().filter(|event| event.host() == number) {
            match event {
                Event::Call { called, answered } => {
                    let value = answered.as_ref().map(|answered| answered.value);
                    match (Call::of_number(called.call), value) {
                        (Some(Call::RegisterBuffer), Some(handle)) if handle >= 0 => {
                            let bytes = called.buffer_bytes;
                            registered.insert(handle, bytes);
                            let at_ns = called.at_ns;
                            steps.push(Step::Register { at_ns, handle, bytes });
                        }
                        (Some(Call::DeregisterBuffers), _) => {
                            for handle in &called.handles {
                                registered.remove(handle);
                            }
                            let handles = called.handles.clone();
                            steps.push(Step::Deregister { at_ns: called.at_ns, handles });
                        }
                        _ => {}
                    }
                }
                Event::Exchange { requested, returned } => {
                    let handle = requested.handle;
                    let bytes = bytes_of(requested.content);
                    if let Some(bytes) = bytes.filter(|_| !registered.contains_key(&handle)) {
                        registered.insert(handle, bytes);
                        let at_ns = requested.at_ns;
                        steps.push(Step::Register { at_ns, handle, bytes });
                    }
                    let command = life.command(requested);
                    frame = frames.take(command);
                    steps.push(Step::Exchange(Exchange::of(requested, returned, command, frame)));
                }
                Event::Update { updated, returned } => {
                    updates.push(Update::of(updated, returned.as_ref(), frame));
                }
                _ => {}
            }
        }
        let mut exchanges: Vec<&mut Exchange> =
            steps.iter_mut().filter_map(Step::exchange_mut).collect();
        updates::place(&mut exchanges, &mut updates);
        let exchanges = steps.iter().filter_map(Step::exchange);
        let death = Death::of(session, life, exchanges, &updates);
        Self { number, steps, updates, death }
    }

    /// Its requests.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(Step::exchange)
    }
}

impl Step {
    fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }

    fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        match self {
            Self::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }

    /// When it was done, in nanoseconds.
    #[must_use]
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Register { at_ns, .. } | Self::Deregister { at_ns, .. } => *at_ns,
            Self::Exchange(exchange) => exchange.at_ns,
        }
    }
}

impl Exchange {
    fn of(
        requested: &Requested,
        returned: &Option<Returned>,
        command: u32,
        frame: Option<u64>,
    ) -> Self {
        Self {
            at_ns: requested.at_ns,
            number: requested.number,
            frame,
            command,
            req_id: requested.req_id,
            handle: requested.handle,
            header: requested.header.0.clone(),
            content: requested.content,
            content_errno: requested.content_errno,
            answer: returned.as_ref().map(|returned| Answer {
                at_ns: returned.at_ns,
                status: returned.status,
                content: returned.content,
                behind: None,
            }),
        }
    }

    /// Where it stands, in words: `frame 12 AIQ_AE_RUN`; outside of frames `CMC_INIT`.
    #[must_use]
    pub fn title(&self, protocol: &Protocol) -> String {
        let name = protocol.name(self.command);
        match self.frame {
            Some(frame) => format!("frame {frame} {name}"),
            None => name,
        }
    }
}
