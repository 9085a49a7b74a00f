//! From a dead vendor process to one that is where the old one was (`recovery = "resume"`).
//!
//! On the reader's thread: another host is started and brought to the old one's state (`replay.rs`),
//! and then all requests in flight are sent again.
//! Nothing is written into a buffer of the HAL's but addresses, and nothing of the replay is
//! delivered to it. Meanwhile its requests queue up and its other calls wait.

use std::fmt;
use std::io::IoSlice;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_link::{Deadline, Event, Interest, ReceiveError, Waker, monotonic_ns, wait};
use cami_spawn::Patience;
use cami_wire::control::{FromClient, Restarts, Resumed};
use cami_wire::cros::Request;
use nix::errno::Errno;

use crate::bury::cause_of_death;
use crate::deliver::Incoming;
use crate::error::CallError;
use crate::host::END_PATIENCE;
use crate::journal::Journal;
use crate::pending;
use crate::reader::{LAST_WORDS, Reader, link_inbox};
use crate::session::{Limits, Session};
use crate::source::{HostSource, Launched, Started};
use crate::standby;

/// How long a vendor process may take to be gone after its monitor is: the kernel kills it then, and
/// what still runs may write into the HAL's buffers.
const GONE_PATIENCE: Duration = Duration::from_secs(1);
/// How long a host that stood by may take to say that it is ready: it has said so long before.
const STANDBY_LIMIT: Duration = Duration::from_millis(100);

/// What is said of a panic.
const OUR_ERROR: &str = "an internal error in cami-ipa";

/// Why the HAL has to be told.
#[derive(Debug)]
pub(crate) struct GaveUp(String);

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How one attempt failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Another may succeed.
    Now(String),
    /// None will.
    ForGood(String),
}

impl Failed {
    pub(crate) fn memory(errno: Errno) -> Self {
        Self::Now(format!("memory for the replay: {errno}"))
    }
}

impl Reader {
    /// Puts a new session into the place of `dead`. An error of ours on the way is a reason to tell the
    /// HAL, wherever this runs.
    pub(crate) fn resume(&self, dead: &Arc<Session>, journal: &Arc<Journal>) -> Result<(), GaveUp> {
        catch_unwind(AssertUnwindSafe(|| self.try_to_resume(dead, journal)))
            .unwrap_or_else(|_| Err(GaveUp(OUR_ERROR.to_owned())))
    }

    fn try_to_resume(&self, dead: &Arc<Session>, journal: &Arc<Journal>) -> Result<(), GaveUp> {
        let began = Instant::now();
        if !self.take_last_answers(dead) {
            let seconds = GONE_PATIENCE.as_secs();
            return Err(GaveUp(format!("the dead vendor process is not gone after {seconds} s")));
        }
        dead.link.shutdown();
        journal.begin(dead.generation).map_err(GaveUp)?;
        loop {
            let wait = journal.start_another().map_err(|limit| {
                GaveUp(format!(
                    "{limit} restarts within {} ms (restart.limit)",
                    journal.recovery.restart_window_ms
                ))
            })?;
            self.pause(dead, wait);
            // `initialize` or `deinitialize` may have ended the dead session, or its heir.
            if dead.is_over() || journal.is_closed() {
                return Err(GaveUp("the HAL has ended it".to_owned()));
            }
            match self.attempt(dead, journal, began) {
                Ok(()) => return Ok(()),
                Err(Failed::ForGood(why)) => return Err(GaveUp(why)),
                Err(Failed::Now(why)) if dead.is_over() || journal.is_closed() => {
                    return Err(GaveUp(why));
                }
                Err(Failed::Now(why)) => {
                    log::warn!("the camera algorithm could not be resumed, trying again: {why}");
                    journal.failed_again();
                }
            }
        }
    }

    /// Takes in what the dead vendor process had answered. False if it may still be there.
    fn take_last_answers(&self, dead: &Session) -> bool {
        let deadline = Deadline::after(GONE_PATIENCE);
        let mut inbox = link_inbox();
        loop {
            // Also where messages never end: somebody still sends.
            if deadline.has_passed() {
                return false;
            }
            match dead.link.receive(&mut inbox, Some(deadline)) {
                Ok(received) => match Incoming::parse(received) {
                    Ok(event) => {
                        if dead.take_in(&event)
                            && let Some(event) = event.into_event()
                            && self.pending.push(dead.generation, event).is_err()
                        {
                            log::error!("a callback of the dead vendor process is lost");
                        }
                    }
                    Err(error) => log::debug!("from the dead vendor process: {error}"),
                },
                Err(ReceiveError::TimedOut) => return false,
                Err(ReceiveError::Malformed(_)) => {}
                Err(_) => return true,
            }
        }
    }

    /// Waits, unless the HAL ends the session meanwhile.
    fn pause(&self, dead: &Session, time: Duration) {
        let deadline = Deadline::after(time);
        let Some(waker) = self.waker() else { return };
        while !time.is_zero() && !dead.is_over() && !deadline.has_passed() {
            let mut polled = [(waker.as_fd(), Interest::Message, Event::default())];
            if wait(&mut polled, Some(deadline)).is_err() {
                return;
            }
            waker.drain();
        }
    }

