//! What the monitor tells its writer, and how it stands in the pipe between them.
//!
//! Both are this program, so the form is nobody else's. Events are in it as they are in a file
//! ([`Block::encode`]).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use cami_recording::{Block, Buffer, Snapshot};
use cami_wire::WireError;
use cami_wire::control::{FromMonitor, Recovery};
use cami_wire::reader::Reader;

use super::about::About;

/// Bytes of an entry's length, in front of it.
pub const LENGTH_BYTES: usize = 4;
/// The longest that is believed: the contents of the largest buffer that is looked at, and its pages.
pub const MAX_BYTES: usize = 80 << 20;

/// One thing to write, or to know.
#[derive(Debug)]
pub enum Entry {
    /// The first: who is recorded, and where.
    About(Box<About>),
    /// An event.
    Block(Block),
    /// An event and what its buffer held.
    Seen(Block, Buffer, Snapshot),
    /// A buffer that is not looked at any more.
    Forget(Buffer),
    /// How often the client had started a host anew.
    Restarts(u32),
    /// What did not find room before this.
    LeftOut(LeftOut),
    /// The last event, should the monitor be killed before it can tell it.
    UnlessTold(Block),
    /// Nothing follows.
    End,
}

/// What did not find room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Contents whose events are there.
    pub contents: u64,
    /// Events.
    pub events: u64,
}

const ABOUT: u8 = 0;
const BLOCK: u8 = 1;
const SEEN: u8 = 2;
const FORGET: u8 = 3;
const RESTARTS: u8 = 4;
const LEFT_OUT: u8 = 5;
const END: u8 = 6;
const UNLESS_TOLD: u8 = 7;

impl Entry {
    /// Its bytes in two pieces: the second is the contents of a buffer, which are not copied.
    pub fn encode(self) -> (Vec<u8>, Vec<u8>) {
        let mut out = vec![0; LENGTH_BYTES];
        let mut data = Vec::new();
        match self {
            Self::About(about) => {
                out.push(ABOUT);
                let About {
                    path,
                    limit_bytes,
                    library_name,
                    client,
                    client_name,
                    profile_text,
                    rules: commands,
                    host,
                } = *about;
                put_bytes(&mut out, path.as_os_str().as_bytes());
                out.extend_from_slice(&limit_bytes.to_le_bytes());
                put_bytes(&mut out, library_name.as_bytes());
                out.extend_from_slice(&client.0.to_le_bytes());
                out.extend_from_slice(&client.1.to_le_bytes());
                put_bytes(&mut out, client_name.as_bytes());
                put_bytes(&mut out, profile_text.as_bytes());
                put_bytes(&mut out, &Recovery { commands, ..Recovery::default() }.encode());
                put_block(&mut out, &host.into());
            }
            Self::Block(block) => {
                out.push(BLOCK);
                put_block(&mut out, &block);
            }
            Self::Seen(block, buffer, snapshot) => {
                out.push(SEEN);
                put_block(&mut out, &block);
                out.extend_from_slice(&buffer.0.to_le_bytes());
                out.extend_from_slice(&snapshot.bytes.to_le_bytes());
                out.push(u8::from(snapshot.whole));
                put_count(&mut out, snapshot.pages.len());
                for page in &snapshot.pages {
                    out.extend_from_slice(&page.to_le_bytes());
                }
                data = snapshot.data;
            }
            Self::Forget(buffer) => {
                out.push(FORGET);
                out.extend_from_slice(&buffer.0.to_le_bytes());
            }
            Self::Restarts(count) => {
                out.push(RESTARTS);
                out.extend_from_slice(&count.to_le_bytes());
            }
            Self::LeftOut(LeftOut { contents, events }) => {
                out.push(LEFT_OUT);
                out.extend_from_slice(&contents.to_le_bytes());
                out.extend_from_slice(&events.to_le_bytes());
            }
            Self::UnlessTold(block) => {
                out.push(UNLESS_TOLD);
                put_block(&mut out, &block);
            }
            Self::End => out.push(END),
        }
        let length = u32::try_from(out.len() - LENGTH_BYTES + data.len()).unwrap_or(u32::MAX);
        out.iter_mut().zip(length.to_le_bytes()).for_each(|(to, from)| *to = from);
        (out, data)
    }

