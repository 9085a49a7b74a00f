//! What a new vendor process is brought to the old one's state with (`recovery = "resume"`).
//!
//! The journal outlives sessions: it is made by the HAL's `initialize` and ends with it. It holds
//! the HAL's buffers, the requests that set something up or left something behind, the virtual
//! addresses, and the requests in flight. It is kept here, in the HAL's process, and not in the
//! monitor, so that the death of the monitor costs nothing either.
//!
//! One lock, which no call of the HAL's or the vendor's code is made under. Below it there are only
//! `pread` and `pwrite` of a request's own buffer.

mod addresses;
mod buffers;
mod in_flight;
mod kept;
mod replay;
mod reserve;

use std::collections::VecDeque;
use std::sync::Arc;

use cami_link::Deadline;
use cami_link::sync::{Condvar, Mutex};
use cami_wire::control::{CommandRule, Recovery, Role};
use cami_wire::cros::Returned;

use crate::error::CallError;
use crate::restarts::Restarts;
use crate::source::HostSource;

use addresses::Addresses;
use buffers::BufferCalls;
use in_flight::{Entry, InFlight};
use kept::{Keepsakes, Kept};
use reserve::Reserve;

pub(crate) use buffers::{Buffer, BufferCall};
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
    kept: Keepsakes,
    addresses: Addresses,
    in_flight: InFlight,
    updates: VecDeque<u32>,
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

