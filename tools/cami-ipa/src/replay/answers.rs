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
/// What is kept of updates that nobody has taken yet, headers and contents in bytes: a library may flood.
const MAX_UPDATE_BYTES: usize = 256 << 20;
/// How many updates are kept.
const MAX_UPDATES: usize = 16_384;
/// How many of them with their buffers: each is a descriptor, of which a process mostly has 1024.
const MAX_UPDATE_BUFFERS: usize = 512;

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
    updates: Updates,
    /// Updates that there was no room for.
    dropped: u64,
}

/// Updates that nobody has taken yet.
#[derive(Debug, Default)]
struct Updates {
    kept: Vec<Update>,
    /// Bytes that these hold.
    bytes: usize,
    /// Buffers that these have.
    buffers: usize,
}

impl Updates {
    /// The bytes that a content may have behind such a header; `None`: there is no room for the update.
    fn room(&self, header: usize, has_buffer: bool) -> Option<usize> {
        if self.kept.len() >= MAX_UPDATES || (has_buffer && self.buffers >= MAX_UPDATE_BUFFERS) {
            return None;
        }
        MAX_UPDATE_BYTES.checked_sub(self.bytes)?.checked_sub(header)
    }
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
            // Before the updates: a library may send one after the other, and never answer.
            if Instant::now() >= deadline {
                return Err(NoReply::TimedOut);
            }
            if !state.updates.kept.is_empty() {
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

    /// Updates that came since it was asked last.
    pub fn updates(&self) -> Vec<Update> {
        std::mem::take(&mut self.state.lock().updates).kept
    }

    /// Updates that were closed unread, and not returned: more came than are kept.
    pub fn dropped_updates(&self) -> u64 {
        self.state.lock().dropped
    }

    /// Waits for an update; false where none comes any more, or none in time.
    pub fn wait_for_update(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while state.updates.kept.is_empty() {
            if state.lost || self.changed.wait_until(&mut state, deadline).timed_out() {
                return !state.updates.kept.is_empty();
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
        let has_buffer = fd.is_some();
        let room = {
            let mut state = self.state.lock();
            let room = state.updates.room(header.len(), has_buffer);
            state.dropped += u64::from(room.is_none());
            room
        };
        let Some(room) = room else { return };
        // Now: it is the library's again as soon as it is returned.
        let content = fd.as_ref().map(|fd| held(fd, room));
        let bytes = content.as_ref().map_or(0, |content| content.as_ref().map_or(0, Vec::len));
        let mut state = self.state.lock();
        // Another thread's may have come meanwhile.
        if state.updates.room(header.len(), has_buffer).is_none_or(|room| bytes > room) {
            state.dropped += 1;
            return;
        }
        state.updates.bytes += header.len() + bytes;
        state.updates.buffers += usize::from(has_buffer);
        state.updates.kept.push(Update { upd_id, header: header.to_vec(), content, fd });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_late_also_while_updates_come() {
        let answers = Answers::default();
        answers.expect(Request { place: 0, req_id: 1, handle: -1, buffer: None });
        answers.update(7, b"", None);
        let soon = Instant::now() + Duration::from_secs(60);
        assert_eq!(answers.wait(0, soon).unwrap_err(), NoReply::Updates);
        assert_eq!(answers.wait(0, Instant::now()).unwrap_err(), NoReply::TimedOut);
        // One that has come is none the less taken.
        answers.returned(1, 0, -1);
        assert_eq!(answers.wait(0, Instant::now()).unwrap().status, 0);
    }

    #[test]
    fn updates_that_nobody_takes_are_bounded_in_number_bytes_and_descriptors() {
        let answers = Answers::default();
        for number in 0..20_000 {
            answers.update(number, b"", None);
        }
        assert_eq!(answers.dropped_updates(), 20_000 - MAX_UPDATES as u64);
        let kept = answers.updates();
        assert_eq!(kept.len(), MAX_UPDATES);
        assert_eq!((kept[0].upd_id, kept[1].upd_id), (0, 1), "the first ones");
        drop(kept);

        let header = vec![0; 64 << 20];
        for number in 0..6 {
            answers.update(number, &header, None);
        }
        assert_eq!(answers.updates().len(), 4);
        assert_eq!(answers.dropped_updates(), 20_000 - MAX_UPDATES as u64 + 2);

        let answers = Answers::default();
        let file = tempfile::tempfile().unwrap();
        for number in 0..600 {
            answers.update(number, b"", Some(file.try_clone().unwrap().into()));
        }
        // Those without one still have room.
        answers.update(600, b"", None);
        assert_eq!(answers.dropped_updates(), 600 - MAX_UPDATE_BUFFERS as u64);
        assert_eq!(answers.updates().len(), MAX_UPDATE_BUFFERS + 1);
        answers.update(601, b"", Some(file.into()));
        assert_eq!(answers.updates().len(), 1, "there is room again");
    }
}
