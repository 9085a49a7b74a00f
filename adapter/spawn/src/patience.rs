//! How long a host is waited for.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use cami_link::{Deadline, Event, Interest, Waker, wait};
use nix::errno::Errno;

/// Until when, and what may end it before.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    until: Deadline,
    interrupt: Option<(&'a Waker, &'a dyn Fn() -> bool)>,
}

impl fmt::Debug for Patience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("until", &self.until).finish_non_exhaustive()
    }
}

impl<'a> Patience<'a> {
    /// Until `until`, whatever happens.
    #[must_use]
    pub fn until(until: Deadline) -> Self {
        Self { until, interrupt: None }
    }

    /// The same, but it ends when `is_over` says so, which is asked at first and after each wake of
    /// `waker`. The wakes are taken.
    #[must_use]
    pub fn or_until(self, waker: &'a Waker, is_over: &'a dyn Fn() -> bool) -> Self {
        Self { interrupt: Some((waker, is_over)), ..self }
    }

    /// What is left of it; nothing where it was ended.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        if self.is_interrupted() { Deadline::now() } else { self.until }
    }

    /// Whether it was ended before its time.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|(_, is_over)| is_over())
    }

    /// Waits until there is something to read, for `step` at most; false where there is not.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn wait_for(&self, fd: Option<BorrowedFd<'_>>, step: Duration) -> Result<bool, Errno> {
        let until = self.until.min(Deadline::after(step));
        loop {
            if self.is_interrupted() {
                return Ok(false);
            }
            let waker = self.interrupt.map(|(waker, _)| waker);
            let mut polled: Vec<_> = fd
                .into_iter()
                .chain(waker.map(Waker::as_fd))
                .map(|fd| (fd, Interest::Message, Event::default()))
                .collect();
            let events = wait(&mut polled, Some(until))?;
            if let Some(waker) = waker {
                waker.drain();
            }
            let first = polled.first().filter(|_| fd.is_some());
            if first.is_some_and(|(.., event)| event.readable || event.hung_up) {
                return Ok(true);
            }
            if events == 0 {
                return Ok(false);
            }
        }
    }
}
