//! libcamera's door as it is installed: the module files, and the worker's process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests and their helpers state what they expect"
)]

mod application;
mod captures;
mod doctor;
mod driver;
mod module;
mod real;
mod recording;
mod scene;
mod session;
mod stream;
mod worker;
