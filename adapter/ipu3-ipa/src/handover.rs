//! One value, handed over from a thread that may take its time.
//!
//! std's channels yield the processor while they spin, by a system call that ends a process under the
//! filters of ChromeOS's camera services (`cami_link::sync`).

use std::sync::Arc;
use std::time::Instant;

use cami_link::sync::{Condvar, Mutex};

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
enum State<T> {
    Waited,
    Given(T),
    /// The giver ended without giving.
    Over,
}

/// The side that gives.
#[derive(Debug)]
pub struct Giver<T>(Arc<Shared<T>>);

/// The side that takes.
#[derive(Debug)]
pub struct Taker<T>(Arc<Shared<T>>);

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// It did not come in time, and may still come.
    TimedOut,
    /// It will never come.
    Over,
}

/// Both sides.
pub fn handover<T>() -> (Giver<T>, Taker<T>) {
    let shared = Shared { state: Mutex::new(State::Waited), changed: Condvar::default() };
    let shared = Arc::new(shared);
    (Giver(Arc::clone(&shared)), Taker(shared))
}

impl<T> Giver<T> {
    /// Gives the value.
    pub fn give(self, value: T) {
        *self.0.state.lock() = State::Given(value);
        // `drop` wakes the other side.
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if matches!(*state, State::Waited) {
            *state = State::Over;
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

impl<T> Taker<T> {
    /// Waits for the value.
    pub fn take(&self, until: Instant) -> Result<T, NotTaken> {
        let mut state = self.0.state.lock();
        loop {
            match std::mem::replace(&mut *state, State::Waited) {
                State::Given(value) => {
                    *state = State::Over;
                    return Ok(value);
                }
                State::Over => {
                    *state = State::Over;
                    return Err(NotTaken::Over);
                }
                State::Waited if Instant::now() >= until => return Err(NotTaken::TimedOut),
                State::Waited => {
                    let (guard, _) = self.0.changed.wait_until(state, until);
                    state = guard;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_value_comes_late_once_or_never() {
        let (giver, taker) = handover();
        assert_eq!(taker.take(Instant::now()), Err(NotTaken::TimedOut));
        let thread = std::thread::spawn(move || giver.give(7));
        assert_eq!(taker.take(Instant::now() + Duration::from_secs(60)), Ok(7));
        thread.join().unwrap();
        assert_eq!(taker.take(Instant::now()), Err(NotTaken::Over));
        let (giver, taker) = handover::<u8>();
        drop(giver);
        assert_eq!(taker.take(Instant::now()), Err(NotTaken::Over));
    }
}
