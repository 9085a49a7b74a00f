//! What waits to be told to the writer: from the threads that see it into the pipe.
//!
//! It goes into the pipe at once as long as that has room: from there on it outlives the monitor. What
//! has to wait is bounded in bytes. Where the writer cannot keep up contents of buffers are left out
//! first, then events; both are counted, and nobody waits.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cami_link::sync::Mutex;
use cami_link::{Deadline, Event, Interest, Waker, wait};
use cami_recording::{Block, Snapshot};
use nix::errno::Errno;

use super::entry::{Entry, LeftOut};

/// What contents of buffers may take here, on top of the pipe and of what the writer has taken out.
pub const MAX_BYTES: usize = 32 << 20;
/// What events may take on top of that, however large a content is that waits.
const MAX_EVENT_BYTES: usize = 4 << 20;
/// Pieces that are told in one system call.
const MOST_AT_ONCE: usize = 16;
/// A piece's own weight, about.
const PIECE_BYTES: usize = 128;

#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    is_content: bool,
}

impl Piece {
    fn weight(&self) -> usize {
        self.bytes.len() + PIECE_BYTES
    }
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that are in the pipe.
    sent: usize,
    bytes: usize,
    /// Those of them that are not contents.
    event_bytes: usize,
    left_out: LeftOut,
    closed: bool,
}

/// What the reader of the pipe has besides.
#[derive(Debug)]
pub struct Beside {
    /// Memory that it reads behind the pipe's end.
    pub rest: File,
    /// Woken where the pipe is full: it need not look before.
    pub full: Waker,
}

/// The queue, with the pipe at its end.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    pipe: Arc<File>,
    beside: Option<Beside>,
    max_bytes: usize,
    /// Woken where something has to wait for room in the pipe.
    waker: Waker,
    /// Nothing is written any more, so that nobody has to look at anything.
    over: AtomicBool,
}

impl Queue {
    /// An empty one, for `max_bytes` of contents; `pipe` does not block, and whoever reads it has `beside`.
    ///
    /// # Errors
    /// Where no descriptor is free.
    pub fn new(pipe: File, beside: Option<Beside>, max_bytes: usize) -> Result<Self, Errno> {
        let state = Mutex::new(State::default());
        let (waker, over) = (Waker::new()?, AtomicBool::new(false));
        Ok(Self { state, pipe: Arc::new(pipe), beside, max_bytes, waker, over })
    }

    /// Appends an entry. False where the contents had to be left out, or all of it: the next that is
    /// told of that buffer must be whole.
    pub fn push(&self, entry: Entry) -> bool {
        if self.is_over() {
            return false;
        }
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        let (entry, whole) = match entry {
            Entry::Seen(mut block, _, snapshot)
                if !state.has_room(weight(&snapshot), self.max_bytes) =>
            {
                state.left_out.contents += 1;
                leave_out(&mut block);
                (Entry::Block(block), false)
            }
            entry => (entry, true),
        };
        // These are few and small, and without them the rest is not understood.
        let always = matches!(entry, Entry::About(_) | Entry::Forget(_) | Entry::UnlessTold(_))
            || matches!(&entry, Entry::Block(Block::Died(_) | Block::Ended(_)));
        let (head, data) = entry.encode();
        if !always && !state.has_room_for_event(head.len()) {
            state.left_out.events += 1;
            return false;
        }
        state.append(head, data);
        self.send(&mut state);
        if !state.pieces.is_empty() {
            self.waker.wake();
        }
        whole
    }

    /// Tells as much as the pipe has room for.
    pub fn flush(&self) {
        self.waker.drain();
        self.send(&mut self.state.lock());
    }

    /// Whether something waits for room.
    pub fn is_waiting(&self) -> bool {
        !self.state.lock().pieces.is_empty()
    }

    /// The pipe, to wait for room in it.
    pub fn pipe(&self) -> Arc<File> {
        self.pipe.clone()
    }

