//! The functions of the library under test, called with what is asked for and not with what is right.

use std::os::fd::RawFd;

use cami_abi::VendorLibrary;
use cami_abi::sys::camera_algorithm_ops_t;

use crate::memory::Page;
use crate::witness::CallbackTable;

/// The library under test.
#[derive(Debug)]
pub struct Target {
    library: VendorLibrary,
}

/// What a slot's function is called.
pub const SLOTS: [&str; 6] = [
    "initialize",
    "register_buffer",
    "request",
    "deregister_buffers",
    "update_return",
    "deinitialize",
];

/// What comes back where a slot is empty.
const NO_FUNCTION: i32 = -libc::ENOSYS;

/// The addresses of a table's functions; 0 for none.
pub fn addresses(table: &camera_algorithm_ops_t) -> [usize; 6] {
    [
        table.initialize.map_or(0, |function| function as usize),
        table.register_buffer.map_or(0, |function| function as usize),
        table.request.map_or(0, |function| function as usize),
        table.deregister_buffers.map_or(0, |function| function as usize),
        table.update_return.map_or(0, |function| function as usize),
        table.deinitialize.map_or(0, |function| function as usize),
    ]
}

impl Target {
    /// Takes a library that was loaded.
    pub fn new(library: VendorLibrary) -> Self {
        Self { library }
    }

    /// It.
    pub fn library(&self) -> &VendorLibrary {
        &self.library
    }

    fn table(&self) -> &camera_algorithm_ops_t {
        self.library.table()
    }

    /// Whether there is a `deinitialize`.
    pub fn has_deinitialize(&self) -> bool {
        self.table().deinitialize.is_some()
    }

    /// Whether there is an `update_return`.
    pub fn has_update_return(&self) -> bool {
        self.table().update_return.is_some()
    }

    /// Slot 0, with a table or NULL.
    pub fn initialize(&self, table: Option<CallbackTable>) -> i32 {
        let Some(function) = self.table().initialize else { return NO_FUNCTION };
        let table = table.map_or(std::ptr::null(), |table| table.address());
        // SAFETY: the library's own function. What it makes of NULL, or of a short table, is what is
        // looked at: a fault in it ends this process, which is there for that.
        unsafe { function(table) }
    }

    /// Slot 1, with any number.
    pub fn register_buffer(&self, number: RawFd) -> i32 {
        let Some(function) = self.table().register_buffer else { return NO_FUNCTION };
        // SAFETY: the library's own function; the number is the library's from now on, or of no file.
        unsafe { function(number) }
    }

    /// Slot 2. The header lives for ever; an empty one points to a byte that can be read.
    pub fn request(&self, req_id: u32, header: &'static [u8], handle: i32) {
        static ONE_BYTE: [u8; 1] = [0];
        let start = if header.is_empty() { ONE_BYTE.as_ptr() } else { header.as_ptr() };
        self.request_at(req_id, start, header.len(), handle);
    }

    /// Slot 2 with a header in a page whose protection is the rule.
    pub fn request_in(&self, page: &Page, req_id: u32, handle: i32) {
        self.request_at(req_id, page.start(), page.len(), handle);
    }

    fn request_at(&self, req_id: u32, start: *const u8, size: usize, handle: i32) {
        let Some(function) = self.table().request else { return };
        let Ok(size) = u32::try_from(size) else { return };
        // SAFETY: the library's own function; `size` bytes at `start` can be read during the call, and
        // one at least.
        unsafe { function(req_id, start, size, handle) }
    }

    /// Slot 2 for a thread of the library.
    pub fn requester(&self) -> impl Fn(u32, &'static [u8], i32) + Send + 'static {
        let function = self.table().request;
        move |req_id, header, handle| {
            let (Some(function), Ok(size)) = (function, u32::try_from(header.len())) else {
                return;
            };
            // SAFETY: the library's own function; the header lives for ever.
            unsafe { function(req_id, header.as_ptr(), size, handle) }
        }
    }

    /// Slot 3; an empty list is NULL.
    pub fn deregister_buffers(&self, handles: &[i32]) {
        let Some(function) = self.table().deregister_buffers else { return };
        let start = if handles.is_empty() { std::ptr::null() } else { handles.as_ptr() };
        let Ok(size) = u32::try_from(handles.len()) else { return };
        // SAFETY: the library's own function; `size` handles at `start`, which is NULL for none.
        unsafe { function(start, size) }
    }

    /// Slot 4.
    pub fn update_return(&self, upd_id: u32, status: u32, number: RawFd) {
        let Some(function) = self.table().update_return else { return };
        // SAFETY: the library's own function; the number is the library's from now on, or negative.
        unsafe { function(upd_id, status, number) }
    }

    /// Slot 5.
    pub fn deinitialize(&self) {
        let Some(function) = self.table().deinitialize else { return };
        // SAFETY: the library's own function.
        unsafe { function() }
    }
}
