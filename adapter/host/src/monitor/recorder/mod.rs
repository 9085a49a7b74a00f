//! Recording: while the key `record` is set the monitor sits on the link.
//!
//! A thread of its own passes messages on and looks at buffers as they pass (`relay`, `tap`); a
//! process of its own packs and writes (`process`, `inbox`, `scribe`); a pipe is between them, with a
//! bounded queue before it (`queue`, `entry`). Nothing is added to the HAL's process, nothing waits for
//! a disk, nothing that passed is lost with the monitor, and what fails here ends the recording and not
//! the camera.

mod about;
mod budget;
mod buffer_memory;
mod dma_buf;
mod early;
mod entry;
mod flood;
mod inbox;
mod place;
mod process;
mod queue;
mod relay;
mod scribe;
mod tap;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use cami_config::Config;
use cami_link::sync::{Condvar, Mutex};
use cami_link::{Deadline, Event, Interest, Link, Peer, ProcessFd, monotonic_ns, wait};
use cami_recording::Block;
use cami_recording::block::{Died, Ended, Host, Line, Resumed};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use self::about::About;
use self::entry::Entry;
use self::process::voice;
pub use self::process::{RECORDER_ROLE, RecorderArguments, run};
use self::queue::Queue;
pub use self::relay::{Ends, divert};
use self::tap::Tap;
use super::facts::Facts;
use crate::module::Module;

/// How long a client that does not read may keep what the vendor process had sent it before it died.
const RELAY_PATIENCE: Duration = Duration::from_secs(1);
/// How long the last entries may need into the pipe. A client that waits for the monitor ends it
/// sooner.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// How long the monitor stays for its writer, so that mostly the file is complete when a host is gone.
const WRITER_PATIENCE: Duration = Duration::from_millis(20);
/// The same until there is a file that others can wait for.
const PLACE_PATIENCE: Duration = Duration::from_secs(5);
/// Descriptors: one for each buffer that is registered, as the vendor process has.
const ENOUGH_FDS: u64 = 65536;
/// The longest line of the writer.
const MAX_VOICE_BYTES: usize = 4096;

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The library's standard output.
    Stdout = 1,
    /// The library's standard error.
    Stderr = 2,
    /// Our own log, in its process.
    Own = 3,
}

/// The monitor's side of a recording.
#[derive(Debug)]
pub struct Recorder {
    queue: Arc<Queue>,
    relay: Arc<Flag>,
    writer: Option<Child>,
    ear: Arc<Ear>,
    /// The numbers of our ends, which the relay owns.
    link: [RawFd; 2],
}

/// Hears what the writer says.
#[derive(Debug)]
pub struct Ear {
    /// `None` where there is no writer.
    pipe: Option<File>,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    part: Vec<u8>,
    has_place: bool,
    ended: bool,
}

impl Ear {
    fn new(pipe: Option<File>) -> Self {
        Self { pipe, heard: Mutex::default() }
    }

    /// What to wait for; `None` once the writer has ended.
    fn pipe(&self) -> Option<&File> {
        self.pipe.as_ref().filter(|_| !self.heard.lock().ended)
    }

