//! The one safe trait that both ends share.
//!
//! `libcam_algo.so` exports a `CAMI` table made from an implementation of [`CameraAlgorithm`];
//! a vendor library's `CAMI` table is wrapped as one. So the HAL's door, the vendor process and
//! the tests speak of the same six operations and three callbacks.

use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Calls into a camera algorithm (slots of `camera_algorithm_ops_t`, revision G).
///
/// Identifiers, headers, handles and statuses are opaque: they pass unchanged
/// (spec/cami-abi.md, 0.3). All return codes are 0 or positive for success, a negative errno
/// otherwise.
pub trait CameraAlgorithm: Send + Sync {
    /// Slot 0. `callbacks` may be called from any thread, even before this returns.
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32;
    /// Slot 1. Ownership of `fd` moves to the algorithm, whatever it returns
    /// (platform2 `common/camera_algorithm_ops_impl.cc`, 90-104). Returns the buffer's handle.
    fn register_buffer(&self, fd: OwnedFd) -> i32;
    /// Slot 2. `header` is valid during the call only.
    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32);
    /// Slot 3. Unknown handles are legal.
    fn deregister_buffers(&self, buffer_handles: &[i32]);
    /// Slot 4, since revision F. Gives the fd of an `update` back. A no-op where the table ends
    /// before it or holds NULL.
    fn update_return(&self, upd_id: u32, status: u32, fd: Option<OwnedFd>);
    /// Slot 5, since revision G. A no-op where the table ends before it or holds NULL.
    fn deinitialize(&self);
    /// Not of the table: ends what the algorithm runs in at once, whatever it is doing, and returns
    /// when that is gone. No callback begins afterwards, none says so, and [`initialize`] starts anew.
    ///
    /// False where nothing was ended, because it runs in this very process.
    ///
    /// [`initialize`]: CameraAlgorithm::initialize
    fn end_now(&self) -> bool {
        false
    }
}

/// Calls out of a camera algorithm (slots of `camera_algorithm_callback_ops_t`).
///
/// Any thread, any time: inside `request`, before `initialize` returned, twice for one request,
/// never, or without one.
pub trait Callbacks: Send + Sync {
    /// Slot 0, `return_callback`.
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32);
    /// Slot 1, `notify`; 1 is `CAMERA_ALGORITHM_MSG_IPC_ERROR`.
    fn notify(&self, message: u32);
    /// Slot 2, `update`. `header` is valid during the call only; `fd` moves to the callee.
    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>);
}
