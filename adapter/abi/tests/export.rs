//! An exported table, called as a C host calls it: rightly and wrongly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may state what it expects of its own set-up"
)]

mod common;

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

use cami_abi::sys::{camera_algorithm_callback_ops, camera_algorithm_callback_ops_t};
use cami_abi::{Callbacks, CameraAlgorithm, Exported};
use common::{capture_log, logged};

/// What the exported implementation was called with.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    Registered,
    Requested(u32, Vec<u8>, i32),
    Deregistered(Vec<i32>),
    UpdateReturned(u32, u32, bool),
    Deinitialized,
}

struct Algorithm {
    calls: Mutex<Vec<Call>>,
    callbacks: Mutex<Option<Arc<dyn Callbacks>>>,
    panics: Mutex<bool>,
}

static ALGORITHM: Algorithm = Algorithm {
    calls: Mutex::new(Vec::new()),
    callbacks: Mutex::new(None),
    panics: Mutex::new(false),
};

/// The table and the events are one per process, and so is the test that runs at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

impl Algorithm {
    fn record(&self, call: Call) {
        let panics = *self.panics.lock().unwrap();
        assert!(!panics, "a panic on purpose");
        self.calls.lock().unwrap().push(call);
    }
    fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
    fn callbacks(&self) -> Arc<dyn Callbacks> {
        self.callbacks.lock().unwrap().clone().unwrap()
    }
}

impl CameraAlgorithm for Algorithm {
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        let panics = *self.panics.lock().unwrap();
        assert!(!panics, "a panic on purpose");
        *self.callbacks.lock().unwrap() = Some(callbacks);
        17
    }
    fn register_buffer(&self, _fd: OwnedFd) -> i32 {
        self.record(Call::Registered);
        4
    }
    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        self.record(Call::Requested(req_id, header.to_vec(), buffer_handle));
    }
    fn deregister_buffers(&self, buffer_handles: &[i32]) {
        self.record(Call::Deregistered(buffer_handles.to_vec()));
    }
    fn update_return(&self, upd_id: u32, status: u32, fd: Option<OwnedFd>) {
        self.record(Call::UpdateReturned(upd_id, status, fd.is_some()));
    }
    fn deinitialize(&self) {
        self.record(Call::Deinitialized);
    }
}

struct Exporter;

impl Exported for Exporter {
    fn instance() -> &'static dyn CameraAlgorithm {
        &ALGORITHM
    }
}

cami_abi::export_cami!(Exporter);

static HAL_EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn hal_events() -> Vec<String> {
    std::mem::take(&mut HAL_EVENTS.lock().unwrap())
}

unsafe extern "C" fn hal_returned(
    hal: *const camera_algorithm_callback_ops,
    req_id: u32,
    status: u32,
    handle: i32,
) {
    let right = std::ptr::eq(hal, &raw const HAL) || std::ptr::eq(hal, (&raw const OLD_HAL).cast());
    HAL_EVENTS.lock().unwrap().push(format!("returned {right} {req_id} {status} {handle}"));
}

unsafe extern "C" fn hal_notified(_: *const camera_algorithm_callback_ops, message: u32) {
    HAL_EVENTS.lock().unwrap().push(format!("notified {message}"));
}

unsafe extern "C" fn hal_updated(
    _: *const camera_algorithm_callback_ops,
    upd_id: u32,
    header: *const u8,
    size: u32,
    fd: i32,
) {
    // SAFETY: the caller gives `size` bytes.
    let header = unsafe { std::slice::from_raw_parts(header, size as usize) }.to_vec();
    HAL_EVENTS.lock().unwrap().push(format!("updated {upd_id} {header:?} {}", fd >= 0));
    if fd >= 0 {
        // SAFETY: the fd is ours now.
        unsafe { libc::close(fd) };
    }
}

static HAL: camera_algorithm_callback_ops_t = camera_algorithm_callback_ops_t {
    return_callback: Some(hal_returned),
    notify: Some(hal_notified),
    update: Some(hal_updated),
};

/// A HAL of revision E: two slots, then something else.
#[repr(C)]
struct OldHal {
    return_callback: unsafe extern "C" fn(*const camera_algorithm_callback_ops, u32, u32, i32),
    notify: Option<unsafe extern "C" fn(*const camera_algorithm_callback_ops, u32)>,
}
static OLD_HAL: OldHal = OldHal { return_callback: hal_returned, notify: None };

fn initialize(ops: *const camera_algorithm_callback_ops_t) -> i32 {
    // SAFETY: NULL, or one of the static tables of this file.
    unsafe { CAMI.initialize.unwrap()(ops) }
}

fn is_open(fd: i32) -> bool {
    // SAFETY: reads the flags of a number.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

fn any_fd() -> OwnedFd {
    tempfile::tempfile().unwrap().into()
}

#[test]
fn every_entry_reaches_the_implementation() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    assert_eq!(initialize(&raw const HAL), 17);
    let fd = any_fd().into_raw_fd();
    // SAFETY: an open fd, given away.
    assert_eq!(unsafe { CAMI.register_buffer.unwrap()(fd) }, 4);
    assert!(!is_open(fd), "the fd was not handed over");
    let header = [1u8, 2, 3];
    // SAFETY: three bytes at the header.
    unsafe { CAMI.request.unwrap()(9, header.as_ptr(), 3, -1) };
    // SAFETY: an empty header may be NULL.
    unsafe { CAMI.request.unwrap()(10, null(), 0, 5) };
    let handles = [5, -6];
    // SAFETY: two handles.
    unsafe { CAMI.deregister_buffers.unwrap()(handles.as_ptr(), 2) };
    // SAFETY: an empty array may be NULL.
    unsafe { CAMI.deregister_buffers.unwrap()(null(), 0) };
    // SAFETY: an open fd, given away.
    unsafe { CAMI.update_return.unwrap()(1, 2, any_fd().into_raw_fd()) };
    // SAFETY: no fd.
    unsafe { CAMI.update_return.unwrap()(3, 4, -1) };
    // SAFETY: no arguments.
    unsafe { CAMI.deinitialize.unwrap()() };
    assert_eq!(
        ALGORITHM.calls(),
        [
            Call::Registered,
            Call::Requested(9, vec![1, 2, 3], -1),
            Call::Requested(10, vec![], 5),
            Call::Deregistered(vec![5, -6]),
            Call::Deregistered(vec![]),
            Call::UpdateReturned(1, 2, true),
            Call::UpdateReturned(3, 4, false),
            Call::Deinitialized,
        ]
    );
}

