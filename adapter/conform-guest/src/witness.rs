//! The callback tables that the library under test is given, and what came in by them.

use std::os::fd::RawFd;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use cami_abi::sys::{camera_algorithm_callback_ops, camera_algorithm_error_msg_code_t};
use nix::errno::Errno;

use crate::descriptors::{Identity, identity_of};
use crate::memory::Page;

/// A callback table that is never freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackTable(usize);

/// One `return_callback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The table's address, as the library has it.
    pub table: usize,
    /// The number.
    pub req_id: u32,
    /// The status.
    pub status: u32,
    /// The handle.
    pub handle: i32,
}

/// One `update`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// The table's address, as the library has it.
    pub table: usize,
    /// The number.
    pub upd_id: u32,
    /// The descriptor's number.
    pub number: RawFd,
    /// What it stood for in the callback; `None` where it was not open.
    pub identity: Option<Identity>,
}

#[derive(Debug, Default)]
struct Seen {
    answers: Vec<Answer>,
    updates: Vec<Update>,
    notifications: usize,
}

static SEEN: Mutex<Seen> =
    Mutex::new(Seen { answers: Vec::new(), updates: Vec::new(), notifications: 0 });
static CHANGED: Condvar = Condvar::new();

/// What the next `return_callback` does before it returns; it is taken from here then.
type Within = Box<dyn FnOnce() + Send>;
static WITHIN: Mutex<Option<Within>> = Mutex::new(None);

/// Callbacks that are remembered: more would only cost memory.
const MAX_REMEMBERED: usize = 1 << 16;

fn seen() -> MutexGuard<'static, Seen> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CallbackTable {
    /// All three functions, in memory that a library could write to.
    pub fn full() -> Self {
        Self::of(&FULL)
    }

    /// Without `notify`, as ChromeOS's host has it.
    pub fn without_notify() -> Self {
        Self::of(&camera_algorithm_callback_ops { notify: None, ..FULL })
    }

    /// Without `update`.
    pub fn without_update() -> Self {
        Self::of(&camera_algorithm_callback_ops { update: None, ..FULL })
    }

    /// Everything but `return_callback`.
    pub fn without_return_callback() -> Self {
        Self::of(&camera_algorithm_callback_ops { return_callback: None, ..FULL })
    }

    /// All three functions, in a page that cannot be written to.
    pub fn read_only() -> Result<Self, Errno> {
        let page = Page::ending_with(&bytes_of(&FULL))?;
        page.read_only()?;
        Ok(Self(page.start().expose_provenance()))
    }

    /// Two slots, behind which nothing can be read.
    pub fn of_two_slots() -> Result<Self, Errno> {
        let bytes = bytes_of(&FULL);
        let two = bytes.get(..2 * size_of::<usize>()).ok_or(Errno::EINVAL)?;
        Ok(Self(Page::ending_with(two)?.start().expose_provenance()))
    }

    fn of(table: &camera_algorithm_callback_ops) -> Self {
        let table: &'static mut _ = Box::leak(Box::new(*table));
        Self((&raw const *table).expose_provenance())
    }

    /// Where it is.
    pub fn address(self) -> *const camera_algorithm_callback_ops {
        std::ptr::with_exposed_provenance(self.0)
    }

    /// The same as a number.
    pub fn number(self) -> usize {
        self.0
    }
}

/// The table's words, as they lie in memory.
fn bytes_of(table: &camera_algorithm_callback_ops) -> Vec<u8> {
    let words = [
        table.return_callback.map_or(0, |function| function as usize),
        table.notify.map_or(0, |function| function as usize),
        table.update.map_or(0, |function| function as usize),
    ];
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// A copy that is never freed; the same one for the same bytes.
pub fn for_ever(bytes: &[u8]) -> &'static [u8] {
    static KEPT: OnceLock<Mutex<Vec<&'static [u8]>>> = OnceLock::new();
    let mut kept = KEPT.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = kept.iter().find(|found| **found == bytes) {
        return found;
    }
    let copy: &'static [u8] = Box::leak(bytes.into());
    kept.push(copy);
    copy
}

/// How many answers have come.
pub fn mark() -> usize {
    seen().answers.len()
}

/// The answers since `mark`, once there are `count`, or the time is over.
pub fn wait(mark: usize, count: usize, patience: Duration) -> Vec<Answer> {
    let deadline = Instant::now() + patience;
    let mut guard = seen();
    loop {
        let answers = guard.answers.get(mark..).unwrap_or_default();
        let left = deadline.saturating_duration_since(Instant::now());
        if answers.len() >= count || left.is_zero() {
            return answers.to_vec();
        }
        guard = CHANGED.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// The updates so far.
pub fn updates() -> Vec<Update> {
    seen().updates.clone()
}

/// How often `notify` was called.
pub fn notifications() -> usize {
    seen().notifications
}

/// The next answer does that before its callback returns.
pub fn within_next_answer(work: impl FnOnce() + Send + 'static) {
    *WITHIN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
}

const FULL: camera_algorithm_callback_ops = camera_algorithm_callback_ops {
    return_callback: Some(returned),
    notify: Some(notify),
    update: Some(update),
};

unsafe extern "C" fn returned(
    table: *const camera_algorithm_callback_ops,
    req_id: u32,
    status: u32,
    handle: i32,
) {
    let mut guard = seen();
    if guard.answers.len() < MAX_REMEMBERED {
        guard.answers.push(Answer { table: table.addr(), req_id, status, handle });
    }
    drop(guard);
    CHANGED.notify_all();
    let within = WITHIN.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(work) = within {
        work();
    }
}

unsafe extern "C" fn notify(
    _table: *const camera_algorithm_callback_ops,
    _message: camera_algorithm_error_msg_code_t,
) {
    seen().notifications += 1;
}

unsafe extern "C" fn update(
    table: *const camera_algorithm_callback_ops,
    upd_id: u32,
    _header: *const u8,
    _size: u32,
    number: i32,
) {
    let identity = identity_of(number);
    let mut guard = seen();
    if guard.updates.len() < MAX_REMEMBERED {
        guard.updates.push(Update { table: table.addr(), upd_id, number, identity });
    }
}
