//! A profile's file.

use std::fmt;

use cami_wire::control::{CommandRule, Role};
use toml::{Table, Value};

use super::{Command, Profile};

/// The file is no profile; the text is one line that names the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError(String);

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProfileError {}

/// Commands, addresses or ranges: as many as the client takes (`cami_wire::control::Recovery`).
const MAX_COMMANDS: usize = 256;
const MAX_ITEMS: usize = 16;

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// What is no TOML, a key that is unknown or missing, a value of the wrong kind.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| ProfileError(error.message().to_owned()))?;
        let mut profile = Self::generic();
        let mut named = false;
        for (key, value) in &table {
            match key.as_str() {
                "name" => {
                    profile.name = text_of(key, value)?;
                    named = true;
                }
                "request_ms" => profile.request_ms = number(key, value)?,
                "answers_every_request" => profile.answers_every_request = flag(key, value)?,
                "error_status" => profile.error_status = number(key, value)?,
                "ok_status" => profile.ok_status = number(key, value)?,
                "needs_st_size" => profile.needs_st_size = flag(key, value)?,
                "command_byte" => profile.command_byte = Some(number(key, value)?),
                "not_resumable" => profile.not_resumable = Some(text_of(key, value)?),
                "fields" => profile.fields = Some(protocol(key, value)?),
                // Names: resolved when all commands are known.
                "frame_begins" => drop(list(key, value, |value| text_of(key, value))?),
                "commands" => profile.commands = commands(value)?,
                _ => return Err(unknown(key, KEYS)),
            }
        }
        if let Some(names) = table.get("frame_begins").and_then(Value::as_array) {
            profile.frame_begins = names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| {
                    let found = profile.commands.iter().find(|command| command.name == name);
                    found.map(|command| command.rule.id).ok_or_else(|| {
                        wrong("frame_begins", "a list of names of commands that are here")
                    })
                })
                .collect::<Result<_, _>>()?;
        }
        if named { Ok(profile) } else { Err(ProfileError("`name` is missing".to_owned())) }
    }
}

const KEYS: &str = "name, request_ms, answers_every_request, error_status, ok_status, \
                    needs_st_size, command_byte, not_resumable, fields, frame_begins and \
                    [commands.NAME]";
const COMMAND_KEYS: &str = "id, role, gives, takes, ends, instance, keep, varies_in, \
                            varies_out, writes_in, writes_out and request_ms";

fn unknown(key: &str, known: &str) -> ProfileError {
    ProfileError(format!("unknown key `{key}`; known are {known}"))
}

fn wrong(key: &str, expected: &str) -> ProfileError {
    ProfileError(format!("`{key}` is not {expected}"))
}

fn commands(value: &Value) -> Result<Vec<Command>, ProfileError> {
    let table = value.as_table().ok_or_else(|| wrong("commands", "a table of commands"))?;
    if table.len() > MAX_COMMANDS {
        return Err(wrong("commands", "a table of at most 256 commands"));
    }
    let mut commands = Vec::new();
    for (name, value) in table {
        let inner = |ProfileError(reason)| ProfileError(format!("[commands.{name}]: {reason}"));
        commands.push(command(name, value).map_err(inner)?);
    }
    let by_name = |name: &str| commands.iter().find(|command: &&Command| command.name == name);
    for (name, value) in table {
        for ended in value.get("ends").and_then(Value::as_array).into_iter().flatten() {
            if ended.as_str().and_then(by_name).is_none() {
                let reason = format!("[commands.{name}]: `ends` names a command that is not here");
                return Err(ProfileError(reason));
            }
        }
    }
    let ids: Vec<(String, u32)> =
        commands.iter().map(|command| (command.name.clone(), command.rule.id)).collect();
    for command in &mut commands {
        let names = table.get(&command.name).and_then(|value| value.get("ends"));
        let names = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let id = |name: &str| ids.iter().find(|(found, _)| found == name).map(|(_, id)| *id);
        command.rule.ends = names.filter_map(id).collect();
    }
    Ok(commands)
}

fn command(name: &str, value: &Value) -> Result<Command, ProfileError> {
    let table = value.as_table().ok_or_else(|| ProfileError("is not a table".to_owned()))?;
    let mut id = None;
    let mut command = Command {
        name: name.to_owned(),
        request_ms: None,
        rule: CommandRule::default(),
        varies_in: Vec::new(),
        varies_out: Vec::new(),
        writes_in: Vec::new(),
        writes_out: Vec::new(),
    };
    for (key, value) in table {
        match key.as_str() {
            "id" => id = Some(number(key, value)?),
            "role" => command.rule.role = role(key, value)?,
            "gives" => command.rule.gives = Some(number(key, value)?),
            "takes" => command.rule.takes = list(key, value, |value| number(key, value))?,
            // Names: resolved when all commands are known.
            "ends" => drop(list(key, value, |value| text_of(key, value))?),
            "instance" => command.rule.instance = Some(number(key, value)?),
            "keep" => command.rule.keep = list(key, value, |value| range(key, value))?,
            "varies_in" => command.varies_in = list(key, value, |value| range(key, value))?,
            "varies_out" => command.varies_out = list(key, value, |value| range(key, value))?,
            "writes_in" => command.writes_in = list(key, value, |value| range(key, value))?,
            "writes_out" => command.writes_out = list(key, value, |value| range(key, value))?,
            "request_ms" => command.request_ms = Some(number(key, value)?),
            _ => return Err(unknown(key, COMMAND_KEYS)),
        }
    }
    command.rule.id = id.ok_or_else(|| ProfileError("`id` is missing".to_owned()))?;
    Ok(command)
}

fn protocol(key: &str, value: &Value) -> Result<String, ProfileError> {
    match value.as_str() {
        Some(name @ "ipu3") => Ok(name.to_owned()),
        _ => Err(wrong(key, "a protocol whose fields are known: ipu3")),
    }
}

fn role(key: &str, value: &Value) -> Result<Role, ProfileError> {
    match value.as_str() {
        Some("plain") => Ok(Role::Plain),
        Some("set-up") => Ok(Role::SetUp),
        Some("state") => Ok(Role::State),
        Some("tear-down") => Ok(Role::TearDown),
        _ => Err(wrong(key, "plain, set-up, state or tear-down")),
    }
}

fn text_of(key: &str, value: &Value) -> Result<String, ProfileError> {
    value.as_str().map(str::to_owned).ok_or_else(|| wrong(key, "a text"))
}

fn flag(key: &str, value: &Value) -> Result<bool, ProfileError> {
    value.as_bool().ok_or_else(|| wrong(key, "true or false"))
}

fn number(key: &str, value: &Value) -> Result<u32, ProfileError> {
    let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
    number
        .filter(|&number| number != u32::MAX)
        .ok_or_else(|| wrong(key, "a whole number from 0 to 4294967294"))
}

fn list<T>(
    key: &str,
    value: &Value,
    item: impl Fn(&Value) -> Result<T, ProfileError>,
) -> Result<Vec<T>, ProfileError> {
    let items = value.as_array().filter(|items| items.len() <= MAX_ITEMS);
    let items = items.ok_or_else(|| wrong(key, "a list of at most 16"))?;
    items.iter().map(item).collect()
}

fn range(key: &str, value: &Value) -> Result<(u32, u32), ProfileError> {
    match value.as_array().map(Vec::as_slice) {
        Some([offset, bytes]) => Ok((number(key, offset)?, number(key, bytes)?)),
        _ => Err(wrong(key, "a list of [offset, bytes]")),
    }
}
