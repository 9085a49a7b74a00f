//! The exported `CAMI`, called as a C host calls it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may state what it expects of its own set-up"
)]

mod common;

use std::os::fd::IntoRawFd;
use std::sync::mpsc::{Sender, channel};

use cam_algo_reference::{CAMI, VERSION};
use cami_abi::sys::{camera_algorithm_callback_ops, camera_algorithm_callback_ops_t};
use cami_abi::{Revision, TABLE_SYMBOL};
use cami_ipu3::{Command, HEADER};
use common::memfd;
use parking_lot::Mutex;

static ANSWERS: Mutex<Option<Sender<(u32, u32, i32)>>> = Mutex::new(None);

unsafe extern "C" fn returned(
    _: *const camera_algorithm_callback_ops,
    req_id: u32,
    status: u32,
    handle: i32,
) {
    if let Some(answers) = &*ANSWERS.lock() {
        answers.send((req_id, status, handle)).unwrap();
    }
}

static HAL: camera_algorithm_callback_ops_t =
    camera_algorithm_callback_ops_t { return_callback: Some(returned), notify: None, update: None };

#[test]
fn a_c_host_gets_a_version() {
    let (sender, answers) = channel();
    *ANSWERS.lock() = Some(sender);
    // SAFETY: a static table.
    assert_eq!(unsafe { CAMI.initialize.unwrap()(&raw const HAL) }, 0);
    // SAFETY: the number is of no open file, which is what is tested.
    assert!(unsafe { CAMI.register_buffer.unwrap()(-1) } < 0);

    let file = memfd(Command::AiqGetVersion.payload_bytes());
    let fd = file.try_clone().unwrap().into_raw_fd();
    // SAFETY: an open fd, given away.
    let handle = unsafe { CAMI.register_buffer.unwrap()(fd) };
    assert!(handle > 0);
    let command = Command::AiqGetVersion.number();
    // SAFETY: one byte at the header.
    unsafe { CAMI.request.unwrap()(command, HEADER.as_ptr(), 1, handle) };
    assert_eq!(answers.recv(), Ok((command, 0, handle)));
    let mut text = vec![0; VERSION.len()];
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut text, 0).unwrap();
    assert_eq!(text, VERSION.as_bytes());

    // SAFETY: one handle.
    unsafe { CAMI.deregister_buffers.unwrap()(&raw const handle, 1) };
    // SAFETY: no fd.
    unsafe { CAMI.update_return.unwrap()(1, 2, -1) };
    // SAFETY: no arguments.
    unsafe { CAMI.deinitialize.unwrap()() };
    assert_eq!(TABLE_SYMBOL, "CAMI");
    assert_eq!(size_of_val(&CAMI), Revision::G.slots() * size_of::<usize>());
}
