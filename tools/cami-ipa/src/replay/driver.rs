//! One host of a recording, made again.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::CameraAlgorithm;
use cami_link::{sealed_memory, write_all_at};
use cami_recording::Recording;
use cami_replay::Update as RecordedUpdate;
use cami_replay::addresses::Addresses;
use cami_replay::{Exchange, Host, Protocol, Step};

use super::answers::{Answers, NoReply, Reply, Request, Update};
use crate::failure::Failure;

/// The largest buffer that is made: the largest 3A buffer known has 2.4 MB.
const MAX_BUFFER_BYTES: u64 = cami_recording::MAX_CONTENT_BYTES;

/// How long a death is waited for that came when nothing was asked of the library.
const IDLE_DEATH: Duration = Duration::from_secs(1);

/// What the library did.
#[derive(Debug)]
pub enum Seen<'a> {
    /// It answered.
    Answered(Answered<'a>),
    /// It called `update`, or did not where the recorded one did.
    Updated(Updated<'a>),
}

/// An update, now and in the recording: by their order alone, since the library may send them from any
/// thread.
#[derive(Debug)]
pub struct Updated<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// The recorded one; `None`: there were fewer.
    pub recorded: Option<&'a RecordedUpdate>,
    /// What the recorded one's buffer held; `None`: not recorded, or no buffer.
    pub content: Option<Vec<u8>>,
    /// The one now; `None`: it did not come.
    pub now: Option<Update>,
}

/// A request that was answered as the recorded one was.
#[derive(Debug)]
pub struct Answered<'a> {
    /// The recorded request.
    pub exchange: &'a Exchange,
    /// What its buffer held when it was recorded; `None`: not recorded, or no buffer.
    pub recorded: Option<Vec<u8>>,
    /// The recorded status.
    pub recorded_status: u32,
    /// The answer now.
    pub reply: Reply,
    /// How long it took.
    pub took: Duration,
}

/// How the host ended.
#[derive(Debug)]
pub enum Ending {
    /// All was answered.
    Complete,
    /// It died where the recorded one died.
    DiedAsRecorded(String),
    /// The recorded one died, and it did not.
    Survived,
    /// It died: with what.
    Died(String),
    /// It did not answer: what.
    Hung(String),
}

/// Makes a host's requests.
pub struct Driver<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// Its protocol.
    pub protocol: &'a Protocol,
    /// The library.
    pub library: &'a dyn CameraAlgorithm,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// Whether the recorded pace is kept.
    pub recorded_pace: bool,
    answers: Arc<Answers>,
    buffers: HashMap<i32, Buffer>,
    addresses: Addresses,
    under_way: Vec<UnderWay<'a>>,
    recorded_updates: &'a [RecordedUpdate],
    updates: usize,
}

#[derive(Debug)]
struct Buffer {
    file: Arc<File>,
    bytes: u64,
    handle: i32,
}

#[derive(Debug)]
struct UnderWay<'a> {
    place: usize,
    exchange: &'a Exchange,
    made: Instant,
}

impl<'a> Driver<'a> {
    /// A driver of a library that is not initialised.
    pub fn new(
        recording: &'a Recording,
        protocol: &'a Protocol,
        library: &'a dyn CameraAlgorithm,
    ) -> Self {
        Self {
            recording,
            protocol,
            library,
            timeout: Duration::from_secs(10),
            recorded_pace: false,
            answers: Arc::default(),
            buffers: HashMap::new(),
            addresses: Addresses::default(),
            under_way: Vec::new(),
            recorded_updates: &[],
            updates: 0,
        }
    }

    /// Callbacks that answer no request.
    pub fn strangers(&self) -> u64 {
        self.answers.strangers()
    }

    /// Updates that came faster than they were taken, and were dropped.
    pub fn dropped_updates(&self) -> u64 {
        self.answers.dropped_updates()
    }

