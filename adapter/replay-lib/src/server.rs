//! The library as its host sees it: six calls, buffers, one thread.

use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use cami_abi::{Buffers, Callbacks, CameraAlgorithm};
use cami_link::write_with_seek;
use cami_recording::{MAX_CONTENT_BYTES, RecordingError};
use nix::errno::Errno;
use parking_lot::Mutex;

use crate::buffers::Buffer;
use crate::log;
use crate::script::{NoScript, Reply, Script};
use crate::settings::{Pace, Settings};

/// Requests that wait at most; the next is answered at once with the error status.
const MAX_WAITING: usize = 256;
/// The status where there is not even a recording.
const FAILED: u32 = 1;
/// What is written of a buffer in one piece, if anything in it changed.
const PIECE_BYTES: usize = 4096;

/// One instance of the library.
///
/// No lock is held while a function of the host runs, so callbacks may call back in.
pub struct Replay {
    buffers: Mutex<Buffers<Arc<Buffer>>>,
    worker: Mutex<Option<Worker>>,
}

#[derive(Debug)]
struct Worker {
    jobs: SyncSender<Job>,
    thread: JoinHandle<()>,
    callbacks: Shared,
    error_status: u32,
}

/// Whom answers go to.
#[derive(Clone)]
struct Shared(Arc<Mutex<Arc<dyn Callbacks>>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    fn returned(&self, req_id: u32, status: u32, handle: i32) {
        let callbacks = Arc::clone(&self.0.lock());
        callbacks.returned(req_id, status, handle);
    }
}

#[derive(Debug)]
struct Job {
    req_id: u32,
    header: Vec<u8>,
    handle: i32,
    buffer: Option<Arc<Buffer>>,
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
        Self { buffers: Mutex::new(Buffers::new()), worker: Mutex::new(None) }
    }

    /// What `initialize` does, with these settings.
    pub fn start(&self, settings: &Settings, callbacks: Arc<dyn Callbacks>) -> i32 {
        let file = settings.file.display();
        let script = match Script::open(settings) {
            Ok(script) => script,
            Err(error) => {
                log::line(format_args!("{file}: {error}"));
                return -match error {
                    NoScript::Recording(RecordingError::Io(error)) => {
                        error.raw_os_error().unwrap_or(Errno::EIO as i32)
                    }
                    _ => Errno::EINVAL as i32,
                };
            }
        };
        log::line(format_args!("answers from {file}: {}", script.title()));
        let callbacks = Shared(Arc::new(Mutex::new(callbacks)));
        let error_status = script.error_status();
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let (pace, answers) = (settings.pace, callbacks.clone());
        let thread = std::thread::Builder::new()
            .name("cami-replay".to_owned())
            .spawn(move || work(script, pace, &waiting, &answers));
        match thread {
            Ok(thread) => {
                let worker = Worker { jobs, thread, callbacks, error_status };
                *self.worker.lock() = Some(worker);
                0
            }
            Err(error) => {
                log::line(format_args!("cannot start a thread: {error}"));
                -(Errno::EAGAIN as i32)
            }
        }
    }

    /// Ends the thread, if there is one.
    fn stop(&self) {
        let worker = self.worker.lock().take();
        if let Some(Worker { jobs, thread, .. }) = worker {
            drop(jobs);
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
        self.buffers.lock().register(fd, Buffer::take)
    }

    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        let buffer = self.buffers.lock().get(buffer_handle).cloned();
        let job = Job { req_id, header: header.to_vec(), handle: buffer_handle, buffer };
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
        let mut buffers = self.buffers.lock();
        for handle in buffer_handles {
            buffers.deregister(*handle);
        }
    }

    /// Closes the fd: this library sends no updates that it could return.
    fn update_return(&self, _upd_id: u32, _status: u32, _fd: Option<OwnedFd>) {}

    fn deinitialize(&self) {
        self.stop();
        self.buffers.lock().clear();
    }
}

/// The thread: one request after the other, in the order in which they came.
fn work(mut script: Script, pace: Pace, waiting: &Receiver<Job>, callbacks: &Shared) {
    while let Ok(job) = waiting.recv() {
        let before = job.buffer.as_deref().and_then(read);
        match script.reply(job.req_id, &job.header, before.as_deref()) {
            Reply::Answer { status, content, after, unlike } => {
                if let Some(unlike) = unlike {
                    log::rarely(format_args!("{unlike}; answered all the same"));
                }
                if pace == Pace::Recorded {
                    std::thread::sleep(after);
                }
                let written = write(&job, before.as_deref(), content.as_deref());
                let status = written.map_or(FAILED, |()| status);
                callbacks.returned(job.req_id, status, job.handle);
            }
            Reply::Refuse { status, why } => {
                log::rarely(format_args!("{why}; answered with status {status}"));
                callbacks.returned(job.req_id, status, job.handle);
            }
            Reply::Silence { why } => {
                log::rarely(format_args!("{why}, and gets none"));
            }
        }
    }
}

/// What a buffer holds; none where it cannot be read, or is larger than any that is recorded.
fn read(buffer: &Buffer) -> Option<Vec<u8>> {
    let bytes = usize::try_from(buffer.bytes.min(MAX_CONTENT_BYTES)).ok()?;
    let mut content = vec![0; bytes];
    buffer.file.read_exact_at(&mut content, 0).ok()?;
    Some(content)
}

/// Writes what changed. With a seek: `pwrite` is not everywhere allowed.
fn write(job: &Job, before: Option<&[u8]>, content: Option<&[u8]>) -> Option<()> {
    let (Some(buffer), Some(before), Some(content)) = (&job.buffer, before, content) else {
        return Some(());
    };
    let pieces = before.chunks(PIECE_BYTES).zip(content.chunks(PIECE_BYTES));
    for (number, (before, content)) in pieces.enumerate() {
        if before != content {
            let at = (number * PIECE_BYTES) as u64;
            if let Err(error) = write_with_seek(&buffer.file, content, at) {
                log::rarely(format_args!("request {}: its buffer: {error}", job.req_id));
                return None;
            }
        }
    }
    Some(())
}
