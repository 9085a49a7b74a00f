//! Reads the captures of `tests/golden`.

use std::fs;
use std::path::PathBuf;

use cami_wire::libcamera::Dialect;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A call.
    HostToWorker,
    /// An answer or an event.
    WorkerToHost,
}

/// A message of a capture.
#[derive(Clone, Debug)]
pub struct Message {
    pub direction: Direction,
    pub command: u32,
    pub cookie: u32,
    pub fds: usize,
    pub bytes: Vec<u8>,
}

/// The interface that a capture speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    Ipu3,
    Vimc,
}

/// Every capture: file, interface, dialect.
pub const CAPTURES: [(&str, Interface, Dialect); 5] = [
    ("capture_ipu3_0.0.3.txt", Interface::Ipu3, Dialect::V0_0),
    ("capture_ipu3_v0.4.0.txt", Interface::Ipu3, Dialect::V0_4),
    ("capture_ipu3_v0.7.2.txt", Interface::Ipu3, Dialect::V0_7_1),
    ("capture_ipu3_master.txt", Interface::Ipu3, Dialect::V0_7_1),
    ("capture_vimc_0.0.3.txt", Interface::Vimc, Dialect::V0_0),
];

/// The text of a golden file.
pub fn golden(file: &str) -> String {
    // Seen from the crate that this is compiled into.
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/golden").join(file))
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(file));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The messages of a capture, checked against the lengths that it states.
pub fn messages(file: &str) -> Vec<Message> {
    let mut messages: Vec<(Message, usize)> = Vec::new();
    for line in golden(file).lines() {
        if let Some(message) = parse_head(line) {
            messages.push(message);
        } else if let Some(hex) = dump_line(line) {
            messages.last_mut().expect("a dump follows a head").0.bytes.extend(hex);
        }
    }
    assert!(!messages.is_empty(), "{file} has no messages");
    messages
        .into_iter()
        .map(|(message, length)| {
            assert_eq!(message.bytes.len(), length, "{file}: {message:?}");
            message
        })
        .collect()
}

/// `HOST->WORKER cmd=1 cookie=0 len=359 fds=[4, 5]`
fn parse_head(line: &str) -> Option<(Message, usize)> {
    let (direction, rest) = line.split_once(" cmd=")?;
    let direction = match direction {
        "HOST->WORKER" => Direction::HostToWorker,
        "WORKER->HOST" => Direction::WorkerToHost,
        _ => return None,
    };
    let (command, rest) = rest.split_once(" cookie=")?;
    let (cookie, rest) = rest.split_once(" len=")?;
    let (length, fds) = rest.split_once(" fds=")?;
    let fds = fds.trim_matches(['[', ']']);
    let message = Message {
        direction,
        command: command.parse().ok()?,
        cookie: cookie.parse().ok()?,
        fds: fds.split(',').filter(|fd| !fd.trim().is_empty()).count(),
        bytes: Vec::new(),
    };
    Some((message, length.parse().ok()?))
}

/// `  0010  01 00 …  text`: the bytes stand in columns 8 to 55.
fn dump_line(line: &str) -> Option<Vec<u8>> {
    let offset = line.strip_prefix("  ")?.get(..4)?;
    usize::from_str_radix(offset, 16).ok()?;
    (line.get(6..8)? == "  ").then_some(())?;
    hex(line.get(8..line.len().min(56))?)
}

/// Bytes from hexadecimal digits; blanks are ignored.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok())
        .collect()
}
