//! The log of libraries that are guests in somebody else's process: the HAL's door and the
//! service's door.
//!
//! No descriptor is kept open, no call blocks, no signal is raised, and where system calls are
//! restricted ([`cami_link::restrict_system_calls`]) none is made that may not be.

mod line;
mod logger;
mod target;

pub use logger::{install, parse_variable};
pub use target::Target;
