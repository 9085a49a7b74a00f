//! The thread that packs and writes. Nobody waits for it.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cami_link::monotonic_ns;
use cami_recording::block::{Annotation, Host, Libraries, LoadedLibrary, Lost, Number};
use cami_recording::{Block, Call, Keep, Recording, Writer, compact};
use nix::fcntl::OFlag;
use nix::unistd::ForkResult;

use super::about::{self, About};
use super::place::{self, Place, Refused};
use super::queue::{Entry, LeftOut, Next, Queue};
use crate::monitor::maps::Maps;
use crate::vendor_process::close_all_but;

/// How long a host before us may take to write what it has, before we take a file of our own.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
/// How often a file that another host holds is tried.
const LOCK_LOOK: Duration = Duration::from_millis(20);
/// How often is written what the vendor process uses.
const USAGE_INTERVAL: Duration = Duration::from_secs(1);
/// Where more than this is left when the last event has come, or some of it after this time, a child
/// writes it, so that the monitor can end: its client waits no more than 100 ms for it
/// (`END_PATIENCE`, adapter/client/src/host.rs).
const ASIDE_FROM_BYTES: usize = 64 << 10;
const ASIDE_AFTER: Duration = Duration::from_millis(20);
/// A disk that takes longer then has failed.
const ASIDE_SECONDS: u32 = 10;

/// The writing side of a recording.
#[derive(Debug)]
pub struct Scribe {
    pub queue: Arc<Queue>,
    pub about: About,
    /// How often the client had started a host anew: it says so only once the host is ready.
    pub restarts: Arc<AtomicU32>,
}

/// A recording that is written to.
#[derive(Debug)]
struct Open {
    writer: Writer<File>,
    /// `None` for a stream, which cannot be made smaller.
    path: Option<PathBuf>,
    host: u32,
    /// Requests that were in the file before.
    base: Number,
}

impl Scribe {
    /// Writes until nothing more is to come. What it cannot write it says once, in the log.
    pub fn run(self) {
        if let Err(reason) = self.write_all()
            && !reason.is_empty()
        {
            log::warn!("{reason}; the camera goes on");
        }
        self.queue.give_up();
        self.queue.finish();
    }

    fn write_all(&self) -> Result<(), String> {
        if !self.wait_for_something() {
            return Ok(());
        }
        let mut open = self.open()?;
        let name = open.name();
        log::info!("recording to {name}, as host {}", open.host);
        let mut usage = Instant::now() + USAGE_INTERVAL;
        let mut busy = false;
        loop {
            let failed = |error: io::Error| format!("the recording {name} ends here: {error}");
            if self.queue.is_late(ASIDE_FROM_BYTES, ASIDE_AFTER) {
                return self.write_aside(open);
            }
            match self.queue.next(usage) {
                Next::Entry(entry, left_out) => {
                    busy = true;
                    self.lost(&mut open, left_out).map_err(failed)?;
                    self.write(&mut open, *entry).map_err(failed)?;
                }
                Next::Nothing => {}
                Next::End(left_out) => return self.lost(&mut open, left_out).map_err(failed),
            }
            if Instant::now() >= usage {
                usage = Instant::now() + USAGE_INTERVAL;
                // A camera that rests costs no disk.
                if std::mem::take(&mut busy)
                    && let Some(block) = self.about.usage(open.host)
                {
                    open.writer.write(&block.into()).map_err(failed)?;
                }
            }
            if self.about.limit_bytes > 0 && open.writer.written() > self.about.limit_bytes {
                self.make_smaller(&mut open)?;
            }
        }
    }

    /// A host that only stands by, or that nobody ever spoke to, leaves nothing.
    fn wait_for_something(&self) -> bool {
        loop {
            if self.queue.has(says_something) {
                return true;
            }
            if self.queue.is_closed() {
                return false;
            }
            self.queue.wait(Duration::from_secs(3600));
        }
    }

