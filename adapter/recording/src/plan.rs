//! Which events stay when a recording is made smaller.

use std::collections::{HashMap, HashSet};
use std::io;

use crate::block::{Block, Call, ContentId, command};
use crate::compact::{Costs, Keep, Needed, read};
use crate::ended::{Answer, Asked, Endings};
use crate::frame::BLOCK_BYTES;
use crate::reader::Recording;
use crate::registered::Registered;
use crate::room::Room;
use crate::source::Source;

/// Hosts that are told of, though nothing is left of what happened in them.
const MAX_OLD_HOSTS: usize = 1000;

/// How often the newest part is chosen anew where what has to stay beside it takes too much.
const ATTEMPTS: u32 = 4;

/// The numbers of `cami_wire::control::Role`, as recordings have them.
mod role {
    pub const SET_UP: u32 = 1;
    pub const STATE: u32 = 2;
    pub const TEAR_DOWN: u32 = 3;
}

/// What stays.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    kept: Vec<bool>,
    /// The first event from which on all stay.
    pub(crate) newest: usize,
    pub(crate) contents: HashSet<ContentId>,
    pub(crate) pages: HashSet<u64>,
    pub(crate) dropped: u64,
    pub(crate) dropped_before: u64,
    pub(crate) until_ns: u64,
}

/// What has to be known of an event.
#[derive(Debug)]
struct Fact {
    bytes: u64,
    at_ns: u64,
    host: u32,
    content: ContentId,
    /// The other half: of a call its answer, of a request its callback, and the other way round.
    partner: Option<usize>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Told of the recording.
    Annotation,
    /// Told of a host, whatever is left of it.
    Life,
    /// Told of a host of which something is left.
    Libraries,
    /// Superseded.
    Dropped,
    Called {
        call: Option<Call>,
        handles: Vec<i32>,
    },
    Answered {
        call: Option<Call>,
        value: i32,
    },
    Requested {
        role: u32,
        /// The command and the buffer.
        of: (u32, i32),
    },
    Returned,
    Passing,
    /// A library says it as often as it likes.
    Unasked,
}

impl Plan {
    pub(crate) fn of<S: Source>(
        recording: &Recording<S>,
        keep: Keep<'_>,
        go_on: &mut impl FnMut() -> bool,
    ) -> io::Result<Self> {
        let mut plan = Self::default();
        let mut endings = Endings::new(keep.rules);
        let facts = plan.facts(recording, &mut endings, go_on)?;
        let mut needed = Needed::new(Costs::of(recording)?);
        let mut room = keep.bytes;
        for _ in 0..ATTEMPTS {
            plan.kept = vec![false; facts.len()];
            needed.clear();
            keep.contents.iter().for_each(|&content| needed.add(recording, content));
            let newest = Room { bytes: room.saturating_sub(needed.bytes), events: keep.events };
            let live = plan.choose(recording, &facts, &endings, newest, &mut needed, go_on)?;
            plan.set_up(recording, &facts, &mut endings, &live);
            plan.partners(&facts);
            // The last states and partners of what stays are known only now.
            let excess = plan.bytes(recording, &facts, &mut needed).saturating_sub(keep.bytes);
            if excess <= keep.bytes / 8 || room == 0 {
                break;
            }
            room = room.saturating_sub(excess);
        }
        for (event, fact) in facts.iter().enumerate() {
            if matches!(fact.what, What::Dropped) {
                // A new one takes its place.
                plan.kept.iter_mut().skip(event).take(1).for_each(|kept| *kept = false);
            } else if plan.keeps(event) {
                needed.add(recording, fact.content);
            } else {
                plan.dropped += 1;
                plan.until_ns = plan.until_ns.max(fact.at_ns);
            }
        }
        plan.contents = needed.contents;
        plan.pages = needed.pages;
        Ok(plan)
    }

    /// What is chosen takes in the file, about.
    fn bytes<S: Source>(
        &self,
        recording: &Recording<S>,
        facts: &[Fact],
        needed: &mut Needed,
    ) -> u64 {
        let mut bytes = 0_u64;
        for (_, fact) in facts.iter().enumerate().filter(|(event, _)| self.keeps(*event)) {
            needed.add(recording, fact.content);
            bytes = bytes.saturating_add(fact.bytes);
        }
        bytes.saturating_add(needed.bytes)
    }

    pub(crate) fn keeps(&self, event: usize) -> bool {
        self.kept.get(event).copied().unwrap_or(false)
    }

    fn keep(&mut self, event: usize) {
        if let Some(kept) = self.kept.get_mut(event) {
            *kept = true;
        }
    }

