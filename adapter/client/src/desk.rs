//! Which session is current, and which one the reader holds.

use std::sync::Arc;
use std::time::Duration;

use cami_link::Deadline;
use cami_link::sync::{Condvar, Mutex};

use crate::session::Session;

#[derive(Debug, Default)]
struct State {
    current: Option<Arc<Session>>,
    /// Generation of the session that the reader polls, or is in a callback of.
    held: Option<u64>,
    generations: u64,
}

/// The place where the HAL's threads and the reader find each other.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
    released: Condvar,
}

impl Desk {
    /// A number for the next session; numbers grow.
    pub(crate) fn next_generation(&self) -> u64 {
        let mut state = self.state.lock();
        state.generations = state.generations.saturating_add(1);
        state.generations
    }

    /// Makes a session current. The caller wakes the reader.
    pub(crate) fn publish(&self, session: Arc<Session>) {
        self.state.lock().current = Some(session);
    }

    /// The current session.
    pub(crate) fn current(&self) -> Option<Arc<Session>> {
        self.state.lock().current.clone()
    }

    /// The current session, which is no longer current then.
    pub(crate) fn take(&self) -> Option<Arc<Session>> {
        self.state.lock().current.take()
    }

    /// Makes `session` no longer current, if it is.
    pub(crate) fn remove(&self, session: &Arc<Session>) {
        let mut state = self.state.lock();
        if state.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)) {
            state.current = None;
        }
    }

    /// Makes `heir` current in the place of `dead`; false if that is not current any more.
    pub(crate) fn replace(&self, dead: &Arc<Session>, heir: &Arc<Session>) -> bool {
        let mut state = self.state.lock();
        let current = state.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, dead));
        if current {
            state.current = Some(Arc::clone(heir));
        }
        current
    }

    /// The reader takes up the current session.
    pub(crate) fn hold(&self) -> Option<Arc<Session>> {
        let mut state = self.state.lock();
        let session = state.current.clone();
        state.held = session.as_ref().map(|session| session.generation);
        session
    }

    /// The reader has let go of its session: closed its share of the descriptors, and returned
    /// from its last callback.
    pub(crate) fn release(&self) {
        self.state.lock().held = None;
        self.released.notify_all();
    }

    /// Waits until the reader has released what it holds now; false where it has not after
    /// `patience`.
    pub(crate) fn wait_released(&self, patience: Duration) -> bool {
        let deadline = Deadline::after(patience).instant();
        let mut state = self.state.lock();
        let Some(held) = state.held else { return true };
        while state.held == Some(held) {
            let late;
            (state, late) = self.released.wait_until(state, deadline);
            if late {
                return state.held != Some(held);
            }
        }
        true
    }
}
