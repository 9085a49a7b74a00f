//! What a new vendor process is brought to the old one's state with: the register and deregister
//! history, so that the handles come out the same, and the requests that set something up, in memory
//! of ours.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use cami_wire::cros::Request;
use nix::errno::Errno;

use crate::calls::{CallDeadline, Time};
use crate::deliver::Incoming;
use crate::error::CallError;
use crate::journal::{Buffer, BufferCall, Journal, KeptRequest};
use crate::reader::Reader;
use crate::resume::Failed;
use crate::session::Session;

/// How long all of a replay may take where `register_ms` sets no limit. The vendors' own clients wait
/// as long for one answer (spec/cami-abi.md, 2.8), and the HAL's calls wait for the whole replay.
const REPLAY_LIMIT: Duration = Duration::from_secs(5);
/// Size of a buffer that only takes a handle's place.
const DUMMY_BYTES: u64 = 4096;

/// What a replay consisted of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) buffers: usize,
    pub(crate) requests: usize,
}

/// A replay that is under way.
struct Replay<'a> {
    reader: &'a Reader,
    heir: &'a Session,
    journal: &'a Journal,
    /// For all of it: a HAL's call waits no longer either.
    time: Time,
}

impl Reader {
    /// `initialize`, the buffers, and the requests that have to be done again.
    pub(crate) fn bring_to_its_state(
        &self,
        heir: &Session,
        journal: &Journal,
        started: Instant,
        warm: bool,
    ) -> Result<Replayed, Failed> {
        self.bring_up(&self.options, heir, started, warm)
            .map_err(|failure| Failed::Now(failure.in_short().line))?;
        let time = Time::of(heir.limits.register.unwrap_or(REPLAY_LIMIT));
        Replay { reader: self, heir, journal, time }.run()
    }
}

impl Replay<'_> {
    fn run(&self) -> Result<Replayed, Failed> {
        let kept = self.journal.kept();
        let mut payloads = kept.iter().filter(|kept| kept.buffer_bytes > 0);
        let mut own = Vec::new();
        let mut replayed = Replayed::default();
        for call in self.journal.buffer_calls() {
            replayed.buffers += 1;
            match call {
                BufferCall::Register { handle, bytes, buffer } => {
                    let buffer = buffer.map_or_else(|| memory(bytes), Ok)?;
                    self.register_as(&buffer, handle)?;
                }
                BufferCall::Deregister { handles } => self.deregister(&handles)?,
                BufferCall::Own { handle } => {
                    let bytes = payloads.next().map_or(DUMMY_BYTES, |kept| kept.buffer_bytes);
                    let buffer = memory(bytes)?;
                    self.register_as(&buffer, handle)?;
                    own.push((buffer, handle));
                }
            }
        }
        for kept in payloads {
            let buffer = memory(kept.buffer_bytes)?;
            let handle = self.register(buffer.fd())?;
            if handle < 0 {
                let why = format!("the library refuses a buffer of ours with {handle}");
                return Err(Failed::ForGood(why));
            }
            self.journal.own_buffer(handle);
            own.push((buffer, handle));
        }
        let mut own = own.into_iter();
        for kept in &kept {
            replayed.requests += 1;
            let buffer = if kept.buffer_bytes > 0 { own.next() } else { None };
            self.do_again(kept, buffer)?;
        }
        Ok(replayed)
    }

    /// What is left for the next call.
    fn deadline(&self) -> CallDeadline {
        Some(self.time)
    }

    fn register(&self, fd: BorrowedFd<'_>) -> Result<i32, Failed> {
        let cookie = self.heir.cookie();
        let registered = self.reader.register_buffer(self.heir, cookie, fd, self.deadline());
        registered.map_err(self.failed("register_buffer"))
    }

    fn register_as(&self, buffer: &Buffer, expected: i32) -> Result<(), Failed> {
        let handle = self.register(buffer.fd())?;
        if handle == expected {
            return Ok(());
        }
        // The HAL knows its buffers by the old numbers, also inside payloads.
        Err(Failed::ForGood(format!("a buffer came out as {handle} and not as {expected}")))
    }

    fn deregister(&self, handles: &[i32]) -> Result<(), Failed> {
        let cookie = self.heir.cookie();
        let done = self.reader.deregister_buffers(self.heir, cookie, handles, self.deadline());
        done.map_err(self.failed("deregister_buffers"))
    }

    /// One request in a buffer of ours, whose callback nobody else hears of.
    fn do_again(&self, kept: &KeptRequest, buffer: Option<(Buffer, i32)>) -> Result<(), Failed> {
        let (buffer, handle) = buffer.map_or((None, -1), |(buffer, handle)| (Some(buffer), handle));
        match &buffer {
            Some(buffer) => fill(buffer, self.journal, kept).map_err(Failed::memory)?,
            None => self.journal.replays_without_buffer(kept.req_id),
        }
        let request = Request { req_id: kept.req_id, header: &kept.header, buffer_handle: handle };
        let until = self.time.until;
        self.heir.send_request(&request, until.remaining()).map_err(self.failed("a request"))?;
        let status = self
            .reader
            .pump_until(
                self.heir,
                Some(until),
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
            .map_err(self.failed("a request"))?;
        if status != self.journal.recovery.ok_status {
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
            self.journal.moved(address, real);
        }
        Ok(())
    }

    fn failed(&self, name: &str) -> impl FnOnce(CallError) -> Failed {
        let limit = self.time.limit.as_millis();
        move |error| match error {
            CallError::TimedOut | CallError::NotSent => Failed::Now(format!(
                "{name} was not done again in time: all that the library was asked again takes longer \
                 than {limit} ms (timeouts.register_ms)"
            )),
            error => Failed::Now(format!("{name} was not done again: {error}")),
        }
    }
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