    /// Readable where something has come to wait for room.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Nothing more comes. What the pipe has no room for is left in the memory behind it, so that nobody
    /// waits for a writer that is late; where there is none, what is not in the pipe by the deadline is
    /// lost.
    pub fn close(&self, deadline: Deadline) {
        {
            let mut state = self.state.lock();
            if state.closed {
                return;
            }
            state.append_left_out();
            let (head, data) = Entry::End.encode();
            state.append(head, data);
            state.closed = true;
            self.send(&mut state);
            if let Some(Beside { rest, .. }) = &self.beside
                && !state.pieces.is_empty()
            {
                let left = state.unsent().try_for_each(|bytes| (&*rest).write_all(bytes));
                match left {
                    Ok(()) => {
                        *state = State::ended();
                        self.end_pipe();
                    }
                    Err(error) => {
                        log::debug!("recording: no memory for what is not in the pipe: {error}");
                        let _ = rest.set_len(0);
                    }
                }
            }
        }
        while self.is_waiting() && !deadline.has_passed() {
            let mut fds = [(self.pipe.as_fd(), Interest::RoomToSend, Event::default())];
            if wait(&mut fds, Some(deadline)).is_err() {
                return;
            }
            self.send(&mut self.state.lock());
        }
    }

    /// Whoever reads the pipe finds its end behind what is in it, and goes on to the memory behind it.
    fn end_pipe(&self) {
        let Ok(null) = File::options().write(true).open("/dev/null") else { return };
        // SAFETY: the number is the pipe's, which stays open as long as `self`. Whoever uses it from now on
        // writes to nowhere, and nobody writes after the end.
        let same = unsafe { nix::unistd::dup2_raw(&null, self.pipe.as_raw_fd()) };
        if let Ok(same) = same {
            // It is `pipe` that owns the number.
            let _ = same.into_raw_fd();
        }
    }

    fn send(&self, state: &mut State) {
        while !state.pieces.is_empty() {
            // Together, because each writing takes pages of the pipe of its own.
            let parts: Vec<_> = state.unsent().take(MOST_AT_ONCE).map(IoSlice::new).collect();
            match (&*self.pipe).write_vectored(&parts) {
                Ok(written) => {
                    state.sent_more(written);
                    // Said once there is room again, so that it does not take the room itself.
                    if state.sent == 0 && state.bytes <= self.max_bytes / 2 {
                        state.append_left_out();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if let Some(Beside { full, .. }) = &self.beside {
                        full.wake();
                    }
                    return;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The writer has ended: it has said why.
                Err(_) => {
                    self.over.store(true, Ordering::Release);
                    *state = State::ended();
                    return;
                }
            }
        }
    }

    /// Nothing is recorded any more.
    pub fn give_up(&self) {
        self.over.store(true, Ordering::Release);
        *self.state.lock() = State::ended();
    }

    /// Whether nothing is recorded any more.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

impl State {
    /// Nothing waits, and nothing is taken any more.
    fn ended() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// What was left out, if anything was.
    fn append_left_out(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out != LeftOut::default() {
            let (head, data) = Entry::LeftOut(left_out).encode();
            self.append(head, data);
        }
    }

    fn sent_more(&mut self, written: usize) {
        self.sent += written;
        while let Some(first) = self.pieces.front()
            && self.sent >= first.bytes.len()
        {
            self.sent -= first.bytes.len();
            self.bytes = self.bytes.saturating_sub(first.weight());
            if !first.is_content {
                self.event_bytes = self.event_bytes.saturating_sub(first.weight());
            }
            self.pieces.pop_front();
        }
    }

    /// What is not in the pipe.
    fn unsent(&self) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.sent;
        self.pieces
            .iter()
            .map(move |piece| piece.bytes.get(std::mem::take(&mut skip)..).unwrap_or_default())
    }

    fn has_room(&self, bytes: usize, most: usize) -> bool {
        self.pieces.is_empty() || self.bytes.saturating_add(bytes) <= most
    }

    fn has_room_for_event(&self, bytes: usize) -> bool {
        self.pieces.is_empty() || self.event_bytes.saturating_add(bytes) <= MAX_EVENT_BYTES
    }

    fn append(&mut self, head: Vec<u8>, data: Vec<u8>) {
        for (bytes, is_content) in [(head, false), (data, true)] {
            if !bytes.is_empty() {
                let piece = Piece { bytes, is_content };
                self.bytes += piece.weight();
                if !is_content {
                    self.event_bytes += piece.weight();
                }
                self.pieces.push_back(piece);
            }
        }
    }
}

fn weight(snapshot: &Snapshot) -> usize {
    snapshot.data.len().saturating_add(snapshot.pages.len().saturating_mul(4))
}

/// An event without its contents.
fn leave_out(block: &mut Block) {
    if let Some(errno) = block.content_errno_mut() {
        *errno = Errno::ENOSPC as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use cami_recording::Buffer;
    use cami_recording::block::{Line, Requested};
    use nix::fcntl::{FcntlArg, OFlag, fcntl};

    use super::super::entry::LENGTH_BYTES;
    use super::*;

    /// A queue whose pipe is full, and the pipe's other end.
    fn full(max_bytes: usize) -> (Queue, File, usize) {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let mut writer = File::from(writer);
        let mut filled = 0;
        while let Ok(written) = writer.write(&[0; 4096]) {
            filled += written;
        }
        (Queue::new(writer, None, max_bytes).unwrap(), File::from(reader), filled)
    }

    fn seen(bytes: usize) -> Entry {
        let snapshot = Snapshot::of(&vec![1; bytes]);
        Entry::Seen(Requested::default().into(), Buffer(1), snapshot)
    }

    /// What comes out of the pipe until the end.
    fn heard(queue: Queue, mut reader: File, filled: usize) -> Vec<Entry> {
        let reading = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            bytes
        });
        queue.close(Deadline::after(std::time::Duration::from_secs(20)));
        drop(queue);
        let bytes = reading.join().unwrap();
        let mut rest = bytes.get(filled..).unwrap();
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let (length, behind) = rest.split_at(LENGTH_BYTES);
            let length = u32::from_le_bytes(length.try_into().unwrap());
            let (entry, behind) = behind.split_at(usize::try_from(length).unwrap());
            entries.push(Entry::decode(entry).unwrap());
            rest = behind;
        }
        entries
    }

