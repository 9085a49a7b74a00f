//! The error numbers that libcamera is told (Linux, all architectures).

use crate::ipa::IpaError;

/// No such file.
pub(crate) const ENOENT: i32 = 2;
/// The library failed.
pub(crate) const EIO: i32 = 5;
/// Something was too large for the protocol.
pub(crate) const E2BIG: i32 = 7;
/// There is no library.
pub(crate) const ENODEV: i32 = 19;
/// Something cannot be.
pub(crate) const EINVAL: i32 = 22;
/// The library took too long.
pub(crate) const ETIMEDOUT: i32 = 110;

/// An error for libcamera; `errno` is positive.
pub(crate) fn error(errno: i32, text: impl Into<String>) -> IpaError {
    IpaError { errno: errno.saturating_neg(), text: text.into() }
}
