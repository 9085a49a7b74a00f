//! Updates that the host has and has not returned.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::log;

/// Updates that are remembered at most: a host may never return one.
const MOST: usize = 4096;

/// Which updates are with the host.
#[derive(Debug, Default)]
pub struct Lent {
    all: Mutex<VecDeque<Loan>>,
    returned: Condvar,
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

impl Lent {
    /// An update is about to be sent.
    pub fn lend(&self, update: usize, upd_id: u32, status: Option<u32>) {
        let mut all = self.all.lock();
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back(Loan { update, upd_id, status, awaited: true });
    }

    /// The host returns one: of several with this number the first.
    pub fn take_back(&self, upd_id: u32, status: u32) {
        let mut all = self.all.lock();
        let found = all.iter().position(|loan| loan.upd_id == upd_id);
        let loan = found.and_then(|at| all.remove(at));
        drop(all);
        self.returned.notify_all();
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
        self.all.lock().iter().any(|loan| loan.update == update && loan.awaited)
    }

    /// Waits until an update is back. One that does not come in time is not waited for again.
    pub fn wait_for(&self, update: usize, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut all = self.all.lock();
        while let Some(at) = all.iter().position(|loan| loan.update == update && loan.awaited) {
            if !self.returned.wait_until(&mut all, deadline).timed_out() {
                continue;
            }
            if let Some(loan) = all.get_mut(at).filter(|loan| loan.update == update) {
                loan.awaited = false;
                drop(all);
                log::rarely(format_args!(
                    "update {} is not returned, and was when it was recorded; it goes on without",
                    update + 1
                ));
            }
            return;
        }
    }

    /// Waits no longer for any.
    pub fn forget(&self) {
        self.all.lock().clear();
        self.returned.notify_all();
    }
}
