//! What the client has to know to bring a new vendor process to where the old one was.

use super::{from_monitor, message};
use crate::WireError;
use crate::arguments::{Argument, split, word};
use crate::reader::Reader;

/// Rules of one message: IPU6 has 67 commands, the most of all vendors (spec/cami-abi.md, 5.1).
const MAX_COMMANDS: u32 = 256;
/// Offsets, commands or ranges of one rule; what is known needs three.
const MAX_ITEMS: u32 = 16;
/// Stands for "none" where a number may be missing; no payload is that large.
const NONE: u32 = u32::MAX;

/// The command of a request: the byte of its header that is it, or its `req_id` where none is; `None` where
/// the header is too short to have it.
#[must_use]
pub fn command_of(command_byte: Option<u32>, req_id: u32, header: &[u8]) -> Option<u32> {
    let Some(byte) = command_byte else { return Some(req_id) };
    header.get(usize::try_from(byte).ok()?).copied().map(u32::from)
}

/// What a completed request means for a vendor process that takes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Nothing: its effect ends with its answer.
    #[default]
    Plain,
    /// Something that lasts was made: it is done again, in the order in which it was done first.
    SetUp,
    /// The library keeps it until the next of its kind: the latest is done again, after the set-up.
    State,
    /// Something that lasts was ended.
    TearDown,
}

impl Role {
    const ALL: [Self; 4] = [Self::Plain, Self::SetUp, Self::State, Self::TearDown];

    fn number(self) -> u32 {
        self as u32
    }

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }
}

/// What is known of one command. Offsets are bytes from the start of the request's buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandRule {
    /// Its number.
    pub id: u32,
    /// What it means for the next vendor process.
    pub role: Role,
    /// Where the answer holds an address of the vendor process (`u64`), which later requests name.
    pub gives: Option<u32>,
    /// Where the request holds such addresses.
    pub takes: Vec<u32>,
    /// Commands whose set-up and state a tear-down ends that takes no address.
    pub ends: Vec<u32>,
    /// Where a word (`u32`) tells several of its kind apart: a new one of the same word replaces
    /// the one before.
    pub instance: Option<u32>,
    /// The bytes of the buffer that count, as offset and length; all of them if empty.
    pub keep: Vec<(u32, u32)>,
}

/// The configuration says `resume`. Sent before [`super::Ready`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Restarts within the window before the client gives up; 0: never.
    pub restart_limit: u32,
    /// The window, in milliseconds.
    pub restart_window_ms: u32,
    /// Whether a second host is kept warm.
    pub standby: bool,
    /// The byte of the header that is the command; `None`: the `req_id` is.
    pub command_byte: Option<u32>,
    /// The status of a request that was carried out.
    pub ok_status: u32,
    /// Whether the library answers every request, however wrong. Otherwise an answer to a later one
    /// of the same number and buffer says that the earlier ones were dropped.
    pub answers_all: bool,
    /// What is known of the commands; the others are [`Role::Plain`].
    pub commands: Vec<CommandRule>,
}

impl Recovery {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut rules = Vec::new();
        let mut put = |word: u32| rules.extend_from_slice(&word.to_le_bytes());
        let length = |items: usize| u32::try_from(items).unwrap_or(NONE);
        put(length(self.commands.len()));
        for rule in &self.commands {
            put(rule.id);
            put(rule.role.number());
            put(rule.gives.unwrap_or(NONE));
            put(rule.instance.unwrap_or(NONE));
            for list in [&rule.takes, &rule.ends] {
                put(length(list.len()));
                list.iter().for_each(|&item| put(item));
            }
            put(length(rule.keep.len()));
            for &(offset, bytes) in &rule.keep {
                put(offset);
                put(bytes);
            }
        }
        message(
            from_monitor::RECOVERY,
            &[
                Argument::plain(&self.restart_limit.to_le_bytes()),
                Argument::plain(&self.restart_window_ms.to_le_bytes()),
                Argument::plain(&u32::from(self.standby).to_le_bytes()),
                Argument::plain(&self.command_byte.unwrap_or(NONE).to_le_bytes()),
                Argument::plain(&self.ok_status.to_le_bytes()),
                Argument::plain(&u32::from(self.answers_all).to_le_bytes()),
                Argument::plain(&rules),
            ],
        )
    }

    /// The message's body.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size, [`WireError::BadFlag`] for a role that does not
    /// exist, and [`WireError::BadCount`] for more rules than there are commands.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let [limit, window, standby, command, ok, all, rules] = split(body, [false; 7])?.bytes;
        let number = |bytes| Ok::<_, WireError>(u32::from_le_bytes(word(bytes)?));
        let mut reader = Reader::new(rules);
        let mut commands = Vec::new();
        for _ in 0..count(&mut reader, MAX_COMMANDS)? {
            commands.push(rule(&mut reader)?);
        }
        reader.finish()?;
        Ok(Self {
            restart_limit: number(limit)?,
            restart_window_ms: number(window)?,
            standby: number(standby)? != 0,
            command_byte: some(number(command)?),
            ok_status: number(ok)?,
            answers_all: number(all)? != 0,
            commands,
        })
    }
}

fn some(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

/// A number of items, which is checked before anything is made for them.
fn count(reader: &mut Reader<'_>, most: u32) -> Result<u32, WireError> {
    let items = reader.u32()?;
    if items > most { Err(WireError::BadCount(items)) } else { Ok(items) }
}

fn rule(reader: &mut Reader<'_>) -> Result<CommandRule, WireError> {
    let id = reader.u32()?;
    let role = reader.u32()?;
    let role = Role::from_number(role).ok_or(WireError::BadFlag(role))?;
    let gives = some(reader.u32()?);
    let instance = some(reader.u32()?);
    let list = |reader: &mut Reader<'_>| {
        (0..count(reader, MAX_ITEMS)?).map(|_| reader.u32()).collect::<Result<Vec<_>, _>>()
    };
    let takes = list(reader)?;
    let ends = list(reader)?;
    let keep = (0..count(reader, MAX_ITEMS)?)
        .map(|_| Ok((reader.u32()?, reader.u32()?)))
        .collect::<Result<Vec<_>, WireError>>()?;
    Ok(CommandRule { id, role, gives, takes, ends, instance, keep })
}
