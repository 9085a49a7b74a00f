//! From a dead vendor process to one that is where the old one was (`recovery = "resume"`).
//!
//! On the reader's thread: another host is started and brought up, the register and deregister
//! history is gone through again, so that the handles come out the same, the requests that set
//! something up are done again in memory of ours, and then all requests in flight are sent again.
//! Nothing is written into a buffer of the HAL's but addresses, and nothing of the replay is
//! delivered to it. Meanwhile its requests queue up and its other calls wait.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_link::{Deadline, Event, Interest, ReceiveError, wait};
use cami_wire::control::{FromClient, Restarts};
use cami_wire::cros::Request;
use nix::errno::Errno;

use crate::deliver::Incoming;
use crate::error::CallError;
use crate::host::END_PATIENCE;
use crate::journal::{Buffer, BufferCall, Journal, KeptRequest};
use crate::pending;
use crate::reader::{LAST_WORDS, Reader, cause_of_death, link_inbox};
use crate::session::{Limits, Session};
use crate::source::{Launched, Started};
use crate::standby;

/// How long a vendor process may take to be gone after its monitor is: the kernel kills it then, and
/// what still runs may write into the HAL's buffers.
const GONE_PATIENCE: Duration = Duration::from_secs(1);
/// How long a request of the replay may take. The vendors' own clients wait as long (spec/cami-abi.md,
/// 2.8).
const REPLAY_LIMIT: Duration = Duration::from_secs(5);
/// How long a host that stood by may take to say that it is ready: it has said so long before.
const STANDBY_LIMIT: Duration = Duration::from_millis(100);
/// Size of a buffer that only takes a handle's place.
const DUMMY_BYTES: u64 = 4096;

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
enum Failed {
    /// Another may succeed.
    Now(String),
    /// None will.
    ForGood(String),
}

impl Failed {
    fn call(name: &str) -> impl FnOnce(CallError) -> Self {
        move |error| Self::Now(format!("{name} was not done again: {error}"))
    }

    fn memory(errno: Errno) -> Self {
        Self::Now(format!("memory for the replay: {errno}"))
    }
}

/// What a replay consisted of.
#[derive(Clone, Copy, Debug, Default)]
struct Replayed {
    buffers: usize,
    requests: usize,
}

