//! Each layer with all others switched off, and what becomes of the report where layers cannot be
//! had.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "a failure here is the test's failure"
)]

mod alone;
mod child;
#[path = "../../../host/tests/common/outer.rs"]
mod outer;
mod reports;
