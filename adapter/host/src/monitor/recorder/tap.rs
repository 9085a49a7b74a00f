//! What passes on the link, as events of a recording.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_config::{Command, Profile};
use cami_link::monotonic_ns;
use cami_recording::block::{
    Answered, Bytes, Called, Libraries, LoadedLibrary, Number, Requested, Returned, UpdateReturned,
    Updated,
};
use cami_recording::{Block, Buffer, Call, MAX_CONTENT_BYTES, PAGE_BYTES, Shadow};
use cami_wire::control::command_of;
use cami_wire::cros::{self, DeregisterBuffers, InitReply, ReturnValue, command, event};
use cami_wire::message::{EVENT_COOKIE, Header};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::time::{ClockId, clock_gettime};

use super::budget::Budget;
use super::buffer_memory::{BufferMemory, size_of};
use super::entry::Entry;
use super::flood::{Flood, Unasked};
use super::queue::Queue;
use crate::monitor::maps::Maps;

/// Buffers that are larger than any of a known HAL's take long to look at, and the camera waits. What is
/// spent on them is bounded, and an `update` with a larger one is not looked at.
const LARGE_BYTES: u64 = 8 << 20;
/// Descriptors of the monitor's own, and of messages that pass.
const FREE_FILES: u64 = 64;
/// Requests without their answer, and calls, that are remembered (spec/cami-abi.md, 5.1: 44).
const MAX_OPEN: usize = 4096;

/// Who writes to a buffer before it is looked at.
const BY_HAL: usize = 0;
/// See [`BY_HAL`].
const BY_LIBRARY: usize = 1;

/// A buffer that the library knows.
#[derive(Debug)]
struct Registered {
    number: Buffer,
    memory: BufferMemory,
    shadow: Shadow,
    /// Whether it was last passed by, so that more can have changed than the profile says.
    passed_by: bool,
}

impl Registered {
    /// Whether looking at it takes long. What is larger still is refused at once.
    fn is_large(&self) -> bool {
        (LARGE_BYTES + 1..=MAX_CONTENT_BYTES).contains(&self.memory.bytes())
    }
}

/// A request without its answer.
#[derive(Debug)]
struct InFlight {
    number: Number,
    req_id: u32,
    handle: i32,
    /// Its place in the profile's commands.
    command: Option<usize>,
}

/// A call that is not answered yet.
#[derive(Debug)]
enum Open {
    Register(Option<File>),
    Deregister(Vec<i32>),
    /// Any other.
    Other,
}

/// Processor time of this thread.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Looks at messages on their way.
#[derive(Debug)]
pub struct Tap {
    queue: Arc<Queue>,
    profile: Profile,
    vendor_pid: i32,
    buffers: HashMap<i32, Registered>,
    open: HashMap<u32, Open>,
    /// Oldest first.
    in_flight: VecDeque<InFlight>,
    /// Of each of the profile's commands what of its buffer is written, by the HAL and by the library;
    /// emptied where somebody did otherwise.
    writes: Vec<[Vec<Range<u64>>; 2]>,
    last_number: Number,
    last_buffer: u64,
    budget: Budget,
    flood: Flood,
}

impl Tap {
    /// Nothing has passed yet.
    pub fn new(queue: Arc<Queue>, profile: Profile, vendor_pid: i32) -> Self {
        let range = |&(at, bytes): &(u32, u32)| u64::from(at)..u64::from(at) + u64::from(bytes);
        let writes = |known: &Command| {
            [&known.writes_in, &known.writes_out].map(|ranges| ranges.iter().map(range).collect())
        };
        Self {
            writes: profile.commands.iter().map(writes).collect(),
            queue,
            profile,
            vendor_pid,
            buffers: HashMap::new(),
            open: HashMap::new(),
            in_flight: VecDeque::new(),
            last_number: 0,
            last_buffer: 0,
            budget: Budget::new(Instant::now()),
            flood: Flood::default(),
        }
    }

