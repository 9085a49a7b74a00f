//! A recording that was opened to be looked at: its session, and what is known of the protocol that
//! was spoken in it.

mod frames;
mod grids;
mod items;
mod protocol;
mod range;
mod values;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use cami_recording::block::{Requested, Returned};
use cami_recording::session::{Event, HostLife};
use cami_recording::{PageCache, Recording, RecordingError, Session};

use crate::failure::Failure;

pub use grids::{AfPicture, Grids, RgbPicture};
pub use items::Item;
pub use protocol::{Lane, Protocol};
pub use range::FrameRange;
pub use values::Values;

/// The recording.
#[derive(Debug)]
pub struct Recorded {
    /// The file.
    pub recording: Recording,
    /// Everything that it tells, but the contents of buffers.
    pub session: Session,
    /// The frame of each of the session's events; `None` where it belongs to none.
    frames: Vec<Option<u32>>,
    /// Of each of the session's hosts.
    protocols: Vec<Protocol>,
    /// Of a host that the recording does not have.
    unknown: Protocol,
    /// The profile that it is read by, where that is not the recorded one.
    pub read_as: Option<String>,
    /// Profiles that hosts name and that are not to be had, and why.
    pub unknown_profiles: BTreeMap<String, String>,
    hosts: HashMap<u32, usize>,
    begin_ns: u64,
    end_ns: u64,
}

/// A request, its answer, and what is known of both.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The request.
    pub requested: &'a Requested,
    /// Its answer.
    pub returned: Option<&'a Returned>,
    /// Its frame.
    pub frame: Option<u32>,
    /// Its command.
    pub command: u32,
    /// The protocol of its host.
    pub protocol: &'a Protocol,
    /// Whether the client made it in a recovery, and not the HAL.
    pub again: bool,
    /// Whether it was carried out: answered, with the status that says so.
    pub done: bool,
}

impl Exchange<'_> {
    /// How long the answer took, in nanoseconds; `None` without one.
    pub fn latency_ns(&self) -> Option<u64> {
        self.returned.map(|answer| answer.at_ns.saturating_sub(self.requested.at_ns))
    }

    /// The command's name, or its number.
    pub fn name(&self) -> String {
        self.protocol.command_name(self.command)
    }
}

impl Recorded {
    /// Opens a file and puts its session together. What is known of its protocol is `profile`'s, as
    /// `cami-ipa replay` takes it; without it, the recorded profile's.
    pub fn open(path: &Path, profile: Option<&str>) -> Result<Self, Failure> {
        let failed = |error: RecordingError| {
            let message = format!("{} {error}", path.display());
            match error {
                RecordingError::Io(_) => Failure::environment(message),
                _ => Failure::falls_short(message),
            }
        };
        let recording = Recording::open(path).map_err(failed)?;
        let session = Session::of(&recording).map_err(failed)?;
        if let Some(name) = profile {
            cami_replay::Protocol::named(name)
                .map_err(|error| Failure::environment(format!("--profile: {error}")))?;
        }
        Ok(Self::of(recording, session, profile))
    }

    fn of(recording: Recording, session: Session, profile: Option<&str>) -> Self {
        let mut protocols = Vec::new();
        let mut unknown_profiles = BTreeMap::new();
        for life in &session.hosts {
            match cami_replay::Protocol::wanted(profile, &session, &life.host.profile) {
                Ok(found) => protocols.push(Protocol::of(found.profile())),
                // What happened can be told all the same.
                Err(error) => {
                    protocols.push(Protocol::unknown());
                    unknown_profiles.insert(life.host.profile.clone(), error.to_string());
                }
            }
        }
        let mut hosts = HashMap::new();
        for (at, life) in session.hosts.iter().enumerate() {
            hosts.entry(life.host.host).or_insert(at);
        }
        let read_as = profile.map(str::to_owned);
        let (begin_ns, end_ns) = session.span_ns().unwrap_or((0, 0));
        let mut recorded = Self {
            recording,
            session,
            frames: Vec::new(),
            protocols,
            unknown: Protocol::unknown(),
            read_as,
            unknown_profiles,
            hosts,
            begin_ns,
            end_ns,
        };
        recorded.frames = frames::of(&recorded);
        recorded
    }

    /// When the first thing happened, in nanoseconds of the recording's clock.
    pub fn begin_ns(&self) -> u64 {
        self.begin_ns
    }

    /// From the first to the last thing that happened, in nanoseconds.
    pub fn span_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.begin_ns)
    }

    /// A time of the recording's clock as nanoseconds since its first.
    pub fn since_begin(&self, at_ns: u64) -> u64 {
        at_ns.saturating_sub(self.begin_ns)
    }

    /// The host of this number, and what it speaks.
    pub fn host(&self, number: u32) -> Option<(&HostLife, &Protocol)> {
        let at = *self.hosts.get(&number)?;
        Some((self.session.hosts.get(at)?, self.protocols.get(at)?))
    }

    /// Whether any host speaks a protocol whose frames are known.
    pub fn has_frames(&self) -> bool {
        self.protocols.iter().any(Protocol::has_frames)
    }

    /// `--frame` has no meaning without.
    pub fn must_have_frames(&self) -> Result<(), Failure> {
        if self.has_frames() {
            return Ok(());
        }
        Err(Failure::usage(
            "--frame: where its frames begin is not known; name a profile that knows with --profile"
                .into(),
        ))
    }

    /// How many frames there are.
    pub fn frame_count(&self) -> u32 {
        self.frames.iter().flatten().max().map_or(0, |last| last.saturating_add(1))
    }

    /// All events with their frames.
    pub fn events(&self) -> impl Iterator<Item = (&Event, Option<u32>)> {
        let frames = self.frames.iter().copied().chain(std::iter::repeat(None));
        self.session.events.iter().zip(frames)
    }

    /// What is known of a request.
    pub fn exchange<'a>(
        &'a self,
        requested: &'a Requested,
        returned: Option<&'a Returned>,
        frame: Option<u32>,
    ) -> Exchange<'a> {
        let host = self.host(requested.host);
        let protocol = host.map_or(&self.unknown, |(_, protocol)| protocol);
        let command = host.map_or(requested.req_id, |(life, _)| life.command(requested));
        let ok = host.map_or(0, |(life, _)| life.host.ok_status);
        let resumed = host.and_then(|(life, _)| life.resumed_ns);
        Exchange {
            requested,
            returned,
            frame,
            command,
            protocol,
            again: resumed.is_some_and(|resumed| requested.at_ns < resumed),
            done: returned.is_some_and(|answer| answer.status == ok),
        }
    }

    /// All requests.
    pub fn exchanges(&self) -> impl Iterator<Item = Exchange<'_>> {
        self.events().filter_map(|(event, frame)| match event {
            Event::Exchange { requested, returned } => {
                Some(self.exchange(requested, returned.as_ref(), frame))
            }
            _ => None,
        })
    }

    /// What a library answered, where the protocol is known; `None` where it was not carried out, or
    /// where the buffer is not what the protocol says.
    pub fn values(&self, exchange: &Exchange<'_>, cache: &mut PageCache) -> Option<Values> {
        let answer = exchange.returned.filter(|_| exchange.done)?;
        values::of(&self.recording, exchange, answer.content, cache)
    }

    /// The statistics that a request brought, where it is known to have brought some.
    pub fn grids(&self, exchange: &Exchange<'_>, cache: &mut PageCache) -> Option<Grids> {
        let brought = exchange.protocol.brings_statistics(exchange.command);
        grids::of(&self.recording, exchange.requested.content, cache).filter(|_| brought)
    }
}
