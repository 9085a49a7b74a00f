//! Whole sessions of the IPA: in front of a virtual camera and the reference library, and in front
//! of libraries that fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs,
    missing_debug_implementations,
    reason = "tests state what they expect"
)]

mod camera;
mod controls;
mod converge;
mod faults;
mod faulty;
mod lifecycle;
#[allow(dead_code, reason = "what only tests inside the crate need")]
#[path = "../../src/made_up.rs"]
mod made_up;
mod recorded;
