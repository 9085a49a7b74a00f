//! The library as its host sees it: six calls, buffers, one thread.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use cami_abi::{Buffers, Callbacks, CameraAlgorithm};
use cami_recording::{Call, RecordingError};
use cami_replay::Place;
use nix::errno::Errno;
use parking_lot::Mutex;

use crate::buffers::Buffer;
use crate::deaths::{Dying, Ledger};
use crate::lent::Lent;
use crate::log;
use crate::script::{NoScript, Script};
use crate::settings::Settings;
use crate::worker::{Job, Shared, Work};

/// Requests that wait at most; the next is answered at once with the error status.
const MAX_WAITING: usize = 256;

/// One instance of the library.
///
/// No lock is held while a function of the host runs, so callbacks may call back in.
pub struct Replay {
    buffers: Mutex<Buffers<Arc<Buffer>>>,
    worker: Mutex<Option<Worker>>,
    calls: Mutex<Calls>,
}

#[derive(Debug)]
struct Worker {
    jobs: SyncSender<Job>,
    thread: JoinHandle<()>,
    callbacks: Shared,
    lent: Arc<Lent>,
    error_status: u32,
}

/// Calls of this process, and the death that may come in one of them.
#[derive(Debug)]
struct Calls {
    /// How often each kind was made, by its number.
    counts: [usize; 8],
    dying: Option<Arc<Dying>>,
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}

impl Default for Replay {
    fn default() -> Self {
        Self::new()
    }
}

impl Replay {
    /// An instance that has not been initialised.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffers: Mutex::new(Buffers::new()),
            worker: Mutex::new(None),
            calls: Mutex::new(Calls { counts: [0; 8], dying: None }),
        }
    }

    /// What `initialize` does, with these settings.
    pub fn start(&self, settings: &Settings, callbacks: Arc<dyn Callbacks>) -> i32 {
        let file = settings.file.display();
        let opened = match &settings.deaths {
            Some(path) => Ledger::open(path).map(Some).map_err(|error| (path.display(), error)),
            None => Ok(None),
        };
        let ledger = match opened {
            Ok(ledger) => ledger,
            Err((path, error)) => {
                log::line(format_args!("{path}: {error}"));
                return errno(&error);
            }
        };
        let script = match Script::open(settings, ledger.as_ref().map(Ledger::count)) {
            Ok(script) => script,
            Err(error) => {
                log::line(format_args!("{file}: {error}"));
                return match error {
                    NoScript::Recording(RecordingError::Io(error)) => errno(&error),
                    _ => -(Errno::EINVAL as i32),
                };
            }
        };
        log::line(format_args!("answers from {file}: {}", script.title()));
        let dying = ledger
            .zip(script.death())
            .map(|(ledger, death)| Arc::new(Dying::new(script.host(), death.clone(), ledger)));
        self.calls.lock().dying.clone_from(&dying);
        // What loads the library is not ours to see: a death in that comes here.
        self.made(Call::Load);
        self.made(Call::Initialize);
        let callbacks = Shared::of(callbacks);
        let error_status = script.error_status();
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let lent = Arc::new(Lent::default());
        let work = Work::new(script, settings.pace, callbacks.clone(), Arc::clone(&lent), dying);
        let thread = std::thread::Builder::new()
            .name("cami-replay".to_owned())
            .spawn(move || work.run(&waiting));
        match thread {
            Ok(thread) => {
                let worker = Worker { jobs, thread, callbacks, lent, error_status };
                *self.worker.lock() = Some(worker);
                0
            }
            Err(error) => {
                log::line(format_args!("cannot start a thread: {error}"));
                -(Errno::EAGAIN as i32)
            }
        }
    }

    /// Counts a call, and dies in it where the recorded library did.
    fn made(&self, call: Call) {
        let (dying, count) = {
            let mut calls = self.calls.lock();
            let at = usize::try_from(call.number()).unwrap_or(0);
            let Some(count) = calls.counts.get_mut(at) else { return };
            *count += 1;
            let count = *count - 1;
            (calls.dying.clone(), count)
        };
        if let Some(dying) = dying.filter(|dying| dying.is_at(Place::Call(call, count))) {
            dying.die_in_call();
        }
    }

    /// Ends the thread, if there is one.
    fn stop(&self) {
        let worker = self.worker.lock().take();
        if let Some(Worker { jobs, thread, lent, .. }) = worker {
            drop(jobs);
            lent.close();
            // From inside a callback the thread cannot be waited for: it ends by itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl CameraAlgorithm for Replay {
    /// Opens the recording and starts at its beginning, also when it is called again.
    ///
    /// Returns 0; -EINVAL where a variable is wrong, or the file is no recording; else what the
    /// system says of the file; -EAGAIN if there is no thread.
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        match Settings::of_environment() {
            Ok(settings) => {
                self.stop();
                self.start(&settings, callbacks)
            }
            Err(line) => {
                log::line(format_args!("{line}"));
                -(Errno::EINVAL as i32)
            }
        }
    }

    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        self.made(Call::RegisterBuffer);
        self.buffers.lock().register(fd, Buffer::take)
    }

    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        let buffer = self.buffers.lock().get(buffer_handle).cloned();
        let header = header.to_vec();
        let job = Job::Request { req_id, header, handle: buffer_handle, buffer };
        let (sent, callbacks, status) = {
            let worker = self.worker.lock();
            let Some(worker) = &*worker else {
                log::rarely(format_args!("dropped request {req_id}: not initialised"));
                return;
            };
            (worker.jobs.try_send(job), worker.callbacks.clone(), worker.error_status)
        };
        if let Err(TrySendError::Full(_)) = sent {
            log::rarely(format_args!("request {req_id}: {MAX_WAITING} wait already"));
            callbacks.returned(req_id, status, buffer_handle);
        }
    }

    /// Unknown handles are skipped. A buffer that a request is using stays until it is done.
    fn deregister_buffers(&self, buffer_handles: &[i32]) {
        self.made(Call::DeregisterBuffers);
        let mut buffers = self.buffers.lock();
        for handle in buffer_handles {
            buffers.deregister(*handle);
        }
    }

    /// Closes the fd.
    fn update_return(&self, upd_id: u32, status: u32, _fd: Option<OwnedFd>) {
        let worker = self.worker.lock();
        let Some(Worker { jobs, lent, .. }) = &*worker else { return };
        let (jobs, lent) = (jobs.clone(), Arc::clone(lent));
        drop(worker);
        lent.take_back(upd_id, status);
        // Where there is no room the thread has enough to do, and looks by itself.
        let _ = jobs.try_send(Job::Look);
    }

    fn deinitialize(&self) {
        self.made(Call::Deinitialize);
        self.stop();
        self.buffers.lock().clear();
    }
}

fn errno(error: &io::Error) -> i32 {
    -match error.kind() {
        io::ErrorKind::InvalidData => Errno::EINVAL as i32,
        _ => error.raw_os_error().unwrap_or(Errno::EIO as i32),
    }
}
