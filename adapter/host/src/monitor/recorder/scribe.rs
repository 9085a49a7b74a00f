//! Packs and writes, in the writer's process.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_link::monotonic_ns;
use cami_recording::block::{Annotation, Died, Host, Lost, Number};
use cami_recording::{Block, Keep, Recording, Rules, Writer, compact};
use nix::fcntl::OFlag;

use super::about::{self, About};
use super::early::Early;
use super::entry::{Entry, LeftOut};
use super::inbox::{Inbox, Next};
use super::place::{self, Place, Refused};
use super::process::{Voice, voice};

/// How long a host before us may take to write what it has, before we take a file of our own.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
/// How often a file that another host holds is tried.
const LOCK_LOOK: Duration = Duration::from_millis(3);
/// How often is written what the vendor process uses.
const USAGE_INTERVAL: Duration = Duration::from_secs(1);
/// How long what a host begins with may come in any order.
const SETTLING: Duration = Duration::from_millis(100);
/// What is written to the file at once: all that has come since it was last looked for.
const AT_ONCE_BYTES: usize = 256 << 10;
/// Events that a file may have before it is made smaller: one for so many bytes of its limit. An event
/// of what a camera does takes many times that; in memory one takes some of these bytes while a file is made
/// smaller.
const LIMIT_BYTES_PER_EVENT: u64 = 512;
/// So many are never too many.
const FEW_EVENTS: u64 = 4096;

/// The writing side of a recording.
#[derive(Debug)]
pub struct Scribe {
    inbox: Arc<Inbox>,
    voice: Voice,
}

/// A recording that is written to.
#[derive(Debug)]
struct Open {
    writer: Writer<BufWriter<File>>,
    about: Box<About>,
    /// How the host ends, if it is not told: `None` once it was.
    unless_told: Option<Block>,
    /// `None` for a stream, which cannot be made smaller.
    path: Option<PathBuf>,
    host: u32,
    /// Requests that were in the file before.
    base: Number,
    /// How many events are enough to make the file smaller.
    max_events: u64,
}

impl Scribe {
    /// Writes what comes into `inbox`.
    pub fn new(inbox: Arc<Inbox>, voice: Voice) -> Self {
        Self { inbox, voice }
    }

    /// Writes until nothing more is to come. What it cannot write it says once.
    pub fn run(self) {
        if let Err(reason) = self.write_all() {
            self.voice.say(voice::WARN, &format!("{reason}; the camera goes on"));
        }
    }

    fn write_all(&self) -> Result<(), String> {
        // A host that only stands by, or that nobody ever spoke to, leaves nothing.
        let mut early = Early::default();
        let far = Duration::from_secs(3600);
        loop {
            match self.inbox.next(Instant::now() + far) {
                Next::Entry(entry) => {
                    if early.take(*entry) {
                        break;
                    }
                }
                Next::Nothing => {}
                Next::End => return Ok(()),
            }
        }
        // How often it was started anew is said behind the first call, and stands before all.
        let settled = Instant::now() + SETTLING;
        while early.restarts.is_none() {
            match self.inbox.next(settled) {
                Next::Entry(entry) => drop(early.take(*entry)),
                Next::Nothing | Next::End => break,
            }
        }
        let Some(mut about) = early.about.take() else { return Ok(()) };
        about.host.restarts = early.restarts.unwrap_or(0);
        let mut open = self.open(about)?;
        self.inbox.file_is_there();
        let name = open.name();
        self.voice.say(voice::PLACE, "");
        self.voice.say(voice::INFO, &format!("recording to {name}, as host {}", open.host));
        let failed = |error: io::Error| format!("the recording {name} ends here: {error}");
        if early.lost_lines > 0 {
            let reason = "lines before the library was used: there were too many";
            open.lost(early.lost_lines, reason).map_err(failed)?;
        }
        for entry in early.entries {
            self.write(&mut open, entry).map_err(failed)?;
            self.make_smaller_at_the_limit(&mut open)?;
        }
        let mut usage = Instant::now() + USAGE_INTERVAL;
        let mut busy = false;
        loop {
            if self.inbox.is_empty() {
                open.writer.flush().map_err(failed)?;
            }
            match self.inbox.next(usage) {
                Next::Entry(entry) => {
                    busy = true;
                    self.write(&mut open, *entry).map_err(failed)?;
                }
                Next::Nothing => {}
                Next::End => return open.end().and_then(|()| open.writer.flush()).map_err(failed),
            }
            if Instant::now() >= usage {
                usage = Instant::now() + USAGE_INTERVAL;
                // A camera that rests costs no disk.
                if std::mem::take(&mut busy)
                    && let Some(block) = open.about.usage(open.host)
                {
                    open.writer.write(&block.into()).map_err(failed)?;
                }
            }
            self.make_smaller_at_the_limit(&mut open)?;
        }
    }

