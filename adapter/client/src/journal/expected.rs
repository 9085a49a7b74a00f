//! Calls on buffers that the library has not answered.
//!
//! The history has them in the order in which the library answered them, which is the order in which
//! it gave its numbers. The calls' own threads may wake in any other, so what an answer means is noted
//! here before the call is sent, and goes into the history where the answer is received.

use std::collections::VecDeque;

use cami_wire::cros::{ReturnValue, command, decode_empty};

use super::buffers::Buffer;
use super::{Condition, Journal};

/// Calls that may wait: a HAL has as many as threads. More are those that nobody waits for any more.
const MAX_EXPECTED: usize = 1024;

/// What the library will have done when it answers.
#[derive(Debug)]
pub(crate) enum Intent {
    /// `register_buffer`.
    Register(Buffer),
    /// `deregister_buffers`.
    Deregister(Vec<i32>),
}

/// All of them, by their cookies.
#[derive(Debug, Default)]
pub(super) struct Expected(VecDeque<(u32, Intent)>);

impl Expected {
    fn take(&mut self, cookie: u32) -> Option<Intent> {
        let found = self.0.iter().position(|&(expected, _)| expected == cookie)?;
        self.0.remove(found).map(|(_, intent)| intent)
    }

    /// The library that would have answered is dead.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Journal {
    /// A call is going to be sent on the session `generation`; false if that is not the current one.
    pub(crate) fn expect(&self, generation: u64, cookie: u32, intent: Intent) -> bool {
        let mut state = self.state.lock();
        if state.condition != Condition::Open(generation) {
            return false;
        }
        if state.expected.0.len() >= MAX_EXPECTED {
            state.expected.0.pop_front();
            state.unfit.get_or_insert_with(|| {
                format!("more than {MAX_EXPECTED} calls on buffers without an answer")
            });
        }
        state.expected.0.push_back((cookie, intent));
        true
    }

    /// It could not be sent.
    pub(crate) fn expect_no_more(&self, generation: u64, cookie: u32) {
        let mut state = self.state.lock();
        if state.condition == Condition::Open(generation) {
            state.expected.take(cookie);
        }
    }

    /// The library answered a call on the session `generation`, though maybe too late for whoever
    /// made it. An answer that makes no sense is the session's end, which others see to.
    pub(crate) fn call_answered(&self, generation: u64, answered: u32, cookie: u32, body: &[u8]) {
        let mut state = self.state.lock();
        if state.condition != Condition::Open(generation) {
            return;
        }
        match (state.expected.take(cookie), answered) {
            (Some(Intent::Register(buffer)), command::REGISTER_BUFFER) => {
                if let Ok(ReturnValue(handle @ 0..)) = ReturnValue::decode(body) {
                    state.calls.register(handle, buffer);
                }
            }
            (Some(Intent::Deregister(handles)), command::DEREGISTER_BUFFERS)
                if decode_empty(body).is_ok() =>
            {
                state.calls.deregister(handles);
            }
            _ => return,
        }
        state.check_length();
    }
}
