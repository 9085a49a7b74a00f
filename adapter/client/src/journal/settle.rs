//! A request is answered, and what it left behind is kept.

use std::sync::Arc;

use cami_wire::control::{CommandRule, Role};
use cami_wire::cros::Returned;

use super::buffers::Buffer;
use super::in_flight::Entry;
use super::kept::{Keepsakes, Kept};
use super::{Condition, Journal, State, words};

impl Journal {
    /// The library answered, on the session `generation`: before the HAL may look, virtual
    /// addresses are put where real ones stand. False where the HAL must not hear of it: it is a
    /// late word on a request of the replay.
    pub(crate) fn returned(&self, generation: u64, returned: &Returned) -> bool {
        let mut state = self.state.lock();
        if state.condition == Condition::Closed {
            return true;
        }
        let key = (returned.req_id, returned.buffer_handle);
        let newest = !self.recovery.answers_all;
        let Some(entry) = state.in_flight.answered(generation, key, newest) else {
            return !state.is_of_the_replay(returned);
        };
        state.answered = true;
        if newest {
            state.in_flight.drop_before(generation, &entry, words::put_virtual);
        }
        words::put_virtual(&entry, &mut state.in_flight);
        let State { addresses, in_flight, unfit, .. } = &mut *state;
        let Some(rule) = entry.rule.clone() else {
            in_flight.recycle(entry);
            return true;
        };
        let done = returned.status == self.recovery.ok_status;
        let mut gave = None;
        if let (Some(offset), Some(buffer), true) = (rule.gives, &entry.buffer, done) {
            if addresses.is_full() {
                let most = super::addresses::MAX_KNOWN;
                *unfit = Some(format!("more than {most} addresses that were never ended"));
            }
            gave = buffer.read_u64(offset).and_then(|real| addresses.give(real));
            if let Some(address) = gave
                && let Err(errno) = buffer.write_u64(offset, address)
            {
                // The HAL would keep the real one, which means nothing to a new vendor process.
                *unfit = Some(format!("an address cannot be written into a buffer: {errno}"));
            }
        }
        if done {
            state.effect(&rule, entry, gave);
        } else {
            state.in_flight.recycle(entry);
        }
        true
    }
}

impl State {
    /// Whether this is an answer that only a request of the replay can have. A library may answer
    /// one twice, or say more when the HAL is heard again.
    fn is_of_the_replay(&self, returned: &Returned) -> bool {
        match returned.buffer_handle {
            -1 => self.replayed_without_buffer.contains(&returned.req_id),
            handle => self.calls.is_own(handle),
        }
    }

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
                if entry.has_payload || entry.handle == -1 {
                    let kept = Kept {
                        rule: Arc::clone(rule),
                        req_id: entry.req_id,
                        header: std::mem::take(&mut entry.header),
                        buffer_bytes: if entry.has_payload { buffer_bytes } else { 0 },
                        bytes: std::mem::take(&mut entry.payload),
                        instance: entry.instance,
                        gave,
                        took: entry.words.map(|word| word.map(|word| word.address)),
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
}
