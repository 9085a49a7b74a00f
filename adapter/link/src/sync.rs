//! Locks that make no system call but `futex`.
//!
//! parking_lot calls `sched_yield` while it spins, which the filters of ChromeOS's camera services
//! do not allow on amd64 (spec/cami-abi.md, 3.2): two threads that meet at a lock would end the
//! process. std's locks spin without system calls and then sleep in `futex`. Here they are without
//! poisoning: what they guard is changed in single steps, and panics are contained at the C border.

use std::sync::{MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// A mutex.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// A free one.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Waits for it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// A condition variable of a [`Mutex`].
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// Wakes all who wait.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Wakes one who waits.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Waits to be woken, which may also happen for no reason.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// The same until `deadline`; true where that has passed.
    pub fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Instant,
    ) -> (MutexGuard<'a, T>, bool) {
        let left = deadline.saturating_duration_since(Instant::now());
        let (guard, _) = self.0.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner);
        (guard, Instant::now() >= deadline)
    }
}

/// A lock without contents that can be waited for until a time.
#[derive(Debug, Default)]
pub struct TimedLock {
    taken: Mutex<bool>,
    freed: Condvar,
}

/// The right that a [`TimedLock`] gives.
#[derive(Debug)]
pub struct TimedLockGuard<'a>(&'a TimedLock);

impl TimedLock {
    /// A free one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes it if it is free.
    pub fn try_lock(&self) -> Option<TimedLockGuard<'_>> {
        self.try_lock_for(Duration::ZERO)
    }

    /// Waits for it for at most `patience`.
    pub fn try_lock_for(&self, patience: Duration) -> Option<TimedLockGuard<'_>> {
        let deadline = crate::Deadline::after(patience).instant();
        let mut taken = self.taken.lock();
        let mut late = patience.is_zero();
        while *taken {
            if late {
                return None;
            }
            (taken, late) = self.freed.wait_until(taken, deadline);
        }
        *taken = true;
        Some(TimedLockGuard(self))
    }
}

impl Drop for TimedLockGuard<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock() = false;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timed_lock_excludes_and_is_handed_on() {
        let lock = TimedLock::new();
        let first = lock.try_lock();
        assert!(first.is_some());
        assert!(lock.try_lock().is_none());
        assert!(lock.try_lock_for(Duration::from_millis(1)).is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| lock.try_lock_for(Duration::from_secs(60)).is_some());
            drop(first);
            assert!(second.join().expect("no panic"));
        });
        assert!(lock.try_lock().is_some());
    }
}