impl Journal {
    /// A journal of the session `generation`.
    pub(crate) fn new(mut recovery: Recovery, source: HostSource, generation: u64) -> Self {
        let state = State {
            condition: Condition::Open(generation),
            calls: BufferCalls::default(),
            kept: Keepsakes::default(),
            addresses: Addresses::default(),
            in_flight: InFlight::default(),
            updates: VecDeque::new(),
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

    /// The rule of a request's command, if something is known of it.
    fn rule(&self, req_id: u32, header: &[u8]) -> Option<&Arc<CommandRule>> {
        let command = match self.recovery.command_byte {
            None => req_id,
            Some(index) => u32::from(*header.get(usize::try_from(index).ok()?)?),
        };
        self.rules.iter().find(|rule| rule.id == command)
    }

    /// The HAL makes a request. What counts of its buffer is copied now, because the HAL may use
    /// the buffer again; and real addresses are put in for virtual ones.
    pub(crate) fn request(&self, session: u64, req_id: u32, header: &[u8], handle: i32) -> Ticket {
        let mut state = self.state.lock();
        let open = match state.condition {
            Condition::Open(current) if current != session => return Ticket::Stale,
            Condition::Open(_) => true,
            Condition::Recovering(_) => false,
            Condition::Closed => return Ticket::Dropped,
        };
        let State { calls, addresses, in_flight, unfit, .. } = &mut *state;
        if let Some(forgotten) = in_flight.make_room() {
            put_virtual(&forgotten);
            in_flight.recycle(forgotten);
        }
        let mut entry = in_flight.blank();
        (entry.req_id, entry.handle) = (req_id, handle);
        entry.header.extend_from_slice(header);
        if let Some(rule) = self.rule(req_id, header) {
            entry.rule = Some(Arc::clone(rule));
            if let Some(buffer) = calls.find(handle) {
                note_payload(&mut entry, rule, buffer, in_flight, unfit);
                entry.find_words(rule, buffer, |word| addresses.real(word).is_some());
                entry.buffer = Some(buffer.clone());
            }
        }
        if open {
            entry.sent_on = session;
            put_real(&entry, addresses);
        }
        let id = entry.id;
        in_flight.push(entry);
        if open { Ticket::Send(id) } else { Ticket::Waits }
    }

    /// A request could not be sent: true if it is the caller's to answer, false if it is sent again
    /// with the new vendor process. `answer` is called before any recovery can begin: afterwards
    /// the answer would be that of a session which nobody delivers for.
    pub(crate) fn withdraw(&self, id: u64, session: u64, answer: impl FnOnce()) -> bool {
        let mut state = self.state.lock();
        let in_flight = &mut state.in_flight;
        match in_flight.withdraw(id, session) {
            Some(entry) => {
                put_virtual(&entry);
                in_flight.recycle(entry);
                answer();
                true
            }
            None => false,
        }
    }

    /// The library answered, on the session `generation`: before the HAL may look, virtual
    /// addresses are put where real ones stand.
    pub(crate) fn returned(&self, generation: u64, returned: &Returned) {
        let mut state = self.state.lock();
        if state.condition == Condition::Closed {
            return;
        }
        let key = (returned.req_id, returned.buffer_handle);
        let newest = !self.recovery.answers_all;
        let Some(entry) = state.in_flight.answered(generation, key, newest) else { return };
        state.answered = true;
        if newest {
            state.in_flight.drop_before(generation, &entry, put_virtual);
        }
        let State { addresses, in_flight, .. } = &mut *state;
        put_virtual(&entry);
        let Some(rule) = entry.rule.clone() else { return in_flight.recycle(entry) };
        let done = returned.status == self.recovery.ok_status;
        let mut gave = None;
        if let (Some(offset), Some(buffer), true) = (rule.gives, &entry.buffer, done) {
            gave = buffer.read_u64(offset).and_then(|real| addresses.give(real));
            if let Some(address) = gave
                && let Err(errno) = buffer.write_u64(offset, address)
            {
                // The HAL would keep the real one, which means nothing to a new vendor process.
                state.unfit = Some(format!("an address cannot be written into a buffer: {errno}"));
            }
        }
        if done {
            state.effect(&rule, entry, gave);
        } else {
            state.in_flight.recycle(entry);
        }
    }

    /// `register_buffer` was answered on the session `generation`; false if that is not the current
    /// one, and the call has to be made again.
    pub(crate) fn registered(&self, generation: u64, handle: i32, buffer: &Buffer) -> bool {
        let mut state = self.state.lock();
        if state.condition != Condition::Open(generation) {
            return false;
        }
        state.calls.register(handle, buffer.clone());
        state.check_length();
        true
    }

    /// The same for `deregister_buffers`.
    pub(crate) fn deregistered(&self, generation: u64, handles: &[i32]) -> bool {
        let mut state = self.state.lock();
        if state.condition != Condition::Open(generation) {
            return false;
        }
        state.calls.deregister(handles);
        state.check_length();
        true
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

    /// Waits until the current session is not `dead` and is open.
    pub(crate) fn wait_for_another(
        &self,
        dead: Option<u64>,
        deadline: Option<Deadline>,
    ) -> Result<(), CallError> {
        let mut state = self.state.lock();
        loop {
            match state.condition {
                Condition::Closed => return Err(CallError::Dead),
                Condition::Open(current) if Some(current) != dead => return Ok(()),
                Condition::Open(_) | Condition::Recovering(_) => {}
            }
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
        let State { calls, in_flight, kept, .. } = &mut *state;
        for entry in in_flight.take(|_| true) {
            put_virtual(&entry);
        }
        *kept = Keepsakes::default();
        let calls = std::mem::take(calls);
        drop(state);
        // The HAL's descriptors are closed outside the lock.
        drop(calls);
        self.changed.notify_all();
    }
}

impl State {
    /// What a request that was carried out left behind, or ended.
    fn effect(&mut self, rule: &Arc<CommandRule>, mut entry: Entry, gave: Option<u64>) {
        match rule.role {
            Role::Plain => {}
            Role::TearDown => {
                for address in entry.addresses() {
                    self.addresses.forget(address);
                    self.kept.end_address(address);
                }
                self.kept.end_commands(&rule.ends);
            }
            Role::SetUp | Role::State => {
                let buffer_bytes = entry.buffer.as_ref().map_or(0, Buffer::bytes);
                if !entry.has_payload {
                    // What an earlier request left in the entry is none of this one's.
                    entry.payload.clear();
                }
                if entry.has_payload || entry.handle == -1 {
                    let kept = Kept {
                        rule: Arc::clone(rule),
                        req_id: entry.req_id,
                        header: std::mem::take(&mut entry.header),
                        buffer_bytes: if entry.has_payload { buffer_bytes } else { 0 },
                        bytes: std::mem::take(&mut entry.payload),
                        instance: entry.instance,
                        gave,
                        took: entry.words.map(|word| word.map(|(_, address)| address)),
                    };
                    match self.kept.keep(kept) {
                        Ok(Some(old)) => (entry.header, entry.payload) = (old.header, old.bytes),
                        Ok(None) => {}
                        Err(errno) => {
                            self.unfit = Some(format!("too much to keep: {errno}"));
                            self.kept = Keepsakes::default();
                        }
                    }
                }
            }
        }
        self.in_flight.recycle(entry);
    }

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

/// Copies what counts of a request's buffer, where it counts.
fn note_payload(
    entry: &mut Entry,
    rule: &CommandRule,
    buffer: &Buffer,
    in_flight: &InFlight,
    unfit: &mut Option<String>,
) {
    if !matches!(rule.role, Role::SetUp | Role::State) {
        return;
    }
    entry.instance = rule.instance.and_then(|offset| buffer.read_u32(offset));
    let room = kept::MAX_BYTES.saturating_sub(in_flight.payload_bytes());
    match kept::copy(rule, buffer, room, &mut entry.payload) {
        Ok(()) => entry.has_payload = true,
        Err(errno) if rule.role == Role::SetUp => {
            *unfit = Some(format!("the set-up request {} cannot be copied: {errno}", rule.id));
        }
        Err(errno) => log::debug!("the request {} cannot be copied: {errno}", rule.id),
    }
}

/// Puts the real addresses into a request's buffer.
fn put_real(entry: &Entry, addresses: &Addresses) {
    put(entry, |address| addresses.real(address));
}

/// Puts the virtual addresses back.
fn put_virtual(entry: &Entry) {
    put(entry, Some);
}

fn put(entry: &Entry, value: impl Fn(u64) -> Option<u64>) {
    let Some(buffer) = &entry.buffer else { return };
    for &(offset, address) in entry.words.iter().flatten() {
        let Some(word) = value(address) else { continue };
        if let Err(errno) = buffer.write_u64(offset, word) {
            log::error!("an address cannot be written into buffer {}: {errno}", entry.handle);
        }
    }
}

#[cfg(test)]
mod tests;
