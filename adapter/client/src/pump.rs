//! Calls that wait for an answer, from any thread.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use cami_link::{Deadline, Event, Interest, Sent};

use crate::calls::{Answer, CallDeadline, Time};
use crate::deliver::{Incoming, log_lost_update};
use crate::error::CallError;
use crate::reader::{Reader, flush, link_inbox};
use crate::session::Session;

/// A callback of the HAL that has been running this long is why an answer was not read.
const SLOW_CALLBACK: Duration = Duration::from_millis(100);

/// A synchronous call, already encoded.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Its name in the log.
    pub(crate) name: &'static str,
    pub(crate) command: u32,
    pub(crate) cookie: u32,
    pub(crate) message: &'a [u8],
    pub(crate) fd: Option<BorrowedFd<'a>>,
    pub(crate) deadline: CallDeadline,
}

impl Reader {
    /// Sends a call and waits for its answer. At the deadline the host is condemned.
    pub(crate) fn call(&self, session: &Session, call: &Call<'_>) -> Result<Answer, CallError> {
        let outcome = self.send_and_wait(session, call);
        if let (Err(CallError::TimedOut | CallError::NotSent), Some(time)) =
            (&outcome, call.deadline)
        {
            self.overdue(session, call.name, time);
        }
        outcome
    }

    /// Waits, on the reader itself, for the answer to a call that was sent before.
    pub(crate) fn await_answer(
        &self,
        session: &Session,
        command: u32,
        cookie: u32,
        deadline: Option<Deadline>,
    ) -> Result<Answer, CallError> {
        session.calls.open(cookie, command)?;
        let outcome = self.pump(session, cookie, deadline);
        session.calls.withdraw(cookie);
        outcome
    }

    fn send_and_wait(&self, session: &Session, call: &Call<'_>) -> Result<Answer, CallError> {
        let deadline = call.deadline.map(|time| time.until);
        let patience = deadline.map_or(Duration::MAX, Deadline::remaining);
        session.calls.open(call.cookie, call.command)?;
        match session.send(&[IoSlice::new(call.message)], call.fd.as_slice(), patience) {
            Ok(Sent::Now) => {}
            Ok(Sent::Queued) => self.wake(),
            Err(error) => {
                session.calls.withdraw(call.cookie);
                return Err(error);
            }
        }
        if self.is_current() {
            let outcome = self.pump(session, call.cookie, deadline);
            session.calls.withdraw(call.cookie);
            outcome
        } else {
            session.calls.wait(call.cookie, deadline)
        }
    }

    /// The deadline of a call has passed: a hung library, unless the HAL itself kept the reader
    /// from the answer, or the session had but the rest of the time.
    fn overdue(&self, session: &Session, name: &str, time: Time) {
        let limit = time.limit;
        if !time.whole {
            log::error!(
                "{name} got no answer within {} ms, of which another vendor process had the first",
                limit.as_millis()
            );
            return;
        }
        let busy = if self.is_current() { None } else { self.courier.busy_for() };
        match busy.filter(|&busy| busy >= SLOW_CALLBACK) {
            Some(busy) => log::error!(
                "{name} got no answer within {} ms: a callback of the HAL has been running for \
                 {} ms on the thread that would have read it",
                limit.as_millis(),
                busy.as_millis()
            ),
            None => {
                session.condemn(&format!("{name} did not return within {} ms", limit.as_millis()));
                self.wake();
            }
        }
    }

    /// On the reader itself, inside a callback: receives until the answer of `cookie` is there.
    /// Events that come first wait until the callback has returned.
    fn pump(
        &self,
        session: &Session,
        cookie: u32,
        deadline: Option<Deadline>,
    ) -> Result<Answer, CallError> {
        self.pump_until(session, deadline, |_| None, || session.calls.take(cookie))
    }

    /// Receives until `arrived` has something or an event is the one that `wanted` looks for. Other
    /// events wait for delivery.
    pub(crate) fn pump_until<T>(
        &self,
        session: &Session,
        deadline: Option<Deadline>,
        mut wanted: impl FnMut(&Incoming<'_>) -> Option<T>,
        mut arrived: impl FnMut() -> Option<Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let mut nested = self.nested.lock();
        let inbox = nested.get_or_insert_with(link_inbox);
        loop {
            if let Some(outcome) = arrived() {
                return outcome;
            }
            if session.is_in_vain() {
                return Err(CallError::Dead);
            }
            if deadline.is_some_and(Deadline::has_passed) {
                return Err(CallError::TimedOut);
            }
            session.execute_sentence();
            let gone = self.wait_nested(session, deadline)?;
            match session.link.receive(inbox, Some(Deadline::now())) {
                Ok(received) => match Incoming::parse(received) {
                    Ok(Incoming::Answer { command, cookie, body }) => {
                        session.answered(command, cookie, body);
                    }
                    Ok(Incoming::UpdateLost { upd_id }) => log_lost_update(upd_id),
                    Ok(event) => {
                        if let Some(found) = wanted(&event) {
                            return Ok(found);
                        }
                        if !session.is_replaying() && session.take_in(&event) {
                            self.keep(session, event)?;
                        }
                    }
                    Err(error) => session.broken(&error),
                },
                Err(error) => {
                    session.receive_failed(error);
                    if gone || session.is_gone() {
                        return arrived().unwrap_or(Err(CallError::Dead));
                    }
                }
            }
        }
    }

    /// Waits for the link, the waker or the monitor's end (true).
    fn wait_nested(
        &self,
        session: &Session,
        deadline: Option<Deadline>,
    ) -> Result<bool, CallError> {
        let Some(waker) = self.waker() else { return Err(CallError::Dead) };
        let link = session.link.as_fd();
        let interest =
            if session.link.has_backlog() { Interest::MessageOrRoom } else { Interest::Message };
        let mut polled = [
            (link, interest, Event::default()),
            (waker.as_fd(), Interest::Message, Event::default()),
            session.host.polled(link),
        ];
        let gone = session.is_gone().then(Deadline::now);
        let until = [deadline, session.sentence(), gone].into_iter().flatten().min();
        self.wait(&mut polled, until).map_err(CallError::Os)?;
        let [(.., link), (.., woken), (.., monitor)] = polled;
        if woken.readable {
            // The reader looks at everything again once the callback has returned.
            waker.drain();
        }
        if link.writable {
            flush(session);
        }
        Ok(monitor.readable)
    }

    fn keep(&self, session: &Session, incoming: Incoming<'_>) -> Result<(), CallError> {
        let Some(event) = incoming.into_event() else { return Ok(()) };
        self.pending.push(session.generation, event).map_err(|_| {
            session.condemn("callbacks flood the HAL while it waits inside one");
            CallError::Dead
        })
    }
}
