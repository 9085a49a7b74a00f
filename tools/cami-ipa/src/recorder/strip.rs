//! A copy of a recording without the vendor's tuning data.
//!
//! It is taken out where the protocol has it, and then wherever else any 64 bytes of that are found:
//! in the same buffer's later contents, in other buffers, in answers that hold a copy. The copy is
//! written anew from what is left, so that no page of the original is in it.

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cami_ipu3::Command;
use cami_ipu3::payload::{AiqInitParams, BinaryDataParams, CmcInitParams, Transport};
use cami_recording::block::{Annotation, Bytes};
use cami_recording::{Block, Buffer, ContentId, PAGE_BYTES, Recording, Snapshot, Source, Writer};

use super::tally::Tally;
use super::windows::{WINDOW, Windows};
use crate::failure::Failure;

pub fn strip(from: &Path, to: &Path, force: bool) -> Result<(), Failure> {
    let bad = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::environment(format!("{} {error}", path.display()))
    };
    let recording = Recording::open(from).map_err(|error| bad(from, &error))?;
    let profiles = profiles(&recording).map_err(|error| bad(from, &error))?;
    if let Some(unknown) = profiles.values().find(|(profile, _)| profile != "intel-ipu3") {
        return Err(Failure::falls_short(format!(
            "{} has a host of profile {}: where that has its tuning data is not known, so none is \
             taken out",
            from.display(),
            unknown.0
        )));
    }
    let mut open = OpenOptions::new();
    open.write(true).mode(0o600);
    if force {
        open.create(true).truncate(true)
    } else {
        open.create_new(true)
    };
    let file = open.open(to).map_err(|error| bad(to, &error))?;
    let removed = stripped(&recording, &profiles, BufWriter::new(file));
    let removed = removed.map_err(|error| bad(to, &error))?;
    let copy = Recording::open(to).map_err(|error| bad(to, &error))?;
    let tally = Tally::of(&copy).map_err(|error| bad(to, &error))?;
    let text = format!("{}: {tally}; {removed} bytes of tuning data left out\n", to.display());
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// By host: its profile, and where its commands stand.
type Profiles = HashMap<u32, (String, u32)>;

fn profiles<S: Source>(recording: &Recording<S>) -> io::Result<Profiles> {
    let mut profiles = HashMap::new();
    for block in recording.events() {
        if let Block::Host(host) = block.map_err(io::Error::other)? {
            profiles.insert(host.host, (host.profile, host.command_at));
        }
    }
    Ok(profiles)
}

/// Where a command's buffer has tuning data, or what was read out of it.
#[derive(Default)]
struct Areas {
    /// What must not be found anywhere.
    data: Option<Range<usize>>,
    /// What is taken out here alone: figures of it.
    figures: Option<Range<usize>>,
}

fn areas(command: u32) -> Areas {
    let whole = |range: Range<usize>| Areas { data: Some(range), figures: None };
    match Command::try_from(command) {
        Ok(Command::AicInit | Command::AicRun | Command::AicReset) => {
            let start = std::mem::offset_of!(Transport, aiqb);
            whole(start..std::mem::offset_of!(Transport, cmc_remote_handle))
        }
        // AIQB, NVM and AIQD follow the struct.
        Ok(Command::AiqInit) => whole(size_of::<AiqInitParams>()..usize::MAX),
        Ok(Command::AiqGetData) => {
            whole(std::mem::offset_of!(BinaryDataParams, data)..size_of::<BinaryDataParams>())
        }
        Ok(Command::CmcInit) => {
            let results = std::mem::offset_of!(CmcInitParams, results);
            // The last word is the handle.
            let handle = size_of::<CmcInitParams>() - size_of::<u64>();
            Areas { data: Some(0..results), figures: Some(results..handle) }
        }
        _ => Areas::default(),
    }
}

/// Writes the copy; how many bytes were taken out of its contents.
fn stripped<S: Source, W: Write>(
    recording: &Recording<S>,
    profiles: &Profiles,
    out: W,
) -> io::Result<u64> {
    let mut job = Job { recording, windows: Windows::default(), looked: HashMap::new() };
    let mut seen = HashSet::new();
    let mut commands = HashMap::new();
    for block in recording.events() {
        let Some((command, content)) =
            named(&block.map_err(io::Error::other)?, profiles, &mut commands)
        else {
            continue;
        };
        if let Some(range) = areas(command).data {
            job.learn(content, &range, &mut seen)?;
        }
    }
    let mut writer = Writer::begin(out, recording.begun_ns())?;
    let said = Annotation { key: "stripped".into(), value: "tuning".into() };
    writer.write(&said.into())?;
    let mut copies: HashMap<(u32, ContentId), ContentId> = HashMap::new();
    let mut removed = 0;
    commands.clear();
    for block in recording.events() {
        let mut block = block.map_err(io::Error::other)?;
        let named = named(&block, profiles, &mut commands);
        let place = match &mut block {
            Block::Requested(block) => Some((&mut block.content, &mut block.header)),
            Block::Updated(block) => Some((&mut block.content, &mut block.header)),
            Block::Returned(block) => {
                if let Some((command, content)) = named {
                    block.content =
                        job.copy(&mut writer, &mut copies, command, content, &mut removed)?;
                }
                None
            }
            _ => None,
        };
        if let Some((number, Bytes(header))) = place {
            if let Some((command, content)) = named {
                *number = job.copy(&mut writer, &mut copies, command, content, &mut removed)?;
            }
            removed += job.clean(header);
        }
        writer.write(&block)?;
    }
    writer.into_inner().flush()?;
    Ok(removed)
}

