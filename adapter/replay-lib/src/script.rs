//! Which recorded answer a request gets.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use cami_ipu3::fields::Direction;
use cami_recording::{Recording, RecordingError, Session, block};
use cami_replay::addresses::{put, word};
use cami_replay::{Exchange, Host, Protocol, Side, Tolerances, compare};

use crate::settings::{End, Mode, Settings};

/// What is compared in one piece before its bytes are looked at.
const PIECE_BYTES: usize = 256;

/// A recording, and how far its requests have been made.
#[derive(Debug)]
pub struct Script {
    recording: Recording,
    protocol: Protocol,
    exchanges: Vec<Exchange>,
    /// The requests of each command, as places in `exchanges`.
    by_command: HashMap<u32, Vec<usize>>,
    /// How often each command was asked for.
    asked: HashMap<u32, usize>,
    command_at: u32,
    mode: Mode,
    end: End,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// It is answered.
    Answer {
        /// The recorded status.
        status: u32,
        /// What the buffer is to hold; `None`: what it holds.
        content: Option<Vec<u8>>,
        /// The time that the recorded answer took.
        after: Duration,
        /// A difference between this request and the recorded one, which was let pass.
        unlike: Option<String>,
    },
    /// It is answered with this status, for this reason.
    Refuse {
        /// The profile's error status.
        status: u32,
        /// Why, for the log.
        why: String,
    },
    /// It is not answered, as the recorded one was not.
    Silence {
        /// Which, for the log.
        why: String,
    },
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
    /// Opens a recording.
    ///
    /// # Errors
    /// [`NoScript`].
    pub fn open(settings: &Settings) -> Result<Self, NoScript> {
        let path: &Path = &settings.file;
        let recording = Recording::open(path).map_err(NoScript::Recording)?;
        let session = Session::of(&recording).map_err(NoScript::Recording)?;
        let life = match settings.host {
            Some(number) => session.host(number),
            None => session.hosts.first(),
        };
        let life = life.ok_or_else(|| {
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
        let command_at = life.host.command_at;
        let (mode, end) = (settings.mode, settings.end);
        let asked = HashMap::new();
        Ok(Self { recording, protocol, exchanges, by_command, asked, command_at, mode, end })
    }

    /// What it is, in words.
    #[must_use]
    pub fn title(&self) -> String {
        let frames = self.exchanges.iter().filter_map(|exchange| exchange.frame).max();
        format!(
            "{} requests, {} frames, profile {}, {}; {}",
            self.exchanges.len(),
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

    /// Takes the next request; `buffer` is what its buffer holds.
    pub fn reply(&mut self, req_id: u32, header: &[u8], buffer: Option<&[u8]>) -> Reply {
        let command = self.command(req_id, header);
        let times = self.asked.entry(command).or_default();
        let time = *times;
        *times += 1;
        let refuse = |why| Reply::Refuse { status: self.error_status(), why };
        let Some(exchange) = self.find(command, time) else {
            let name = self.protocol.name(command);
            return refuse(match self.by_command.get(&command).map_or(0, Vec::len) {
                0 => format!("{name} is not in the recording"),
                recorded => format!("{name}: the recording has {recorded}, and ends"),
            });
        };
        let title = exchange.title(&self.protocol);
        let Some(answer) = exchange.answer else {
            return Reply::Silence { why: format!("{title} has no answer in the recording") };
        };
        let recorded = match exchange.content {
            0 => None,
            number => match self.content(number) {
                Ok(content) => Some(content),
                Err(why) => return refuse(format!("{title}: {why}")),
            },
        };
        let recorded = recorded.as_deref();
        let unlike = match self.unlike(exchange, recorded, buffer) {
            Ok(unlike) => unlike.map(|difference| format!("{title}: {difference}")),
            Err(why) => return refuse(format!("{title}: {why}")),
        };
        match unlike {
            Some(unlike) if self.mode == Mode::Strict => refuse(unlike),
            unlike => match self.answered(exchange, recorded, buffer) {
                Ok(content) => {
                    let after = Duration::from_nanos(answer.at_ns.saturating_sub(exchange.at_ns));
                    Reply::Answer { status: answer.status, content, after, unlike }
                }
                Err(why) => refuse(format!("{title}: {why}")),
            },
        }
    }

    fn command(&self, req_id: u32, header: &[u8]) -> u32 {
        block::command(self.command_at, req_id, header).unwrap_or(u32::MAX)
    }

    /// The recorded request of a command, by how often it was asked for before.
    fn find(&self, command: u32, time: usize) -> Option<&Exchange> {
        let places = self.by_command.get(&command)?;
        let place = places.get(time).or_else(|| {
            if self.end != End::Loop {
                return None;
            }
            let frame = |place: &&usize| self.exchanges.get(**place).and_then(|e| e.frame);
            let again: Vec<&usize> = places.iter().filter(|p| frame(p) >= Some(1)).collect();
            again.get((time - places.len()).checked_rem(again.len())?).copied()
        });
        self.exchanges.get(*place?)
    }

    /// How a request differs from the recorded one, in words.
    fn unlike(
        &self,
        exchange: &Exchange,
        recorded: Option<&[u8]>,
        buffer: Option<&[u8]>,
    ) -> Result<Option<String>, String> {
        let Some(recorded) = recorded else { return Ok(None) };
        let Some(buffer) = buffer else {
            return Err("its buffer is not registered, or cannot be read".to_owned());
        };
        let buffer = buffer.get(..recorded.len()).ok_or_else(|| {
            format!("its buffer has {} bytes, the recorded one {}", buffer.len(), recorded.len())
        })?;
        let tolerances = Tolerances::default();
        let side = Side::Request;
        let differences =
            compare(&self.protocol, exchange.command, side, &tolerances, recorded, buffer);
        let more = differences.len().saturating_sub(1);
        Ok(differences.first().map(|first| {
            let mut text = format!(
                "{} is {}, and was {} when it was recorded",
                first.place, first.now, first.recorded
            );
            if more > 0 {
                text.push_str(&format!("; {more} more differ"));
            }
            text
        }))
    }

    /// What the buffer is to hold at the callback: the recorded results, and what else the recorded
    /// library changed; but the addresses that a request names are the HAL's own.
    fn answered(
        &self,
        exchange: &Exchange,
        recorded: Option<&[u8]>,
        buffer: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, String> {
        let content = exchange.answer.map_or(0, |answer| answer.content);
        let (Some(buffer), false) = (buffer, content == 0) else { return Ok(None) };
        let answer = self.content(content)?;
        if buffer.len() < answer.len() {
            return Err(format!(
                "its buffer has {} bytes, the recorded one {}",
                buffer.len(),
                answer.len()
            ));
        }
        let mut out = buffer.to_vec();
        match recorded {
            None => copy(&mut out, &answer, 0..answer.len()),
            Some(request) => {
                copy_changed(&mut out, request, &answer);
                copy(&mut out, &answer, request.len()..answer.len());
            }
        }
        for field in self.protocol.fields(exchange.command, Direction::Answer) {
            let bytes = field.kind.bytes();
            let whole = field.count() * bytes;
            let last = field.count().checked_sub(1).and_then(|last| field.offset_of(last));
            if last == Some(field.offset + whole - bytes) {
                copy(&mut out, &answer, field.offset..field.offset + whole);
                continue;
            }
            for at in (0..field.count()).map_while(|index| field.offset_of(index)) {
                copy(&mut out, &answer, at..at + bytes);
            }
        }
        for &at in self.protocol.takes(exchange.command) {
            if let Some(own) = word(buffer, at) {
                put(&mut out, at, own);
            }
        }
        Ok(Some(out))
    }

    fn content(&self, number: u64) -> Result<Vec<u8>, String> {
        self.recording.content(number).map_err(|error| format!("the recording {error}"))
    }
}

/// Copies the bytes in which a recorded answer differs from its request.
fn copy_changed(to: &mut [u8], request: &[u8], answer: &[u8]) {
    let pieces = request.chunks(PIECE_BYTES).zip(answer.chunks(PIECE_BYTES));
    for ((request, answer), to) in pieces.zip(to.chunks_mut(PIECE_BYTES)) {
        if request == answer {
            continue;
        }
        for ((request, answer), to) in request.iter().zip(answer).zip(to) {
            if request != answer {
                *to = *answer;
            }
        }
    }
}

/// Copies a range, as far as both reach.
fn copy(to: &mut [u8], from: &[u8], range: std::ops::Range<usize>) {
    if let (Some(to), Some(from)) = (to.get_mut(range.clone()), from.get(range)) {
        to.copy_from_slice(from);
    }
}
