//! A private copy of a vendor's table, read no further than it is long.

use std::ffi::c_void;

use crate::sys::camera_algorithm_ops_t;

/// No slot filled: what lies behind the end of an older table.
const EMPTY: camera_algorithm_ops_t = camera_algorithm_ops_t {
    initialize: None,
    register_buffer: None,
    request: None,
    deregister_buffers: None,
    update_return: None,
    deinitialize: None,
};

/// Copies the first `size` bytes of the table at `symbol`; slots behind them are NULL.
///
/// Reading a whole revision G table instead would find other objects, or the bytes of the file's
/// last page, in the slots that an older library lacks: measured to be non-NULL garbage
/// (spec/cami-abi.md, 1.5).
///
/// # Safety
/// `size` readable bytes lie at `symbol`, and they are pointers to functions of the slots' types,
/// or NULL.
pub(crate) unsafe fn copy_table(symbol: *const c_void, size: usize) -> camera_algorithm_ops_t {
    let mut table = EMPTY;
    let size = size.min(size_of::<camera_algorithm_ops_t>());
    let target = (&raw mut table).cast::<u8>();
    // SAFETY: `table` has at least `size` bytes and does not overlap; every bit pattern that is
    // NULL or a function's address is valid for its fields.
    unsafe { std::ptr::copy_nonoverlapping(symbol.cast::<u8>(), target, size) };
    table
}
