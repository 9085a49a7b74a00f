//! Recording: while the key `record` is set the monitor sits on the link.
//!
//! Two threads of their own. One passes messages on and looks at buffers as they pass (`relay`,
//! `tap`), the other packs and writes (`scribe`); a bounded queue is between them. Nothing is added
//! to the HAL's process, nothing waits for a disk, and what fails here ends the recording and not
//! the camera.

mod about;
mod place;
mod queue;
mod relay;
mod scribe;
mod tap;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cami_config::Config;
use cami_link::monotonic_ns;
use cami_link::sync::{Condvar, Mutex};
use cami_recording::Block;
use cami_recording::block::{Died, Ended, Host, Line, Resumed};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

use self::about::About;
use self::queue::{Entry, Queue};
pub use self::relay::{Ends, divert};
use self::scribe::Scribe;
use self::tap::Tap;
use super::facts::Facts;
use crate::module::Module;

/// How long a client that does not read may keep what the vendor process had sent it before it died.
const RELAY_PATIENCE: Duration = Duration::from_secs(1);
/// How long the monitor's end waits for the writing, which is short but where a disk does not answer
/// (see `scribe`). A client that waits for the monitor ends it sooner.
const SCRIBE_PATIENCE: Duration = Duration::from_secs(5);
/// Descriptors: one for each buffer that is registered, as the vendor process has.
const ENOUGH_FDS: u64 = 65536;

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
    restarts: Arc<AtomicU32>,
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
    ) -> io::Result<Self> {
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(ENOUGH_FDS).max(soft), hard);
        }
        let queue = Arc::new(Queue::new(queue::MAX_BYTES));
        let restarts = Arc::new(AtomicU32::new(0));
        let about = about(config, module, facts, vendor_pid);
        let scribe = Scribe { queue: queue.clone(), about, restarts: restarts.clone() };
        let started = std::thread::Builder::new().name("cami-scribe".to_owned()).spawn(move || {
            block_file_size_signal();
            scribe.run();
        });
        if let Err(error) = started {
            log::warn!("nothing is recorded: {error}");
            queue.give_up();
            queue.finish();
        }
        let mut tap = Tap::new(queue.clone(), config.profile.clone());
        let relay = Arc::new(Flag::default());
        let ended = relay.clone();
        std::thread::Builder::new().name("cami-relay".to_owned()).spawn(move || {
            block_file_size_signal();
            if let Err(error) = relay::run(&ends, &mut tap) {
                log::error!("the link cannot be waited for: {error}");
            }
            // Both sides hear of it.
            drop(ends);
            ended.raise();
        })?;
        Ok(Self { queue, relay, restarts })
    }

    /// A line of the vendor process.
    pub fn line(&self, stream: Stream, text: &str) {
        let line =
            Line { host: 0, at_ns: monotonic_ns(), stream: stream as u32, text: text.to_owned() };
        self.push(line);
    }

    /// The client says how often it had started a host anew.
    pub fn restarts(&self, count: u32) {
        self.restarts.store(count, Ordering::Release);
    }

    /// The client has brought this host to where the one before was.
    pub fn resumed(&self, at_ns: u64) {
        self.push(Resumed { host: 0, at_ns });
    }

    /// The vendor process is dead: waits until what it had sent is with the client.
    pub fn drain(&self) {
        self.relay.wait(RELAY_PATIENCE);
    }

    /// How the host ended: by a death, or in order. The last event.
    pub fn end(&self, died: Option<Died>) {
        match died {
            Some(died) => self.push(Died { at_ns: monotonic_ns(), ..died }),
            None => self.push(Ended { host: 0, at_ns: monotonic_ns() }),
        }
        self.queue.close();
    }

    /// Waits until all is written, or in the hands of a child, or a disk has failed.
    pub fn wait(&self) {
        self.queue.wait_finished(SCRIBE_PATIENCE);
    }

    fn push(&self, block: impl Into<Block>) {
        self.queue.push(Entry::Block(block.into()));
    }
}

fn about(config: &Config, module: &Module, facts: &Facts, vendor_pid: i32) -> About {
    About {
        path: config.record.clone().unwrap_or_default(),
        limit_bytes: config.record_limit_bytes,
        library_name: facts.name.clone(),
        client: (facts.client_pid, cami_record::start_of(facts.client_pid)),
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

/// A file that has reached its process's limit is an error of the writing, and not the end.
fn block_file_size_signal() {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    let _ = signals.thread_block();
}