/// The command and the content of an event that has one. An answer's command is its request's.
fn named(
    block: &Block,
    profiles: &Profiles,
    commands: &mut HashMap<u64, u32>,
) -> Option<(u32, ContentId)> {
    let (command, content) = match block {
        Block::Requested(requested) => {
            let at = profiles.get(&requested.host).map_or(0, |(_, at)| *at);
            let byte = at.checked_sub(1).and_then(|at| usize::try_from(at).ok());
            let command = match byte {
                None => requested.req_id,
                Some(byte) => requested.header.0.get(byte).copied().map_or(0, u32::from),
            };
            commands.insert(requested.number, command);
            (command, requested.content)
        }
        Block::Returned(returned) => {
            let command = commands.get(&returned.request).copied().unwrap_or(returned.req_id);
            (command, returned.content)
        }
        // Nothing of the protocol: searched all the same.
        Block::Updated(updated) => (0, updated.content),
        _ => return None,
    };
    (content != 0).then_some((command, content))
}

struct Job<'r, S> {
    recording: &'r Recording<S>,
    windows: Windows,
    /// Places of what was found in a page and the begin of the one behind it, by their numbers.
    looked: HashMap<(u64, u64), Vec<usize>>,
}

impl<S: Source> Job<'_, S> {
    fn pages(&self, content: ContentId) -> io::Result<(Vec<u64>, Vec<u8>)> {
        let outline = self.recording.outline(content).map_err(io::Error::other)?;
        let bytes = self.recording.content(content).map_err(io::Error::other)?;
        let runs = outline.runs.iter().flat_map(|run| {
            (0..u64::from(run.count))
                .map(move |step| if run.first == 0 { 0 } else { run.first + step })
        });
        let pages = bytes.len().div_ceil(PAGE_BYTES);
        Ok((runs.take(pages).collect(), bytes))
    }

    /// Takes in what must not be found. The same pages in the same place are looked at once.
    fn learn(
        &mut self,
        content: ContentId,
        area: &Range<usize>,
        seen: &mut HashSet<(u64, u64, Range<usize>)>,
    ) -> io::Result<()> {
        let (numbers, bytes) = self.pages(content)?;
        for (index, &number) in numbers.iter().enumerate() {
            let page = index * PAGE_BYTES;
            let next = numbers.get(index + 1).copied().unwrap_or(0);
            let start = area.start.max(page);
            let end = area.end.min(page + PAGE_BYTES + WINDOW - 1).min(bytes.len());
            if start < end && seen.insert((number, next, start - page..end - page)) {
                self.windows.add(bytes.get(start..end).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// A content without what is to be taken out, in the copy.
    fn copy<W: Write>(
        &mut self,
        writer: &mut Writer<W>,
        copies: &mut HashMap<(u32, ContentId), ContentId>,
        command: u32,
        content: ContentId,
        removed: &mut u64,
    ) -> io::Result<ContentId> {
        if let Some(&copy) = copies.get(&(command, content)) {
            return Ok(copy);
        }
        let (numbers, original) = self.pages(content)?;
        let mut bytes = original.clone();
        let Areas { data, figures } = areas(command);
        for area in [data, figures].into_iter().flatten() {
            zero(&mut bytes, area);
        }
        for (index, &number) in numbers.iter().enumerate() {
            let page = index * PAGE_BYTES;
            let next = numbers.get(index + 1).copied().unwrap_or(0);
            let windows = &self.windows;
            let places = self.looked.entry((number, next)).or_insert_with(|| {
                let end = (page + PAGE_BYTES + WINDOW - 1).min(original.len());
                let mut places = Vec::new();
                let part = original.get(page..end).unwrap_or_default();
                windows.find(part, |at| places.push(at));
                places
            });
            for &at in places.iter() {
                zero(&mut bytes, page + at..page + at + WINDOW);
            }
        }
        let gone = original.iter().zip(&bytes).filter(|(before, after)| before != after).count();
        *removed += gone as u64;
        let copy = writer.content(Buffer(0), &Snapshot::of(&bytes))?;
        copies.insert((command, content), copy);
        Ok(copy)
    }

    /// The same for bytes that stand alone; how many were not zero before.
    fn clean(&self, bytes: &mut [u8]) -> u64 {
        let mut places = Vec::new();
        self.windows.find(bytes, |at| places.push(at));
        let before = bytes.iter().filter(|&&byte| byte != 0).count();
        for at in places {
            zero(bytes, at..at + WINDOW);
        }
        let after = bytes.iter().filter(|&&byte| byte != 0).count();
        before.saturating_sub(after) as u64
    }
}

fn zero(bytes: &mut [u8], range: Range<usize>) {
    let end = range.end.min(bytes.len());
    if let Some(part) = bytes.get_mut(range.start.min(end)..end) {
        part.fill(0);
    }
}
