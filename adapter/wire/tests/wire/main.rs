//! Tests of the message layer and of every serialiser, against libcamera's own bytes and against
//! bytes that nobody would send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may state what they expect, as the tests themselves"
)]

#[path = "../common/mod.rs"]
mod common;

mod arguments;
mod captures;
mod control;
mod cros;
mod hostile;
mod mask;
mod packets;
mod round_trip;
mod serializer;
mod single_values;
mod strategies;