    fn facts<S: Source>(
        &mut self,
        recording: &Recording<S>,
        endings: &mut Endings<'_>,
        go_on: &mut impl FnMut() -> bool,
    ) -> io::Result<Vec<Fact>> {
        let mut facts: Vec<Fact> = Vec::new();
        let mut calls = HashMap::new();
        let mut requests = HashMap::new();
        let mut command_at = HashMap::new();
        for (event, &place) in recording.event_places().iter().enumerate() {
            if !go_on() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let mut partner = None;
            let block = read(recording, place)?;
            let (host, content) = (block.host().unwrap_or(0), block.content());
            let at_ns = block.at_ns().unwrap_or(0);
            let what = match block {
                Block::Annotation(_) => What::Annotation,
                Block::Host(block) => {
                    endings.host(&block);
                    command_at.insert(block.host, block.command_at);
                    What::Life
                }
                Block::Died(_) | Block::Ended(_) | Block::Resumed(_) => What::Life,
                Block::Libraries(_) => What::Libraries,
                Block::Dropped(block) => {
                    self.dropped_before = self.dropped_before.max(block.events);
                    self.until_ns = self.until_ns.max(block.until_ns);
                    What::Dropped
                }
                Block::Called(block) => {
                    calls.insert((block.host, block.cookie), event);
                    let call = Call::of_number(block.call);
                    What::Called { call, handles: block.handles }
                }
                Block::Answered(block) => {
                    partner = calls.remove(&(block.host, block.cookie));
                    let call = Call::of_number(block.call);
                    match partner {
                        None => What::Unasked,
                        Some(_) => What::Answered { call, value: block.value },
                    }
                }
                Block::Requested(block) => {
                    requests.insert(block.number, event);
                    let at = command_at.get(&block.host).copied().unwrap_or(0);
                    let command = command(at, block.req_id, &block.header.0).unwrap_or(0);
                    What::Requested { role: block.role, of: (command, block.handle) }
                }
                Block::Returned(block) => {
                    partner = requests.remove(&block.request);
                    let answer = Answer { event, status: block.status, content: block.content };
                    let asked = partner.and_then(|first| Some((first, facts.get(first)?)));
                    if let Some(asked) = asked.and_then(|(first, fact)| fact.asked(first))
                        && asked.1 != role::STATE
                    {
                        endings.answered(recording, asked.0, answer);
                    }
                    if block.request == 0 { What::Unasked } else { What::Returned }
                }
                Block::Updated(_) | Block::UpdateReturned(_) | Block::Line(_) => What::Unasked,
                Block::Usage(_)
                | Block::Counted(_)
                | Block::Lost(_)
                | Block::Pages(_)
                | Block::Content(_) => What::Passing,
            };
            if let Some(first) = partner.and_then(|first| facts.get_mut(first)) {
                first.partner = Some(event);
            }
            let bytes = BLOCK_BYTES + place.header.bytes.next_multiple_of(8);
            facts.push(Fact { bytes, at_ns, host, content, partner, what });
        }
        Ok(facts)
    }

    /// Goes back from the end as far as there is room, each host's set-up counted; the hosts that
    /// the newest part tells of.
    fn choose<S: Source>(
        &mut self,
        recording: &Recording<S>,
        facts: &[Fact],
        endings: &Endings<'_>,
        mut room: Room,
        needed: &mut Needed,
        go_on: &mut impl FnMut() -> bool,
    ) -> io::Result<HashSet<u32>> {
        let mut set_up: HashMap<u32, Vec<&Fact>> = HashMap::new();
        let mut asked_for = Room::default();
        for (event, fact) in facts.iter().enumerate() {
            match fact.what {
                What::Annotation | What::Life => room.bytes = room.bytes.saturating_sub(fact.bytes),
                _ if is_set_up(fact) && !endings.is_ended(event, usize::MAX) => {
                    set_up.entry(fact.host).or_default().push(fact);
                }
                _ => {}
            }
            if !matches!(fact.what, What::Unasked) {
                asked_for.add(fact.bytes);
            }
        }
        let mut unasked = room.part_beside(asked_for, recording);
        let ended = endings.by_answer();
        let mut live = HashSet::new();
        self.newest = facts.len();
        for (event, fact) in facts.iter().enumerate().rev() {
            if !go_on() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let is_unasked = matches!(fact.what, What::Unasked);
            // Of these the newest are there.
            if is_unasked && unasked.is_spent() {
                self.newest = event;
                continue;
            }
            let mut cost = fact.bytes.saturating_add(needed.cost(recording, fact.content));
            if is_unasked && !unasked.take(cost) {
                self.newest = event;
                continue;
            }
            if fact.host != 0 && !live.contains(&fact.host) {
                for fact in set_up.get(&fact.host).into_iter().flatten() {
                    cost = cost.saturating_add(fact.bytes);
                    cost = cost.saturating_add(needed.cost(recording, fact.content));
                    // The last host's is kept whatever it takes.
                    if live.is_empty() {
                        needed.add(recording, fact.content);
                    }
                }
            }
            // With the end of it, set-up is needed that was before.
            let revived = ended.get(&event).into_iter().flatten();
            let revived: Vec<&Fact> = revived.filter_map(|&made| facts.get(made)).collect();
            for fact in &revived {
                cost = cost.saturating_add(fact.bytes);
                cost = cost.saturating_add(needed.cost(recording, fact.content));
            }
            if !room.take(cost) && !live.is_empty() {
                break;
            }
            if fact.host != 0 && live.insert(fact.host) {
                for fact in set_up.get(&fact.host).into_iter().flatten() {
                    needed.add(recording, fact.content);
                }
            }
            revived.iter().for_each(|fact| needed.add(recording, fact.content));
            needed.add(recording, fact.content);
            self.newest = event;
            self.keep(event);
        }
        Ok(live)
    }

