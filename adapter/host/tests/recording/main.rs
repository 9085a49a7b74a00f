//! A host that records: what is in its file, and that nothing else changes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod ends;
mod files;
mod floods;
mod known;
mod passing;
mod ring;
mod room;
mod same;