    /// Takes what is there, for the log.
    fn hear(&self) {
        let Some(mut pipe) = self.pipe.as_ref() else { return };
        let mut heard = self.heard.lock();
        let mut bytes = [0; 4096];
        while !heard.ended {
            match pipe.read(&mut bytes) {
                Ok(0) => heard.ended = true,
                Ok(count) => {
                    for &byte in bytes.get(..count).unwrap_or_default() {
                        if byte == b'\n' {
                            let line = std::mem::take(&mut heard.part);
                            heard.has_place |= line.first() == Some(&voice::PLACE);
                            log_line(&line);
                        } else if heard.part.len() < MAX_VOICE_BYTES {
                            heard.part.push(byte);
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => heard.ended = true,
            }
        }
    }

    /// Hears until the writer has ended, or there is a file and `patience` over.
    fn hear_to_the_end(&self, patience: Duration) {
        let (soon, late) = (Deadline::after(patience), Deadline::after(PLACE_PATIENCE));
        loop {
            self.hear();
            let Some(pipe) = self.pipe() else { return };
            let deadline = if self.heard.lock().has_place { soon } else { late };
            if deadline.has_passed() {
                return;
            }
            let mut fds = [(pipe.as_fd(), Interest::Message, Event::default())];
            if wait(&mut fds, Some(deadline)).is_err() {
                return;
            }
        }
    }
}

fn log_line(line: &[u8]) {
    let Some((&level, text)) = line.split_first() else { return };
    let level = match level {
        voice::WARN => log::Level::Warn,
        voice::INFO => log::Level::Info,
        voice::DEBUG => log::Level::Debug,
        _ => return,
    };
    log::log!(level, "{}", String::from_utf8_lossy(text));
}

/// Something that happens once.
#[derive(Debug, Default)]
struct Flag {
    up: Mutex<bool>,
    changed: Condvar,
}

impl Flag {
    fn raise(&self) {
        *self.up.lock() = true;
        self.changed.notify_all();
    }

    fn wait(&self, time: Duration) {
        let deadline = std::time::Instant::now() + time;
        let mut up = self.up.lock();
        while !*up {
            let late;
            (up, late) = self.changed.wait_until(up, deadline);
            if late {
                return;
            }
        }
    }
}

impl Recorder {
    /// Puts the monitor on the link, if `record` is set: what is under the link's number then is the
    /// vendor process's end. Where that cannot be there is no recording, and one line says so.
    pub fn prepare(config: &Config, link: &mut OwnedFd) -> Option<Ends> {
        config.record.as_ref()?;
        match divert(link) {
            Ok(ends) => Some(ends),
            Err(Errno::EPROTOTYPE) => {
                log::warn!("nothing is recorded: that needs a link of the type SOCK_SEQPACKET");
                None
            }
            Err(errno) => {
                log::warn!("nothing is recorded: {errno}");
                None
            }
        }
    }

    /// Starts it. The vendor process is there already: a process that is started later would inherit
    /// what is open.
    ///
    /// # Errors
    /// There can be no thread that passes messages on: the host cannot serve.
    pub fn start(
        ends: Ends,
        config: &Config,
        module: &Module,
        facts: &Facts,
        vendor_pid: i32,
        control: Option<&Link>,
    ) -> io::Result<Self> {
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(ENOUGH_FDS).max(soft), hard);
        }
        let link = ends.numbers();
        let vendor = ProcessFd::open(vendor_pid).ok();
        let started = process::start(ends.client(), vendor.as_ref().map(ProcessFd::as_fd));
        let (pipe, beside, voice, writer) = match started {
            Ok(process::Started { pipe, beside, voice, child }) => {
                (Some(pipe), Some(beside), Some(voice), Some(child))
            }
            Err(error) => {
                log::warn!("nothing is recorded: the writer cannot be started: {error}");
                (None, None, None, None)
            }
        };
        // Without a writer there is nobody to tell anything to.
        let pipe = match pipe {
            Some(pipe) => pipe,
            None => File::options().write(true).open("/dev/null")?,
        };
        let queue = Arc::new(Queue::new(pipe, beside, queue::MAX_BYTES)?);
        if writer.is_none() {
            queue.give_up();
        }
        let client = client_of(control).unwrap_or(facts.client_pid);
        queue.push(Entry::About(Box::new(about(config, module, facts, vendor_pid, client))));
        let ear = Arc::new(Ear::new(voice));
        let mut tap = Tap::new(queue.clone(), config.profile.clone(), vendor_pid);
        let relay = Arc::new(Flag::default());
        let (ended, to_tell, to_hear) = (relay.clone(), queue.clone(), ear.clone());
        std::thread::Builder::new().name("cami-relay".to_owned()).spawn(move || {
            let passed = relay::run(&ends, &mut tap, &to_tell, &to_hear);
            tap.end();
            if matches!(passed, Ok(relay::Ended::Client)) {
                // It has left, however we end.
                to_tell.push(Entry::UnlessTold(last(None)));
            }
            match passed {
                Ok(ended) => ends.end(ended, vendor.as_ref()),
                Err(error) => {
                    log::error!("the link cannot be waited for: {error}");
                    // Both sides hear of it.
                    drop(ends);
                }
            }
            ended.raise();
        })?;
        Ok(Self { queue, relay, writer, ear, link })
    }

    /// The process id of the writer, which is our child and outlives us.
    pub fn writer_pid(&self) -> Option<i32> {
        self.writer.as_ref().and_then(|child| i32::try_from(child.id()).ok())
    }

    /// Our ends of the link, for a child to close.
    pub fn link(&self) -> &[RawFd] {
        &self.link
    }

    /// A line of the vendor process.
    pub fn line(&self, stream: Stream, text: &str) {
        let line =
            Line { host: 0, at_ns: monotonic_ns(), stream: stream as u32, text: text.to_owned() };
        self.push(line);
    }

    /// The client says how often it had started a host anew.
    pub fn restarts(&self, count: u32) {
        self.queue.push(Entry::Restarts(count));
    }

    /// The client has brought this host to where the one before was.
    pub fn resumed(&self, at_ns: u64) {
        self.push(Resumed { host: 0, at_ns });
    }

    /// The vendor process has ended, by a death or in order, or the client has left: the last event,
    /// should the monitor be killed before it can tell it.
    pub fn unless_told(&self, died: Option<Died>) {
        self.queue.push(Entry::UnlessTold(last(died)));
    }

    /// Waits until what it had sent is with the client, and tells the last event.
    pub fn end(&self, died: Option<Died>) {
        self.relay.wait(RELAY_PATIENCE);
        self.push(last(died));
        self.queue.close(Deadline::after(LAST_PATIENCE));
    }

    /// Gives the writer some time, so that mostly all is written when the monitor is gone.
    pub fn wait(&self) {
        self.ear.hear_to_the_end(WRITER_PATIENCE);
    }

    fn push(&self, block: impl Into<Block>) {
        self.queue.push(Entry::Block(block.into()));
    }
}

fn last(died: Option<Died>) -> Block {
    let at_ns = monotonic_ns();
    match died {
        Some(died) => Died { at_ns, ..died }.into(),
        None => Ended { host: 0, at_ns }.into(),
    }
}

/// Who is served: behind a service that is not our parent. `None` where it cannot be seen from here.
fn client_of(control: Option<&Link>) -> Option<i32> {
    Peer::of(control?.as_fd()).ok().map(|peer| peer.pid).filter(|&pid| pid > 0)
}

fn about(config: &Config, module: &Module, facts: &Facts, vendor_pid: i32, client: i32) -> About {
    About {
        path: config.record.clone().unwrap_or_default(),
        limit_bytes: config.record_limit_bytes,
        library_name: facts.name.clone(),
        client: (client, cami_record::start_of(client)),
        client_name: about::name_of(client),
        profile_text: config.profile_text.clone().unwrap_or_default(),
        rules: config.profile.rules(),
        host: Host {
            host: 0,
            at_ns: monotonic_ns(),
            real_ns: about::real_ns(),
            monitor_pid: facts.monitor.pid,
            vendor_pid,
            restarts: 0,
            library: facts.library.clone(),
            build_id: facts.build_id.clone().unwrap_or_default(),
            revision: module.table.revision.to_string(),
            profile: facts.profile.clone(),
            command_at: config.profile.command_byte.map_or(0, |byte| byte.saturating_add(1)),
            ok_status: config.profile.ok_status,
        },
    }
}
