//! Finding and starting the host's executable, `cros_ipa_proxy`: for the client in the HAL's
//! process and for the service.
#![forbid(unsafe_code)]

mod locate;
mod spawn;

pub use locate::{HOST, Missing, locate};
pub use spawn::{Command, spawn};