    fn make_smaller_at_the_limit(&self, open: &mut Open) -> Result<(), String> {
        let limit = open.about.limit_bytes;
        let is_full = open.writer.written() > limit || open.writer.events() > open.max_events;
        if limit > 0 && is_full { self.make_smaller(open) } else { Ok(()) }
    }

    fn open(&self, about: Box<About>) -> Result<Open, String> {
        let first = place::file_of(&about.path, &about.library_name, about.client);
        let mut path = first.clone();
        let mut beside = 1;
        let began = Instant::now();
        loop {
            match place::open(&path) {
                Ok(place) => {
                    return begin(place, about)
                        .map_err(|error| format!("cannot record to {}: {error}", path.display()));
                }
                // Another library of the same client takes another file at once.
                Err(Refused::Busy) if beside == 1 && began.elapsed() < LOCK_PATIENCE => {
                    self.voice.say(voice::PLACE, "");
                    std::thread::sleep(LOCK_LOOK);
                }
                Err(Refused::Never(why)) => {
                    let why = why.trim_end_matches('.');
                    return Err(format!("nothing is recorded: {}: {why}", path.display()));
                }
                Err(refused) => {
                    if let Refused::Damaged(ending) = refused {
                        let path = path.display();
                        self.voice
                            .say(voice::WARN, &format!("{path} is {ending}; it is left alone"));
                    }
                    beside += 1;
                    path = place::beside(&first, beside).ok_or_else(|| {
                        format!(
                            "nothing is recorded: {} and all beside it are others'",
                            first.display()
                        )
                    })?;
                }
            }
        }
    }

    fn write(&self, open: &mut Open, entry: Entry) -> io::Result<()> {
        match entry {
            Entry::Block(block) => {
                if matches!(block, Block::Died(_) | Block::Ended(_)) {
                    open.unless_told = None;
                }
                let block = open.numbered(block, 0);
                open.writer.write(&block)
            }
            Entry::Seen(block, buffer, snapshot) => {
                let content = open.writer.content(buffer, &snapshot)?;
                let block = open.numbered(block, content);
                open.writer.write(&block)
            }
            Entry::Forget(buffer) => {
                open.writer.forget(buffer);
                Ok(())
            }
            Entry::LeftOut(LeftOut { contents, events }) => {
                let why = "they came faster than they could be written";
                for (count, what) in [(contents, "contents of buffers"), (events, "events")] {
                    if count > 0 {
                        let reason = format!("{what} were left out: {why}");
                        self.voice.say(voice::WARN, &format!("recording: {count} {reason}"));
                        open.lost(count, &reason)?;
                    }
                }
                Ok(())
            }
            Entry::UnlessTold(block) => {
                open.unless_told = Some(block);
                Ok(())
            }
            // Said before, or not an event.
            Entry::About(_) | Entry::Restarts(_) | Entry::End => Ok(()),
        }
    }

    /// Leaves the newest half of the file. What comes meanwhile waits in memory.
    fn make_smaller(&self, open: &mut Open) -> Result<(), String> {
        let limit = open.about.limit_bytes;
        let Some(path) = open.path.clone() else { return Ok(()) };
        let began = Instant::now();
        made_smaller(open, &path, limit / 2, open.max_events / 2)
            .map_err(|error| format!("the recording {} ends here: {error}", path.display()))?;
        let written = open.writer.written();
        if written > limit / 4 * 3 {
            return Err(format!(
                "the recording {} ends here: what has to be kept of it takes {} MiB, too much for \
                 record_limit_mib = {}",
                path.display(),
                written >> 20,
                limit >> 20
            ));
        }
        // What has to be kept is not made smaller again for each event that comes.
        open.max_events = open.max_events.max(open.writer.events().saturating_mul(4) / 3);
        let ms = began.elapsed().as_millis();
        let line = format!("the recording was made smaller, to {written} bytes in {ms} ms");
        self.voice.say(voice::DEBUG, &line);
        Ok(())
    }
}

