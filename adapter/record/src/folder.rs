//! The folders: files that appear whole, a bounded number of them, and their reading.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// No file of ours is larger, and no more of one is read.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// Names of a folder that are looked at; a folder with more has been filled on purpose.
const MAX_NAMES: usize = 4096;

/// Neither a link nor a pipe that somebody put there is followed or waited for.
const CAREFUL: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// Which files of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `PID.json`: [`crate::Status`].
    Status,
    /// `death-TIME-PID.json`: [`crate::Death`].
    Death,
    /// `crash-TIME-PID.json`: [`crate::CrashRecord`].
    Crash,
}

impl Kind {
    fn has(self, name: &str) -> bool {
        let Some(stem) = name.strip_suffix(".json") else { return false };
        match self {
            Self::Status => stem.bytes().all(|byte| byte.is_ascii_digit()) && !stem.is_empty(),
            Self::Death => stem.starts_with("death-"),
            Self::Crash => stem.starts_with("crash-"),
        }
    }
}

/// The name of a file of that kind: those with a time sort by it.
#[must_use]
pub fn name(kind: Kind, time_unix_ms: u64, monitor_pid: i32) -> String {
    let prefix = match kind {
        Kind::Status => return format!("{monitor_pid}.json"),
        Kind::Death => "death",
        Kind::Crash => "crash",
    };
    // Colons are awkward in file names.
    let time = humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(time_unix_ms));
    format!("{prefix}-{}-{monitor_pid}.json", time.to_string().replace([':', '-'], ""))
}

/// Writes a file that appears whole, or not at all. The folder is made if only its last part is
/// missing. Everybody may read status and deaths; crash records tell of the HAL's work, and are the
/// owner's.
///
/// # Errors
/// What the kernel says; `InvalidData` for a value of more than [`MAX_FILE_BYTES`].
pub fn write(folder: &Path, kind: Kind, name: &str, value: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large"));
    }
    let private = if kind == Kind::Crash { 0o700 } else { 0o755 };
    match DirBuilder::new().mode(private).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // One name for each file: what a killed monitor left is written over.
    let new = folder.join(format!(".{name}.new"));
    let written =
        write_new(&new, &bytes, private & 0o666).and_then(|()| fs::rename(&new, folder.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let create = || OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()?
        }
        other => other?,
    };
    file.write_all(bytes)
}

/// Removes a file; that there is none is no error.
pub fn remove(folder: &Path, name: &str) {
    let _ = fs::remove_file(folder.join(name));
}

/// A file of a folder, and what stands in it.
#[derive(Debug)]
pub struct Found<T> {
    /// The file.
    pub path: PathBuf,
    /// Its content, or one line that says what is wrong with it.
    pub content: Result<T, String>,
}

/// What was found.
#[derive(Debug)]
pub struct Bounded<T> {
    /// The files, those with the newest names first.
    pub found: Vec<Found<T>>,
    /// Whether there were more than are looked at.
    pub more: bool,
}

/// Reads the newest `limit` files of one kind, hostile as they may be.
///
/// # Errors
/// What the kernel says of the folder.
pub fn read<T: DeserializeOwned>(
    folder: &Path,
    kind: Kind,
    limit: usize,
) -> io::Result<Bounded<T>> {
    let (names, mut more) = names(folder, kind)?;
    more |= names.len() > limit;
    let found = names
        .iter()
        .rev()
        .take(limit)
        .map(|name| {
            let path = folder.join(name);
            let content = read_one(&path).map_err(|error| error.to_string());
            Found { path, content }
        })
        .collect();
    Ok(Bounded { found, more })
}

fn read_one<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let file: File = OpenOptions::new().read(true).custom_flags(CAREFUL).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is too large to be one of ours"));
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// The names of one kind in their order, and whether the folder has more names than are looked at.
fn names(folder: &Path, kind: Kind) -> io::Result<(Vec<String>, bool)> {
    let mut names = Vec::new();
    let mut entries = fs::read_dir(folder)?;
    for entry in entries.by_ref().take(MAX_NAMES) {
        if let Some(name) = entry?.file_name().to_str().filter(|name| kind.has(name)) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok((names, entries.next().is_some()))
}

/// Removes the oldest files of one kind, so that `keep` are left.
pub fn keep_newest(folder: &Path, kind: Kind, keep: usize) {
    let Ok((names, _)) = names(folder, kind) else { return };
    for name in names.iter().rev().skip(keep) {
        remove(folder, name);
    }
}
