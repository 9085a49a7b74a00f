//! A request of the HAL's is taken in, and may be sent.

use std::sync::Arc;

use cami_wire::control::{CommandRule, Role, command_of};
use nix::errno::Errno;

use super::in_flight::Entry;
use super::{Condition, Journal, State, kept, words};

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticket {
    /// Send it now. The number is for [`Journal::withdraw`].
    Send(u64),
    /// It is sent when the new vendor process is there.
    Waits,
    /// The caller's session is not the current one any more.
    Stale,
    /// Nobody will ever answer.
    Dropped,
}

/// Who answers a request that cannot be sent to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is answered now.
    Now,
    /// The session that is being brought up answers it.
    Later,
    /// Nobody.
    Never,
}

impl Journal {
    /// The rule of a request's command, if something is known of it.
    fn rule(&self, req_id: u32, header: &[u8]) -> Option<&Arc<CommandRule>> {
        let command = command_of(self.recovery.command_byte, req_id, header)?;
        self.rules.iter().find(|rule| rule.id == command)
    }

    /// The HAL makes a request. What counts of its buffer is copied now, because the HAL may use
    /// the buffer again; and real addresses are put in for virtual ones.
    pub(crate) fn request(&self, session: u64, req_id: u32, header: &[u8], handle: i32) -> Ticket {
        let rule = self.rule(req_id, header);
        let is_kept = rule.is_some_and(|rule| matches!(rule.role, Role::SetUp | Role::State));
        let copied = match rule.filter(|_| is_kept) {
            Some(rule) => self.copy_payload(rule, handle),
            None => None,
        };
        let mut state = self.state.lock();
        let (mut entry, errno) = match copied {
            Some((mut entry, errno)) => {
                state.in_flight.copied(&mut entry);
                (entry, errno)
            }
            None => (state.in_flight.blank(), None),
        };
        let open = match state.condition {
            Condition::Open(current) if current == session => true,
            Condition::Recovering(_) => false,
            Condition::Open(_) | Condition::Closed => {
                state.in_flight.recycle(entry);
                let closed = state.condition == Condition::Closed;
                return if closed { Ticket::Dropped } else { Ticket::Stale };
            }
        };
        state.make_room();
        if handle == -1 {
            // From now on an answer may be this one's.
            state.replayed_without_buffer.retain(|replayed| *replayed != req_id);
        }
        (entry.req_id, entry.handle) = (req_id, handle);
        entry.header.extend_from_slice(header);
        let State { calls, addresses, in_flight, unfit, .. } = &mut *state;
        if let Some(rule) = rule {
            if let Some(errno) = errno {
                not_copied(rule, errno, unfit);
            }
            entry.rule = Some(Arc::clone(rule));
            // A payload is that of the buffer that it was copied of.
            let buffer = entry.buffer.take().or_else(|| calls.find(handle).cloned());
            if let Some(buffer) = buffer {
                entry.words = words::find(rule, &buffer, in_flight, addresses);
                entry.buffer = Some(buffer);
                words::keep_virtual(&mut entry);
            }
        }
        if open {
            entry.sent_on = session;
            words::put_real(&entry, addresses);
        }
        let id = entry.id;
        in_flight.push(entry);
        if open { Ticket::Send(id) } else { Ticket::Waits }
    }

    /// Copies what counts of a request's buffer. Not under the lock: the largest payload takes
    /// milliseconds, which other threads' requests would wait for.
    fn copy_payload(&self, rule: &CommandRule, handle: i32) -> Option<(Entry, Option<Errno>)> {
        let mut state = self.state.lock();
        let buffer = state.calls.find(handle)?.clone();
        let mut entry = state.in_flight.blank();
        let room = kept::MAX_BYTES.saturating_sub(state.in_flight.payload_bytes());
        let bytes = kept::bytes(rule, &buffer, room);
        state.in_flight.will_copy(&mut entry, bytes.unwrap_or(0));
        drop(state);
        #[cfg(test)]
        super::tests::copies::during_copy();
        let copied = bytes.and_then(|bytes| kept::copy(rule, &buffer, bytes, &mut entry.payload));
        entry.has_payload = copied.is_ok();
        entry.instance = rule.instance.and_then(|offset| buffer.read_u32(offset));
        entry.buffer = Some(buffer);
        Some((entry, copied.err()))
    }

    /// A request could not be sent: true if it is the caller's to answer, false if it is sent again
    /// with the new vendor process. `answer` is called before any recovery can begin: afterwards
    /// the answer would be that of a session which nobody delivers for.
    pub(crate) fn withdraw(&self, id: u64, session: u64, answer: impl FnOnce()) -> bool {
        let mut state = self.state.lock();
        let in_flight = &mut state.in_flight;
        match in_flight.withdraw(id, session) {
            Some(entry) => {
                words::put_virtual(&entry, in_flight);
                in_flight.recycle(entry);
                answer();
                true
            }
            None => false,
        }
    }

    /// A request that cannot be sent to any vendor process. `answer` gets the session that answers
    /// it, before any recovery can begin.
    pub(crate) fn refuse(&self, req_id: u32, handle: i32, answer: impl FnOnce(u64)) -> Refused {
        let mut state = self.state.lock();
        match state.condition {
            Condition::Open(session) => {
                answer(session);
                Refused::Now
            }
            Condition::Recovering(_) => {
                state.make_room();
                let mut entry = state.in_flight.blank();
                (entry.req_id, entry.handle) = (req_id, handle);
                entry.deaths = u32::MAX;
                state.in_flight.push(entry);
                Refused::Later
            }
            Condition::Closed => Refused::Never,
        }
    }
}

impl State {
    /// Room for one more request: where a library answers nothing at all, the oldest is forgotten.
    fn make_room(&mut self) {
        if let Some(forgotten) = self.in_flight.make_room() {
            words::put_virtual(&forgotten, &mut self.in_flight);
            self.in_flight.recycle(forgotten);
        }
    }
}

fn not_copied(rule: &CommandRule, errno: Errno, unfit: &mut Option<String>) {
    if rule.role == Role::SetUp {
        *unfit = Some(format!("the set-up request {} cannot be copied: {errno}", rule.id));
    } else {
        log::debug!("the request {} cannot be copied: {errno}", rule.id);
    }
}
