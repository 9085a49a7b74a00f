//! What the library calls back.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::Callbacks;
use cami_link::sought_size;
use cami_recording::MAX_CONTENT_BYTES;
use nix::errno::Errno;
use parking_lot::{Condvar, Mutex};

/// `CAMERA_ALGORITHM_MSG_IPC_ERROR`.
const IPC_ERROR: u32 = 1;
/// What is kept of updates that nobody has looked at yet, in bytes: a library may flood.
const MAX_UPDATE_BYTES: usize = 256 << 20;

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
    /// Bytes that these hold.
    update_bytes: usize,
}

/// The library called `update`.
#[derive(Debug)]
pub struct Update {
    /// Its number.
    pub upd_id: u32,
    /// Its header.
    pub header: Vec<u8>,
    /// What its buffer held at the call; `None` where there is no buffer.
    pub content: Option<io::Result<Vec<u8>>>,
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

    /// Waits until the library's process is gone; false where it is not in time.
    pub fn wait_for_loss(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.state.lock();
        while !state.lost {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return state.lost;
            }
        }
        true
    }

    /// Callbacks that answer no request.
    pub fn strangers(&self) -> u64 {
        self.state.lock().strangers
    }

    /// Updates that were not returned yet.
    pub fn updates(&self) -> Vec<Update> {
        let mut state = self.state.lock();
        state.update_bytes = 0;
        std::mem::take(&mut state.updates)
    }

    /// Waits for an update; false where none comes any more, or none in time.
    pub fn wait_for_update(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while state.updates.is_empty() {
            if state.lost || self.changed.wait_until(&mut state, deadline).timed_out() {
                return !state.updates.is_empty();
            }
        }
        true
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

    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        // Now: it is the library's again as soon as it is returned.
        let room = MAX_UPDATE_BYTES.saturating_sub(self.state.lock().update_bytes);
        let content = fd.as_ref().map(|fd| held(fd, room));
        let bytes = content.as_ref().map_or(0, |content| content.as_ref().map_or(0, Vec::len));
        let mut state = self.state.lock();
        state.update_bytes += header.len() + bytes;
        state.updates.push(Update { upd_id, header: header.to_vec(), content, fd });
        self.changed.notify_all();
    }
}

/// What a buffer of the library's holds.
fn held(fd: &OwnedFd, room: usize) -> io::Result<Vec<u8>> {
    let bytes = sought_size(fd.as_fd())?;
    if bytes > MAX_CONTENT_BYTES {
        return Err(Errno::EFBIG.into());
    }
    let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= room).ok_or(Errno::ENOMEM)?;
    let mut content = vec![0; bytes];
    File::from(fd.try_clone()?).read_exact_at(&mut content, 0)?;
    Ok(content)
}
