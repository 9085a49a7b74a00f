//! What the library calls back.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Instant;

use cami_abi::Callbacks;
use parking_lot::{Condvar, Mutex};

/// `CAMERA_ALGORITHM_MSG_IPC_ERROR`.
const IPC_ERROR: u32 = 1;

/// Collects answers.
#[derive(Debug, Default)]
pub struct Answers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<Asked>,
    lost: bool,
    strangers: u64,
    updates: Vec<Update>,
    updated: u64,
}

/// The library called `update`.
#[derive(Debug)]
pub struct Update {
    /// Its number.
    pub upd_id: u32,
    /// Its buffer.
    pub fd: Option<OwnedFd>,
}

#[derive(Debug)]
struct Asked {
    request: Request,
    /// An answer came, and is being read.
    taken: bool,
    reply: Option<Reply>,
}

/// A request that is about to be made.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which, for whoever asks.
    pub place: usize,
    /// The HAL's number.
    pub req_id: u32,
    /// The buffer's handle.
    pub handle: i32,
    /// The buffer, and the bytes of it that were recorded.
    pub buffer: Option<(Arc<File>, usize)>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The library's status.
    pub status: u32,
    /// What the buffer held when the library called back.
    pub content: Option<io::Result<Vec<u8>>>,
    /// When it came.
    pub at: Instant,
}

/// There is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// The library's process is gone.
    Lost,
    /// It did not come in time.
    TimedOut,
    /// Not yet: there are updates to be returned first, which the library may wait for.
    Updates,
}

impl Answers {
    /// Before a request is made.
    pub fn expect(&self, request: Request) {
        self.state.lock().asked.push(Asked { request, taken: false, reply: None });
    }

    /// Waits for the answer to a request.
    pub fn wait(&self, place: usize, deadline: Instant) -> Result<Reply, NoReply> {
        let mut state = self.state.lock();
        loop {
            let found = state
                .asked
                .iter()
                .position(|asked| asked.request.place == place && asked.reply.is_some());
            if let Some(reply) = found.and_then(|at| state.asked.remove(at).reply) {
                return Ok(reply);
            }
            if state.lost {
                return Err(NoReply::Lost);
            }
            if !state.updates.is_empty() {
                return Err(NoReply::Updates);
            }
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return Err(NoReply::TimedOut);
            }
        }
    }

    /// Whether the library's process is gone.
    pub fn lost(&self) -> bool {
        self.state.lock().lost
    }

    /// Callbacks that answer no request, and calls of `update`.
    pub fn unasked(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.strangers, state.updated)
    }

    /// Updates that were not returned yet.
    pub fn updates(&self) -> Vec<Update> {
        std::mem::take(&mut self.state.lock().updates)
    }
}

impl Callbacks for Answers {
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        let at = Instant::now();
        // The first of this number and buffer that was made.
        let request = {
            let mut state = self.state.lock();
            let found = state.asked.iter_mut().find(|asked| {
                let Request { req_id: asked_id, handle, .. } = asked.request;
                !asked.taken && (asked_id, handle) == (req_id, buffer_handle)
            });
            let Some(found) = found else {
                state.strangers += 1;
                return;
            };
            found.taken = true;
            found.request.clone()
        };
        let content = request.buffer.as_ref().map(|(file, bytes)| {
            let mut content = vec![0; *bytes];
            file.read_exact_at(&mut content, 0).map(|()| content)
        });
        let mut state = self.state.lock();
        let asked = state.asked.iter_mut().find(|asked| asked.request.place == request.place);
        if let Some(asked) = asked {
            asked.reply = Some(Reply { status, content, at });
        }
        self.changed.notify_all();
    }

    fn notify(&self, message: u32) {
        if message == IPC_ERROR {
            self.state.lock().lost = true;
            self.changed.notify_all();
        }
    }

    fn update(&self, upd_id: u32, _header: &[u8], fd: Option<OwnedFd>) {
        let mut state = self.state.lock();
        state.updated += 1;
        state.updates.push(Update { upd_id, fd });
        self.changed.notify_all();
    }
}