    /// What was before the newest part, and has to be there for it.
    fn set_up<S: Source>(
        &mut self,
        recording: &Recording<S>,
        facts: &[Fact],
        endings: &mut Endings<'_>,
        live: &HashSet<u32>,
    ) {
        let old: Vec<u32> = {
            let hosts = facts.iter().filter(|fact| matches!(fact.what, What::Life));
            let mut hosts: Vec<u32> = hosts.map(|fact| fact.host).collect();
            hosts.dedup();
            hosts.split_off(hosts.len().saturating_sub(MAX_OLD_HOSTS))
        };
        let old: HashSet<u32> = old.into_iter().collect();
        let mut registered = Registered::default();
        let mut states: HashMap<(u32, (u32, i32)), usize> = HashMap::new();
        for (event, fact) in facts.iter().enumerate().take(self.newest) {
            let here = live.contains(&fact.host);
            match &fact.what {
                What::Annotation => self.keep(event),
                What::Life if here || old.contains(&fact.host) => self.keep(event),
                What::Libraries if here => self.keep(event),
                What::Called { call: Some(Call::DeregisterBuffers), handles } if here => {
                    for answer in registered.end(fact.host, handles) {
                        self.keep(answer);
                        self.keep(event);
                    }
                }
                What::Answered { call: Some(Call::RegisterBuffer), value } if here => {
                    registered.begin(fact.host, *value, event);
                }
                What::Called { .. } if here && is_set_up(fact) => self.keep(event),
                What::Requested { role, of } if here => {
                    let answered_later = fact.partner.is_some_and(|answer| answer >= self.newest);
                    let is_ended = endings.is_ended(event, self.newest);
                    if is_set_up(fact) && !is_ended || answered_later {
                        self.keep(event);
                        registered.name(fact.host, of.1);
                    }
                    if *role == role::STATE {
                        registered.name(fact.host, of.1);
                        states.insert((fact.host, *of), event);
                    }
                }
                _ => {}
            }
        }
        registered.answers().for_each(|answer| self.keep(answer));
        for event in states.into_values() {
            let asked = facts.get(event).and_then(|fact| fact.asked(event));
            if !asked
                .is_some_and(|(asked, _)| endings.is_state_ended(recording, asked, self.newest))
            {
                self.keep(event);
            }
        }
    }

    /// No half without the other.
    fn partners(&mut self, facts: &[Fact]) {
        for (event, fact) in facts.iter().enumerate() {
            if self.keeps(event)
                && let Some(partner) = fact.partner
            {
                self.keep(partner);
            }
        }
    }
}

/// Whether an event is part of what a host was made with.
fn is_set_up(fact: &Fact) -> bool {
    match &fact.what {
        What::Requested { role, .. } => matches!(*role, role::SET_UP | role::TEAR_DOWN),
        What::Called { call, .. } => {
            matches!(call, Some(Call::Load | Call::Initialize | Call::Deinitialize))
        }
        _ => false,
    }
}

impl Fact {
    /// A request whose role is known, and the role.
    fn asked(&self, event: usize) -> Option<(Asked, u32)> {
        let What::Requested { role, of: (command, _) } = self.what else { return None };
        let (host, content) = (self.host, self.content);
        (role != 0).then_some((Asked { event, host, command, content }, role))
    }
}
