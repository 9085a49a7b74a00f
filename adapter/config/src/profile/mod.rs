//! What is known of a vendor's protocol.
//!
//! A profile is data: the built-in ones are the files of `adapter/config/profiles`, and a user's own
//! is a file of the same form ([docs/profiles.md](../../../../docs/profiles.md) documents the keys).

mod frames;
mod parse;

use cami_wire::control::{CommandRule, Role};

pub use frames::Frames;
pub use parse::ProfileError;

/// One vendor's habits, as far as the host and the client need them
/// (spec/cami-abi.md, 5.1, gives each one's source).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: String,
    /// Milliseconds a request may take; 0 is no limit. The vendors' own clients give up after
    /// 5000 ms, so that 4500 answers just before them.
    pub request_ms: u32,
    /// Whether a request without its callback counts as hung. Otherwise only the time that the
    /// library spends inside `request` counts.
    pub answers_every_request: bool,
    /// The status that its client takes for a failure.
    pub error_status: u32,
    /// The status of a request that was carried out.
    pub ok_status: u32,
    /// Whether the library maps buffers by `fstat().st_size` alone: one that has none must not reach
    /// it, whatever `lseek` says of it.
    pub needs_st_size: bool,
    /// The byte of a request's header that is the command; `None`: the `req_id` is.
    pub command_byte: Option<u32>,
    /// Why `recovery = "resume"` cannot work with it; `None`: it can.
    pub not_resumable: Option<String>,
    /// The name of the protocol whose payloads are decoded to fields: `ipu3`; `None`: none that is
    /// known.
    pub fields: Option<String>,
    /// The commands with which a frame begins, in the order in which they come in it; see [`Frames`].
    pub frame_begins: Vec<u32>,
    /// The commands of which something is known.
    pub commands: Vec<Command>,
}

/// One command of a vendor's protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name in logs.
    pub name: String,
    /// Milliseconds that it may take, where that is not the profile's `request_ms`; 0 is no limit,
    /// as for a poll that is answered when there is something to say.
    pub request_ms: Option<u32>,
    /// What the client has to know of it.
    pub rule: CommandRule,
    /// Ranges of the request's buffer, as offset and bytes, that differ from run to run.
    pub varies_in: Vec<(u32, u32)>,
    /// The same of the answer.
    pub varies_out: Vec<(u32, u32)>,
    /// Ranges of the buffer, as offset and bytes, outside of which the HAL writes nothing for the
    /// request; none where it may write anywhere.
    pub writes_in: Vec<(u32, u32)>,
    /// The same of the library, for the answer.
    pub writes_out: Vec<(u32, u32)>,
}

/// The built-in profiles: name and file.
const BUILT_IN: [(&str, &str); 5] = [
    ("generic", include_str!("../../profiles/generic.toml")),
    ("intel-ipu3", include_str!("../../profiles/intel-ipu3.toml")),
    ("intel-ipu6", include_str!("../../profiles/intel-ipu6.toml")),
    ("rockchip", include_str!("../../profiles/rockchip.toml")),
    ("mediatek", include_str!("../../profiles/mediatek.toml")),
];

impl Profile {
    /// All names, for messages.
    pub const NAMES: &'static str =
        "generic, intel-ipu3, intel-ipu6, rockchip, mediatek or the absolute path of a file";

    /// Nothing is known.
    #[must_use]
    pub fn generic() -> Self {
        Self {
            name: "generic".to_owned(),
            request_ms: 0,
            answers_every_request: true,
            error_status: 1,
            ok_status: 0,
            needs_st_size: false,
            command_byte: None,
            not_resumable: None,
            fields: None,
            frame_begins: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// The built-in profile of that name; `None` where there is none.
    ///
    /// # Errors
    /// None in fact: the tests read all files.
    pub fn by_name(name: &str) -> Option<Result<Self, ProfileError>> {
        let (_, text) = BUILT_IN.into_iter().find(|(found, _)| *found == name)?;
        Some(Self::parse(text))
    }

    /// The text of the built-in profile of that name, to start one's own from.
    #[must_use]
    pub fn text_of(name: &str) -> Option<&'static str> {
        BUILT_IN.into_iter().find(|(found, _)| *found == name).map(|(_, text)| text)
    }

    /// The command of that number, where something is known of it.
    #[must_use]
    pub fn command(&self, id: u32) -> Option<&Command> {
        self.commands.iter().find(|command| command.rule.id == id)
    }

    /// Requests with a deadline of their own, by `req_id`, in milliseconds; 0 is none. Nothing where
    /// the command stands in the header, which is not looked into for this.
    pub fn own_limits(&self) -> impl Iterator<Item = (u32, u32)> {
        let by_number = self.command_byte.is_none();
        let own = move |command: &Command| Some((command.rule.id, command.request_ms?));
        self.commands.iter().filter(move |_| by_number).filter_map(own)
    }

    /// The rules of the commands that leave something behind or hold an address.
    #[must_use]
    pub fn rules(&self) -> Vec<CommandRule> {
        let matters = |rule: &&CommandRule| rule.role != Role::Plain || !rule.takes.is_empty();
        self.commands.iter().map(|command| &command.rule).filter(matters).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
