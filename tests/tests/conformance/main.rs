//! The FFI conformance suite: an unmodified HAL, the built `libcam_algo.so`, and vendor libraries
//! with every habit and fault that the requirement list names (spec/cami-abi.md, section 6).
//!
//! Every test runs its own HAL process and waits for events. What is counted (fds, threads,
//! processes) is counted in that process, from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod boundaries;
mod buffers;
mod callbacks;
mod fault_table;
mod faults;
mod hang;
mod hosts;
mod isolation;
mod load;
mod reentrancy;
mod revisions;
mod shim_file;
mod updates;
mod vectors;
mod vendors;
