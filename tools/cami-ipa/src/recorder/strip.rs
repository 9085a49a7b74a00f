//! A copy of a recording without the vendor's tuning data.
//!
//! It is taken out where the protocol has it, and then wherever else any 64 bytes of that are found:
//! in the same buffer's later contents, in other buffers, in answers that hold a copy. The copy is
//! written anew from what is left, so that no page of the original is in it.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cami_ipu3::Command;
use cami_ipu3::payload::{AiqInitParams, BinaryDataParams, CmcInitParams, Transport};
use cami_recording::block::{Annotation, Bytes, Requested, Updated, command as command_of};
use cami_recording::{Block, Buffer, ContentId, PAGE_BYTES, Recording, Snapshot, Source, Writer};

use super::tally::Tally;
use super::windows::{WINDOW, Windows};
use crate::failure::Failure;

pub fn strip(from: &Path, to: &Path, force: bool, incomplete: bool) -> Result<(), Failure> {
    may_be_written(from, to, force)?;
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
    let unseen = Unseen::of(&recording, &profiles).map_err(|error| bad(from, &error))?;
    if !unseen.is_nothing() && !incomplete {
        return Err(Failure::falls_short(format!(
            "{}: {unseen}: tuning data that was not recorded there is not found where else it may \
             stand. --incomplete writes the copy all the same",
            from.display()
        )));
    }
    // Beside it: a failure half way leaves nothing, and what was there keeps what it is until the end.
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = tempfile::Builder::new()
        .prefix(".stripping-")
        .suffix(".camr")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(|error| bad(to, &error))?;
    let removed = stripped(&recording, &profiles, BufWriter::new(beside.as_file()));
    let removed = removed.map_err(|error| bad(to, &error))?;
    let done = if force { beside.persist(to) } else { beside.persist_noclobber(to) };
    done.map_err(|error| bad(to, &error.error))?;
    let copy = Recording::open(to).map_err(|error| bad(to, &error))?;
    let tally = Tally::of(&copy).map_err(|error| bad(to, &error))?;
    let text = format!("{}: {tally}; {removed} bytes of tuning data left out\n", to.display());
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// What is at OUT may be replaced only if that was asked for, and it is a recording, and not IN.
fn may_be_written(from: &Path, to: &Path, force: bool) -> Result<(), Failure> {
    let bad = |error: io::Error| Failure::environment(format!("{} {error}", to.display()));
    let found = match fs::symlink_metadata(to) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.map_err(bad)?,
    };
    if !force {
        return Err(Failure::usage(format!("{} is there: --force replaces it", to.display())));
    }
    if !found.is_file() {
        return Err(Failure::usage(format!("{} is there, and is no file", to.display())));
    }
    let own = |found: &fs::Metadata| (found.dev(), found.ino());
    if fs::metadata(from).is_ok_and(|from| own(&from) == own(&found)) {
        return Err(Failure::usage(format!("{} is IN itself", to.display())));
    }
    let mut start = [0; 4];
    let mut opened = File::open(to).map_err(bad)?;
    if found.len() > 0 && !(opened.read_exact(&mut start).is_ok() && start == *b"CAMR") {
        return Err(Failure::usage(format!("{} is there, and is no recording", to.display())));
    }
    Ok(())
}

/// Tuning data that a library was given or gave, and that is not in the recording.
#[derive(Debug, Default)]
struct Unseen {
    /// Requests and answers without the buffer that has it.
    buffers: u64,
    /// Events that are missing, of which nothing is known.
    events: u64,
}

impl Unseen {
    fn of<S: Source>(recording: &Recording<S>, profiles: &Profiles) -> io::Result<Self> {
        let mut found = Self::default();
        let mut commands = HashMap::new();
        for block in recording.events() {
            let block = block.map_err(io::Error::other)?;
            if let Block::Lost(lost) = &block {
                found.events = found.events.saturating_add(lost.events);
            }
            if let Some(named) = named(&block, profiles, &mut commands)
                && named.errno != 0
                && areas(named.command).data.is_some()
            {
                found.buffers += 1;
            }
        }
        Ok(found)
    }

    fn is_nothing(&self) -> bool {
        self.buffers == 0 && self.events == 0
    }
}

impl std::fmt::Display for Unseen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { buffers, events } = self;
        write!(f, "{buffers} buffers with tuning data and {events} events are missing")
    }
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
            with_content(&block.map_err(io::Error::other)?, profiles, &mut commands)
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
        let named = with_content(&block, profiles, &mut commands);
        match &mut block {
            Block::Line(line) => removed += job.clean_text(&mut line.text),
            Block::Died(died) => removed += job.clean_text(&mut died.cause),
            Block::Requested(Requested { header: Bytes(header), .. })
            | Block::Updated(Updated { header: Bytes(header), .. }) => removed += job.clean(header),
            _ => {}
        }
        if let (Some((command, content)), Some(number)) = (named, block.content_mut()) {
            *number = job.copy(&mut writer, &mut copies, command, content, &mut removed)?;
        }
        writer.write(&block)?;
    }
    writer.into_inner().flush()?;
    Ok(removed)
}

/// What an event that has a buffer says of it.
struct Named {
    command: u32,
    /// 0: there is none, see `errno`.
    content: ContentId,
    errno: u32,
}