/// Writes what a host begins with.
fn begin(place: Place, about: Box<About>) -> io::Result<Open> {
    let mut said = HashSet::new();
    let (writer, path, host, base) = match place {
        Place::New(file, path) => {
            (Writer::begin(at_once(file), about::real_ns())?, Some(path), 1, 0)
        }
        Place::Stream(file) => (Writer::begin(at_once(file), about::real_ns())?, None, 1, 0),
        Place::Old(file, path, recording) => {
            let (host, base) = last_numbers(&recording, &mut said)?;
            let (page, content) = recording.next_numbers();
            let writer = Writer::go_on(at_once(file), page, content, recording.good_bytes())
                .with_events(recording.event_count());
            (writer, Some(path), host.saturating_add(1), base)
        }
    };
    let cause = "the monitor was killed, and the vendor process with it".to_owned();
    let killed = Died { signal: libc::SIGKILL, cause, ..Died::default() };
    let max_events = (about.limit_bytes / LIMIT_BYTES_PER_EVENT).max(FEW_EVENTS);
    let unless_told = Some(killed.into());
    let mut open = Open { writer, about, unless_told, path, host, base, max_events };
    for annotation in open.about.annotations() {
        if !said.contains(&annotation) {
            open.writer.write(&annotation.into())?;
        }
    }
    open.writer.write(&Host { host: open.host, ..open.about.host.clone() }.into())?;
    // Where nothing can be written, it is said now and with the file's name.
    open.writer.flush()?;
    Ok(open)
}

fn at_once(file: File) -> BufWriter<File> {
    BufWriter::with_capacity(AT_ONCE_BYTES, file)
}

impl Open {
    fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "a stream".to_owned(), |path| path.display().to_string())
    }

    fn lost(&mut self, events: u64, reason: &str) -> io::Result<()> {
        let (host, at_ns, reason) = (self.host, monotonic_ns(), reason.to_owned());
        self.writer.write(&Lost { host, at_ns, events, reason }.into())
    }

    /// Nothing more comes. A monitor that was killed has not said how its host ended: the vendor
    /// process ends with it.
    fn end(&mut self) -> io::Result<()> {
        let Some(mut block) = self.unless_told.take() else { return Ok(()) };
        match &mut block {
            Block::Died(died) => died.at_ns = monotonic_ns(),
            Block::Ended(ended) => ended.at_ns = monotonic_ns(),
            _ => {}
        }
        let block = self.numbered(block, 0);
        self.writer.write(&block)
    }

    /// An event with the numbers that it has in this file.
    fn numbered(&self, mut block: Block, content: u64) -> Block {
        let base = self.base;
        if let Some(host) = block.host_mut() {
            *host = self.host;
        }
        if let Some(named) = block.content_mut() {
            *named = content;
        }
        match &mut block {
            Block::Requested(block) => block.number = block.number.saturating_add(base),
            Block::Returned(block) if block.request != 0 => {
                block.request = block.request.saturating_add(base);
            }
            _ => {}
        }
        block
    }
}

/// The last host and the last request of a file, and what it has said of itself.
fn last_numbers(
    recording: &Recording<File>,
    said: &mut HashSet<Annotation>,
) -> io::Result<(u32, Number)> {
    let (mut host, mut request) = (0, 0);
    for block in recording.events() {
        match block.map_err(io::Error::other)? {
            Block::Annotation(annotation) => {
                said.insert(annotation);
            }
            Block::Host(block) => host = host.max(block.host),
            Block::Requested(requested) => request = request.max(requested.number),
            _ => {}
        }
    }
    Ok((host, request))
}

/// Writes the newest part beside the file, and puts it in its place.
fn made_smaller(open: &mut Open, path: &Path, bytes: u64, events: u64) -> io::Result<()> {
    // It may have been moved, and the name be another's: then it is not ours to take, and what we
    // have is wherever it was moved to.
    open.writer.flush()?;
    let own = open.writer.get_ref().get_ref();
    if !is_named(own, path) {
        return Err(io::Error::other("another file has taken its place"));
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".smaller");
    let beside = path.with_file_name(name);
    let recording = Recording::read(own.try_clone()?).map_err(io::Error::other)?;
    // One that a killed monitor has left is ours too: nobody else has the lock.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&beside)?;
    let done = (|| {
        // Before it has the name that others look for.
        file.try_lock()?;
        let contents = open.writer.latest_contents();
        let rules = Rules { profile: &open.about.host.profile, commands: &open.about.rules };
        let keep = Keep { bytes, events, contents: &contents, rules };
        let mut out = BufWriter::with_capacity(1 << 20, &file);
        let compacted = compact(&recording, &mut out, keep, || true)?;
        out.flush()?;
        drop(out);
        // Not synced: a machine that loses its power may lose the file, as it loses what was written
        // last.
        if !is_named(open.writer.get_ref().get_ref(), path) {
            return Err(io::Error::other("another file has taken its place"));
        }
        fs::rename(&beside, path)?;
        Ok::<_, io::Error>(compacted)
    })();
    match done {
        Ok(compacted) => {
            open.writer.move_to(at_once(file), &compacted);
            Ok(())
        }
        Err(error) => {
            let _ = fs::remove_file(&beside);
            Err(error)
        }
    }
}

/// Whether the name is still this file's.
fn is_named(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(file), Ok(named)) => (file.dev(), file.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}
