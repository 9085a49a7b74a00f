//! Updates that the host has and has not returned.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::log;

/// Updates that are remembered at most: a host may never return one.
const MOST: usize = 4096;

/// Which updates are with the host, and whether the host is still there: nothing is waited for once it
/// leaves.
#[derive(Debug, Default)]
pub struct Lent {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    loans: VecDeque<Loan>,
    /// The host leaves: it returns nothing any more.
    closed: bool,
}

#[derive(Debug)]
struct Loan {
    /// Its place among the recorded host's updates.
    update: usize,
    upd_id: u32,
    /// What the HAL said to it when it was recorded.
    status: Option<u32>,
    /// Whether it is still waited for.
    awaited: bool,
}

impl State {
    /// The loan of an update that is waited for.
    fn awaited(&mut self, update: usize) -> Option<&mut Loan> {
        self.loans.iter_mut().find(|loan| loan.update == update && loan.awaited)
    }
}

impl Lent {
    /// An update is about to be sent.
    pub fn lend(&self, update: usize, upd_id: u32, status: Option<u32>) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        if state.loans.len() >= MOST {
            state.loans.pop_front();
        }
        state.loans.push_back(Loan { update, upd_id, status, awaited: true });
    }

    /// The host returns one: of several with this number the first.
    pub fn take_back(&self, upd_id: u32, status: u32) {
        let mut state = self.state.lock();
        let found = state.loans.iter().position(|loan| loan.upd_id == upd_id);
        let loan = found.and_then(|at| state.loans.remove(at));
        drop(state);
        self.changed.notify_all();
        match loan {
            Some(Loan { update, status: Some(recorded), .. }) if recorded != status => {
                log::rarely(format_args!(
                    "update {} (number {upd_id}) comes back with status {status}, and with \
                     {recorded} when it was recorded",
                    update + 1
                ));
            }
            Some(_) => {}
            None => {
                log::rarely(format_args!("number {upd_id} comes back, and no such update is out"));
            }
        }
    }

    /// Whether an update is out, and waited for.
    pub fn is_awaited(&self, update: usize) -> bool {
        self.state.lock().awaited(update).is_some()
    }

    /// Waits until an update is back, and takes the time that this took from `patience`. One that does
    /// not come in time is not waited for again.
    pub fn wait_for(&self, update: usize, patience: &mut Duration) {
        let began = Instant::now();
        let deadline = began + *patience;
        let mut state = self.state.lock();
        let mut is_late = false;
        while let Some(loan) = state.awaited(update) {
            if is_late {
                loan.awaited = false;
                break;
            }
            is_late = self.changed.wait_until(&mut state, deadline).timed_out();
        }
        drop(state);
        if is_late {
            log::rarely(format_args!(
                "update {} is not returned, and was when it was recorded; it goes on without",
                update + 1
            ));
        }
        *patience = patience.saturating_sub(began.elapsed());
    }

    /// Sleeps; returns false, and at once, where the host leaves.
    pub fn sleep(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.state.lock();
        while !state.closed && !self.changed.wait_until(&mut state, deadline).timed_out() {}
        !state.closed
    }

    /// The host leaves: waits for nothing from now on.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.loans.clear();
        drop(state);
        self.changed.notify_all();
    }
}
