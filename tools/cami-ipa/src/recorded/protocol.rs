//! What is known of the protocol that a host speaks: names of its commands, the threads of its
//! library, and where frames begin.

use cami_config::{Frames, Profile};
use cami_ipu3::{Command, Group};
use cami_wire::control::Role;

/// The fields that are known, as profiles call them.
const IPU3: &str = "ipu3";

/// A protocol.
#[derive(Clone, Debug)]
pub struct Protocol {
    profile: Profile,
}

/// A row of a timeline: what a library does one thing after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// Where it stands among the others.
    pub order: u32,
    /// Its name.
    pub name: String,
}

impl Protocol {
    /// That of a profile.
    pub fn of(profile: &Profile) -> Self {
        Self { profile: profile.clone() }
    }

    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { profile: Profile::generic() }
    }

    /// The profile's name.
    pub fn name(&self) -> &str {
        &self.profile.name
    }

    /// Counts its frames.
    pub fn frames(&self) -> Frames {
        Frames::of(&self.profile)
    }

    /// The IPU3 command of this number.
    pub fn ipu3(&self, command: u32) -> Option<Command> {
        let known = self.profile.fields.as_deref() == Some(IPU3);
        known.then(|| Command::try_from(command).ok()).flatten()
    }

    /// The command's name; its number where it has none.
    pub fn command_name(&self, command: u32) -> String {
        if let Some(known) = self.ipu3(command) {
            return known.name().to_owned();
        }
        let mut commands = self.profile.commands.iter();
        let named = commands.find(|known| known.rule.id == command);
        named.map_or_else(|| command.to_string(), |known| known.name.clone())
    }

    /// The thread of the library that carries a command out, where that is known; else each command
    /// has a row of its own.
    pub fn lane(&self, command: u32) -> Lane {
        match self.ipu3(command).map(Command::group) {
            Some(Group::Aiq) => Lane { order: 0, name: "AIQ".to_owned() },
            Some(Group::Aic) => Lane { order: 1, name: "AIC".to_owned() },
            Some(Group::Other) => Lane { order: 2, name: "other".to_owned() },
            None => Lane { order: command.saturating_add(3), name: self.command_name(command) },
        }
    }

    /// Whether frames can be told from one another.
    pub fn has_frames(&self) -> bool {
        !self.profile.frame_begins.is_empty()
    }

    /// Whether a command may be a part of a frame: it neither sets up nor ends anything.
    pub fn is_step(&self, command: u32) -> bool {
        let apart = |role: Role| matches!(role, Role::SetUp | Role::TearDown);
        let mut commands = self.profile.commands.iter();
        !commands.any(|known| known.rule.id == command && apart(known.rule.role))
    }

    /// Whether a command's buffer holds statistics.
    pub fn brings_statistics(&self, command: u32) -> bool {
        self.ipu3(command) == Some(Command::StatisticsSet)
    }
}