    fn open(&self) -> Result<Open, String> {
        let about = &self.about;
        let first = place::file_of(&about.path, &about.library_name, about.client);
        let mut path = first.clone();
        let mut beside = 1;
        let began = Instant::now();
        loop {
            match place::open(&path) {
                Ok(place) => {
                    return self
                        .begin(place)
                        .map_err(|error| format!("cannot record to {}: {error}", path.display()));
                }
                // Another library of the same client takes another file at once.
                Err(Refused::Busy) if beside == 1 && began.elapsed() < LOCK_PATIENCE => {
                    if self.queue.is_late(ASIDE_FROM_BYTES, ASIDE_AFTER) {
                        return self.open_aside();
                    }
                    self.queue.wait(LOCK_LOOK);
                    if self.queue.is_closed() {
                        std::thread::sleep(LOCK_LOOK);
                    }
                }
                Err(Refused::Never(why)) => {
                    let why = why.trim_end_matches('.');
                    return Err(format!("nothing is recorded: {}: {why}", path.display()));
                }
                Err(refused) => {
                    if let Refused::Damaged(ending) = refused {
                        log::warn!("{} is {ending}; it is left alone", path.display());
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

    /// Writes what a host begins with.
    fn begin(&self, place: Place) -> io::Result<Open> {
        let mut said = HashSet::new();
        let mut open = match place {
            Place::New(file, path) => {
                let writer = Writer::begin(file, about::real_ns())?;
                Open { writer, path: Some(path), host: 1, base: 0 }
            }
            Place::Stream(file) => {
                let writer = Writer::begin(file, about::real_ns())?;
                Open { writer, path: None, host: 1, base: 0 }
            }
            Place::Old(file, path, recording) => {
                let (host, base) = last_numbers(&recording, &mut said)?;
                let (page, content) = recording.next_numbers();
                let writer = Writer::go_on(file, page, content, recording.good_bytes());
                Open { writer, path: Some(path), host: host.saturating_add(1), base }
            }
        };
        for annotation in self.about.annotations() {
            if !said.contains(&annotation) {
                open.writer.write(&annotation.into())?;
            }
        }
        let restarts = self.restarts.load(Ordering::Acquire);
        open.writer.write(&Host { host: open.host, restarts, ..self.about.host.clone() }.into())?;
        Ok(open)
    }

    fn write(&self, open: &mut Open, entry: Entry) -> io::Result<()> {
        match entry {
            Entry::Block(block) => {
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
            Entry::Libraries => {
                let pid = self.about.host.vendor_pid;
                let found = Maps::read(pid, pid).modules();
                let libraries: Vec<LoadedLibrary> = found
                    .into_iter()
                    // The kernel's own are named in brackets.
                    .filter(|module| module.file.starts_with('/'))
                    .map(|module| LoadedLibrary {
                        path: module.file,
                        build_id: module.build_id.unwrap_or_default(),
                    })
                    .collect();
                if libraries.is_empty() {
                    return Ok(());
                }
                open.writer.write(&Libraries { host: open.host, libraries }.into())
            }
        }
    }

    fn lost(&self, open: &mut Open, left_out: LeftOut) -> io::Result<()> {
        let LeftOut { contents, events } = left_out;
        let (host, at_ns) = (open.host, monotonic_ns());
        let mut say = |events: u64, what: &str| {
            if events == 0 {
                return Ok(());
            }
            let reason = format!("{what}: they came faster than they could be written");
            log::warn!("recording: {events} {reason}");
            open.writer.write(&Lost { host, at_ns, events, reason }.into())
        };
        say(contents, "contents of buffers were left out")?;
        say(events, "events were left out")
    }

    /// Leaves the newest half of the file. While it does that the queue holds what comes.
    fn make_smaller(&self, open: &mut Open) -> Result<(), String> {
        let limit = self.about.limit_bytes;
        let Some(path) = open.path.clone() else { return Ok(()) };
        let go_on = || !self.queue.is_closed();
        let began = Instant::now();
        let done = made_smaller(open, &path, limit / 2, go_on);
        match done {
            Ok(()) if open.writer.written() > limit / 4 * 3 => Err(format!(
                "the recording {} ends here: what has to be kept of it takes {} MiB, too much for \
                 record_limit_mib = {}",
                path.display(),
                open.writer.written() >> 20,
                limit >> 20
            )),
            Ok(()) => {
                log::debug!(
                    "the recording was made smaller, to {} bytes in {} ms",
                    open.writer.written(),
                    began.elapsed().as_millis()
                );
                Ok(())
            }
            // The end is near: what is in the queue goes first. The next host does it.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(format!("the recording {} ends here: {error}", path.display())),
        }
    }

    /// The same in the child that writes the rest.
    fn make_smaller_aside(&self, open: &mut Open) {
        let limit = self.about.limit_bytes;
        if limit > 0
            && open.writer.written() > limit
            && let Some(path) = open.path.clone()
        {
            let _ = made_smaller(open, &path, limit / 2, || true);
        }
    }

    /// The rest is written by a child, which holds the file's lock until it is done.
    fn write_aside(&self, open: Open) -> Result<(), String> {
        let rest = self.queue.take_all();
        let file = open.writer.get_ref().as_raw_fd();
        let mut open = open;
        aside(&[file], || {
            for entry in rest {
                if self.write(&mut open, entry).is_err() {
                    return;
                }
            }
            self.make_smaller_aside(&mut open);
        })
        .map_err(|error| format!("the end of the recording is lost: {error}"))
    }

    /// The same where the file is still another host's.
    fn open_aside(&self) -> Result<Open, String> {
        let rest = self.queue.take_all();
        let path = place::file_of(&self.about.path, &self.about.library_name, self.about.client);
        aside(&[], || {
            let place = loop {
                match place::open(&path) {
                    Ok(place) => break place,
                    Err(Refused::Busy) => std::thread::sleep(LOCK_LOOK),
                    Err(_) => return,
                }
            };
            let Ok(mut open) = self.begin(place) else { return };
            for entry in rest {
                if self.write(&mut open, entry).is_err() {
                    return;
                }
            }
            self.make_smaller_aside(&mut open);
        })
        .map_err(|error| format!("nothing is recorded: {error}"))?;
        Err(String::new())
    }
}

impl Open {
    fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "a stream".to_owned(), |path| path.display().to_string())
    }

    /// An event with the numbers that it has in this file.
    fn numbered(&self, mut block: Block, content: u64) -> Block {
        let base = self.base;
        match &mut block {
            Block::Called(block) => block.host = self.host,
            Block::Answered(block) => block.host = self.host,
            Block::Requested(block) => {
                block.host = self.host;
                block.number = block.number.saturating_add(base);
                block.content = content;
            }
            Block::Returned(block) => {
                block.host = self.host;
                if block.request != 0 {
                    block.request = block.request.saturating_add(base);
                }
                block.content = content;
            }
            Block::Updated(block) => {
                block.host = self.host;
                block.content = content;
            }
            Block::UpdateReturned(block) => block.host = self.host,
            Block::Line(block) => block.host = self.host,
            Block::Died(block) => block.host = self.host,
            Block::Ended(block) => block.host = self.host,
            Block::Resumed(block) => block.host = self.host,
            _ => {}
        }
        block
    }
}

/// Whether an entry is a reason to have a file at all: a library that was loaded and not used is none.
fn says_something(entry: &Entry) -> bool {
    match entry {
        Entry::Block(Block::Called(called)) => called.call != Call::Load.number(),
        Entry::Block(Block::Answered(answered)) => answered.value < 0,
        Entry::Block(Block::Line(_) | Block::Ended(_)) => false,
        _ => true,
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
fn made_smaller(
    open: &mut Open,
    path: &Path,
    bytes: u64,
    go_on: impl FnMut() -> bool,
) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".smaller");
    let beside = path.with_file_name(name);
    let recording = Recording::open(path).map_err(io::Error::other)?;
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
        let keep = Keep { bytes, contents: &contents };
        let mut out = io::BufWriter::with_capacity(1 << 20, &file);
        let compacted = compact(&recording, &mut out, keep, go_on)?;
        out.flush()?;
        drop(out);
        // Not synced: that can take longer than a monitor has at its end. A machine that loses its
        // power may lose the file, as it loses what was written last.
        fs::rename(&beside, path)?;
        Ok::<_, io::Error>(compacted)
    })();
    match done {
        Ok(compacted) => {
            open.writer.move_to(file, &compacted);
            Ok(())
        }
        Err(error) => {
            let _ = fs::remove_file(&beside);
            Err(error)
        }
    }
}

/// Does something in a child that nobody waits for.
fn aside(keep: &[i32], work: impl FnOnce()) -> io::Result<()> {
    // SAFETY: the child has this thread alone. What it touches then is what this thread owns, and
    // memory, whose locks libc puts in order; no log, whose lock may be another's.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => {
            log::set_max_level(log::LevelFilter::Off);
            nix::unistd::alarm::set(ASIDE_SECONDS);
            // The sockets and pipes of the monitor end with the monitor.
            let all: Vec<i32> = [0, 1, 2].iter().chain(keep).copied().collect();
            let _ = close_all_but(&all);
            work();
            // SAFETY: _exit has no preconditions; the parent's destructors are not the child's.
            unsafe { libc::_exit(0) };
        }
    }
}