    /// Reads what stands behind the length.
    ///
    /// # Errors
    /// Where it is not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        Ok(match reader.u8()? {
            ABOUT => {
                let path = take_bytes(&mut reader)?.to_vec();
                let limit_bytes = reader.u64()?;
                let library_name = reader.string()?;
                let client = (reader.i32()?, reader.u64()?);
                let client_name = reader.string()?;
                let profile_text = reader.string()?;
                // As the monitor tells them to a client.
                let FromMonitor::Recovery(Recovery { commands: rules, .. }) =
                    FromMonitor::decode(take_bytes(&mut reader)?)?
                else {
                    return Err(WireError::BadCount(0));
                };
                let Block::Host(host) = take_block(&mut reader)? else {
                    return Err(WireError::BadCount(0));
                };
                let path = PathBuf::from(OsString::from_vec(path));
                let about = About {
                    path,
                    limit_bytes,
                    library_name,
                    client,
                    client_name,
                    profile_text,
                    rules,
                    host,
                };
                Self::About(Box::new(about))
            }
            BLOCK => Self::Block(take_block(&mut reader)?),
            SEEN => {
                let block = take_block(&mut reader)?;
                let buffer = Buffer(reader.u64()?);
                let bytes = reader.u64()?;
                let whole = reader.u8()? != 0;
                let count = reader.size()?;
                let mut numbers = Reader::new(reader.bytes(count.saturating_mul(4))?);
                let pages = (0..count).map(|_| numbers.u32()).collect::<Result<_, _>>()?;
                let left = reader.remaining();
                let data = reader.bytes(left)?.to_vec();
                Self::Seen(block, buffer, Snapshot { bytes, whole, pages, data })
            }
            FORGET => Self::Forget(Buffer(reader.u64()?)),
            RESTARTS => Self::Restarts(reader.u32()?),
            LEFT_OUT => Self::LeftOut(LeftOut { contents: reader.u64()?, events: reader.u64()? }),
            UNLESS_TOLD => Self::UnlessTold(take_block(&mut reader)?),
            END => Self::End,
            other => return Err(WireError::BadCount(u32::from(other))),
        })
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], WireError> {
    let count = reader.size()?;
    reader.bytes(count)
}

fn put_block(out: &mut Vec<u8>, block: &Block) {
    let mut payload = Vec::new();
    block.encode(&mut payload);
    out.extend_from_slice(&block.kind().to_le_bytes());
    put_bytes(out, &payload);
}

fn take_block(reader: &mut Reader<'_>) -> Result<Block, WireError> {
    let kind = reader.u32()?;
    Block::decode(kind, take_bytes(reader)?)?.ok_or(WireError::BadCount(kind))
}

#[cfg(test)]
mod tests {
    use cami_recording::block::{Bytes, Host, Requested};
    use cami_wire::control::CommandRule;

    use super::*;

    #[test]
    fn what_is_told_is_what_is_heard() {
        let host = Host { host: 3, library: "a".into(), real_ns: 9, ..Host::default() };
        let about = About {
            path: "/x/y".into(),
            limit_bytes: 77,
            library_name: "lib.so".into(),
            client: (5, 6),
            client_name: "hal".into(),
            profile_text: "name = \"x\"".into(),
            rules: vec![CommandRule { id: 9, takes: vec![8], ..CommandRule::default() }],
            host,
        };
        let seen: Block =
            Requested { number: 8, header: Bytes(vec![1; 9]), ..Default::default() }.into();
        let all = [
            Entry::About(Box::new(about)),
            Entry::Block(seen.clone()),
            Entry::UnlessTold(seen.clone()),
            Entry::Seen(seen, Buffer(4), Snapshot::of(&[7; 5000])),
            Entry::Forget(Buffer(4)),
            Entry::Restarts(2),
            Entry::LeftOut(LeftOut { contents: 1, events: 2 }),
            Entry::End,
        ];
        for entry in all {
            let told = format!("{entry:?}");
            let (head, data) = entry.encode();
            let bytes = [head, data].concat();
            let (length, rest) = bytes.split_at(LENGTH_BYTES);
            assert_eq!(length, u32::try_from(rest.len()).unwrap().to_le_bytes());
            assert_eq!(format!("{:?}", Entry::decode(rest).unwrap()), told);
            // Cut anywhere it is an error, or shorter contents, and never a panic.
            for cut in 0..rest.len().min(200) {
                let _ = Entry::decode(&rest[..cut]);
            }
        }
    }
}
