//! A recording put together: which answer belongs to which request, and what happened around them.

use std::collections::HashMap;

use crate::block::{
    Annotation, Answered, Block, Called, Counted, Died, Host, Libraries, Line, LoadedLibrary, Lost,
    Number, Requested, Returned, UpdateReturned, Updated, Usage, command,
};
use crate::{Recording, RecordingError, Source};

/// Everything that a recording tells, but the contents of buffers.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// What is known of the recording itself.
    pub annotations: Vec<Annotation>,
    /// The hosts, in the order in which they began.
    pub hosts: Vec<HostLife>,
    /// Everything that happened, in order.
    pub events: Vec<Event>,
    /// What is missing, and what was only counted.
    pub lost: Vec<Lost>,
    /// Events that the ring has dropped, and until when, in nanoseconds.
    pub dropped: (u64, u64),
}

/// A host, from its begin to its end.
#[derive(Clone, Debug, Default)]
pub struct HostLife {
    /// How it began.
    pub host: Host,
    /// What was loaded into it.
    pub libraries: Vec<LoadedLibrary>,
    /// How it died, if it did.
    pub died: Option<Died>,
    /// When it ended in order, in nanoseconds.
    pub ended_ns: Option<u64>,
    /// When the client had made its set-up anew, in nanoseconds, if this host took over.
    pub resumed_ns: Option<u64>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call, and its answer if there was one.
    Call {
        /// The call.
        called: Called,
        /// Its answer.
        answered: Option<Answered>,
    },
    /// A request, and the answer to it if there was one.
    Exchange {
        /// The request.
        requested: Requested,
        /// The answer.
        returned: Option<Returned>,
    },
    /// An answer to no request that is known.
    Unsolicited(Returned),
    /// The library's `update`, and what came back.
    Update {
        /// The update.
        updated: Updated,
        /// What the HAL returned.
        returned: Option<UpdateReturned>,
    },
    /// A line of output.
    Line(Line),
    /// Memory, CPU time and threads.
    Usage(Usage),
}

impl Event {
    /// When it began, in nanoseconds.
    #[must_use]
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Call { called, .. } => called.at_ns,
            Self::Exchange { requested, .. } => requested.at_ns,
            Self::Unsolicited(returned) => returned.at_ns,
            Self::Update { updated, .. } => updated.at_ns,
            Self::Line(line) => line.at_ns,
            Self::Usage(usage) => usage.at_ns,
        }
    }

    /// The host in which it happened.
    #[must_use]
    pub fn host(&self) -> u32 {
        match self {
            Self::Call { called, .. } => called.host,
            Self::Exchange { requested, .. } => requested.host,
            Self::Unsolicited(returned) => returned.host,
            Self::Update { updated, .. } => updated.host,
            Self::Line(line) => line.host,
            Self::Usage(usage) => usage.host,
        }
    }
}

impl HostLife {
    /// The command of a request, as the profile of this host says where it stands.
    #[must_use]
    pub fn command(&self, requested: &Requested) -> u32 {
        command(self.host.command_at, requested.req_id, &requested.header.0).unwrap_or(u32::MAX)
    }
}

impl Session {
    /// Puts a recording together. Memory is bounded by the size of the file.
    ///
    /// # Errors
    /// Where the file changes while it is read.
    pub fn of<S: Source>(recording: &Recording<S>) -> Result<Self, RecordingError> {
        let mut builder = Builder::default();
        for block in recording.events() {
            builder.take(block?);
        }
        Ok(builder.session)
    }

    /// The host of this number.
    #[must_use]
    pub fn host(&self, number: u32) -> Option<&HostLife> {
        self.hosts.iter().find(|life| life.host.host == number)
    }

    /// The begin and the end of everything, in nanoseconds.
    #[must_use]
    pub fn span_ns(&self) -> Option<(u64, u64)> {
        let ends = self.hosts.iter().flat_map(|life| {
            [Some(life.host.at_ns), life.ended_ns, life.died.as_ref().map(|died| died.at_ns)]
        });
        let times = || ends.clone().flatten().chain(self.events.iter().map(Event::at_ns));
        Some((times().min()?, times().max()?))
    }
}

