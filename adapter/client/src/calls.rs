//! Calls that wait for an answer.

use std::time::Duration;

use cami_link::Deadline;
use cami_link::sync::{Condvar, Mutex};
use cami_wire::WireError;
use cami_wire::cros::{InitReply, ReturnValue, command, decode_empty};

use crate::error::CallError;

/// The time that a call has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    /// When it gives up.
    pub(crate) until: Deadline,
    /// All of it, which the log names.
    pub(crate) limit: Duration,
    /// Whether the session that is called had all of it. One that had less is not known to hang when it
    /// is over.
    pub(crate) whole: bool,
}

impl Time {
    /// So much, from now on.
    pub(crate) fn of(limit: Duration) -> Self {
        Self { until: Deadline::after(limit), limit, whole: true }
    }
}

/// `None`: a call does not give up.
pub(crate) type CallDeadline = Option<Time>;

/// What came back.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Of `init`.
    Init(InitReply),
    /// Of `start` and `registerBuffer`.
    Value(i32),
    /// Of `stop` and `deregisterBuffers`.
    Done,
}

impl Answer {
    fn decode(command: u32, body: &[u8]) -> Result<Self, WireError> {
        match command {
            command::INIT => InitReply::decode(body).map(Self::Init),
            command::START | command::REGISTER_BUFFER => {
                ReturnValue::decode(body).map(|value| Self::Value(value.0))
            }
            _ => decode_empty(body).map(|()| Self::Done),
        }
    }
}

#[derive(Debug)]
struct Call {
    cookie: u32,
    command: u32,
    outcome: Option<Result<Answer, CallError>>,
}

#[derive(Debug, Default)]
struct Table {
    calls: Vec<Call>,
    /// Nobody will answer any more.
    closed: bool,
}

/// A session's cookie table: whoever calls opens an entry, whoever receives fills it.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    table: Mutex<Table>,
    filled: Condvar,
}

impl Calls {
    /// Opens an entry, before the message is sent.
    pub(crate) fn open(&self, cookie: u32, command: u32) -> Result<(), CallError> {
        let mut table = self.table.lock();
        if table.closed {
            return Err(CallError::Dead);
        }
        table.calls.push(Call { cookie, command, outcome: None });
        Ok(())
    }

    /// Takes an entry away whose message could not be sent, or whose deadline passed.
    pub(crate) fn withdraw(&self, cookie: u32) {
        self.table.lock().calls.retain(|call| call.cookie != cookie);
    }

    /// Fills the entry of `cookie`. `Ok(false)`: nobody waits for it (any more).
    pub(crate) fn answer(&self, cookie: u32, command: u32, body: &[u8]) -> Result<bool, WireError> {
        let mut table = self.table.lock();
        let Some(call) = table.calls.iter_mut().find(|call| call.cookie == cookie) else {
            return Ok(false);
        };
        if call.command != command {
            return Err(WireError::UnknownCommand(command));
        }
        call.outcome = Some(Ok(Answer::decode(command, body)?));
        drop(table);
        self.filled.notify_all();
        Ok(true)
    }

    /// Fails all entries, and those still to come.
    pub(crate) fn close(&self) {
        let mut table = self.table.lock();
        table.closed = true;
        for call in &mut table.calls {
            call.outcome.get_or_insert(Err(CallError::Dead));
        }
        drop(table);
        self.filled.notify_all();
    }

    /// The outcome of `cookie`, if it is there; the entry is gone then.
    pub(crate) fn take(&self, cookie: u32) -> Option<Result<Answer, CallError>> {
        self.table.lock().take(cookie)
    }

    /// Waits for the outcome of `cookie`, which takes the entry away in any case.
    pub(crate) fn wait(
        &self,
        cookie: u32,
        deadline: Option<Deadline>,
    ) -> Result<Answer, CallError> {
        let mut table = self.table.lock();
        loop {
            if let Some(outcome) = table.take(cookie) {
                return outcome;
            }
            match deadline {
                None => table = self.filled.wait(table),
                Some(deadline) => {
                    let late;
                    (table, late) = self.filled.wait_until(table, deadline.instant());
                    if late {
                        return table.take(cookie).unwrap_or_else(|| {
                            table.calls.retain(|call| call.cookie != cookie);
                            Err(CallError::TimedOut)
                        });
                    }
                }
            }
        }
    }
}

impl Table {
    fn take(&mut self, cookie: u32) -> Option<Result<Answer, CallError>> {
        let found =
            self.calls.iter().position(|call| call.cookie == cookie && call.outcome.is_some())?;
        self.calls.swap_remove(found).outcome
    }
}
