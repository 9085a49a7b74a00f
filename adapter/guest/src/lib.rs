//! What libraries need that are guests in somebody else's process, as the HAL's door and the
//! service's door are: where they are, whom they may believe, and a log.
//!
//! The log keeps no descriptor open, does not block and raises no signal. Where system calls are
//! restricted ([`cami_link::restrict_system_calls`]) none is made that may not be.

mod line;
mod logger;
mod place;
mod target;

pub use logger::{install, parse_variable};
pub use place::{environment_is_trusted, module_name, module_path};
pub use target::Target;
