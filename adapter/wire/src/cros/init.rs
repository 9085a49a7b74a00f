//! `init` and its answer: the first exchange on a link.

use super::command;
use crate::WireError;
use crate::message::Header;
use crate::reader::Reader;
use crate::writer::Writer;

/// Who calls, and which version of the interface it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The client's [`super::PROTOCOL_VERSION`].
    pub protocol_version: u32,
    /// Name of the client for logs.
    pub client: String,
}

/// `init(settings)`: a single argument, so a bare struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// The only argument.
    pub settings: Settings,
}

impl Init {
    /// The whole message.
    #[must_use]
    pub fn encode(&self, cookie: u32) -> Vec<u8> {
        let mut message = Vec::new();
        let mut writer = Writer::new(&mut message);
        writer.bytes(&Header { command: command::INIT, cookie }.encode());
        writer.u32(self.settings.protocol_version);
        writer.string(&self.settings.client);
        message
    }

    /// The message's body.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let settings = Settings { protocol_version: reader.u32()?, client: reader.string()? };
        reader.finish()?;
        Ok(Self { settings })
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}

/// What the vendor process found out about the library before loading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LibraryInfo {
    /// The host's [`super::PROTOCOL_VERSION`].
    pub protocol_version: u32,
    /// Size of the library's `CAMI` object in bytes, as its symbol table states it; 0 if unknown.
    pub table_size: u32,
    /// Path of the library.
    pub library: String,
    /// Its GNU build-id in lower-case hexadecimal; empty if it has none.
    pub build_id: String,
    /// Why `ret` is negative, in one line; empty otherwise.
    pub reason: String,
}

/// The answer of `init`: the return value, then the remaining output, a bare struct.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitReply {
    /// 0, or a negative errno (`-EPROTO`: the versions differ).
    pub ret: i32,
    /// Filled as far as it is known, also where `ret` is negative.
    pub info: LibraryInfo,
}

impl InitReply {
    /// The whole message; `cookie` is the call's.
    #[must_use]
    pub fn encode(&self, cookie: u32) -> Vec<u8> {
        let mut message = Vec::new();
        let mut writer = Writer::new(&mut message);
        writer.bytes(&Header { command: command::INIT, cookie }.encode());
        writer.i32(self.ret);
        writer.u32(self.info.protocol_version);
        writer.u32(self.info.table_size);
        writer.string(&self.info.library);
        writer.string(&self.info.build_id);
        writer.string(&self.info.reason);
        message
    }

    /// The message's body.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let reply = Self {
            ret: reader.i32()?,
            info: LibraryInfo {
                protocol_version: reader.u32()?,
                table_size: reader.u32()?,
                library: reader.string()?,
                build_id: reader.string()?,
                reason: reader.string()?,
            },
        };
        reader.finish()?;
        Ok(reply)
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}
