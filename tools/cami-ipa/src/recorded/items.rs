//! Everything that a recording tells, in one order.

use cami_recording::block::{Died, Lost};
use cami_recording::session::{Event, HostLife};

use super::{Exchange, Recorded};

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A host began.
    Began(&'a HostLife),
    /// It took over from the one before: what it was told until then was said again.
    Resumed(&'a HostLife),
    /// Its process died.
    Died(&'a Died),
    /// It ended in order.
    Ended(&'a HostLife),
    /// Events are missing.
    Lost(&'a Lost),
    /// A request.
    Request(Exchange<'a>),
    /// Anything else, and its frame.
    Event(&'a Event, Option<u32>),
}

impl Item<'_> {
    /// The kinds, as `--kind` and the data name them.
    pub const KINDS: [&'static str; 11] = [
        "host",
        "resumed",
        "died",
        "ended",
        "lost",
        "request",
        "call",
        "unsolicited",
        "update",
        "line",
        "usage",
    ];

    /// Its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Began(_) => "host",
            Self::Resumed(_) => "resumed",
            Self::Died(_) => "died",
            Self::Ended(_) => "ended",
            Self::Lost(_) => "lost",
            Self::Request(_) | Self::Event(Event::Exchange { .. }, _) => "request",
            Self::Event(Event::Call { .. }, _) => "call",
            Self::Event(Event::Unsolicited(_), _) => "unsolicited",
            Self::Event(Event::Update { .. }, _) => "update",
            Self::Event(Event::Line(_), _) => "line",
            Self::Event(Event::Usage(_), _) => "usage",
        }
    }

    /// When, in nanoseconds.
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Began(life) => life.host.at_ns,
            Self::Resumed(life) => life.resumed_ns.unwrap_or(0),
            Self::Ended(life) => life.ended_ns.unwrap_or(0),
            Self::Died(died) => died.at_ns,
            Self::Lost(lost) => lost.at_ns,
            Self::Request(exchange) => exchange.requested.at_ns,
            Self::Event(event, _) => event.at_ns(),
        }
    }

    /// In which host.
    pub fn host(&self) -> u32 {
        match self {
            Self::Began(life) | Self::Resumed(life) | Self::Ended(life) => life.host.host,
            Self::Died(died) => died.host,
            Self::Lost(lost) => lost.host,
            Self::Request(exchange) => exchange.requested.host,
            Self::Event(event, _) => event.host(),
        }
    }

    /// In which frame.
    pub fn frame(&self) -> Option<u32> {
        match self {
            Self::Request(exchange) => exchange.frame,
            Self::Event(_, frame) => *frame,
            _ => None,
        }
    }
}

impl Recorded {
    /// What became of the hosts, and what is missing, by time.
    pub fn landmarks(&self) -> Vec<Item<'_>> {
        let mut marks: Vec<Item<'_>> = self.session.lost.iter().map(Item::Lost).collect();
        for life in &self.session.hosts {
            marks.push(Item::Began(life));
            marks.extend(life.resumed_ns.map(|_| Item::Resumed(life)));
            marks.extend(life.died.as_ref().map(Item::Died));
            marks.extend(life.ended_ns.map(|_| Item::Ended(life)));
        }
        marks.sort_by_key(Item::at_ns);
        marks
    }

    /// Everything: events in the order of the file, and landmarks before the first that is later.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let mut marks = self.landmarks().into_iter().peekable();
        let mut events = self
            .events()
            .map(|(event, frame)| match event {
                Event::Exchange { requested, returned } => {
                    Item::Request(self.exchange(requested, returned.as_ref(), frame))
                }
                _ => Item::Event(event, frame),
            })
            .peekable();
        std::iter::from_fn(move || {
            let mark_first = match (marks.peek(), events.peek()) {
                // What a host did not live to see comes behind its last event.
                (Some(mark), Some(event)) => match mark {
                    Item::Began(_) => mark.at_ns() <= event.at_ns(),
                    _ => mark.at_ns() < event.at_ns(),
                },
                (mark, _) => mark.is_some(),
            };
            if mark_first { marks.next() } else { events.next() }
        })
    }
}