/// Events whose second half has not come yet, by where they stand in [`Session::events`].
#[derive(Default)]
struct Builder {
    session: Session,
    hosts: HashMap<u32, usize>,
    calls: HashMap<(u32, u32), usize>,
    requests: HashMap<Number, usize>,
    updates: HashMap<(u32, u32), usize>,
}

impl Builder {
    fn take(&mut self, block: Block) {
        match block {
            Block::Annotation(annotation) => self.session.annotations.push(annotation),
            Block::Host(host) => {
                self.hosts.entry(host.host).or_insert(self.session.hosts.len());
                self.session.hosts.push(HostLife { host, ..HostLife::default() });
            }
            Block::Libraries(Libraries { host, libraries }) => {
                self.with_host(host, |life| life.libraries = libraries);
            }
            Block::Called(called) => {
                let key = (called.host, called.cookie);
                let at = self.push(Event::Call { called, answered: None });
                self.calls.insert(key, at);
            }
            Block::Answered(answered) => {
                let at = self.calls.remove(&(answered.host, answered.cookie));
                if let Some(Event::Call { answered: open, .. }) = self.event(at) {
                    *open = Some(answered);
                }
            }
            Block::Requested(requested) => {
                let number = requested.number;
                let at = self.push(Event::Exchange { requested, returned: None });
                self.requests.insert(number, at);
            }
            Block::Returned(answer) => self.returned(answer),
            Block::Updated(updated) => {
                let key = (updated.host, updated.upd_id);
                let at = self.push(Event::Update { updated, returned: None });
                self.updates.insert(key, at);
            }
            Block::UpdateReturned(back) => {
                let at = self.updates.remove(&(back.host, back.upd_id));
                if let Some(Event::Update { returned, .. }) = self.event(at) {
                    *returned = Some(back);
                }
            }
            Block::Line(line) => drop(self.push(Event::Line(line))),
            Block::Usage(usage) => drop(self.push(Event::Usage(usage))),
            Block::Died(died) => self.with_host(died.host, |life| life.died = Some(died.clone())),
            Block::Ended(ended) => {
                self.with_host(ended.host, |life| life.ended_ns = Some(ended.at_ns));
            }
            Block::Resumed(resumed) => {
                self.with_host(resumed.host, |life| life.resumed_ns = Some(resumed.at_ns));
            }
            Block::Lost(lost) => self.session.lost.push(lost),
            Block::Counted(counted) => self.session.lost.push(lost(&counted)),
            Block::Dropped(dropped) => self.session.dropped = (dropped.events, dropped.until_ns),
            Block::Pages(_) | Block::Content(_) => {}
        }
    }

    /// An answer goes to its request; a second one to the same, or one to none, stands alone.
    fn returned(&mut self, answer: Returned) {
        let at = self.requests.remove(&answer.request);
        match self.event(at) {
            Some(Event::Exchange { returned, .. }) => *returned = Some(answer),
            _ => drop(self.push(Event::Unsolicited(answer))),
        }
    }

    fn push(&mut self, event: Event) -> usize {
        self.session.events.push(event);
        self.session.events.len() - 1
    }

    fn event(&mut self, at: Option<usize>) -> Option<&mut Event> {
        self.session.events.get_mut(at?)
    }

    fn with_host(&mut self, number: u32, change: impl FnOnce(&mut HostLife)) {
        let at = self.hosts.get(&number).copied();
        if let Some(life) = at.and_then(|at| self.session.hosts.get_mut(at)) {
            change(life);
        }
    }
}

/// What was only counted, as something that is missing.
fn lost(counted: &Counted) -> Lost {
    let what = match counted.of_kind {
        Returned::KIND => "answers to no request",
        Answered::KIND => "answers to no call",
        Updated::KIND => "updates",
        _ => "events",
    };
    let reason = format!("{what} came in a flood and were only counted");
    Lost { host: counted.host, at_ns: counted.at_ns, events: counted.events, reason }
}
