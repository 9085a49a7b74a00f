//! What a new vendor process is brought to the old one's state with (`recovery = "resume"`).
//!
//! The journal outlives sessions: it is made by the HAL's `initialize` and ends with it. It holds
//! the HAL's buffers, the requests that set something up or left something behind, the virtual
//! addresses, and the requests in flight. It is kept here, in the HAL's process, and not in the
//! monitor, so that the death of the monitor costs nothing either.
//!
//! One lock, which no call of the HAL's or the vendor's code is made under. Below it there are only
//! `pread` and `pwrite` of single words of a request's own buffer, and, when a session is resumed, sends
//! that do not wait.

mod addresses;
mod admit;
mod buffers;
mod expected;
mod in_flight;
mod kept;
mod replay;
mod reserve;
mod settle;
mod words;

use std::collections::VecDeque;
use std::sync::Arc;

use cami_link::Deadline;
use cami_link::sync::{Condvar, Mutex};
use cami_wire::control::{CommandRule, Recovery};

use crate::error::CallError;
use crate::restarts::Restarts;
use crate::source::HostSource;

use addresses::Addresses;
use buffers::BufferCalls;
use expected::Expected;
use in_flight::InFlight;
use kept::Keepsakes;
use reserve::Reserve;

pub(crate) use admit::{Refused, Ticket};
pub(crate) use buffers::{Buffer, BufferCall};
pub(crate) use expected::Intent;
pub(crate) use kept::Kept as KeptRequest;

/// Updates that the HAL has not returned yet; of more the oldest are forgotten.
const MAX_UPDATES: usize = 4096;

/// Whether there is a vendor process to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// The session of this generation.
    Open(u64),
    /// One is being brought up; that of this generation is dead.
    Recovering(u64),
    /// No more: the HAL ended it, or was notified.
    Closed,
}

#[derive(Debug)]
struct State {
    condition: Condition,
    calls: BufferCalls,
    expected: Expected,
    kept: Keepsakes,
    addresses: Addresses,
    in_flight: InFlight,
    updates: VecDeque<u32>,
    /// Requests without a buffer that the current vendor process did again.
    replayed_without_buffer: Vec<u32>,
    restarts: Restarts,
    /// The current vendor process has answered a request.
    answered: bool,
    /// Why the next death cannot be recovered from.
    unfit: Option<String>,
}

/// See the module's own words.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Without its commands.
    pub(crate) recovery: Recovery,
    /// Those: shared with the requests that they are about, so that none costs a copy.
    rules: Vec<Arc<CommandRule>>,
    pub(crate) source: HostSource,
    state: Mutex<State>,
    changed: Condvar,
    standby: Mutex<Reserve>,
}

impl Journal {
    /// A journal of the session `generation`.
    pub(crate) fn new(mut recovery: Recovery, source: HostSource, generation: u64) -> Self {
        let state = State {
            condition: Condition::Open(generation),
            calls: BufferCalls::default(),
            expected: Expected::default(),
            kept: Keepsakes::default(),
            addresses: Addresses::default(),
            in_flight: InFlight::default(),
            updates: VecDeque::new(),
            replayed_without_buffer: Vec::new(),
            restarts: Restarts::default(),
            answered: false,
            unfit: None,
        };
        let rules = std::mem::take(&mut recovery.commands);
        Self {
            recovery,
            rules: rules.into_iter().map(Arc::new).collect(),
            source,
            state: Mutex::new(state),
            changed: Condvar::default(),
            standby: Mutex::default(),
        }
    }

    /// The library lent an `update`.
    pub(crate) fn lent(&self, upd_id: u32) {
        let mut state = self.state.lock();
        if state.updates.len() >= MAX_UPDATES {
            state.updates.pop_front();
        }
        state.updates.push_back(upd_id);
    }

    /// The HAL gives an `update` back; false if it was another vendor process that lent it.
    pub(crate) fn given_back(&self, upd_id: u32) -> bool {
        let mut state = self.state.lock();
        let Some(found) = state.updates.iter().position(|&lent| lent == upd_id) else {
            return false;
        };
        state.updates.remove(found);
        true
    }

    /// Waits until the current session is not `dead` and is open; true if that took any time.
    pub(crate) fn wait_for_another(
        &self,
        dead: Option<u64>,
        deadline: Option<Deadline>,
    ) -> Result<bool, CallError> {
        let mut state = self.state.lock();
        let mut waited = false;
        loop {
            match state.condition {
                Condition::Closed => return Err(CallError::Dead),
                Condition::Open(current) if Some(current) != dead => return Ok(waited),
                Condition::Open(_) | Condition::Recovering(_) => {}
            }
            waited = true;
            match deadline {
                None => state = self.changed.wait(state),
                Some(deadline) => {
                    let timed_out;
                    (state, timed_out) = self.changed.wait_until(state, deadline.instant());
                    if timed_out {
                        return Err(CallError::TimedOut);
                    }
                }
            }
        }
    }

    /// Nothing is recovered any more. The HAL's buffers hold virtual addresses again.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        if state.condition == Condition::Closed {
            return;
        }
        state.condition = Condition::Closed;
        let State { calls, expected, in_flight, kept, .. } = &mut *state;
        for entry in in_flight.take(|_| true) {
            words::put_virtual(&entry, in_flight);
        }
        *kept = Keepsakes::default();
        let buffers = (std::mem::take(calls), std::mem::take(expected));
        drop(state);
        // The HAL's descriptors are closed outside the lock.
        drop(buffers);
        self.changed.notify_all();
    }
}

impl State {
    fn check_length(&mut self) {
        if self.calls.is_too_long() {
            let most = buffers::MAX_CALLS;
            self.unfit
                .get_or_insert_with(|| format!("more than {most} register and deregister calls"));
            // A library that registers in every frame goes on for days.
            self.calls.shorten();
        }
    }
}

#[cfg(test)]
mod tests;