/// The command and the content of an event that may have one. An answer's command is its request's.
fn named(block: &Block, profiles: &Profiles, commands: &mut HashMap<u64, u32>) -> Option<Named> {
    let (command, content, errno) = match block {
        Block::Requested(requested) => {
            let at = profiles.get(&requested.host).map_or(0, |(_, at)| *at);
            let command = command_of(at, requested.req_id, &requested.header.0).unwrap_or(0);
            commands.insert(requested.number, command);
            (command, requested.content, requested.content_errno)
        }
        Block::Returned(returned) => {
            let command = commands.get(&returned.request).copied().unwrap_or(returned.req_id);
            (command, returned.content, returned.content_errno)
        }
        // Nothing of the protocol: searched all the same.
        Block::Updated(updated) => (0, updated.content, updated.content_errno),
        _ => return None,
    };
    Some(Named { command, content, errno })
}

/// The same of one that has a content.
fn with_content(
    block: &Block,
    profiles: &Profiles,
    commands: &mut HashMap<u64, u32>,
) -> Option<(u32, ContentId)> {
    let named = named(block, profiles, commands)?;
    (named.content != 0).then_some((named.command, named.content))
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

impl<S: Source> Job<'_, S> {
    /// The same for text. Where a letter loses a part of its bytes it is a question mark.
    fn clean_text(&self, text: &mut String) -> u64 {
        let mut bytes = std::mem::take(text).into_bytes();
        let removed = self.clean(&mut bytes);
        *text = String::from_utf8_lossy(&bytes).into_owned();
        removed
    }
}

fn zero(bytes: &mut [u8], range: Range<usize>) {
    let end = range.end.min(bytes.len());
    if let Some(part) = bytes.get_mut(range.start.min(end)..end) {
        part.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cami_recording::block::{Died, Host, Line, Lost, Requested};
    use std::os::unix::fs::PermissionsExt;

    /// A recording of an IPU3 library that was given `tuning`, if that was seen.
    fn recording(path: &Path, tuning: Option<&[u8]>, rest: &[Block]) {
        let mut writer = Writer::begin(File::create(path).unwrap(), 0).unwrap();
        let host = Host { host: 1, profile: "intel-ipu3".into(), ..Host::default() };
        writer.write(&host.into()).unwrap();
        let mut buffer = vec![0; size_of::<AiqInitParams>()];
        buffer.extend_from_slice(tuning.unwrap_or_default());
        let content =
            tuning.map_or(0, |_| writer.content(Buffer(1), &Snapshot::of(&buffer)).unwrap());
        let requested = Requested {
            host: 1,
            number: 1,
            req_id: Command::AiqInit.number(),
            handle: 3,
            content,
            content_errno: if content == 0 { 28 } else { 0 },
            ..Requested::default()
        };
        writer.write(&requested.into()).unwrap();
        rest.iter().for_each(|block| writer.write(block).unwrap());
    }

    fn tuning() -> Vec<u8> {
        b"Copyright of a vendor whose words are in no other file, as far as we know. "
            .iter()
            .copied()
            .cycle()
            .take(300)
            .collect()
    }

    #[test]
    fn what_is_at_out_is_replaced_only_if_it_is_another_recording() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name);
        let from = at("in.camr");
        recording(&from, Some(&tuning()), &[]);
        let before = fs::read(&from).unwrap();
        fs::hard_link(&from, at("hard")).unwrap();
        std::os::unix::fs::symlink(&from, at("soft")).unwrap();
        fs::write(at("letter"), "to my mother").unwrap();
        for name in ["in.camr", "hard", "soft", "letter"] {
            assert!(strip(&from, &at(name), true, false).is_err(), "{name}");
        }
        assert!(fs::read(&from).unwrap() == before);
        assert_eq!(fs::read(at("letter")).unwrap(), b"to my mother");
        recording(&at("old"), Some(&tuning()), &[]);
        fs::set_permissions(at("old"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(strip(&from, &at("old"), false, false).is_err());
        strip(&from, &at("old"), true, false).unwrap();
        assert_eq!(fs::metadata(at("old")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Recording::open(&at("old")).is_ok());
        assert_eq!(fs::read_dir(room.path()).unwrap().count(), 5, "nothing is left behind");
    }

    #[test]
    fn tuning_that_was_not_seen_is_no_success() {
        let room = tempfile::tempdir().unwrap();
        let (from, to) = (room.path().join("in.camr"), room.path().join("out.camr"));
        let lost = Lost { host: 1, events: 3, ..Lost::default() };
        for (tuning, rest) in [(None, vec![]), (Some(tuning()), vec![lost.into()])] {
            recording(&from, tuning.as_deref(), &rest);
            let refused = strip(&from, &to, false, false).unwrap_err();
            assert!(refused.to_string().contains("--incomplete"), "{refused}");
            assert!(!to.exists());
            strip(&from, &to, false, true).unwrap();
            fs::remove_file(&to).unwrap();
        }
    }

    #[test]
    fn words_of_the_library_are_cleaned_too() {
        let room = tempfile::tempdir().unwrap();
        let (from, to) = (room.path().join("in.camr"), room.path().join("out.camr"));
        let told = format!("é{}", String::from_utf8(tuning()).unwrap());
        let line = Line { host: 1, text: told.clone(), ..Line::default() };
        let died = Died { host: 1, cause: told, ..Died::default() };
        recording(&from, Some(&tuning()), &[line.into(), died.into()]);
        strip(&from, &to, false, false).unwrap();
        let mut seen = 0;
        for block in Recording::open(&to).unwrap().events() {
            let (Block::Line(Line { text, .. }) | Block::Died(Died { cause: text, .. })) =
                block.unwrap()
            else {
                continue;
            };
            seen += 1;
            assert!(!text.contains("vendor") && text.starts_with('é'), "{text}");
        }
        assert_eq!(seen, 2);
    }
}
