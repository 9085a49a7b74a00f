//! The client's half for rules that are seen from outside: a host that holds the library itself.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::{Callbacks, CameraAlgorithm};
use cami_client::Supervisor;
use cami_conform::Verdict;
use nix::sys::memfd::{MFdFlags, memfd_create};
use parking_lot::{Condvar, Mutex};

use super::beside::client;
use super::job::Job;
use super::log::take_cause;

/// How long something is waited for of which nobody knows whether it comes.
pub const A_WHILE: Duration = Duration::from_millis(100);

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The number.
    pub req_id: u32,
    /// The status.
    pub status: u32,
    /// The handle.
    pub handle: i32,
}

#[derive(Debug, Default)]
struct Heard {
    answers: Vec<Answer>,
    lost: bool,
}

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Heard>,
    changed: Condvar,
}

impl Callbacks for Ear {
    fn returned(&self, req_id: u32, status: u32, handle: i32) {
        self.heard.lock().answers.push(Answer { req_id, status, handle });
        self.changed.notify_all();
    }

    fn notify(&self, _message: u32) {
        self.heard.lock().lost = true;
        self.changed.notify_all();
    }

    fn update(&self, _upd_id: u32, _header: &[u8], _fd: Option<OwnedFd>) {}
}

/// A session with the library.
#[derive(Debug)]
pub struct Hal<'a> {
    job: &'a Job,
    library: Arc<Supervisor>,
    ear: Arc<Ear>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The process died; the cause.
    Lost(String),
    /// The time was over.
    NoAnswer,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(cause) => f.write_str(cause),
            Self::NoAnswer => f.write_str("no answer"),
        }
    }
}

impl<'a> Hal<'a> {
    /// A session that was begun: the library is initialised.
    pub fn start(job: &'a Job) -> Result<Self, Verdict> {
        let hal = Self {
            job,
            library: Arc::new(client(&job.ask.library)),
            ear: Arc::new(Ear::default()),
        };
        hal.begin().map_err(|why| hal.blame("initialize.succeeds", why))?;
        Ok(hal)
    }

    /// The same again after a loss.
    pub fn begin(&self) -> Result<(), String> {
        *self.ear.heard.lock() = Heard::default();
        match self.library.initialize(Arc::<Ear>::clone(&self.ear)) {
            code if code < 0 => Err(format!("initialize returned {code}: {}", take_cause())),
            _ => Ok(()),
        }
    }

    /// What breaks that rule: a failure if it is the one that is looked at.
    pub fn blame(&self, rule: &str, detail: impl Into<String>) -> Verdict {
        Verdict::blame(rule, &self.job.ask.rule, detail)
    }

    /// The library.
    pub fn library(&self) -> &Arc<Supervisor> {
        &self.library
    }

    /// Registers a file.
    pub fn register(&self, file: &File) -> Result<i32, Verdict> {
        let copy = file.try_clone().map_err(|error| no_memory(&error))?;
        match self.library.register_buffer(copy.into()) {
            code if code < 0 && self.is_lost(A_WHILE) => {
                Err(self.blame("register.accepts", take_cause()))
            }
            code if code < 0 => {
                Err(self.blame("register.accepts", format!("register_buffer returned {code}")))
            }
            handle => Ok(handle),
        }
    }

    /// Makes the sample request and waits for its answer, as far as it is known that one comes.
    pub fn sample(&self, handle: i32) -> Result<u32, Trouble> {
        let sample = &self.job.ask.sample;
        self.ask(sample.req_id, &sample.header, handle)
    }

    /// Makes a request and waits for its answer.
    pub fn ask(&self, req_id: u32, header: &[u8], handle: i32) -> Result<u32, Trouble> {
        let mark = self.mark();
        self.library.request(req_id, header, handle);
        let patience = if self.job.ask.sample.is_answered { self.job.deadline } else { A_WHILE };
        let answers =
            self.wait(mark, patience, |answer| (answer.req_id, answer.handle) == (req_id, handle));
        match answers {
            Some(answer) => Ok(answer.status),
            None if self.is_lost(Duration::ZERO) => Err(Trouble::Lost(take_cause())),
            None => Err(Trouble::NoAnswer),
        }
    }

    /// How many answers have come.
    pub fn mark(&self) -> usize {
        self.ear.heard.lock().answers.len()
    }

    /// The answers since `mark`.
    pub fn since(&self, mark: usize) -> Vec<Answer> {
        self.ear.heard.lock().answers.get(mark..).unwrap_or_default().to_vec()
    }

    /// The first answer since `mark` that is `right`; ends early with the process.
    pub fn wait(
        &self,
        mark: usize,
        patience: Duration,
        right: impl Fn(&Answer) -> bool,
    ) -> Option<Answer> {
        let until = Instant::now() + patience;
        let mut heard = self.ear.heard.lock();
        loop {
            let found = heard.answers.get(mark..).unwrap_or_default().iter().find(|a| right(a));
            if let Some(found) = found {
                return Some(*found);
            }
            if heard.lost || self.ear.changed.wait_until(&mut heard, until).timed_out() {
                return None;
            }
        }
    }

    /// Whether so many answers come since `mark`; ends early with the process.
    pub fn wait_for(&self, mark: usize, count: usize) -> bool {
        let until = Instant::now() + self.job.deadline;
        let mut heard = self.ear.heard.lock();
        while heard.answers.len().saturating_sub(mark) < count {
            if heard.lost || self.ear.changed.wait_until(&mut heard, until).timed_out() {
                return false;
            }
        }
        true
    }

    /// Whether the process is gone, or is within that time.
    pub fn is_lost(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut heard = self.ear.heard.lock();
        while !heard.lost {
            if self.ear.changed.wait_until(&mut heard, until).timed_out() {
                break;
            }
        }
        heard.lost
    }

    /// Ends the session.
    pub fn end(&self) {
        self.library.deinitialize();
    }
}

/// A memory file of so many zeros that may be sealed.
pub fn memory(bytes: u64) -> Result<File, Verdict> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = memfd_create(c"conform", flags).map_err(io::Error::from).map(File::from);
    let file = file.map_err(|error| no_memory(&error))?;
    file.set_len(bytes).map_err(|error| no_memory(&error))?;
    Ok(file)
}

fn no_memory(error: &io::Error) -> Verdict {
    Verdict::skipped(format!("no memory or descriptor for a buffer: {error}"))
}