impl Reader {
    /// Puts a new session into the place of `dead`.
    pub(crate) fn resume(&self, dead: &Arc<Session>, journal: &Arc<Journal>) -> Result<(), GaveUp> {
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
                        dead.take_in(&event);
                        if let Some(event) = event.into_event()
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
        let (Started { link, host, ready, .. }, warm) = next_host(dead, journal)?;
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
        let replayed = match self.bring_to_its_state(&heir, journal, started, warm) {
            Ok(replayed) => replayed,
            Err(failed) => return Err(self.give_up(&heir, failed)),
        };
        let resent = self.take_over(dead, &heir, journal)?;
        log::info!(
            "the camera algorithm was resumed in {:.1} ms (restart {}): {} buffers, {} requests done \
             again, {resent} in flight sent again",
            began.elapsed().as_secs_f64() * 1000.0,
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
                 with it, or the link had no room",
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
        heir.finish();
        let mut inbox = cami_link::Inbox::new(crate::host::CONTROL_BYTES, 0);
        let died = match failed {
            Failed::Now(_) if !heir.is_in_vain() => {
                heir.last_words(&mut inbox, Deadline::after(LAST_WORDS))
            }
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

    /// `initialize`, the buffers, and the requests that have to be done again.
    fn bring_to_its_state(
        &self,
        heir: &Session,
        journal: &Journal,
        started: Instant,
        warm: bool,
    ) -> Result<Replayed, Failed> {
        self.bring_up(&self.options, heir, started, warm)
            .map_err(|failure| Failed::Now(failure.in_short().line))?;
        let kept = journal.kept();
        let mut payloads = kept.iter().filter(|kept| kept.buffer_bytes > 0);
        let mut own = Vec::new();
        let mut replayed = Replayed::default();
        for call in journal.buffer_calls() {
            replayed.buffers += 1;
            match call {
                BufferCall::Register { handle, bytes, buffer } => {
                    let buffer = buffer.map_or_else(|| memory(bytes), Ok)?;
                    self.register_as(heir, &buffer, handle)?;
                }
                BufferCall::Deregister { handles } => self.deregister(heir, &handles)?,
                BufferCall::Own { handle } => {
                    let bytes = payloads.next().map_or(DUMMY_BYTES, |kept| kept.buffer_bytes);
                    let buffer = memory(bytes)?;
                    self.register_as(heir, &buffer, handle)?;
                    own.push((buffer, handle));
                }
            }
        }
        for kept in payloads {
            let buffer = memory(kept.buffer_bytes)?;
            let handle = self.register(heir, buffer.fd())?;
            if handle < 0 {
                let why = format!("the library refuses a buffer of ours with {handle}");
                return Err(Failed::ForGood(why));
            }
            journal.own_buffer(handle);
            own.push((buffer, handle));
        }
        let mut own = own.into_iter();
        for kept in &kept {
            replayed.requests += 1;
            let buffer = if kept.buffer_bytes > 0 { own.next() } else { None };
            self.do_again(heir, journal, kept, buffer)?;
        }
        Ok(replayed)
    }

    fn register(&self, heir: &Session, fd: BorrowedFd<'_>) -> Result<i32, Failed> {
        let registered = self.register_buffer(heir, fd, heir.register_deadline());
        registered.map_err(Failed::call("register_buffer"))
    }

    fn register_as(&self, heir: &Session, buffer: &Buffer, expected: i32) -> Result<(), Failed> {
        let handle = self.register(heir, buffer.fd())?;
        if handle == expected {
            return Ok(());
        }
        // The HAL knows its buffers by the old numbers, also inside payloads.
        Err(Failed::ForGood(format!("a buffer came out as {handle} and not as {expected}")))
    }

    fn deregister(&self, heir: &Session, handles: &[i32]) -> Result<(), Failed> {
        let deregistered = self.deregister_buffers(heir, handles, heir.register_deadline());
        deregistered.map_err(Failed::call("deregister_buffers"))
    }

    /// One request in a buffer of ours, whose callback nobody else hears of.
    fn do_again(
        &self,
        heir: &Session,
        journal: &Journal,
        kept: &KeptRequest,
        buffer: Option<(Buffer, i32)>,
    ) -> Result<(), Failed> {
        let (buffer, handle) = buffer.map_or((None, -1), |(buffer, handle)| (Some(buffer), handle));
        if let Some(buffer) = &buffer {
            fill(buffer, journal, kept).map_err(Failed::memory)?;
        }
        let request = Request { req_id: kept.req_id, header: &kept.header, buffer_handle: handle };
        heir.send_request(&request, REPLAY_LIMIT).map_err(Failed::call("a request"))?;
        let status = self
            .pump_until(
                heir,
                Some(Deadline::after(REPLAY_LIMIT)),
                |event| match event {
                    Incoming::Returned(returned)
                        if returned.req_id == kept.req_id && returned.buffer_handle == handle =>
                    {
                        Some(returned.status)
                    }
                    _ => None,
                },
                || None,
            )
            .map_err(Failed::call("a request"))?;
        if status != journal.recovery.ok_status {
            return Err(Failed::ForGood(format!(
                "request {} was answered with status {status} when it was done again",
                kept.req_id
            )));
        }
        if let (Some(address), Some(offset), Some(buffer)) = (kept.gave, kept.rule.gives, buffer) {
            let Some(real) = buffer.read_u64(offset).filter(|&real| real != 0) else {
                let why = format!("request {} gave no address when done again", kept.req_id);
                return Err(Failed::ForGood(why));
            };
            journal.moved(address, real);
        }
        Ok(())
    }
}

/// The host that stood by, if there is one, and otherwise a new one. True: its library is loaded.
fn next_host(dead: &Session, journal: &Journal) -> Result<(Started, bool), Failed> {
    let stood_by = dead.host.take_standby();
    let pid = journal.take_standby();
    if let Some(standby::Returned { link, host }) = stood_by {
        match (Launched { link, host }).ready(Deadline::after(STANDBY_LIMIT)) {
            Ok(started) => return Ok((started, true)),
            Err(error) => log::warn!("the host that stood by is of no use: {}", error.line),
        }
    }
    if let Some(pid) = pid {
        standby::reap(pid);
    }
    let started = journal.source.start().map_err(|error| {
        if error.hopeless { Failed::ForGood(error.line) } else { Failed::Now(error.line) }
    })?;
    Ok((started, false))
}

fn memory(bytes: u64) -> Result<Buffer, Failed> {
    Buffer::of_memory(bytes).map_err(Failed::memory)
}

/// Writes what the HAL's buffer held.
fn fill(buffer: &Buffer, journal: &Journal, kept: &KeptRequest) -> Result<(), Errno> {
    let mut rest = kept.bytes.as_slice();
    for (offset, length) in kept.ranges() {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        let (piece, after) = rest.split_at_checked(length).unwrap_or_default();
        rest = after;
        buffer.write(offset, piece)?;
    }
    for &offset in &kept.rule.takes {
        if let Some(real) = buffer.read_u64(offset).and_then(|word| journal.real(word)) {
            buffer.write_u64(offset, real)?;
        }
    }
    Ok(())
}
