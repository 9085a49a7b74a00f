//! The thread that answers: one request after the other, in the order in which they came, and the
//! recorded library's own calls between them.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use cami_abi::Callbacks;
use cami_link::write_with_seek;
use cami_recording::MAX_CONTENT_BYTES;
use cami_replay::{After, Place};
use nix::sys::memfd::{MFdFlags, memfd_create};
use parking_lot::Mutex;

use crate::book::Reply;
use crate::buffers::Buffer;
use crate::deaths::Dying;
use crate::lent::Lent;
use crate::log;
use crate::script::{Script, Sent, Turn};
use crate::settings::Pace;

/// The status where a buffer cannot be written.
const FAILED: u32 = 1;
/// How long an answer waits at most, in all, for updates that were returned before it when it was
/// recorded.
const RETURN_PATIENCE: Duration = Duration::from_secs(1);

/// Whom answers go to.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Arc<dyn Callbacks>>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    /// The host's.
    pub fn of(callbacks: Arc<dyn Callbacks>) -> Self {
        Self(Arc::new(Mutex::new(callbacks)))
    }

    /// Answers.
    pub fn returned(&self, req_id: u32, status: u32, handle: i32) {
        let callbacks = Arc::clone(&self.0.lock());
        callbacks.returned(req_id, status, handle);
    }

    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        let callbacks = Arc::clone(&self.0.lock());
        callbacks.update(upd_id, header, fd);
    }
}

/// What the thread is told.
#[derive(Debug)]
pub enum Job {
    /// A request.
    Request {
        /// The HAL's number.
        req_id: u32,
        /// The header.
        header: Vec<u8>,
        /// The buffer's handle.
        handle: i32,
        /// The buffer, if there is one.
        buffer: Option<Arc<Buffer>>,
    },
    /// An update came back, and another may have waited for that.
    Look,
}

/// An update that is to be sent.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Its place among the recorded host's.
    update: usize,
    /// Not before.
    at: Option<Instant>,
}

/// What the thread does.
#[derive(Debug)]
pub struct Work {
    script: Script,
    pace: Pace,
    callbacks: Shared,
    lent: Arc<Lent>,
    dying: Option<Arc<Dying>>,
    due: VecDeque<Due>,
    /// What a buffer holds: as large as the largest so far.
    buffer: Vec<u8>,
}

impl Work {
    /// Of a recording.
    pub fn new(
        script: Script,
        pace: Pace,
        callbacks: Shared,
        lent: Arc<Lent>,
        dying: Option<Arc<Dying>>,
    ) -> Self {
        Self { script, pace, callbacks, lent, dying, due: VecDeque::new(), buffer: Vec::new() }
    }

    /// Until nobody sends jobs any more.
    pub fn run(mut self, waiting: &Receiver<Job>) {
        self.happened(After::Start, None);
        loop {
            self.send_what_is_due();
            match self.next(waiting) {
                Some(Job::Request { req_id, header, handle, buffer }) => {
                    self.request(req_id, &header, handle, buffer.as_deref());
                }
                Some(Job::Look) => {}
                None => return,
            }
        }
    }

    /// The next job. While there is none, what is needed next is unpacked.
    fn next(&mut self, waiting: &Receiver<Job>) -> Option<Job> {
        loop {
            match waiting.try_recv() {
                Ok(job) => return Some(job),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if self.script.unpack_ahead() => {}
                Err(TryRecvError::Empty) => break,
            }
        }
        match self.due.front() {
            Some(Due { update, at: Some(at) }) if !self.is_held(*update) => {
                match waiting.recv_timeout(at.saturating_duration_since(Instant::now())) {
                    Ok(job) => Some(job),
                    Err(RecvTimeoutError::Timeout) => Some(Job::Look),
                    Err(RecvTimeoutError::Disconnected) => None,
                }
            }
            _ => waiting.recv().ok(),
        }
    }

    fn request(&mut self, req_id: u32, header: &[u8], handle: i32, buffer: Option<&Buffer>) {
        if self.is_silent() {
            return;
        }
        let came = Instant::now();
        // They were recorded before this request, whatever they wait for.
        while let Some(due) = self.due.pop_front() {
            self.send(due.update);
        }
        let mut held = std::mem::take(&mut self.buffer);
        let bytes = buffer.and_then(|buffer| read(buffer, &mut held));
        let bytes = bytes.and_then(|bytes| held.get_mut(..bytes));
        let Turn { place, reply } = self.script.turn(req_id, header, bytes);
        if place.is_none() {
            self.reached(Place::End, None);
        }
        if let Some(place) = place {
            let at_ns = self.script.exchange(place).map(|exchange| exchange.at_ns);
            self.happened(After::Requested(place), at_ns);
        }
        let answered = match reply {
            Reply::Answer { status, changed, after, unlike } => {
                if let Some(unlike) = unlike {
                    log::rarely(format_args!("{unlike}; answered all the same"));
                }
                self.settle(place);
                if self.pace == Pace::Recorded {
                    self.lent.sleep(after.saturating_sub(came.elapsed()));
                }
                if self.is_silent() {
                    return;
                }
                let written = buffer.map_or(Ok(()), |buffer| write(buffer, &held, &changed));
                if let Err(error) = &written {
                    log::rarely(format_args!("request {req_id}: its buffer: {error}"));
                }
                self.callbacks.returned(req_id, written.map_or(FAILED, |()| status), handle);
                true
            }
            Reply::Refuse { status, why } => {
                self.settle(place);
                if self.is_silent() {
                    return;
                }
                log::rarely(format_args!("{why}; answered with status {status}"));
                self.callbacks.returned(req_id, status, handle);
                true
            }
            Reply::Silence { why } => {
                log::rarely(format_args!("{why}, and gets none"));
                false
            }
        };
        self.buffer = held;
        let Some((place, exchange)) = place.and_then(|at| Some((at, self.script.exchange(at)?)))
        else {
            return;
        };
        let (made, answer) = (exchange.at_ns, exchange.answer.map(|answer| answer.at_ns));
        self.reached(Place::Requested(place), Some(made));
        if answered {
            self.happened(After::Answered(place), answer);
            self.reached(Place::Answered(place), answer);
        }
    }

