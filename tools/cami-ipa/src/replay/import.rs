//! `cami-ipa replay --import`: requests that were saved as files, made into a recording.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cami_ipu3::HEADER;
use cami_recording::block::{
    Annotation, Answered, Bytes, Call, Called, Ended, Host, Requested, Returned,
};
use cami_recording::{Block, Buffer, Snapshot, Writer};
use cami_replay::Protocol;

use super::options::ImportOptions;
use crate::failure::Failure;

/// Nanoseconds from request to request: files tell no times.
const STEP_NS: u64 = 1_000_000;
/// And from request to answer, without a manifest.
const ANSWER_NS: u64 = 100_000;

/// What a folder has of a request.
#[derive(Debug, Default)]
struct Saved {
    command: u32,
    before: Option<PathBuf>,
    after: Option<PathBuf>,
}

/// Does it.
pub fn import(options: &ImportOptions) -> Result<(), Failure> {
    let name = options.profile.as_deref().unwrap_or("intel-ipu3");
    let protocol =
        Protocol::named(name).map_err(|error| Failure::usage(format!("--profile: {error}")))?;
    if protocol.profile().command_byte.is_some() {
        let line = format!("--profile: commands of {name} stand in headers, which no file has");
        return Err(Failure::usage(line));
    }
    let saved = requests(&options.folder)?;
    let manifest = manifest(&options.folder)?;
    let cannot = |error: std::io::Error| {
        Failure::environment(format!("{} cannot be written: {error}", options.output.display()))
    };
    let out = File::create(&options.output).map_err(cannot)?;
    let mut session = Import {
        writer: Writer::begin(out, 0).map_err(cannot)?,
        registered: HashMap::new(),
        now_ns: STEP_NS,
        number: 0,
        cookie: 0,
    };
    session.begin(&protocol).map_err(cannot)?;
    let count = saved.len();
    for (number, saved) in saved {
        let told = manifest.get(&number).copied().unwrap_or_default();
        let read = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
        let (before, after) = (read(&saved.before)?, read(&saved.after)?);
        let before = before.unwrap_or_default();
        session.exchange(saved.command, &before, after.as_deref(), told).map_err(cannot)?;
    }
    session.end().map_err(cannot)?;
    let _ = writeln!(std::io::stdout(), "{}: {count} requests", options.output.display());
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let told = |error| Failure::environment(format!("{}: {error}", path.display()));
    let bytes = fs::metadata(path).map_err(|error| told(error.to_string()))?.len();
    if bytes > cami_recording::MAX_CONTENT_BYTES {
        return Err(told(format!("{bytes} bytes are more than any buffer has")));
    }
    fs::read(path).map_err(|error| told(error.to_string()))
}

/// The requests of a folder, by their number.
fn requests(folder: &Path) -> Result<BTreeMap<u64, Saved>, Failure> {
    let told = |error| Failure::environment(format!("{}: {error}", folder.display()));
    let mut requests: BTreeMap<u64, Saved> = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| told(error.to_string()))? {
        let entry = entry.map_err(|error| told(error.to_string()))?;
        let name = entry.file_name();
        let Some((number, command, after)) = name.to_str().and_then(parts) else { continue };
        let saved = requests.entry(number).or_insert_with(|| Saved { command, ..Saved::default() });
        if saved.command != command {
            return Err(told(format!("request {number} is of two commands")));
        }
        *(if after { &mut saved.after } else { &mut saved.before }) = Some(entry.path());
    }
    if requests.is_empty() {
        return Err(told("has no NNN_cmdCC_in.bin".to_owned()));
    }
    match requests.iter().find(|(_, saved)| saved.before.is_none()) {
        Some((number, saved)) => {
            Err(told(format!("{number:03}_cmd{:02}_in.bin is missing", saved.command)))
        }
        None => Ok(requests),
    }
}

/// `NNN_cmdCC_in.bin` and `NNN_cmdCC_out.bin`.
fn parts(name: &str) -> Option<(u64, u32, bool)> {
    let (number, rest) = name.split_once("_cmd")?;
    let (command, rest) = rest.split_once('_')?;
    let after = match rest {
        "in.bin" => false,
        "out.bin" => true,
        _ => return None,
    };
    Some((number.parse().ok()?, command.parse().ok()?, after))
}

/// Status and time of a request.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    status: u32,
    micros: Option<u64>,
}

