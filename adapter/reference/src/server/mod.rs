//! The library as its host sees it: six calls, buffers, three threads.

mod buffers;
mod workers;

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::TrySendError;

use cami_abi::{Buffers, Callbacks, CameraAlgorithm};
use cami_ipu3::{Command, HEADER, STATUS_FAILED};
use nix::errno::Errno;
use parking_lot::Mutex;

use crate::log;
use buffers::Buffer;
use workers::{Job, Named, Workers};

/// The handle that stands for no buffer.
const NO_BUFFER: i32 = -1;

/// One instance of the library.
///
/// No lock is held while a function of the host runs, so callbacks may call back in.
pub struct Server {
    buffers: Mutex<Buffers<Buffer>>,
    workers: Mutex<Option<Workers>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// An instance that has not been initialised: no buffers, no threads.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffers: Mutex::new(Buffers::new()), workers: Mutex::new(None) }
    }

    fn named(&self, handle: i32) -> Named {
        if handle == NO_BUFFER {
            return Named::Nothing;
        }
        let buffers = self.buffers.lock();
        let memory = buffers.get(handle).map(|buffer| Arc::clone(&buffer.memory));
        memory.map_or(Named::Unknown, Named::Memory)
    }
}

impl CameraAlgorithm for Server {
    /// Starts the threads. A second call only replaces the callbacks. Returns 0, or -EAGAIN if a
    /// thread cannot be started.
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        let mut workers = self.workers.lock();
        if let Some(running) = &*workers {
            running.shared().replace_callbacks(callbacks);
            return 0;
        }
        match Workers::start(callbacks) {
            Ok(started) => {
                *workers = Some(started);
                0
            }
            Err(error) => {
                log::line(format_args!("cannot start a thread: {error}"));
                -(Errno::EAGAIN as i32)
            }
        }
    }

    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        self.buffers.lock().register(fd, Buffer::map)
    }

    /// Passes a request to the thread of its group. One that no thread would understand, or has
    /// room for, is answered at once on the caller's thread.
    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        let (shared, queue, command) = {
            let workers = self.workers.lock();
            let Some(workers) = &*workers else {
                log::rarely(format_args!("dropped request {req_id}: not initialised"));
                return;
            };
            let understood = header.first() == HEADER.first();
            let command = Command::try_from(req_id).ok().filter(|_| understood);
            let queue = command.map(|command| workers.queue(command.group()).clone());
            (Arc::clone(workers.shared()), queue, command)
        };
        if let (Some(command), Some(queue)) = (command, queue) {
            let named = self.named(buffer_handle);
            match queue.try_send(Job { command, handle: buffer_handle, named }) {
                Ok(()) => return,
                // deinitialize came between: there are no answers any more.
                Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(_)) => {}
            }
        }
        shared.callbacks().returned(req_id, STATUS_FAILED, buffer_handle);
    }

    /// Unmaps and closes buffers; unknown handles are skipped. A buffer that a request is using
    /// stays mapped until the request is done.
    fn deregister_buffers(&self, buffer_handles: &[i32]) {
        let mut buffers = self.buffers.lock();
        for handle in buffer_handles {
            buffers.deregister(*handle);
        }
    }

    /// Closes the fd: this library sends no updates that it could return.
    fn update_return(&self, _upd_id: u32, _status: u32, _fd: Option<OwnedFd>) {}

    /// Ends the threads, forgets all handles of 3A objects, unmaps and closes all buffers.
    fn deinitialize(&self) {
        let workers = self.workers.lock().take();
        if let Some(workers) = workers {
            workers.stop();
        }
        self.buffers.lock().clear();
    }
}