    /// A message of the client, before the vendor process has it.
    pub fn client_says(&mut self, message: &[u8], fds: &[OwnedFd], fds_lost: bool) {
        if fds_lost || self.queue.is_over() {
            return self.give_up();
        }
        let at_ns = monotonic_ns();
        self.tell_counted(Some(at_ns));
        let Ok((Header { command, cookie }, body)) = Header::decode(message) else { return };
        // What makes no sense is dropped by the vendor process, with a line of its own.
        match command {
            command::INIT => self.called_plainly(at_ns, cookie, Call::Load),
            command::START => self.called_plainly(at_ns, cookie, Call::Initialize),
            command::STOP => self.called_plainly(at_ns, cookie, Call::Deinitialize),
            command::REGISTER_BUFFER => {
                // One that did not fit here would not reach the library.
                if self.buffers.len() + self.open.len() >= most_files() {
                    return self.give_up();
                }
                let fd = fds.first().map(AsFd::as_fd);
                let bytes = fd.map_or(0, size_of);
                let file = fd.and_then(|fd| fd.try_clone_to_owned().ok()).map(File::from);
                self.remember(cookie, Open::Register(file));
                self.called(at_ns, cookie, Call::RegisterBuffer, bytes, Vec::new());
            }
            command::DEREGISTER_BUFFERS => {
                if let Ok(DeregisterBuffers { handles }) = DeregisterBuffers::decode(body) {
                    self.remember(cookie, Open::Deregister(handles.clone()));
                    self.called(at_ns, cookie, Call::DeregisterBuffers, 0, handles);
                }
            }
            command::REQUEST => {
                if let Ok(request) = cros::Request::decode(body) {
                    self.requested(at_ns, &request);
                }
            }
            command::UPDATE_RETURN => {
                if let Ok(cros::UpdateReturn { upd_id, status, .. }) =
                    cros::UpdateReturn::decode(body)
                {
                    self.push(UpdateReturned { host: 0, at_ns, upd_id, status });
                }
            }
            _ => {}
        }
    }

    /// A message of the vendor process, before the client has it.
    pub fn vendor_says(&mut self, message: &[u8], fds: &[OwnedFd], fds_lost: bool) {
        if fds_lost || self.queue.is_over() {
            return self.give_up();
        }
        let at_ns = monotonic_ns();
        self.tell_counted(Some(at_ns));
        let Ok((header, body)) = Header::decode(message) else { return };
        if header.cookie == EVENT_COOKIE {
            match header.command {
                event::RETURNED => {
                    if let Ok(returned) = cros::Returned::decode(body) {
                        self.returned(at_ns, returned);
                    }
                }
                event::UPDATED => {
                    if let Ok(updated) = cros::Updated::decode(body) {
                        self.updated(at_ns, &updated, fds.first().map(AsFd::as_fd));
                    }
                }
                _ => {}
            }
            return;
        }
        let value = || ReturnValue::decode(body).ok().map(|ReturnValue(value)| value);
        let open = self.open.remove(&header.cookie);
        if open.is_none() && !self.flood.tells(Unasked::Answer, at_ns) {
            return;
        }
        let is_awaited = open.is_some();
        let (call, value) = match header.command {
            command::INIT => {
                (Call::Load, InitReply::decode(body).ok().map_or(0, |reply| reply.ret))
            }
            command::START => {
                let value = value().unwrap_or(0);
                (Call::Initialize, value)
            }
            command::STOP => (Call::Deinitialize, 0),
            command::REGISTER_BUFFER => {
                let value = value().unwrap_or(0);
                if let Some(Open::Register(Some(file))) = open
                    && value >= 0
                {
                    self.register(value, file);
                }
                (Call::RegisterBuffer, value)
            }
            command::DEREGISTER_BUFFERS => {
                if let Some(Open::Deregister(handles)) = open {
                    handles.iter().for_each(|handle| self.forget(*handle));
                }
                (Call::DeregisterBuffers, 0)
            }
            _ => return,
        };
        let (cookie, call_number) = (header.cookie, call.number());
        self.push(Answered { host: 0, at_ns, cookie, call: call_number, value });
        if is_awaited && call == Call::Initialize && value >= 0 {
            self.libraries();
        }
    }

    /// What is loaded, once `initialize` has returned. Here, while the vendor process is surely there:
    /// the writer may be late.
    fn libraries(&self) {
        let found = Maps::read(self.vendor_pid, self.vendor_pid).modules();
        let libraries: Vec<LoadedLibrary> = found
            .into_iter()
            // The kernel's own are named in brackets.
            .filter(|module| module.file.starts_with('/'))
            .map(|module| LoadedLibrary {
                path: module.file,
                build_id: module.build_id.unwrap_or_default(),
            })
            .collect();
        if !libraries.is_empty() {
            self.push(Libraries { host: 0, libraries });
        }
    }

