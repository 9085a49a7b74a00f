//! What a recovery takes out of the journal, and gives back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_wire::cros::{Request, Returned};

use super::buffers::BufferCall;
use super::kept::Kept;
use super::{Condition, Journal, State, words};
use crate::restarts::TooMany;

impl Journal {
    /// The session `dead` has died; what it answered has been taken in.
    ///
    /// # Errors
    /// Why nothing can be recovered.
    pub(crate) fn begin(&self, dead: u64) -> Result<(), String> {
        let mut state = self.state.lock();
        match (state.condition, state.unfit.take()) {
            (Condition::Closed, _) => Err("the HAL has ended it".to_owned()),
            (_, Some(why)) => Err(why),
            _ => {
                state.condition = Condition::Recovering(dead);
                let answered = std::mem::take(&mut state.answered);
                state.restarts.failed(answered);
                // The new vendor process has lent nothing.
                state.updates.clear();
                state.expected.clear();
                state.replayed_without_buffer.clear();
                for entry in state.in_flight.iter_mut().filter(|entry| entry.sent_on == dead) {
                    words::restore(entry);
                    entry.deaths = entry.deaths.saturating_add(1);
                    entry.sent_on = 0;
                }
                Ok(())
            }
        }
    }

    /// Whether the HAL has ended it, or was told.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().condition == Condition::Closed
    }

    /// The calls on buffers to go through again.
    pub(crate) fn buffer_calls(&self) -> Vec<BufferCall> {
        self.state.lock().calls.all().to_vec()
    }

    /// The requests to do again, in order.
    pub(crate) fn kept(&self) -> Vec<Arc<Kept>> {
        self.state.lock().kept.in_order().cloned().collect()
    }

    /// What a virtual address stands for in the newest vendor process.
    pub(crate) fn real(&self, address: u64) -> Option<u64> {
        self.state.lock().addresses.real(address)
    }

    /// Counts another restart: how long to wait before it.
    ///
    /// # Errors
    /// The limit, if it is reached.
    pub(crate) fn start_another(&self) -> Result<Duration, u32> {
        let mut state = self.state.lock();
        match state.restarts.start(Instant::now(), &self.recovery) {
            Ok(()) => Ok(state.restarts.wait()),
            Err(TooMany) => Err(self.recovery.restart_limit),
        }
    }

    /// A vendor process did not come so far as to take over.
    pub(crate) fn failed_again(&self) {
        self.state.lock().restarts.failed_again();
    }

    /// Restarts so far.
    pub(crate) fn restarts(&self) -> u32 {
        self.state.lock().restarts.total()
    }

    /// The new vendor process gave an address where the old one gave what `address` stands for.
    pub(crate) fn moved(&self, address: u64, real: u64) {
        self.state.lock().addresses.move_to(address, real);
    }

    /// A request without a buffer is done again: what else is heard of it is not the HAL's.
    pub(crate) fn replays_without_buffer(&self, req_id: u32) {
        self.state.lock().replayed_without_buffer.push(req_id);
    }

    /// A buffer of ours was registered, and stays.
    pub(crate) fn own_buffer(&self, handle: i32) {
        let mut state = self.state.lock();
        state.calls.own(handle);
        state.check_length();
    }

    /// The new session is up: all requests without an answer are sent on it, in order, and from now
    /// on the HAL's own. Those with which two vendor processes died are not sent a third time: their
    /// answers come back, with `error_status`.
    ///
    /// `send` says whether it could; a request that it could not send is answered with the status as
    /// well. Returns the answers, and how many were sent.
    pub(crate) fn commit(
        &self,
        generation: u64,
        error_status: u32,
        mut send: impl FnMut(&Request<'_>) -> bool,
    ) -> Option<(Vec<Returned>, usize)> {
        let mut state = self.state.lock();
        if state.condition == Condition::Closed {
            return None;
        }
        state.condition = Condition::Open(generation);
        let State { addresses, in_flight, replayed_without_buffer, .. } = &mut *state;
        let mut sent = 0;
        for entry in in_flight.iter_mut().filter(|entry| entry.deaths < 2) {
            words::put_real(entry, addresses);
            let (req_id, header, buffer_handle) = (entry.req_id, &entry.header, entry.handle);
            if send(&Request { req_id, header, buffer_handle }) {
                entry.sent_on = generation;
                sent += 1;
                if entry.handle == -1 {
                    replayed_without_buffer.retain(|replayed| *replayed != entry.req_id);
                }
            }
        }
        let mut answers = Vec::new();
        for entry in in_flight.take(|entry| entry.sent_on != generation) {
            words::put_virtual(&entry, in_flight);
            answers.push(Returned {
                req_id: entry.req_id,
                status: error_status,
                buffer_handle: entry.handle,
            });
            in_flight.recycle(entry);
        }
        drop(state);
        self.changed.notify_all();
        Some((answers, sent))
    }
}
