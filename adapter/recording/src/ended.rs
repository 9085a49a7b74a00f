//! Which set-up was ended again, so that nobody needs it any more.
//!
//! As the client's journal has it (`adapter/client/src/journal`), by the same rules: a request that failed
//! leaves nothing; a tear-down ends what gave or named its addresses, and the commands that its rule
//! names; a set-up of the same command and instance takes the place of the one before, where neither
//! gives an address. Where contents are missing nothing is known to be ended.

use std::collections::{HashMap, HashSet};

use cami_wire::control::{CommandRule, Role};

use crate::block::{ContentId, Host};
use crate::reader::{PageCache, Recording};
use crate::source::Source;

/// What is known of a protocol's commands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'a> {
    /// The profile's name: they hold for hosts with this one.
    pub profile: &'a str,
    /// Each command that something is known of.
    pub commands: &'a [CommandRule],
}

/// A request of which something may be left in the library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Where it stands among the events.
    pub(crate) event: usize,
    pub(crate) host: u32,
    pub(crate) command: u32,
    pub(crate) content: ContentId,
}

/// Its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// Where it stands among the events.
    pub(crate) event: usize,
    pub(crate) status: u32,
    pub(crate) content: ContentId,
}

/// Set-up that was carried out, and not ended yet.
#[derive(Debug)]
struct Made {
    event: usize,
    command: u32,
    instance: Option<u32>,
    gave: Option<u64>,
    took: Vec<u64>,
}

/// A tear-down that was carried out.
#[derive(Debug)]
struct Torn {
    answer: usize,
    host: u32,
    addresses: Vec<u64>,
    commands: Vec<u32>,
}

impl Torn {
    fn ends(&self, command: u32, gave: Option<u64>, took: &[u64]) -> bool {
        let named = |address: &u64| gave == Some(*address) || took.contains(address);
        self.commands.contains(&command) || self.addresses.iter().any(named)
    }
}

/// What was ended, and by which answer.
#[derive(Debug)]
pub(crate) struct Endings<'a> {
    rules: Rules<'a>,
    /// Hosts for which the rules hold, and their status of success.
    hosts: HashMap<u32, u32>,
    made: HashMap<u32, Vec<Made>>,
    torn: Vec<Torn>,
    ended: HashMap<usize, usize>,
    cache: PageCache,
}

impl<'a> Endings<'a> {
    pub(crate) fn new(rules: Rules<'a>) -> Self {
        Self {
            rules,
            hosts: HashMap::new(),
            made: HashMap::new(),
            torn: Vec::new(),
            ended: HashMap::new(),
            cache: PageCache::default(),
        }
    }

    /// A host begins.
    pub(crate) fn host(&mut self, host: &Host) {
        if host.profile == self.rules.profile {
            self.hosts.insert(host.host, host.ok_status);
        }
    }

    fn rule(&self, command: u32) -> Option<&'a CommandRule> {
        self.rules.commands.iter().find(|rule| rule.id == command)
    }

    /// A set-up or a tear-down is answered. Answers come in their order.
    pub(crate) fn answered<S: Source>(
        &mut self,
        recording: &Recording<S>,
        asked: Asked,
        answer: Answer,
    ) {
        let Some(&ok) = self.hosts.get(&asked.host) else { return };
        if answer.status != ok {
            self.ended.insert(asked.event, answer.event);
            return;
        }
        let Some(rule) = self.rule(asked.command) else { return };
        let Some(took) = self.addresses(recording, rule, asked.content) else { return };
        match rule.role {
            Role::TearDown => {
                let torn = Torn {
                    answer: answer.event,
                    host: asked.host,
                    addresses: took,
                    commands: rule.ends.clone(),
                };
                let made = self.made.entry(asked.host).or_default();
                for ended in
                    made.extract_if(.., |made| torn.ends(made.command, made.gave, &made.took))
                {
                    self.ended.insert(ended.event, answer.event);
                }
                self.ended.insert(asked.event, answer.event);
                self.torn.push(torn);
            }
            Role::SetUp => {
                let mut gave = None;
                if let Some(offset) = rule.gives {
                    gave = self.word(recording, answer.content, offset).map(u64::from_le_bytes);
                    if gave.is_none() {
                        return;
                    }
                }
                let mut instance = None;
                if let Some(offset) = rule.instance {
                    instance = self.word(recording, asked.content, offset).map(u32::from_le_bytes);
                    if instance.is_none() {
                        return;
                    }
                }
                let made = self.made.entry(asked.host).or_default();
                let same = |made: &mut Made| {
                    (made.command, made.instance) == (asked.command, instance)
                        && made.gave.is_none()
                        && gave.is_none()
                };
                for ended in made.extract_if(.., same) {
                    self.ended.insert(ended.event, answer.event);
                }
                let (event, command) = (asked.event, asked.command);
                made.push(Made { event, command, instance, gave, took });
            }
            Role::Plain | Role::State => {}
        }
    }

    /// Whether a request was ended before an event.
    pub(crate) fn is_ended(&self, event: usize, before: usize) -> bool {
        self.ended.get(&event).is_some_and(|&end| end < before)
    }

    /// The requests that each answer ended.
    pub(crate) fn by_answer(&self) -> HashMap<usize, Vec<usize>> {
        let mut by_answer: HashMap<usize, Vec<usize>> = HashMap::new();
        for (&event, &answer) in &self.ended {
            by_answer.entry(answer).or_default().push(event);
        }
        by_answer
    }

    /// Whether a state was ended, with what it was of, before an event.
    pub(crate) fn is_state_ended<S: Source>(
        &mut self,
        recording: &Recording<S>,
        asked: Asked,
        before: usize,
    ) -> bool {
        if !self.hosts.contains_key(&asked.host) {
            return false;
        }
        let Some(rule) = self.rule(asked.command) else { return false };
        let Some(took) = self.addresses(recording, rule, asked.content) else { return false };
        self.torn.iter().any(|torn| {
            torn.host == asked.host
                && torn.answer > asked.event
                && torn.answer < before
                && torn.ends(asked.command, None, &took)
        })
    }

    /// The addresses that a request names; `None` where that cannot be seen.
    fn addresses<S: Source>(
        &mut self,
        recording: &Recording<S>,
        rule: &CommandRule,
        content: ContentId,
    ) -> Option<Vec<u64>> {
        let words = rule
            .takes
            .iter()
            .map(|&offset| self.word(recording, content, offset).map(u64::from_le_bytes));
        let words: Option<HashSet<u64>> = words.collect();
        // A null pointer names nothing.
        Some(words?.into_iter().filter(|&word| word != 0).collect())
    }

    fn word<S: Source, const N: usize>(
        &mut self,
        recording: &Recording<S>,
        content: ContentId,
        offset: u32,
    ) -> Option<[u8; N]> {
        let start = u64::from(offset);
        let part = start..start.saturating_add(N as u64);
        let bytes = recording.part(content, part, &mut self.cache).ok()?;
        bytes.try_into().ok()
    }
}
