//! What waits to be written: from the threads that see it to the one that writes.
//!
//! It is bounded in bytes. Where a disk cannot keep up contents of buffers are left out first, then
//! events; both are counted, and nobody waits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cami_link::sync::{Condvar, Mutex};
use cami_recording::{Block, Buffer, Snapshot};
use nix::errno::Errno;

/// What contents of buffers may take: some seconds of an IPU3 camera at 30 frames per second, and
/// all its buffers once.
pub const MAX_BYTES: usize = 64 << 20;
/// What events without contents may take on top of that.
const MAX_EVENT_BYTES: usize = 4 << 20;
/// An entry's own weight, about.
const ENTRY_BYTES: usize = 256;

/// One thing to write.
#[derive(Debug)]
pub enum Entry {
    /// An event.
    Block(Block),
    /// An event and what its buffer held.
    Seen(Block, Buffer, Snapshot),
    /// A buffer that is not looked at any more.
    Forget(Buffer),
    /// `initialize` has returned: time to look at what is loaded.
    Libraries,
}

impl Entry {
    fn bytes(&self) -> usize {
        let header = |block: &Block| match block {
            Block::Requested(requested) => requested.header.0.len(),
            Block::Updated(updated) => updated.header.0.len(),
            Block::Line(line) => line.text.len(),
            Block::Called(called) => called.handles.len().saturating_mul(4),
            _ => 0,
        };
        let own = match self {
            Self::Block(block) => header(block),
            Self::Seen(block, _, snapshot) => {
                header(block) + snapshot.data.len() + snapshot.pages.len() * 4
            }
            Self::Forget(_) | Self::Libraries => 0,
        };
        own.saturating_add(ENTRY_BYTES)
    }
}

/// What did not find room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Contents whose events are there.
    pub contents: u64,
    /// Events.
    pub events: u64,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<(Entry, usize)>,
    bytes: usize,
    left_out: LeftOut,
    /// Since when nothing more is to come.
    closed: Option<Instant>,
    /// The writer has done all that it will do.
    finished: bool,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    max_bytes: usize,
    /// Nothing is written any more, so that nobody has to look at anything.
    over: AtomicBool,
}

/// What the writer gets.
#[derive(Debug)]
pub enum Next {
    /// An entry, and what was left out before it.
    Entry(Box<Entry>, LeftOut),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come.
    End(LeftOut),
}

impl Queue {
    /// An empty one, for `max_bytes` of contents.
    pub fn new(max_bytes: usize) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::default());
        Self { state, changed, max_bytes, over: AtomicBool::new(false) }
    }

    /// Appends an entry. False where the contents had to be left out, or all of it: the next that is
    /// told of that buffer must be whole.
    pub fn push(&self, entry: Entry) -> bool {
        if self.is_over() {
            return false;
        }
        let mut state = self.state.lock();
        let bytes = entry.bytes();
        let fits = |state: &State, bytes: usize, most: usize| {
            state.entries.is_empty() || state.bytes.saturating_add(bytes) <= most
        };
        let (entry, bytes, whole) = match entry {
            Entry::Seen(mut block, ..) if !fits(&state, bytes, self.max_bytes) => {
                state.left_out.contents += 1;
                leave_out(&mut block);
                let entry = Entry::Block(block);
                let bytes = entry.bytes();
                (entry, bytes, false)
            }
            entry => (entry, bytes, true),
        };
        if !fits(&state, bytes, self.max_bytes.saturating_add(MAX_EVENT_BYTES)) {
            state.left_out.events += 1;
            return false;
        }
        state.bytes += bytes;
        state.entries.push_back((entry, bytes));
        drop(state);
        self.changed.notify_all();
        whole
    }

    /// The next entry; waits until `deadline`.
    pub fn next(&self, deadline: Instant) -> Next {
        let mut state = self.state.lock();
        loop {
            if let Some((entry, bytes)) = state.entries.pop_front() {
                state.bytes = state.bytes.saturating_sub(bytes);
                // Said once there is room again, so that it does not take the room itself.
                let room = state.bytes <= self.max_bytes / 2;
                let left_out =
                    if room { std::mem::take(&mut state.left_out) } else { LeftOut::default() };
                return Next::Entry(Box::new(entry), left_out);
            }
            if state.closed.is_some() {
                return Next::End(std::mem::take(&mut state.left_out));
            }
            let (back, late) = self.changed.wait_until(state, deadline);
            state = back;
            if late && state.entries.is_empty() && state.closed.is_none() {
                return Next::Nothing;
            }
        }
    }

    /// Whether one of the entries is as `wanted` says. It stays.
    pub fn has(&self, wanted: impl Fn(&Entry) -> bool) -> bool {
        self.state.lock().entries.iter().any(|(entry, _)| wanted(entry))
    }

    /// Waits until something changes, no longer than `time`.
    pub fn wait(&self, time: Duration) {
        let state = self.state.lock();
        if state.closed.is_none() {
            drop(self.changed.wait_until(state, Instant::now() + time));
        }
    }

    /// All that is there.
    pub fn take_all(&self) -> Vec<Entry> {
        let mut state = self.state.lock();
        state.bytes = 0;
        state.entries.drain(..).map(|(entry, _)| entry).collect()
    }

    /// Nothing more comes.
    pub fn close(&self) {
        self.state.lock().closed = Some(Instant::now());
        self.changed.notify_all();
    }

    /// Whether nothing more is to come.
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed.is_some()
    }

    /// Whether nothing more is to come, and what is there will take its time: it is more than `bytes`,
    /// or has waited for `time`.
    pub fn is_late(&self, bytes: usize, time: Duration) -> bool {
        let state = self.state.lock();
        state.closed.is_some_and(|since| state.bytes > bytes || since.elapsed() > time)
    }

    /// The writer has done what it could.
    pub fn finish(&self) {
        self.state.lock().finished = true;
        self.changed.notify_all();
    }

    /// Waits for [`Queue::finish`], no longer than `time`.
    pub fn wait_finished(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut state = self.state.lock();
        while !state.finished {
            let late;
            (state, late) = self.changed.wait_until(state, deadline);
            if late {
                return;
            }
        }
    }

    /// Nothing is recorded any more.
    pub fn give_up(&self) {
        self.over.store(true, Ordering::Release);
        drop(self.take_all());
    }

    /// Whether nothing is recorded any more.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// An event without its contents.
