//! The door as libcamera sees it: a process behind a pair of datagram sockets, with an IPA that does
//! what the test asks of it.
//!
//! The process is this program itself: [`worker::scripted_worker`] is a test that does nothing, unless
//! it is started by another one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests and their helpers state what they expect"
)]

mod calls;
mod captures;
mod faults;
mod host;
mod hostile;
mod protocol;
mod stopped;
mod worker;