    /// A call of which nothing has to be known later but that it is one.
    fn called_plainly(&mut self, at_ns: u64, cookie: u32, call: Call) {
        self.remember(cookie, Open::Other);
        self.called(at_ns, cookie, call, 0, Vec::new());
    }

    fn called(&self, at_ns: u64, cookie: u32, call: Call, buffer_bytes: u64, handles: Vec<i32>) {
        self.push(Called { host: 0, at_ns, cookie, call: call.number(), buffer_bytes, handles });
    }

    /// Nothing more passes.
    pub fn end(&mut self) {
        self.tell_counted(None);
    }

    /// What came in floods before, once in a while, or all of it.
    fn tell_counted(&mut self, now_ns: Option<u64>) {
        for counted in self.flood.take(now_ns) {
            self.push(counted);
        }
    }

    fn push(&self, block: impl Into<Block>) {
        self.queue.push(Entry::Block(block.into()));
    }

    fn remember(&mut self, cookie: u32, open: Open) {
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        self.open.insert(cookie, open);
    }

    fn register(&mut self, handle: i32, file: File) {
        self.forget(handle);
        self.last_buffer += 1;
        let number = Buffer(self.last_buffer);
        let memory = BufferMemory::of(file);
        let registered = Registered { number, memory, shadow: Shadow::default(), passed_by: false };
        self.buffers.insert(handle, registered);
    }

    fn forget(&mut self, handle: i32) {
        // What is answered under this number later is of another buffer.
        self.in_flight.retain(|request| request.handle != handle);
        if let Some(buffer) = self.buffers.remove(&handle) {
            self.queue.push(Entry::Forget(buffer.number));
        }
    }

    /// There is no recording, or no room for a descriptor that has to pass: those that are held for the
    /// recording are given back.
    fn give_up(&mut self) {
        if !self.queue.is_over() {
            log::warn!(
                "the recording ends here: too many descriptors are open; the camera goes on"
            );
            self.queue.give_up();
        }
        self.forget_all();
    }

    /// Nothing is recorded any more: no buffer of the HAL's is held open for it.
    fn forget_all(&mut self) {
        if !self.buffers.is_empty() || !self.open.is_empty() {
            self.buffers = HashMap::new();
            self.open = HashMap::new();
            self.in_flight = VecDeque::new();
        }
    }

    fn requested(&mut self, at_ns: u64, request: &cros::Request<'_>) {
        self.last_number += 1;
        let (number, req_id, handle) = (self.last_number, request.req_id, request.buffer_handle);
        if self.in_flight.len() >= MAX_OPEN {
            self.in_flight.pop_front();
        }
        let id = command_of(self.profile.command_byte, req_id, request.header);
        let commands = &self.profile.commands;
        let command = commands.iter().position(|known| Some(known.rule.id) == id);
        let rule = command.and_then(|command| commands.get(command));
        let role = rule.map_or(0, |known| known.rule.role as u32);
        self.in_flight.push_back(InFlight { number, req_id, handle, command });
        let header = Bytes(request.header.to_vec());
        let requested =
            Requested { at_ns, number, req_id, handle, role, header, ..Requested::default() };
        self.seen(handle, command, BY_HAL, requested.into());
    }

    fn returned(&mut self, at_ns: u64, returned: cros::Returned) {
        let cros::Returned { req_id, status, buffer_handle: handle } = returned;
        let is_it = |other: &InFlight| (other.req_id, other.handle) == (req_id, handle);
        // As the journal of the client's settles them (adapter/client/src/journal).
        let found = if self.profile.answers_every_request {
            self.in_flight.iter().position(is_it)
        } else {
            self.in_flight.iter().rposition(is_it)
        };
        let found = found.and_then(|at| self.in_flight.remove(at));
        let request = found.as_ref().map_or(0, |found| found.number);
        if !self.profile.answers_every_request && request != 0 {
            self.in_flight.retain(|other| !is_it(other) || other.number > request);
        }
        if request == 0 && !self.flood.tells(Unasked::Callback, at_ns) {
            return;
        }
        let returned = Returned { at_ns, request, req_id, status, handle, ..Returned::default() };
        self.seen(handle, found.and_then(|found| found.command), BY_LIBRARY, returned.into());
    }

