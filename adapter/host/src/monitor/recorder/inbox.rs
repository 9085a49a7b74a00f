//! The writer's side of the pipe: taken out as it comes, so that the monitor never waits for a disk.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cami_link::sync::{Condvar, Mutex};
use cami_link::{Deadline, Event, Interest, wait};

use super::entry::{Entry, LENGTH_BYTES, MAX_BYTES};
use super::queue::Beside;

/// What may wait for the disk: some seconds of an IPU3 camera at 30 frames per second, and all its
/// buffers once. What comes then stays in the pipe, and before it with the monitor.
const WAITING_BYTES: usize = 64 << 20;
/// What is taken out of the pipe in one system call.
const AT_ONCE_BYTES: usize = 256 << 10;
/// Between two looks into the pipe, if it is not full before: it holds what comes meanwhile, and a
/// processor that is woken for each message has more work with that than with the message.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<(Entry, usize)>,
    bytes: usize,
    ended: bool,
}

/// What has come and is not written yet.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether there is a file: before that nothing waits in the pipe that might be a reason for one.
    has_file: AtomicBool,
}

/// What the scribe gets.
#[derive(Debug)]
pub enum Next {
    /// An entry.
    Entry(Box<Entry>),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come.
    End,
}

impl Inbox {
    /// Takes out of the pipe what comes, until the monitor is gone or says that it was all, and then what
    /// it left in the memory beside it. What is cut, because the monitor was killed, is dropped.
    pub fn fill(&self, pipe: &File, beside: &Beside) {
        let Beside { rest, full } = beside;
        let behind = Behind { file: rest, at: 0 };
        let mut reader = BufReader::with_capacity(AT_ONCE_BYTES, pipe.chain(behind));
        let done = (|| -> io::Result<()> {
            loop {
                let entry = receive(&mut reader)?;
                let bytes = match &entry {
                    Entry::Seen(_, _, snapshot) => snapshot.data.len() + 4096,
                    _ => 512,
                };
                let is_end = matches!(entry, Entry::End);
                let mut state = self.state.lock();
                while state.bytes > WAITING_BYTES {
                    state = self.changed.wait(state);
                }
                if !is_end {
                    state.bytes += bytes;
                    state.entries.push_back((entry, bytes));
                }
                drop(state);
                if is_end {
                    return Ok(());
                }
                if reader.buffer().is_empty() && is_empty(pipe) {
                    self.changed.notify_all();
                    if self.has_file.load(Ordering::Relaxed) {
                        let mut fds = [
                            (pipe.as_fd(), Interest::HangUp, Event::default()),
                            (full.as_fd(), Interest::Message, Event::default()),
                        ];
                        let _ = wait(&mut fds, Some(Deadline::after(PAUSE)));
                        full.drain();
                    }
                }
            }
        })();
        drop(done);
        self.state.lock().ended = true;
        self.changed.notify_all();
    }

    /// There is a file from now on, and no haste.
    pub fn file_is_there(&self) {
        self.has_file.store(true, Ordering::Relaxed);
    }

    /// Whether there is nothing now.
    pub fn is_empty(&self) -> bool {
        self.state.lock().entries.is_empty()
    }

    /// The next entry; waits until `deadline`.
    pub fn next(&self, deadline: Instant) -> Next {
        let mut state = self.state.lock();
        loop {
            if let Some((entry, bytes)) = state.entries.pop_front() {
                let was_full = state.bytes > WAITING_BYTES;
                state.bytes = state.bytes.saturating_sub(bytes);
                if was_full && state.bytes <= WAITING_BYTES {
                    self.changed.notify_all();
                }
                return Next::Entry(Box::new(entry));
            }
            if state.ended {
                return Next::End;
            }
            let (back, late) = self.changed.wait_until(state, deadline);
            state = back;
            if late && state.entries.is_empty() && !state.ended {
                return Next::Nothing;
            }
        }
    }
}

/// A file from its begin on, whatever its position is: the monitor's moves it.
#[derive(Debug)]
struct Behind<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Behind<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(out, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn receive(pipe: &mut impl Read) -> io::Result<Entry> {
    let mut length = [0; LENGTH_BYTES];
    pipe.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?;
    if length > MAX_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(length.min(1 << 20));
    let mut part = pipe.by_ref().take(length as u64);
    if part.read_to_end(&mut bytes)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Entry::decode(&bytes).map_err(io::Error::other)
}

/// Whether nothing is in the pipe now.
fn is_empty(pipe: &File) -> bool {
    let mut fds = [(pipe.as_fd(), Interest::Message, Event::default())];
    !wait(&mut fds, Some(Deadline::now()))
        .is_ok_and(|_| fds.iter().any(|(.., event)| event.readable))
}
