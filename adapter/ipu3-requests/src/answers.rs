//! The client's half of the callbacks: one request waits for one answer.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use cami_abi::Callbacks;
use cami_link::sync::{Condvar, Mutex};

/// `CAMERA_ALGORITHM_MSG_IPC_ERROR`: the other process is gone.
const MESSAGE_IPC_ERROR: u32 = 1;

/// Receives callbacks on whatever thread they come.
#[derive(Debug, Default)]
pub struct Answers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Request id and buffer of the request that is waited for, until its answer came.
    expected: Option<(u32, i32)>,
    answer: Option<Answer>,
    lost: bool,
    counts: Counts,
}

/// An answer to a request.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// 0 for success.
    pub status: u32,
    /// When the callback came.
    pub at: Instant,
}

/// How many callbacks of each kind came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// `return_callback`.
    pub callbacks: u64,
    /// `notify`.
    pub notifications: u64,
    /// Those of `callbacks` that nobody waited for: each request is waited for until it is answered.
    pub doubled: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// The library announced that the other process is gone.
    Lost,
    /// The time was over.
    TimedOut,
}

impl Answers {
    /// A new one, ready to be given to `initialize`.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Announces the next request; an answer from before no longer counts.
    pub fn expect(&self, req_id: u32, buffer_handle: i32) {
        let mut state = self.state.lock();
        state.expected = Some((req_id, buffer_handle));
        state.answer = None;
    }

    /// Waits for the answer to the announced request. After [`NoAnswer::TimedOut`] the answer may
    /// still come, and can be waited for again.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn wait(&self, deadline: Instant) -> Result<Answer, NoAnswer> {
        let mut state = self.state.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return Ok(answer);
            }
            if state.lost {
                state.expected = None;
                return Err(NoAnswer::Lost);
            }
            let (guard, late) = self.changed.wait_until(state, deadline);
            state = guard;
            if late && state.answer.is_none() && !state.lost {
                return Err(NoAnswer::TimedOut);
            }
        }
    }

    /// Whether the library announced that the other process is gone.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.state.lock().lost
    }

    /// Starts anew after a loss; the counts stay.
    pub fn forgive(&self) {
        let mut state = self.state.lock();
        state.lost = false;
        state.expected = None;
        state.answer = None;
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state.lock().counts
    }
}

impl Callbacks for Answers {
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        let mut state = self.state.lock();
        state.counts.callbacks += 1;
        if state.expected == Some((req_id, buffer_handle)) {
            state.expected = None;
            state.answer = Some(Answer { status, at: Instant::now() });
            self.changed.notify_all();
        } else {
            state.counts.doubled += 1;
        }
    }

    fn notify(&self, message: u32) {
        let mut state = self.state.lock();
        state.counts.notifications += 1;
        if message == MESSAGE_IPC_ERROR {
            state.lost = true;
            self.changed.notify_all();
        }
    }

    /// The IPU3 protocol has no updates: the fd is closed.
    fn update(&self, _upd_id: u32, _header: &[u8], _fd: Option<OwnedFd>) {}
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn an_answer_is_taken_once_and_only_if_it_was_expected() {
        let answers = Answers::new();
        answers.expect(8, 3);
        answers.returned(9, 0, 3);
        answers.returned(8, 0, 4);
        assert_eq!(answers.wait(Instant::now()).err(), Some(NoAnswer::TimedOut));
        answers.expect(8, 3);
        answers.returned(8, 1, 3);
        answers.returned(8, 0, 3);
        assert_eq!(answers.wait(Instant::now()).map(|answer| answer.status), Ok(1));
        assert_eq!(answers.counts(), Counts { callbacks: 4, notifications: 0, doubled: 3 });
    }

    #[test]
    fn a_loss_ends_the_wait_from_another_thread() {
        let answers = Answers::new();
        answers.expect(8, 3);
        let other = Arc::clone(&answers);
        let thread = std::thread::spawn(move || other.notify(MESSAGE_IPC_ERROR));
        assert_eq!(answers.wait(soon()).err(), Some(NoAnswer::Lost));
        thread.join().expect("the thread ends");
        assert_eq!(answers.wait(soon()).err(), Some(NoAnswer::Lost), "until it is forgiven");
        answers.forgive();
        assert_eq!(answers.wait(Instant::now()).err(), Some(NoAnswer::TimedOut));
        assert_eq!(answers.counts().notifications, 1);
    }

    #[test]
    fn an_answer_that_came_before_the_loss_counts() {
        let answers = Answers::new();
        answers.expect(8, 3);
        answers.returned(8, 0, 3);
        answers.notify(MESSAGE_IPC_ERROR);
        assert!(answers.wait(soon()).is_ok());
        answers.expect(8, 3);
        assert_eq!(answers.wait(soon()).err(), Some(NoAnswer::Lost));
    }

    #[test]
    fn an_answer_that_came_late_can_be_waited_for_again() {
        let answers = Answers::new();
        answers.expect(8, 3);
        assert_eq!(answers.wait(Instant::now()).err(), Some(NoAnswer::TimedOut));
        answers.returned(8, 0, 3);
        assert!(answers.wait(Instant::now()).is_ok());
        assert_eq!(answers.counts().doubled, 0);
    }

    #[test]
    fn other_messages_are_only_counted() {
        let answers = Answers::new();
        answers.notify(7);
        assert_eq!(answers.wait(Instant::now()).err(), Some(NoAnswer::TimedOut));
        assert_eq!(answers.counts().notifications, 1);
    }
}
