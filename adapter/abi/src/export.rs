//! An implementation of [`CameraAlgorithm`] as an exported `CAMI`.
//!
//! Every entry catches panics, since one that leaves `extern "C"` would abort the host, and
//! checks what C callers get wrong: NULL, numbers that are not open files.

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::fd;
use crate::rarely::Rarely;
use crate::slots::bytes;
use crate::sys::{camera_algorithm_callback_ops, camera_algorithm_ops_t};
use crate::{Callbacks, CameraAlgorithm};

/// A type whose one instance is exported by [`export_cami!`](crate::export_cami).
pub trait Exported: 'static {
    /// The instance that all calls through `CAMI` go to. Called for every one of them, from any
    /// thread; a `static` is the usual answer.
    fn instance() -> &'static dyn CameraAlgorithm;
}

/// Exports `CAMI`, a revision G table, made from an [`Exported`] type.
///
/// What the entries add to the implementation:
/// * a panic in it is contained: `initialize` and `register_buffer` return -EIO, the others
///   nothing;
/// * `initialize` without a table, or with one that has no `return_callback`: -EINVAL;
/// * `register_buffer` with a number that is not open: -EBADF;
/// * a NULL header or array with a size above 0: the call is dropped and logged;
/// * `update_return` with a number that is not open: passed on without an fd and, where it is
///   not negative, logged.
#[macro_export]
macro_rules! export_cami {
    ($type:ty) => {
        /// The table that a camera HAL looks up (`include/cami/camera_algorithm.h`).
        #[unsafe(no_mangle)]
        pub static CAMI: $crate::sys::camera_algorithm_ops_t = $crate::table::<$type>();
    };
}

/// The table that [`export_cami!`](crate::export_cami) exports.
pub const fn table<T: Exported>() -> camera_algorithm_ops_t {
    camera_algorithm_ops_t {
        initialize: Some(initialize::<T>),
        register_buffer: Some(register_buffer::<T>),
        request: Some(request::<T>),
        deregister_buffers: Some(deregister_buffers::<T>),
        update_return: Some(update_return::<T>),
        deinitialize: Some(deinitialize::<T>),
    }
}

/// Runs `work`, and returns `otherwise` if it panics.
fn contained<R>(name: &str, otherwise: R, work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        log::error!("a panic in {name} was contained");
        otherwise
    })
}

unsafe extern "C" fn initialize<T: Exported>(ops: *const camera_algorithm_callback_ops) -> i32 {
    contained("initialize", -libc::EIO, || {
        // Before anything is logged: the instance may be what sets the logger up.
        let instance = T::instance();
        // SAFETY: the ABI says that a table lives at `ops` until deinitialize, or the next call.
        match unsafe { HalCallbacks::new(ops) } {
            Some(callbacks) => instance.initialize(Arc::new(callbacks)),
            None => {
                log::error!("initialize needs a callback table with a return_callback");
                -libc::EINVAL
            }
        }
    })
}

unsafe extern "C" fn register_buffer<T: Exported>(buffer_fd: i32) -> i32 {
    contained("register_buffer", -libc::EIO, || match fd::adopt(buffer_fd) {
        Some(fd) => T::instance().register_buffer(fd),
        None => -libc::EBADF,
    })
}

unsafe extern "C" fn request<T: Exported>(
    req_id: u32,
    header: *const u8,
    size: u32,
    buffer_handle: i32,
) {
    static NULL_HEADERS: Rarely = Rarely::new();
    contained("request", (), || {
        // SAFETY: the ABI says that `header` points to `size` bytes during the call.
        match unsafe { bytes(header, size) } {
            Some(header) => T::instance().request(req_id, header, buffer_handle),
            None => NULL_HEADERS.warn("dropped a request: its header is NULL, its size is not 0"),
        }
    });
}

unsafe extern "C" fn deregister_buffers<T: Exported>(handles: *const i32, size: u32) {
    static NULL_ARRAYS: Rarely = Rarely::new();
    contained("deregister_buffers", (), || {
        // SAFETY: the ABI says that `handles` points to `size` numbers during the call.
        match unsafe { bytes(handles, size) } {
            Some(handles) => T::instance().deregister_buffers(handles),
            None => NULL_ARRAYS.warn("ignored deregister_buffers: NULL with a size above 0"),
        }
    });
}

unsafe extern "C" fn update_return<T: Exported>(upd_id: u32, status: u32, buffer_fd: i32) {
    static CLOSED_FDS: Rarely = Rarely::new();
    contained("update_return", (), || {
        let fd = fd::adopt(buffer_fd);
        if fd.is_none() && buffer_fd >= 0 {
            CLOSED_FDS.warn("update_return names an fd that is not open; passed on without");
        }
        T::instance().update_return(upd_id, status, fd);
    });
}

unsafe extern "C" fn deinitialize<T: Exported>() {
    contained("deinitialize", (), || T::instance().deinitialize());
}

/// The HAL's callback table.
///
/// Slots are read when they are called, never before: HALs of revision D and E pass a table of
/// two slots, behind which `update` must not be looked for unless a library sends one.
#[derive(Debug)]
struct HalCallbacks {
    ops: NonNull<camera_algorithm_callback_ops>,
}

// SAFETY: the ABI lets the functions be called from any thread, and the table does not change.
unsafe impl Send for HalCallbacks {}
// SAFETY: as above; nothing is written through the pointer.
unsafe impl Sync for HalCallbacks {}

impl HalCallbacks {
    /// # Safety
    /// `ops` is NULL, or a table that stays valid for the life of the result.
    unsafe fn new(ops: *const camera_algorithm_callback_ops) -> Option<Self> {
        let ops = NonNull::new(ops.cast_mut())?;
        // SAFETY: the first slot is there in every revision.
        unsafe { (*ops.as_ptr()).return_callback }?;
        Some(Self { ops })
    }
}

impl Callbacks for HalCallbacks {
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        let ops = self.ops.as_ptr();
        // SAFETY: the table is valid by the contract of `new`.
        let function = unsafe { (*ops).return_callback };
        if let Some(function) = function {
            // SAFETY: the HAL's own function, with its own table.
            unsafe { function(ops, req_id, status, buffer_handle) }
        }
    }

    fn notify(&self, message: u32) {
        let ops = self.ops.as_ptr();
        // SAFETY: the table is valid, and every HAL since revision D has this slot.
        let function = unsafe { (*ops).notify };
        if let Some(function) = function {
            // SAFETY: the HAL's own function, with its own table.
            unsafe { function(ops, message) }
        }
    }

    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        static NOT_WANTED: Rarely = Rarely::new();
        let ops = self.ops.as_ptr();
        // SAFETY: the table is valid; a HAL whose library sends updates has this slot.
        let function = unsafe { (*ops).update };
        let (Some(function), Ok(size)) = (function, u32::try_from(header.len())) else {
            drop(fd);
            NOT_WANTED.warn("closed the buffer of an update: the HAL takes no updates");
            return;
        };
        // SAFETY: the HAL's own function and table; `size` bytes at the header; the fd is given.
        unsafe { function(ops, upd_id, header.as_ptr(), size, fd::surrender(fd)) }
    }
}