    fn updated(&mut self, at_ns: u64, updated: &cros::Updated<'_>, fd: Option<BorrowedFd<'_>>) {
        if !self.flood.tells(Unasked::Update, at_ns) {
            return;
        }
        let header = Bytes(updated.header.to_vec());
        let block = Updated { at_ns, upd_id: updated.upd_id, header, ..Updated::default() };
        let file = fd.and_then(|fd| fd.try_clone_to_owned().ok()).map(File::from);
        let Some(file) = file else { return self.push(block) };
        // Each is new memory, and what it says of its size is the library's word.
        let mut memory = BufferMemory::shared(file);
        let looked = if memory.bytes() > LARGE_BYTES {
            Err(Errno::EFBIG)
        } else {
            memory.look(&mut Shadow::default())
        };
        match looked {
            Ok(snapshot) => {
                // Lent once: what comes next under any number is another.
                self.last_buffer += 1;
                let buffer = Buffer(self.last_buffer);
                // Where its contents are left out, nobody has heard of it.
                if self.queue.push(Entry::Seen(block.into(), buffer, snapshot)) {
                    self.queue.push(Entry::Forget(buffer));
                }
            }
            Err(errno) => self.push(Updated { content_errno: errno as u32, ..block }),
        }
    }

    /// An event with what its buffer holds now. Of a command of which the profile knows what is written
    /// by whom, the rest is as it was when the buffer was looked at last.
    fn seen(&mut self, handle: i32, command: Option<usize>, by: usize, mut block: Block) {
        let writes = command.and_then(|command| self.writes.get(command)?.get(by));
        let writes = writes.filter(|writes| !writes.is_empty());
        let mut stray = None;
        let looked = match self.buffers.get_mut(&handle) {
            None => Err(Errno::EBADF),
            Some(buffer) if buffer.is_large() && !self.budget.is_left(Instant::now()) => {
                Err(Errno::EBUSY)
            }
            Some(buffer) => {
                let began = buffer.is_large().then(thread_time);
                let Registered { number, memory, shadow, passed_by } = buffer;
                let passed_by = std::mem::take(passed_by);
                let looked = match writes.filter(|_| !passed_by) {
                    None => memory.look(shadow),
                    Some(writes) => memory.look_within(shadow, writes).map(|(snapshot, page)| {
                        stray = page;
                        snapshot
                    }),
                };
                if let Some(began) = began {
                    let time = thread_time().saturating_sub(began);
                    self.budget.spend(Instant::now(), time);
                }
                looked.map(|snapshot| (*number, snapshot))
            }
        };
        if let (Some(page), Some(command)) = (stray, command) {
            self.writes_elsewhere(command, by, page);
        }
        match looked {
            Ok((number, snapshot)) => {
                if !self.queue.push(Entry::Seen(block, number, snapshot))
                    && let Some(buffer) = self.buffers.get_mut(&handle)
                {
                    buffer.shadow.forget();
                }
            }
            Err(errno) => {
                if let Some(buffer) = self.buffers.get_mut(&handle) {
                    buffer.passed_by = true;
                }
                if let Some(told) = block.content_errno_mut() {
                    *told = errno as u32;
                }
                self.queue.push(Entry::Block(block));
            }
        }
    }

    /// Somebody does not do what the profile says: from now on its word is not taken.
    fn writes_elsewhere(&mut self, command: usize, by: usize, page: u32) {
        if let Some(writes) = self.writes.get_mut(command).and_then(|writes| writes.get_mut(by)) {
            writes.clear();
        }
        let name = self.profile.commands.get(command).map_or("?", |known| known.name.as_str());
        let (when, who) = match by {
            BY_HAL => ("before its request", "HAL"),
            _ => ("before its answer", "library"),
        };
        log::warn!(
            "a buffer of {name} changed {when} where the profile says that the {who} does not write: \
             in the 4096 bytes at {}. Up to 64 requests of it before may lack that in the recording; \
             from now on its buffers are read whole",
            u64::from(page) * PAGE_BYTES as u64
        );
    }
}

/// Descriptors that may be held for a recording, so that others find room when they pass.
fn most_files() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    usize::try_from(limit.saturating_sub(FREE_FILES)).unwrap_or(usize::MAX)
}
