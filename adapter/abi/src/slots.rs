//! The callback tables that vendor libraries call.
//!
//! A library keeps the pointer that `initialize` gave it and may use it for as long as its
//! process lives, from threads that nobody can join (spec/cami-abi.md, 0.9). So the tables live
//! in static storage, and what they lead to can be taken away: after [`Slot::set`] with `None` a
//! late callback does nothing.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::Callbacks;
use crate::fd;
use crate::rarely::Rarely;
use crate::sys::{camera_algorithm_callback_ops, camera_algorithm_error_msg_code_t};

/// How many vendor libraries one process can load. IPU6 needs two, each in its own process.
pub const MAX_LIBRARIES: usize = 8;

/// std's lock: parking_lot yields while it spins, which ChromeOS's filters forbid on amd64.
type Target = RwLock<Option<Arc<dyn Callbacks>>>;

/// All three functions are there in every table: libraries of revision E and older do not look
/// at the last, and one was seen to call a `notify` that nobody had set (platform2 f2fb986bf2).
static TABLES: [camera_algorithm_callback_ops; MAX_LIBRARIES] = [camera_algorithm_callback_ops {
    return_callback: Some(return_callback),
    notify: Some(notify),
    update: Some(update),
}; MAX_LIBRARIES];

static TARGETS: [Target; MAX_LIBRARIES] = [const { RwLock::new(None) }; MAX_LIBRARIES];

static TAKEN: [AtomicBool; MAX_LIBRARIES] = [const { AtomicBool::new(false) }; MAX_LIBRARIES];

/// One library's callback table and target.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    index: usize,
    table: &'static camera_algorithm_callback_ops,
    target: &'static Target,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.index).finish()
    }
}

impl Slot {
    /// Takes a free slot. `None` when there is none left.
    pub fn take() -> Option<Self> {
        let index = TAKEN.iter().position(|taken| !taken.swap(true, Ordering::Relaxed))?;
        Some(Self { index, table: TABLES.get(index)?, target: TARGETS.get(index)? })
    }

    /// Frees the slot of a library that was never given its table.
    pub fn release(self) {
        if let Some(taken) = TAKEN.get(self.index) {
            taken.store(false, Ordering::Relaxed);
        }
    }

    /// The table to give to the library.
    pub fn table(self) -> &'static camera_algorithm_callback_ops {
        self.table
    }

    /// Leads later callbacks to `target`; calls that run already may still end in the old one.
    pub fn set(self, target: Option<Arc<dyn Callbacks>>) {
        let mut current = self.target.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, target);
        drop(current);
        // Outside the lock: the old target's destructor is not ours.
        drop(old);
    }
}

/// The target of the table at `callback`, which is whatever the library passed.
fn target(callback: *const camera_algorithm_callback_ops) -> Option<Arc<dyn Callbacks>> {
    static STRANGERS: Rarely = Rarely::new();
    let Some(index) = TABLES.iter().position(|table| std::ptr::eq(table, callback)) else {
        STRANGERS.warn("dropped a callback: its first argument is not the table we gave");
        return None;
    };
    // Cloned under the lock and called without it, so that a callback may lead to `set`.
    TARGETS.get(index)?.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs `work`; a panic of ours must not unwind into the vendor's frames.
fn contained(name: &str, work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        log::error!("a panic in {name} was contained; the callback is lost");
    }
}

unsafe extern "C" fn return_callback(
    callback: *const camera_algorithm_callback_ops,
    req_id: u32,
    status: u32,
    buffer_handle: i32,
) {
    contained("return_callback", || {
        if let Some(target) = target(callback) {
            target.returned(req_id, status, buffer_handle);
        }
    });
}

unsafe extern "C" fn notify(
    callback: *const camera_algorithm_callback_ops,
    message: camera_algorithm_error_msg_code_t,
) {
    contained("notify", || {
        if let Some(target) = target(callback) {
            target.notify(message);
        }
    });
}

unsafe extern "C" fn update(
    callback: *const camera_algorithm_callback_ops,
    upd_id: u32,
    header: *const u8,
    size: u32,
    buffer_fd: i32,
) {
    static CLOSED_FDS: Rarely = Rarely::new();
    static NULL_HEADERS: Rarely = Rarely::new();
    contained("update", || {
        // A table that is not ours says nothing about whose fd it is: leave that alone.
        let Some(target) = target(callback) else { return };
        let fd = fd::adopt(buffer_fd);
        if fd.is_none() && buffer_fd >= 0 {
            CLOSED_FDS.warn("an update names an fd that is not open; passed on without");
        }
        // SAFETY: the ABI says that `header` points to `size` bytes during the call.
        let Some(header) = (unsafe { bytes(header, size) }) else {
            NULL_HEADERS.warn("dropped an update: its header is NULL and its size is not 0");
            return;
        };
        target.update(upd_id, header, fd);
    });
}

/// `size` elements at `start`, or `None` for a NULL that is not empty.
///
/// # Safety
/// Where `start` is not NULL, it points to `size` elements that do not change during `'a`.
pub(crate) unsafe fn bytes<'a, T>(start: *const T, size: u32) -> Option<&'a [T]> {
    let size = usize::try_from(size).ok()?;
    if size == 0 {
        return Some(&[]);
    }
    let whole = size.checked_mul(size_of::<T>())?;
    if start.is_null() || isize::try_from(whole).is_err() {
        return None;
    }
    // SAFETY: not NULL, of a size that a slice can have; the caller vouches for the rest.
    Some(unsafe { std::slice::from_raw_parts(start, size) })
}