    /// Initialises the library, makes all requests, and ends it. `take` gets each answer and update,
    /// and `note` what else is worth a line.
    pub fn drive(
        &mut self,
        host: &'a Host,
        mut take: impl FnMut(Seen<'_>),
        mut note: impl FnMut(String),
    ) -> Result<Ending, Failure> {
        self.recorded_updates = &host.updates;
        let callbacks: Arc<Answers> = Arc::clone(&self.answers);
        let result = self.library.initialize(callbacks);
        if result < 0 {
            let error = std::io::Error::from_raw_os_error(-result);
            return Err(Failure::environment(format!("the library's initialize failed: {error}")));
        }
        let ending = self.steps(host, &mut take, &mut note);
        // Of a library that died or hangs, those that had come.
        let taken = self.take_updates(&mut take);
        self.library.deinitialize();
        taken?;
        let ending = ending?;
        // Whatever it has sent has come by now, and cannot be returned any more.
        for now in self.answers.updates() {
            self.update(Some(now), &mut take)?;
        }
        if !matches!(ending, Ending::Died(_) | Ending::Hung(_)) {
            while self.updates < self.recorded_updates.len() {
                self.update(None, &mut take)?;
            }
        }
        Ok(ending)
    }

    fn steps(
        &mut self,
        host: &'a Host,
        take: &mut dyn FnMut(Seen<'_>),
        note: &mut dyn FnMut(String),
    ) -> Result<Ending, Failure> {
        let start = Instant::now();
        let first = host.steps.first().map_or(0, Step::at_ns);
        for (place, step) in host.steps.iter().enumerate() {
            // What was answered before this was done is answered before it is done again.
            if let Some(ending) = self.settle(Some(step.at_ns()), take)? {
                return Ok(ending);
            }
            if self.recorded_pace {
                let due = Duration::from_nanos(step.at_ns().saturating_sub(first));
                std::thread::sleep(due.saturating_sub(start.elapsed()));
            }
            match step {
                Step::Register { handle, bytes, .. } => {
                    if let Some(ending) = self.register(*handle, *bytes)? {
                        return Ok(ending);
                    }
                }
                Step::Deregister { handles, .. } => {
                    let known = |handle: &i32| {
                        self.buffers.remove(handle).map_or(*handle, |buffer| buffer.handle)
                    };
                    let handles: Vec<i32> = handles.iter().map(known).collect();
                    self.library.deregister_buffers(&handles);
                }
                Step::Exchange(exchange) => self.request(place, exchange, note)?,
            }
        }
        if let Some(ending) = self.settle(None, take)? {
            return Ok(ending);
        }
        let ending = self.end(host, take)?;
        self.last_updates(take)?;
        Ok(ending)
    }

    fn register(&mut self, recorded: i32, bytes: u64) -> Result<Option<Ending>, Failure> {
        if bytes > MAX_BUFFER_BYTES {
            let line = format!("the recording has a buffer of {bytes} bytes: too large");
            return Err(Failure::environment(line));
        }
        let memory = sealed_memory("cami-replay", bytes).and_then(|file| {
            let copy = file.try_clone()?;
            Ok((file, copy))
        });
        let (file, copy) = memory
            .map_err(|error| Failure::environment(format!("a buffer cannot be made: {error}")))?;
        let handle = self.library.register_buffer(copy.into());
        if self.answers.lost() {
            return Ok(Some(Ending::Died(format!("register_buffer of {bytes} bytes"))));
        }
        if handle < 0 {
            let error = std::io::Error::from_raw_os_error(-handle);
            return Err(Failure::falls_short(format!(
                "register_buffer of {bytes} bytes failed, and did not when it was recorded: {error}"
            )));
        }
        self.buffers.insert(recorded, Buffer { file: Arc::new(file), bytes, handle });
        Ok(None)
    }

    /// Fills the buffer and makes a request.
    fn request(
        &mut self,
        place: usize,
        exchange: &'a Exchange,
        note: &mut dyn FnMut(String),
    ) -> Result<(), Failure> {
        let buffer = self.buffers.get(&exchange.handle);
        // A handle that was never one stays none.
        let handle = buffer.map_or(exchange.handle, |buffer| buffer.handle);
        let title = || exchange.title(self.protocol);
        if exchange.content == 0 && exchange.handle >= 0 {
            note(format!("{}: what its buffer held was not recorded", title()));
        }
        let mut shared = None;
        if let (Some(buffer), false) = (buffer, exchange.content == 0) {
            let mut content = self
                .recording
                .content(exchange.content)
                .map_err(|error| Failure::environment(format!("{}: {error}", title())))?;
            let takes = self.protocol.takes(exchange.command);
            if let Some(stranger) = self.addresses.translate(&mut content, takes) {
                note(format!(
                    "{}: it names {stranger:#x}, which no recorded answer gave; it stays as it is",
                    title()
                ));
            }
            if content.len() as u64 > buffer.bytes {
                let line = format!("{}: its buffer is smaller than what it held", title());
                return Err(Failure::environment(line));
            }
            write_all_at(&buffer.file, &content, 0)
                .map_err(|error| Failure::environment(format!("{}: {error}", title())))?;
            shared = Some((Arc::clone(&buffer.file), content.len()));
        }
        let req_id = exchange.req_id;
        self.answers.expect(Request { place, req_id, handle, buffer: shared });
        self.under_way.push(UnderWay { place, exchange, made: Instant::now() });
        self.library.request(req_id, &exchange.header, handle);
        Ok(())
    }

    /// Waits for what had been answered at that time of the recording; `None`: for all that ever was.
    fn settle(
        &mut self,
        until_ns: Option<u64>,
        take: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Option<Ending>, Failure> {
        self.take_updates(take)?;
        let answered = |under_way: &UnderWay<'_>| {
            let answer = under_way.exchange.answer;
            answer.is_some_and(|answer| until_ns.is_none_or(|until| answer.at_ns <= until))
        };
        while let Some(next) = self.under_way.iter().position(answered) {
            let under_way = self.under_way.remove(next);
            let UnderWay { place, exchange, made } = under_way;
            let what = self.what(exchange);
            match self.wait(place, made, take)? {
                Ok(reply) => self.answered(exchange, reply, made, take)?,
                Err(NoReply::Lost) => return Ok(Some(Ending::Died(what))),
                Err(_) => return Ok(Some(Ending::Hung(what))),
            }
        }
        Ok(None)
    }

    /// Waits for an answer. Meanwhile updates are returned.
    fn wait(
        &mut self,
        place: usize,
        made: Instant,
        take: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Result<Reply, NoReply>, Failure> {
        loop {
            let reply = self.answers.wait(place, made + self.timeout);
            if !matches!(reply, Err(NoReply::Updates)) {
                return Ok(reply);
            }
            self.take_updates(take)?;
        }
    }

    /// Returns what updates have come, with the recorded statuses in their order.
    fn take_updates(&mut self, take: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        for mut now in self.answers.updates() {
            let recorded = self.recorded_updates.get(self.updates);
            let status = recorded.and_then(|update| update.returned).map_or(0, |back| back.status);
            self.library.update_return(now.upd_id, status, now.fd.take());
            self.update(Some(now), take)?;
        }
        Ok(())
    }

    /// The next update, or that it did not come.
    fn update(
        &mut self,
        now: Option<Update>,
        take: &mut dyn FnMut(Seen<'_>),
    ) -> Result<(), Failure> {
        let recorded = self.recorded_updates.get(self.updates);
        self.updates += 1;
        let number = self.updates as u64;
        let content = recorded.map(|update| update.content).filter(|&content| content != 0);
        let content = content.map(|content| self.recording.content(content)).transpose();
        let content =
            content.map_err(|error| Failure::environment(format!("update {number}: {error}")))?;
        take(Seen::Updated(Updated { number, recorded, content, now }));
        Ok(())
    }

    /// Waits for the updates that the recording has beyond the last answer.
    fn last_updates(&mut self, take: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let deadline = Instant::now() + self.timeout;
        self.take_updates(take)?;
        while self.updates < self.recorded_updates.len() && self.answers.wait_for_update(deadline) {
            self.take_updates(take)?;
        }
        Ok(())
    }

    fn answered(
        &mut self,
        exchange: &'a Exchange,
        reply: Reply,
        made: Instant,
        take: &mut dyn FnMut(Seen<'_>),
    ) -> Result<(), Failure> {
        let Some(answer) = exchange.answer else { return Ok(()) };
        let title = || exchange.title(self.protocol);
        let recorded = match answer.content {
            0 => None,
            number => Some(
                self.recording
                    .content(number)
                    .map_err(|error| Failure::environment(format!("{}: {error}", title())))?,
            ),
        };
        if let Some(Err(error)) = &reply.content {
            return Err(Failure::environment(format!("{}: its buffer: {error}", title())));
        }
        let gives = self.protocol.gives(exchange.command);
        if let (Some(at), Some(recorded), Some(Ok(now))) = (gives, &recorded, &reply.content) {
            self.addresses.learn(recorded, now, at);
        }
        let took = reply.at.saturating_duration_since(made);
        let recorded_status = answer.status;
        take(Seen::Answered(Answered { exchange, recorded, recorded_status, reply, took }));
        Ok(())
    }

    /// What became of requests that have no answer in the recording.
    fn end(&mut self, host: &Host, take: &mut dyn FnMut(Seen<'_>)) -> Result<Ending, Failure> {
        let Some(UnderWay { place, exchange, made }) = self.under_way.pop() else {
            return Ok(match host.death {
                None => Ending::Complete,
                Some(_) if self.answers.wait_for_loss(self.timeout.min(IDLE_DEATH)) => {
                    Ending::DiedAsRecorded("nothing asked of it".into())
                }
                Some(_) => Ending::Survived,
            });
        };
        if host.death.is_none() {
            return Ok(Ending::Complete);
        }
        match self.wait(place, made, take)? {
            Err(NoReply::Lost) => Ok(Ending::DiedAsRecorded(self.what(exchange))),
            _ => Ok(Ending::Survived),
        }
    }

    fn what(&self, exchange: &Exchange) -> String {
        format!("{} (request {} of the recording)", exchange.title(self.protocol), exchange.number)
    }
}