    /// Something happened that updates may follow; when it did in the recording.
    fn happened(&mut self, what: After, at_ns: Option<u64>) {
        for &update in self.script.updates_after(what) {
            let recorded = self.script.update(update).zip(at_ns);
            let at = recorded.filter(|_| self.pace == Pace::Recorded).map(|(update, at_ns)| {
                Instant::now() + Duration::from_nanos(update.at_ns.saturating_sub(at_ns))
            });
            self.due.push_back(Due { update, at });
        }
    }

    /// Whether an update is out without whose return this one did not come.
    fn is_held(&self, update: usize) -> bool {
        let behind = self.script.update(update).and_then(|update| update.behind);
        behind.is_some_and(|behind| self.lent.is_awaited(behind))
    }

    /// Sends what may go without waiting.
    fn send_what_is_due(&mut self) {
        while let Some(Due { update, at }) = self.due.front().copied() {
            if at.is_some_and(|at| at > Instant::now()) || self.is_held(update) {
                return;
            }
            self.due.pop_front();
            self.send(update);
        }
    }

    /// Before an answer: sends what was sent before it, and waits for what was returned before it.
    fn settle(&mut self, place: Option<usize>) {
        let mut patience = RETURN_PATIENCE;
        while let Some(Due { update, at }) = self.due.pop_front() {
            if let Some(behind) = self.script.update(update).and_then(|update| update.behind) {
                self.lent.wait_for(behind, &mut patience);
            }
            if let Some(at) = at {
                self.lent.sleep(at.saturating_duration_since(Instant::now()));
            }
            self.send(update);
        }
        let answer = place.and_then(|place| self.script.exchange(place)?.answer);
        if let Some(behind) = answer.and_then(|answer| answer.behind) {
            self.lent.wait_for(behind, &mut patience);
        }
    }

    /// Whether the recorded library's host had ended it by now: nothing comes any more.
    fn is_silent(&self) -> bool {
        self.dying.as_ref().is_some_and(|dying| dying.is_silent())
    }

    fn send(&mut self, update: usize) {
        if self.is_silent() {
            return;
        }
        let Some(Sent { upd_id, header, content, missing }) = self.script.sent(update) else {
            return;
        };
        if let Some(missing) = missing {
            let number = update + 1;
            log::rarely(format_args!("update {number} goes without its buffer: {missing}"));
        }
        let fd = content.map(|content| memory(&content)).transpose();
        let fd = fd.unwrap_or_else(|error| {
            log::rarely(format_args!("update {} goes without its buffer: {error}", update + 1));
            None
        });
        let recorded = self.script.update(update);
        let (status, at_ns) =
            (recorded.and_then(|update| update.returned), recorded.map(|u| u.at_ns));
        self.lent.lend(update, upd_id, status.map(|back| back.status));
        self.callbacks.update(upd_id, &header, fd);
        self.reached(Place::Updated(update), at_ns);
    }

    /// Dies here, if the recorded library did; when it had come so far in the recording. A host that
    /// leaves before its time is not died on.
    fn reached(&self, place: Place, at_ns: Option<u64>) {
        let Some(dying) = self.dying.as_ref().filter(|dying| dying.is_at(place)) else { return };
        if let (Pace::Recorded, Some(at_ns)) = (self.pace, at_ns) {
            let idle = Duration::from_nanos(dying.at_ns().saturating_sub(at_ns));
            if !self.lent.sleep(idle) {
                return;
            }
        }
        dying.die();
    }
}

/// A file in memory that holds this. It grows by being written: a sandbox has no `ftruncate`.
fn memory(content: &[u8]) -> io::Result<OwnedFd> {
    let file = File::from(memfd_create("cami-replay", MFdFlags::MFD_CLOEXEC)?);
    write_with_seek(&file, content, 0)?;
    Ok(file.into())
}

/// Reads what a buffer holds into the begin of `held`, which grows as far as it has to; returns how much.
/// None where it cannot be read, or is larger than any that is recorded.
fn read(buffer: &Buffer, held: &mut Vec<u8>) -> Option<usize> {
    let bytes = usize::try_from(buffer.bytes.min(MAX_CONTENT_BYTES)).ok()?;
    if held.len() < bytes {
        held.resize(bytes, 0);
    }
    buffer.file.read_exact_at(held.get_mut(..bytes)?, 0).ok()?;
    Some(bytes)
}

/// Writes what changed. With a seek: `pwrite` is not everywhere allowed.
fn write(buffer: &Buffer, held: &[u8], changed: &[Range<usize>]) -> io::Result<()> {
    for range in changed {
        if let Some(bytes) = held.get(range.clone()) {
            write_with_seek(&buffer.file, bytes, range.start as u64)?;
        }
    }
    Ok(())
}
