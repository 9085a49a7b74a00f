//! `cami-ipa serve` and the shim that connects to it (`CAMI_IPA_SOCKET`).
//!
//! Every test runs a service in folders of its own, unmodified C HALs as its clients, and hostile
//! clients that speak the protocol by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod clients;
mod death;
mod hostile;
mod reconnect;
mod recording;
mod socket;
mod stranger;

use cami_tests::Hal;

/// One request there and back.
#[track_caller]
fn works(hal: &mut Hal) {
    hal.call("req 77 00 -1");
    hal.event("return 77 ");
}
