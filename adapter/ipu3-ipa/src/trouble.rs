//! Why something goes without the library.

use std::fmt;
use std::io;

use cami_ipu3_requests::{Cause, RequestError, SetUpError};

use crate::errno::{E2BIG, EIO, ENODEV, ETIMEDOUT, error};
use crate::ipa::IpaError;

/// Why there is no engine.
#[derive(Debug)]
pub enum NotUp {
    /// Its next attempt is due later.
    Pausing,
    /// It is on its way, or the one before it on its way out, and took longer than there was time.
    Late,
    /// The library's `initialize` failed.
    Initialize(io::Error),
    /// A step of the set-up failed.
    SetUp(SetUpError),
    /// There is no thread, or no memory.
    System(io::Error),
}

impl fmt::Display for NotUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pausing => write!(f, "the vendor library failed; it is tried again soon"),
            Self::Late => write!(f, "the vendor library takes its time"),
            Self::Initialize(error) => write!(f, "the vendor library's initialize failed: {error}"),
            Self::SetUp(error) => write!(f, "the vendor library could not be set up: {error}"),
            Self::System(error) => write!(f, "the vendor library could not be started: {error}"),
        }
    }
}

/// Why a frame goes without the library.
pub enum Trouble {
    /// There is no engine.
    NotUp(NotUp),
    /// A request failed.
    Request(RequestError),
}

impl From<NotUp> for Trouble {
    fn from(error: NotUp) -> Self {
        Self::NotUp(error)
    }
}

impl From<RequestError> for Trouble {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUp(error) => write!(f, "{error}"),
            Self::Request(error) => write!(f, "{error}"),
        }
    }
}

impl Trouble {
    /// Whether another call may find it gone.
    pub fn passes(&self) -> bool {
        match self {
            Self::NotUp(error) => !matches!(error, NotUp::System(_)),
            Self::Request(error) => {
                matches!(error.cause, Cause::Lost | Cause::NoAnswer | Cause::Buffer(_))
            }
        }
    }
}

/// What libcamera is told of a library that does not come up.
pub fn not_up(reason: &NotUp) -> IpaError {
    let errno = match reason {
        NotUp::Late | NotUp::Pausing => ETIMEDOUT,
        NotUp::Initialize(error) | NotUp::System(error) => error.raw_os_error().unwrap_or(ENODEV),
        NotUp::SetUp(SetUpError::Tuning(_)) => E2BIG,
        NotUp::SetUp(_) => EIO,
    };
    error(errno, reason.to_string())
}
