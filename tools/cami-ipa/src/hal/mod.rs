//! The HAL's side: a library, shared buffers, requests and their answers.

pub mod engine;
pub mod frame;
pub mod kills;
pub mod processes;
pub mod stopwatch;