fn leave_out(block: &mut Block) {
    let errno = Errno::ENOSPC as i32;
    let errno = errno.unsigned_abs();
    match block {
        Block::Requested(requested) => requested.content_errno = errno,
        Block::Returned(returned) => returned.content_errno = errno,
        Block::Updated(updated) => updated.content_errno = errno,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use cami_recording::block::{Line, Requested};

    use super::*;

    fn seen(bytes: usize) -> Entry {
        let snapshot = Snapshot::of(&vec![1; bytes]);
        Entry::Seen(Requested::default().into(), Buffer(1), snapshot)
    }

    fn next(queue: &Queue) -> Option<(Entry, LeftOut)> {
        match queue.next(Instant::now()) {
            Next::Entry(entry, left_out) => Some((*entry, left_out)),
            _ => None,
        }
    }

    #[test]
    fn contents_are_left_out_before_events_and_both_are_counted() {
        let queue = Queue::new(10_000);
        assert!(queue.push(seen(8192)));
        assert!(!queue.push(seen(4096)));
        let line = Line { text: "x".repeat(MAX_EVENT_BYTES - 1000), ..Line::default() };
        assert!(queue.push(Entry::Block(line.into())));
        assert!(
            !queue.push(Entry::Block(Line { text: "x".repeat(5000), ..Line::default() }.into()))
        );
        assert!(matches!(next(&queue), Some((Entry::Seen(..), LeftOut { contents: 0, .. }))));
        let (entry, _) = next(&queue).unwrap();
        let Entry::Block(Block::Requested(requested)) = entry else { panic!("{entry:?}") };
        assert_eq!(requested.content_errno, Errno::ENOSPC as u32);
        let (_, left_out) = next(&queue).unwrap();
        assert_eq!(left_out, LeftOut { contents: 1, events: 1 });
        assert!(queue.push(seen(4096)));
    }

    #[test]
    fn one_that_is_larger_than_the_bound_passes_an_empty_queue() {
        let queue = Queue::new(100);
        assert!(queue.push(seen(50_000)));
        assert!(!queue.push(seen(1)));
    }

    #[test]
    fn after_the_end_nothing_waits() {
        let queue = Queue::new(100);
        queue.push(Entry::Libraries);
        queue.close();
        let far = Instant::now() + Duration::from_secs(600);
        assert!(matches!(queue.next(far), Next::Entry(..)));
        assert!(matches!(queue.next(far), Next::End(_)));
        queue.wait(Duration::from_secs(600));
        queue.finish();
        queue.wait_finished(Duration::from_secs(600));
        queue.give_up();
        assert!(!queue.push(Entry::Libraries));
    }
}
