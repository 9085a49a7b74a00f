//! Which recorded answer a request gets.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use cami_recording::session::HostLife;
use cami_recording::{Image, PageCache, Recording, RecordingError, Session, block};
use cami_replay::{After, Death, Exchange, Host, Protocol, Update};

use crate::book::{Book, Reply};
use crate::settings::{End, Mode, Settings};

/// What is kept of what buffers hold, in bytes; beyond that it is put together anew.
const MAX_IMAGE_BYTES: usize = 256 << 20;
/// How many recorded requests are unpacked ahead.
const AHEAD: usize = 64;

/// A recording, and how far its requests have been made.
#[derive(Debug)]
pub struct Script {
    recording: Recording,
    protocol: Protocol,
    host: u32,
    exchanges: Vec<Exchange>,
    updates: Vec<Update>,
    /// The updates that come after something, as places in `updates`.
    updates_after: HashMap<After, Vec<usize>>,
    death: Option<Death>,
    /// The requests of each command, as places in `exchanges`.
    by_command: HashMap<u32, Vec<usize>>,
    /// How often each command was asked for.
    asked: HashMap<u32, usize>,
    command_at: u32,
    mode: Mode,
    end: End,
    /// What the recorded buffers hold, by their recorded handles.
    images: HashMap<i32, Image>,
    cache: PageCache,
    /// The request that was made last, and the one that is unpacked next.
    last: usize,
    ahead: usize,
}

/// A request, and what becomes of it.
#[derive(Debug)]
pub struct Turn {
    /// Which recorded one it is, as its place among the host's; `None`: the recording has none for it.
    pub place: Option<usize>,
    /// What becomes of it.
    pub reply: Reply,
}

/// What an update brings.
#[derive(Debug)]
pub struct Sent {
    /// The library's number.
    pub upd_id: u32,
    /// The header.
    pub header: Vec<u8>,
    /// What its buffer holds; `None`: it has none.
    pub content: Option<Vec<u8>>,
    /// Why the buffer of the recorded one is missing.
    pub missing: Option<String>,
}

/// There is nothing to answer from.
#[derive(Debug)]
pub enum NoScript {
    /// The recording cannot be read.
    Recording(RecordingError),
    /// It has no such host, or its profile is unknown.
    Content(String),
}

impl fmt::Display for NoScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording(error) => error.fmt(f),
            Self::Content(text) => f.write_str(text),
        }
    }
}

