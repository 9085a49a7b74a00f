//! Three threads, one per group of commands.
//!
//! They begin with `initialize` and end with `deinitialize`; the original's begin when the library
//! is loaded and never end.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use cami_abi::Callbacks;
use cami_ipu3::{Command, Group, STATUS_FAILED, STATUS_OK};
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use parking_lot::Mutex;

use crate::command::Session;
use crate::log;
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// Requests that may wait in one group. A HAL has one of each command in flight.
const QUEUE: usize = 1024;

/// The groups in the order of their numbers, and the names of their threads (at most 15 bytes).
const GROUPS: [(Group, &str); 3] = [
    (Group::Aiq, "reference-aiq"),
    (Group::Aic, "reference-aic"),
    (Group::Other, "reference-other"),
];

/// The buffer that a request names.
#[derive(Debug)]
pub enum Named {
    /// None: handle -1.
    Nothing,
    /// A registered one.
    Memory(Arc<SharedMemory>),
    /// One that is not registered.
    Unknown,
}

/// A request on its way to its thread.
#[derive(Debug)]
pub struct Job {
    /// What to do.
    pub command: Command,
    /// The handle, which the answer repeats.
    pub handle: i32,
    /// The buffer of this handle at the time of the request.
    pub named: Named,
}

/// What the threads share.
pub struct Shared {
    callbacks: Mutex<Arc<dyn Callbacks>>,
    session: Session,
    stopping: AtomicBool,
}

impl Shared {
    /// Where answers go.
    pub fn callbacks(&self) -> Arc<dyn Callbacks> {
        Arc::clone(&self.callbacks.lock())
    }

    /// Sends answers elsewhere from now on.
    pub fn replace_callbacks(&self, callbacks: Arc<dyn Callbacks>) {
        *self.callbacks.lock() = callbacks;
    }

    fn carry_out(&self, job: &Job) -> Result<(), Refusal> {
        let memory = match &job.named {
            Named::Nothing => None,
            Named::Memory(memory) => Some(&**memory),
            Named::Unknown => return Err(Refusal::UnknownBuffer),
        };
        contained(|| self.session.run(job.command, memory))
    }

    fn serve(&self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            if self.stopping.load(Ordering::Acquire) {
                return;
            }
            let status = match self.carry_out(&job) {
                Ok(()) => STATUS_OK,
                Err(refusal) => {
                    log::rarely(format_args!("{}: {refusal}", job.command.name()));
                    STATUS_FAILED
                }
            };
            let Job { command, handle, named } = job;
            // A buffer that was deregistered meanwhile is gone before the answer tells of it.
            drop(named);
            self.callbacks().returned(command.number(), status, handle);
        }
    }
}

/// The running threads.
pub struct Workers {
    shared: Arc<Shared>,
    queues: [SyncSender<Job>; 3],
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts them. None is left if one cannot be started.
    pub fn start(callbacks: Arc<dyn Callbacks>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            callbacks: Mutex::new(callbacks),
            session: Session::new(),
            stopping: AtomicBool::new(false),
        });
        let (queues, receivers): (Vec<_>, Vec<_>) =
            GROUPS.map(|_| sync_channel(QUEUE)).into_iter().unzip();
        let Ok(queues) = queues.try_into() else {
            return Err(io::Error::other("one queue per group"));
        };
        let mut workers = Self { shared, queues, threads: Vec::new() };
        let started = without_signals(|| {
            for ((_, name), jobs) in GROUPS.iter().zip(receivers) {
                let shared = Arc::clone(&workers.shared);
                let thread = thread::Builder::new()
                    .name((*name).to_owned())
                    .spawn(move || shared.serve(&jobs))?;
                workers.threads.push(thread);
            }
            Ok(())
        });
        match started {
            Ok(()) => Ok(workers),
            Err(error) => {
                workers.stop();
                Err(error)
            }
        }
    }

    /// What the threads share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where requests of a group go; it fails if too many wait.
    pub fn queue(&self, group: Group) -> &SyncSender<Job> {
        let [aiq, aic, other] = &self.queues;
        match group {
            Group::Aiq => aiq,
            Group::Aic => aic,
            Group::Other => other,
        }
    }

    /// Ends them: what is being carried out is answered, what waits is not. No thread calls back
    /// after this, unless it is called inside a callback: that thread ends when it returns.
    pub fn stop(self) {
        let Self { shared, queues, threads } = self;
        shared.stopping.store(true, Ordering::Release);
        drop(queues);
        for thread in threads {
            if thread.thread().id() != thread::current().id() {
                // An error would be a panic of the thread, which has ended all the same.
                let _ = thread.join();
            }
        }
    }
}

/// Runs `work` and refuses the request if it panics. No panic is known of; this keeps an unknown
/// one to one request.
fn contained(work: impl FnOnce() -> Result<(), Refusal>) -> Result<(), Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Refusal::Panicked))
}

/// Runs `work` with all signals blocked. Threads that it starts inherit this: the host's signals
/// are the host's.
fn without_signals<R>(work: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    let mut before = SigSet::empty();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))?;
    let result = work();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_refuses_one_request() {
        assert_eq!(contained(|| panic!("a panic on purpose")), Err(Refusal::Panicked));
        assert_eq!(contained(|| Ok(())), Ok(()));
    }

    #[test]
    fn threads_inherit_blocked_signals_and_the_caller_keeps_its_own() {
        let before = SigSet::thread_get_mask().expect("a mask");
        let inside = without_signals(|| Ok(SigSet::thread_get_mask()?)).expect("a mask");
        assert!(inside.contains(nix::sys::signal::Signal::SIGTERM));
        assert!(inside.contains(nix::sys::signal::Signal::SIGPIPE));
        assert_eq!(SigSet::thread_get_mask(), Ok(before));
    }
}
