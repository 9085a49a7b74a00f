//! The activity page at one moment, and its sentence.

use std::fmt;
use std::time::Duration;

use super::{ExitReason, PastRequest, Stage};

/// One request without its callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Its number.
    pub req_id: u32,
    /// Its buffer.
    pub handle: i32,
    /// How long ago the library got it.
    pub age: Duration,
}

/// The page at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What the library is being called for; `None` if the page holds nonsense.
    pub stage: Option<Stage>,
    /// The last request.
    pub req_id: u32,
    /// Its buffer.
    pub handle: i32,
    /// How long the call has been running.
    pub in_call_for: Duration,
    /// Requests so far.
    pub requests: u64,
    /// Callbacks so far.
    pub callbacks: u64,
    /// Why the process ended itself.
    pub exit_reason: ExitReason,
    /// Requests without their callback, oldest first.
    pub in_flight: Vec<InFlight>,
    /// The last requests, answered or not, oldest first.
    pub last_requests: Vec<PastRequest>,
}

impl fmt::Display for Snapshot {
    /// What was going on, as the end of a sentence: "in request 8 (buffer 3) for 3.1 ms; …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.in_call_for;
        match self.stage {
            None => write!(f, "doing something unknown (its activity page is overwritten)")?,
            Some(Stage::Starting) => write!(f, "before the library was loaded")?,
            Some(Stage::Loading) => write!(f, "in dlopen (its constructors) for {call:.1?}")?,
            Some(Stage::Initialize) => write!(f, "in initialize for {call:.1?}")?,
            Some(Stage::RegisterBuffer) => write!(f, "in register_buffer for {call:.1?}")?,
            Some(Stage::Request) => {
                write!(f, "in request {} (buffer {}) for {call:.1?}", self.req_id, self.handle)?;
            }
            Some(Stage::DeregisterBuffers) => write!(f, "in deregister_buffers for {call:.1?}")?,
            Some(Stage::UpdateReturn) => write!(f, "in update_return for {call:.1?}")?,
            Some(Stage::Deinitialize) => write!(f, "in deinitialize for {call:.1?}")?,
            Some(Stage::Idle) => write!(f, "in none of our calls")?,
        }
        // The request that the library is in was just named.
        let named = self.stage == Some(Stage::Request);
        let current = named.then(|| {
            let same = |r: &InFlight| r.req_id == self.req_id && r.handle == self.handle;
            self.in_flight.iter().rposition(same)
        });
        let others: Vec<&InFlight> = self
            .in_flight
            .iter()
            .enumerate()
            .filter(|(index, _)| current.flatten() != Some(*index))
            .map(|(_, request)| request)
            .collect();
        if !others.is_empty() {
            write!(f, "; in flight:")?;
            for (index, request) in others.iter().take(4).enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let InFlight { req_id, handle, age } = *request;
                write!(f, "{comma} request {req_id} (buffer {handle}) since {age:.1?}")?;
            }
            if others.len() > 4 {
                write!(f, " and {} more", others.len() - 4)?;
            }
        }
        write!(f, "; {} requests and {} callbacks in all", self.requests, self.callbacks)
    }
}
