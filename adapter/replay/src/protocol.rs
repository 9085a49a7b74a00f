//! What is known of a protocol's commands.

use std::fmt;
use std::path::Path;

use cami_config::{Frames, Profile};
use cami_ipu3::Command;
use cami_ipu3::fields::{Direction, Field, fields};
use cami_recording::Session;

/// Bytes of an address.
pub const ADDRESS_BYTES: u64 = 8;

/// The largest file that is read as a profile.
const MAX_PROFILE_BYTES: u64 = 1 << 20;

/// The key of an annotation that holds the whole text of the profile, for one that is a file.
pub const PROFILE_TEXT: &str = "profile_text";

/// What is known of the commands of one profile.
#[derive(Clone, Debug)]
pub struct Protocol {
    profile: Profile,
}

/// There is no such profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoProfile(String);

impl fmt::Display for NoProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoProfile {}

impl Protocol {
    /// Of a profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        Self { profile }
    }

    /// Of a profile's name: a built-in one, or the absolute path of a file.
    ///
    /// # Errors
    /// [`NoProfile`]: neither, or the file cannot be read, or is none.
    pub fn named(name: &str) -> Result<Self, NoProfile> {
        let wrong = |error: &dyn fmt::Display| NoProfile(format!("profile {name}: {error}"));
        if let Some(found) = Profile::by_name(name) {
            return found.map(Self::of).map_err(|error| wrong(&error));
        }
        if !Path::new(name).is_absolute() {
            return Err(NoProfile(format!("profile {name} is not {}", Profile::NAMES)));
        }
        // A recording may name anything: no pipe, and nothing that goes on for ever.
        let file = std::fs::metadata(name).map_err(|error| wrong(&error))?;
        if !file.is_file() || file.len() > MAX_PROFILE_BYTES {
            return Err(wrong(&"is no file of a profile's size"));
        }
        let text = std::fs::read_to_string(name).map_err(|error| wrong(&error))?;
        Profile::parse(&text).map(Self::of).map_err(|error| wrong(&error))
    }

    /// Of the profile that somebody asks for, else [`Protocol::recorded`].
    ///
    /// # Errors
    /// As there.
    pub fn wanted(
        profile: Option<&str>,
        session: &Session,
        recorded: &str,
    ) -> Result<Self, NoProfile> {
        match profile {
            Some(name) => Self::named(name),
            None => Self::recorded(session, recorded),
        }
    }

    /// Of the profile that a recording names for a host: the recording's own copy of it, or
    /// [`Protocol::named`].
    ///
    /// # Errors
    /// As there.
    pub fn recorded(session: &Session, profile: &str) -> Result<Self, NoProfile> {
        let copy = session.annotations.iter().find(|annotation| annotation.key == PROFILE_TEXT);
        match copy.map(|annotation| Profile::parse(&annotation.value)) {
            Some(Ok(found)) if !Path::new(profile).is_absolute() && found.name != profile => {
                Self::named(profile)
            }
            Some(found) => found.map(Self::of).map_err(|error| {
                NoProfile(format!("the recording's own copy of its profile: {error}"))
            }),
            None => Self::named(profile),
        }
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Counts frames.
    #[must_use]
    pub fn frames(&self) -> Frames {
        Frames::of(&self.profile)
    }

    fn known(&self, command: u32) -> Option<Command> {
        let ipu3 = self.profile.fields.as_deref() == Some("ipu3");
        Command::try_from(command).ok().filter(|_| ipu3)
    }

    /// The name of a command.
    #[must_use]
    pub fn name(&self, command: u32) -> String {
        match (self.known(command), self.profile.command(command)) {
            (Some(known), _) => known.name().to_owned(),
            (None, Some(known)) => known.name.clone(),
            (None, None) => format!("command {command}"),
        }
    }

    /// The fields of one side; none where nothing is known.
    #[must_use]
    pub fn fields(&self, command: u32, direction: Direction) -> &'static [Field] {
        self.known(command).map_or(&[], |known| fields(known, direction))
    }

    /// Bytes at a buffer's start that the fields, and padding between them, make up; 0 where nothing
    /// is known.
    #[must_use]
    pub fn known_bytes(&self, command: u32) -> u64 {
        self.known(command).map_or(0, |known| known.payload_bytes() as u64)
    }

    /// Where a request holds addresses, in bytes from its buffer's start.
    #[must_use]
    pub fn takes(&self, command: u32) -> &[u32] {
        self.profile.command(command).map_or(&[], |known| &known.rule.takes)
    }

    /// Where the answer gives one.
    #[must_use]
    pub fn gives(&self, command: u32) -> Option<u32> {
        self.profile.command(command)?.rule.gives
    }

    /// Ranges of a request's buffer, or of its answer's, that are not compared byte by byte: as begin
    /// and end.
    #[must_use]
    pub fn masked(&self, command: u32, direction: Direction) -> Vec<(u64, u64)> {
        let Some(known) = self.profile.command(command) else { return Vec::new() };
        let address = |at: &u32| (u64::from(*at), u64::from(*at) + ADDRESS_BYTES);
        let range = |&(at, bytes): &(u32, u32)| (u64::from(at), u64::from(at) + u64::from(bytes));
        let given = known.rule.gives.iter().chain(&known.rule.takes).map(address);
        let mut masked: Vec<_> = given.chain(known.varies_in.iter().map(range)).collect();
        if direction == Direction::Answer {
            masked.extend(known.varies_out.iter().map(range));
        }
        masked
    }

    /// What is not compared, a line for each: for whoever reads a comparison.
    #[must_use]
    pub fn excluded(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.profile.fields.is_some() {
            lines.push(
                "addresses: only whether they are 0; padding between fields is not compared".into(),
            );
        }
        for command in &self.profile.commands {
            let name = self.name(command.rule.id);
            let mut handles: Vec<u32> = command.rule.takes.clone();
            handles.extend(command.rule.gives);
            if self.profile.fields.is_none() && !handles.is_empty() {
                lines.push(format!("{name}: addresses at bytes {handles:?}"));
            }
            for &(at, bytes) in &command.varies_out {
                let place = self.place(command.rule.id, at.into(), bytes.into());
                lines.push(format!("{name}: {place}, by profile {}", self.profile.name));
            }
        }
        lines
    }

    /// A range in words: the fields that lie in it, or its bytes.
    #[must_use]
    pub fn place(&self, command: u32, at: u64, bytes: u64) -> String {
        let inside = |field: &&Field| {
            let offset = field.offset as u64;
            offset >= at && offset < at + bytes && !field.kind.is_address()
        };
        let all = [Direction::Request, Direction::Answer];
        let names: Vec<&str> = all
            .into_iter()
            .flat_map(|direction| self.fields(command, direction))
            .filter(inside)
            .map(|field| field.name.as_str())
            .collect();
        match names.as_slice() {
            [] => format!("bytes {at} to {}", (at + bytes).saturating_sub(1)),
            names => names.join(", "),
        }
    }
}
