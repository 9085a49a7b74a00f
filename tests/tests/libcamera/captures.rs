//! The recorded sessions.

#[path = "../../../adapter/wire/tests/common/captures.rs"]
#[allow(dead_code, reason = "another crate's tests use the rest")]
mod format;

pub use format::{Direction, Message, messages};