impl Script {
    /// Opens a recording. `deaths`: how many recorded deaths were made again; each leads to the host
    /// that followed. `None`: they are not.
    ///
    /// # Errors
    /// [`NoScript`].
    pub fn open(settings: &Settings, deaths: Option<u64>) -> Result<Self, NoScript> {
        let path: &Path = &settings.file;
        let recording = Recording::open(path).map_err(NoScript::Recording)?;
        let session = Session::of(&recording).map_err(NoScript::Recording)?;
        let first = match settings.host {
            Some(number) => session.hosts.iter().position(|life| life.host.host == number),
            None => Some(0),
        };
        let lives = first.and_then(|first| session.hosts.get(first..)).unwrap_or_default();
        let (life, died) = after_deaths(lives, deaths.unwrap_or(0)).ok_or_else(|| {
            NoScript::Content(match settings.host {
                Some(number) => format!("has no host {number}; it has {}", session.hosts.len()),
                None => "has no host".to_owned(),
            })
        })?;
        let protocol = Protocol::recorded(&session, &life.host.profile)
            .map_err(|error| NoScript::Content(error.to_string()))?;
        let bytes = |content| recording.outline(content).ok().map(|outline| outline.bytes);
        let host = Host::of(&session, life, &protocol, bytes);
        let exchanges: Vec<Exchange> = host.exchanges().cloned().collect();
        let mut by_command: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, exchange) in exchanges.iter().enumerate() {
            by_command.entry(exchange.command).or_default().push(place);
        }
        let mut updates_after: HashMap<After, Vec<usize>> = HashMap::new();
        for (place, update) in host.updates.iter().enumerate() {
            updates_after.entry(update.after).or_default().push(place);
        }
        Ok(Self {
            protocol,
            host: host.number,
            exchanges,
            updates: host.updates,
            updates_after,
            // One that was made again already is not made twice.
            death: host.death.filter(|_| deaths == Some(died)),
            by_command,
            asked: HashMap::new(),
            command_at: life.host.command_at,
            mode: settings.mode,
            end: settings.end,
            images: HashMap::new(),
            cache: PageCache::default(),
            last: 0,
            ahead: 0,
            recording,
        })
    }

    /// The host's number in the recording.
    #[must_use]
    pub fn host(&self) -> u32 {
        self.host
    }

    /// The death that is to be made again.
    #[must_use]
    pub fn death(&self) -> Option<&Death> {
        self.death.as_ref()
    }

    /// A recorded request.
    #[must_use]
    pub fn exchange(&self, place: usize) -> Option<&Exchange> {
        self.exchanges.get(place)
    }

    /// A recorded update.
    #[must_use]
    pub fn update(&self, place: usize) -> Option<&Update> {
        self.updates.get(place)
    }

    /// The updates that come after something, as their places among the host's.
    #[must_use]
    pub fn updates_after(&self, after: After) -> &[usize] {
        self.updates_after.get(&after).map_or(&[], Vec::as_slice)
    }

    /// What an update brings; `None`: there is no such.
    pub fn sent(&mut self, place: usize) -> Option<Sent> {
        let update = self.updates.get(place)?;
        let (upd_id, header) = (update.upd_id, update.header.clone());
        let (content, missing) = match update.content {
            0 if update.content_errno == 0 => (None, None),
            0 => (None, Some(format!("it was not recorded (errno {})", update.content_errno))),
            number => match self.recording.part(number, 0..u64::MAX, &mut self.cache) {
                Ok(content) => (Some(content), None),
                Err(error) => (None, Some(format!("the recording {error}"))),
            },
        };
        Some(Sent { upd_id, header, content, missing })
    }

    /// What it is, in words.
    #[must_use]
    pub fn title(&self) -> String {
        let frames = self.exchanges.iter().filter_map(|exchange| exchange.frame).max();
        format!(
            "{} requests, {}{} frames, profile {}, {}; {}",
            self.exchanges.len(),
            match self.updates.len() {
                0 => String::new(),
                count => format!("{count} updates, "),
            },
            frames.map_or(0, |last| last + 1),
            self.protocol.profile().name,
            match self.mode {
                Mode::Strict => "strict",
                Mode::Lenient => "lenient",
            },
            self.recording.ending(),
        )
    }

    /// The status of a request that cannot be carried out.
    #[must_use]
    pub fn error_status(&self) -> u32 {
        self.protocol.profile().error_status
    }

    /// Takes the next request; `buffer` is what its buffer holds, and is changed to what it is to hold.
    pub fn turn(&mut self, req_id: u32, header: &[u8], buffer: Option<&mut [u8]>) -> Turn {
        let command = self.command(req_id, header);
        let times = self.asked.entry(command).or_default();
        let time = *times;
        *times += 1;
        let status = self.error_status();
        let refuse = |why| Reply::Refuse { status, why };
        let Some(place) = self.find(command, time) else {
            let name = self.protocol.name(command);
            let why = match self.by_command.get(&command).map_or(0, Vec::len) {
                0 => format!("{name} is not in the recording"),
                recorded => format!("{name}: the recording has {recorded}, and ends"),
            };
            return Turn { place: None, reply: refuse(why) };
        };
        if place < self.last {
            self.ahead = place;
        }
        self.last = place;
        let Self { recording, protocol, mode, exchanges, images, cache, .. } = self;
        let (protocol, recording, mode) = (&*protocol, &*recording, *mode);
        let Some(exchange) = exchanges.get(place) else {
            return Turn { place: None, reply: refuse(String::new()) };
        };
        if images.values().map(|image| image.contents().len()).sum::<usize>() > MAX_IMAGE_BYTES {
            images.clear();
        }
        let mut image = images.remove(&exchange.handle).unwrap_or_default();
        let reply = Book { protocol, mode, recording }
            .reply(exchange, &mut image, cache, buffer)
            .unwrap_or_else(|why| refuse(format!("{}: {why}", exchange.title(protocol))));
        images.insert(exchange.handle, image);
        Turn { place: Some(place), reply }
    }

    /// Unpacks what one of the next requests needs, while nobody waits; false where nothing is left to do.
    pub fn unpack_ahead(&mut self) -> bool {
        self.ahead = self.ahead.max(self.last);
        if self.ahead > self.last.saturating_add(AHEAD) {
            return false;
        }
        let Some(exchange) = self.exchanges.get(self.ahead) else { return false };
        self.ahead += 1;
        let answer = exchange.answer.map_or(0, |answer| answer.content);
        for content in [exchange.content, answer].into_iter().filter(|&content| content != 0) {
            // What is wrong with it is told when it is asked for.
            let _ = self.recording.unpack_ahead(content, &mut self.cache);
        }
        true
    }

    fn command(&self, req_id: u32, header: &[u8]) -> u32 {
        block::command(self.command_at, req_id, header).unwrap_or(u32::MAX)
    }

    /// The recorded request of a command, by how often it was asked for before.
    fn find(&self, command: u32, time: usize) -> Option<usize> {
        let places = self.by_command.get(&command)?;
        if let Some(place) = places.get(time) {
            return Some(*place);
        }
        if self.end != End::Loop {
            return None;
        }
        let frame = |place: &&usize| self.exchanges.get(**place).and_then(|e| e.frame);
        let again: Vec<&usize> = places.iter().filter(|p| frame(p) >= Some(1)).collect();
        again.get((time - places.len()).checked_rem(again.len())?).map(|place| **place)
    }
}

/// The host that follows on so many deaths, and how many lead to it: fewer where the recording has
/// fewer.
fn after_deaths(lives: &[HostLife], deaths: u64) -> Option<(&HostLife, u64)> {
    let mut count = 0;
    let mut lives = lives.iter();
    let mut life = lives.next()?;
    while count < deaths && life.died.is_some() {
        let Some(next) = lives.next() else { break };
        life = next;
        count += 1;
    }
    Some((life, count))
}
