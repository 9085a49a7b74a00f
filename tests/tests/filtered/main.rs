//! What is loaded into ChromeOS's camera services, under the system calls that their filters allow
//! and default KILL (spec/cami-abi.md, 3.2): the shim that connects, and the service's door.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod client;
mod door;
mod libcamera;
mod list;
mod shim;