/// `manifest.tsv`: sequence number, command, bytes, status, microseconds; its first line is a title.
fn manifest(folder: &Path) -> Result<HashMap<u64, Told>, Failure> {
    let path = folder.join("manifest.tsv");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(Failure::environment(format!("{}: {error}", path.display()))),
    };
    let mut told = HashMap::new();
    for (line, text) in text.lines().enumerate().skip(1) {
        let columns: Vec<&str> = text.split('\t').collect();
        let parsed = match columns.as_slice() {
            [number, _, _, status, rest @ ..] => {
                let micros = rest.first().and_then(|micros| micros.parse().ok());
                let status = status.parse().ok();
                number.parse().ok().zip(status.map(|status| Told { status, micros }))
            }
            _ => None,
        };
        let (number, line) = parsed.ok_or_else(|| {
            Failure::environment(format!("{}: line {} is no request", path.display(), line + 1))
        })?;
        told.insert(number, line);
    }
    Ok(told)
}

/// A recording that is being written. Each command has a buffer of its own, whose handle is the
/// command's number.
struct Import {
    writer: Writer<File>,
    registered: HashMap<i32, usize>,
    now_ns: u64,
    number: u64,
    cookie: u32,
}

impl Import {
    const HOST: u32 = 1;

    fn begin(&mut self, protocol: &Protocol) -> std::io::Result<()> {
        for (key, value) in
            [("tool_version", env!("CARGO_PKG_VERSION")), ("made_by", "cami-ipa replay --import")]
        {
            let annotation = Annotation { key: key.to_owned(), value: value.to_owned() };
            self.writer.write(&annotation.into())?;
        }
        let profile = protocol.profile();
        let host = Host {
            host: Self::HOST,
            at_ns: self.now_ns,
            revision: "G".to_owned(),
            profile: profile.name.clone(),
            ok_status: profile.ok_status,
            ..Host::default()
        };
        self.writer.write(&host.into())?;
        self.call(Call::Load, 0, Vec::new(), 0)?;
        self.call(Call::Initialize, 0, Vec::new(), 0)
    }

    fn call(
        &mut self,
        call: Call,
        buffer_bytes: u64,
        handles: Vec<i32>,
        value: i32,
    ) -> std::io::Result<()> {
        self.cookie += 1;
        let (host, cookie, call) = (Self::HOST, self.cookie, call.number());
        let at_ns = self.now_ns;
        self.writer.write(&Called { host, at_ns, cookie, call, buffer_bytes, handles }.into())?;
        self.writer.write(&Answered { host, at_ns, cookie, call, value }.into())
    }

    fn exchange(
        &mut self,
        command: u32,
        before: &[u8],
        after: Option<&[u8]>,
        told: Told,
    ) -> std::io::Result<()> {
        self.now_ns += STEP_NS;
        self.number += 1;
        let handle = if before.is_empty() { -1 } else { i32::try_from(command).unwrap_or(-1) };
        if handle >= 0 && self.registered.get(&handle) != Some(&before.len()) {
            if self.registered.insert(handle, before.len()).is_some() {
                self.call(Call::DeregisterBuffers, 0, vec![handle], 0)?;
            }
            self.call(Call::RegisterBuffer, before.len() as u64, Vec::new(), handle)?;
        }
        let requested = Requested {
            host: Self::HOST,
            at_ns: self.now_ns,
            number: self.number,
            req_id: command,
            handle,
            content: self.content(handle, Some(before))?,
            header: Bytes(HEADER.to_vec()),
            ..Requested::default()
        };
        self.writer.write(&Block::from(requested))?;
        let answer_ns = told.micros.map_or(ANSWER_NS, |micros| micros.saturating_mul(1000));
        self.now_ns += answer_ns;
        let returned = Returned {
            host: Self::HOST,
            at_ns: self.now_ns,
            request: self.number,
            req_id: command,
            status: told.status,
            handle,
            content: self.content(handle, after)?,
            ..Returned::default()
        };
        self.writer.write(&returned.into())
    }

    fn content(&mut self, handle: i32, content: Option<&[u8]>) -> std::io::Result<u64> {
        match (u64::try_from(handle), content) {
            (Ok(buffer), Some(content)) => {
                self.writer.content(Buffer(buffer), &Snapshot::of(content))
            }
            _ => Ok(0),
        }
    }

    fn end(mut self) -> std::io::Result<()> {
        self.now_ns += STEP_NS;
        self.call(Call::Deinitialize, 0, Vec::new(), 0)?;
        self.writer.write(&Ended { host: Self::HOST, at_ns: self.now_ns }.into())
    }
}