    fn attempt(
        &self,
        dead: &Arc<Session>,
        journal: &Arc<Journal>,
        began: Instant,
    ) -> Result<(), Failed> {
        let started = Instant::now();
        let (Started { link, host, ready, .. }, warm) = next_host(dead, journal, self.waker())?;
        let heir = Arc::new(Session::new(
            self.desk.next_generation(),
            link,
            host,
            Limits::of(&ready),
            Arc::clone(&dead.callbacks),
            Some(Arc::clone(journal)),
            Arc::downgrade(dead),
        ));
        // For the line that names its own death.
        let restarts = FromClient::Restarts(Restarts { count: journal.restarts() }).encode();
        let _ = heir.host.control.send(&[IoSlice::new(&restarts)], &[], Duration::ZERO);
        let all = || {
            let replayed = self
                .bring_to_its_state(&heir, journal, started, warm)
                .map_err(|failed| self.give_up(&heir, failed))?;
            // For a recording: what came so far was not the HAL's.
            let resumed = FromClient::Resumed(Resumed { at_ns: monotonic_ns() }).encode();
            let _ = heir.host.control.send(&[IoSlice::new(&resumed)], &[], Duration::ZERO);
            Ok((replayed, self.take_over(dead, &heir, journal)?))
        };
        // An error of ours must not leave the heir without its end.
        let (replayed, resent) = catch_unwind(AssertUnwindSafe(all)).unwrap_or_else(|_| {
            self.desk.remove(&heir);
            Err(self.give_up(&heir, Failed::ForGood(OUR_ERROR.to_owned())))
        })?;
        let took = began.elapsed();
        log::info!(
            "the camera algorithm was resumed in {}.{} ms (restart {}): {} buffers, {} requests done \
             again, {resent} in flight sent again",
            // Not as a number with a fraction: printing those is 15 KiB of code in the HAL.
            took.as_millis(),
            took.subsec_micros() / 100 % 10,
            journal.restarts(),
            replayed.buffers,
            replayed.requests,
        );
        Ok(())
    }

    /// From now on the HAL's calls go to `heir`.
    fn take_over(
        &self,
        dead: &Arc<Session>,
        heir: &Arc<Session>,
        journal: &Journal,
    ) -> Result<usize, Failed> {
        let ended = || Failed::Now("the HAL has ended it".to_owned());
        // No generation of an event is older than the session that delivers it.
        self.pending.hand_over(dead.generation, heir.generation);
        if !heir.go_live() || !self.desk.replace(dead, heir) {
            return Err(self.give_up(heir, ended()));
        }
        let send = |request: &Request<'_>| {
            // One that the next death takes is sent again after that.
            matches!(heir.send_request(request, Duration::ZERO), Ok(_) | Err(CallError::Dead))
        };
        let status = heir.limits.overflow_status;
        let Some((answers, sent)) = journal.commit(heir.generation, status, send) else {
            // `initialize` or `deinitialize` took it from the desk, and ends it.
            self.forget_watched();
            return Err(ended());
        };
        for answer in answers {
            log::warn!(
                "request {} (buffer {}) is answered with status {status}: two vendor processes died \
                 with it, or it could not be sent",
                answer.req_id,
                answer.buffer_handle
            );
            let _ = self.pending.push(heir.generation, pending::Event::Returned(answer));
        }
        dead.finish();
        Ok(sent)
    }

    /// Ends a session that did not get so far, and says what it died of.
    fn give_up(&self, heir: &Session, failed: Failed) -> Failed {
        // Its descriptors are closed soon, and the next one's have the same numbers.
        self.forget_watched();
        // Nobody waits for the last words of a host that the HAL itself has ended.
        let in_vain = heir.heir_of.upgrade().is_some_and(|dead| dead.is_over());
        heir.finish();
        let mut inbox = cami_link::Inbox::new(crate::host::CONTROL_BYTES, 0);
        let died = match failed {
            Failed::Now(_) if !in_vain => heir.last_words(&mut inbox, Deadline::after(LAST_WORDS)),
            _ => None,
        };
        heir.link.shutdown();
        let ending = heir.host.end(END_PATIENCE);
        match (failed, died) {
            (Failed::Now(why), Some(died)) => {
                Failed::Now(format!("{why}: {}", cause_of_death(Some(&died), ending)))
            }
            (failed, _) => failed,
        }
    }
}

/// The host that stood by, if there is one, and otherwise a new one, which is waited for no longer than
/// the HAL wants it. True: its library is loaded.
fn next_host(
    dead: &Session,
    journal: &Journal,
    waker: Option<&Waker>,
) -> Result<(Started, bool), Failed> {
    let stood_by = dead.host.take_standby();
    let pid = journal.take_standby();
    if let Some(standby::Returned { link, host }) = stood_by {
        let patience = Patience::until(Deadline::after(STANDBY_LIMIT));
        match (Launched { link, host }).ready(&patience) {
            Ok(started) => return Ok((started, true)),
            Err(error) => log::warn!("the host that stood by is of no use: {}", error.line),
        }
    }
    if let Some(pid) = pid {
        standby::reap(pid);
    }
    let is_over = || dead.is_over() || journal.is_closed();
    let mut patience = HostSource::patience();
    if let Some(waker) = waker {
        patience = patience.or_until(waker, &is_over);
    }
    let started = journal.source.start(&patience).map_err(|error| {
        if error.hopeless { Failed::ForGood(error.line) } else { Failed::Now(error.line) }
    })?;
    Ok((started, false))
}
