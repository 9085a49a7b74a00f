//! The real thing: libcamera's own workers at the other end of the two-datagram framing.
//!
//! They come with Debian's libcamera-ipa (0.0.3-6 in bookworm); where none is installed each test
//! says so and passes.

mod ipu3;
#[path = "../support/mod.rs"]
mod support;
mod vimc;
mod worker;