#[test]
fn callbacks_reach_the_hal_with_its_own_table() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    hal_events();
    initialize(&raw const HAL);
    let hal = ALGORITHM.callbacks();
    hal.returned(1, 2, -3);
    hal.notify(1);
    hal.update(4, &[5, 6], Some(any_fd()));
    hal.update(7, &[], None);
    assert_eq!(
        hal_events(),
        ["returned true 1 2 -3", "notified 1", "updated 4 [5, 6] true", "updated 7 [] false"]
    );
}

#[test]
fn an_old_hals_table_is_read_no_further_than_it_is_called() {
    capture_log();
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    hal_events();
    // At the end of a page behind which nothing is mapped: reading a third slot would crash.
    // SAFETY: a new private mapping of two pages.
    let pages = unsafe {
        libc::mmap(
            null_mut(),
            8192,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_ne!(pages, libc::MAP_FAILED);
    // SAFETY: the second of the two pages.
    let second = unsafe { pages.byte_add(4096) };
    // SAFETY: unmaps the second page of this test's own mapping.
    assert_eq!(unsafe { libc::munmap(second, 4096) }, 0);
    // SAFETY: the last bytes of the first page.
    let table = unsafe { second.byte_sub(size_of::<OldHal>()) }.cast::<OldHal>();
    // SAFETY: aligned, inside the page.
    unsafe { table.write(OldHal { return_callback: hal_returned, notify: None }) };
    assert_eq!(initialize(table.cast()), 17);
    let hal = ALGORITHM.callbacks();
    hal.returned(1, 2, 3);
    hal.notify(1);
    assert_eq!(hal_events(), ["returned false 1 2 3"]);
    *ALGORITHM.callbacks.lock().unwrap() = None;
    drop(hal);

    // A HAL of today that takes no updates: their buffers are closed.
    static SILENT: camera_algorithm_callback_ops_t = camera_algorithm_callback_ops_t {
        return_callback: Some(hal_returned),
        notify: None,
        update: None,
    };
    initialize(&raw const SILENT);
    let hal = ALGORITHM.callbacks();
    let fd = any_fd();
    let number = fd.as_raw_fd();
    hal.update(1, &[], Some(fd));
    hal.notify(1);
    assert!(!is_open(number), "the buffer of an unwanted update was kept");
    assert!(logged("the HAL takes no updates"));
}

#[test]
fn wrong_arguments_are_refused() {
    capture_log();
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    static NOTHING: camera_algorithm_callback_ops_t =
        camera_algorithm_callback_ops_t { return_callback: None, notify: None, update: None };
    assert_eq!(initialize(null()), -libc::EINVAL);
    assert_eq!(initialize(&raw const NOTHING), -libc::EINVAL);
    for fd in [-1, i32::MIN, 987_654] {
        // SAFETY: the number is of no open file, which is what is tested.
        assert_eq!(unsafe { CAMI.register_buffer.unwrap()(fd) }, -libc::EBADF);
    }
    // SAFETY: NULL with a size is what is tested.
    unsafe { CAMI.request.unwrap()(0, null(), 1, 0) };
    // SAFETY: as above.
    unsafe { CAMI.deregister_buffers.unwrap()(null(), 1) };
    assert_eq!(ALGORITHM.calls(), []);
    assert!(logged("its header is NULL"));
    // SAFETY: the number is of no open file, which is what is tested.
    unsafe { CAMI.update_return.unwrap()(1, 2, 987_654) };
    assert_eq!(ALGORITHM.calls(), [Call::UpdateReturned(1, 2, false)]);
    assert!(logged("names an fd that is not open"));
}

#[test]
fn a_panic_stays_inside() {
    capture_log();
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    *ALGORITHM.panics.lock().unwrap() = true;
    assert_eq!(initialize(&raw const HAL), -libc::EIO);
    let fd = any_fd().into_raw_fd();
    // SAFETY: an open fd, given away.
    assert_eq!(unsafe { CAMI.register_buffer.unwrap()(fd) }, -libc::EIO);
    assert!(!is_open(fd), "the fd was leaked by the panic");
    // SAFETY: empty.
    unsafe { CAMI.request.unwrap()(0, null(), 0, 0) };
    // SAFETY: empty.
    unsafe { CAMI.deregister_buffers.unwrap()(null(), 0) };
    // SAFETY: no fd.
    unsafe { CAMI.update_return.unwrap()(0, 0, -1) };
    // SAFETY: no arguments.
    unsafe { CAMI.deinitialize.unwrap()() };
    *ALGORITHM.panics.lock().unwrap() = false;
    for entry in [
        "initialize",
        "register_buffer",
        "request",
        "deregister_buffers",
        "update_return",
        "deinitialize",
    ] {
        assert!(logged(&format!("a panic in {entry} was contained")), "{entry}");
    }
}