    #[test]
    fn contents_are_left_out_before_events_and_both_are_counted() {
        let (queue, reader, filled) = full(10_000);
        assert!(queue.push(seen(8192)));
        assert!(!queue.push(seen(4096)));
        let line = Line { text: "x".repeat(MAX_EVENT_BYTES - 1000), ..Line::default() };
        assert!(queue.push(Entry::Block(line.into())));
        let line = Line { text: "x".repeat(5000), ..Line::default() };
        assert!(!queue.push(Entry::Block(line.into())));
        // Without it the writer would take a later snapshot for one of the same buffer.
        assert!(queue.push(Entry::Forget(Buffer(1))));
        let entries = heard(queue, reader, filled);
        assert!(matches!(entries[0], Entry::Seen(..)));
        let Entry::Block(Block::Requested(requested)) = &entries[1] else { panic!() };
        assert_eq!(requested.content_errno, Errno::ENOSPC as u32);
        assert!(matches!(entries[2], Entry::Block(Block::Line(_))));
        assert!(matches!(entries[3], Entry::Forget(Buffer(1))));
        assert!(
            matches!(entries[4], Entry::LeftOut(LeftOut { contents: 1, events: 1 })),
            "what is left out is told at the end too"
        );
        assert!(matches!(entries[5], Entry::End));
    }

    #[test]
    fn one_that_is_larger_than_the_bound_passes_an_empty_queue() {
        let (queue, reader, filled) = full(100);
        assert!(queue.push(seen(MAX_EVENT_BYTES + 50_000)));
        assert!(!queue.push(seen(1)));
        // Events have room beside it.
        for number in 0..100 {
            assert!(queue.push(Entry::Restarts(number)));
        }
        let entries = heard(queue, reader, filled);
        let told = entries.iter().filter(|entry| matches!(entry, Entry::Restarts(_))).count();
        assert_eq!(told, 100);
        assert!(matches!(entries[0], Entry::Seen(..)));
        assert!(matches!(
            entries.iter().rev().nth(1),
            Some(Entry::LeftOut(LeftOut { contents: 1, events: 0 }))
        ));
    }

    #[test]
    fn nothing_follows_the_end_and_nobody_waits_for_a_writer_that_is_gone() {
        let (queue, reader, _) = full(100);
        queue.push(Entry::Restarts(1));
        queue.close(Deadline::now());
        assert!(!queue.push(Entry::Restarts(1)), "behind the end");
        let (other, gone, _) = full(100);
        drop((reader, gone));
        assert!(other.push(Entry::Restarts(1)));
        assert!(other.is_over() && !other.push(Entry::Restarts(1)));
        other.close(Deadline::after(std::time::Duration::from_secs(600)));
    }
}
