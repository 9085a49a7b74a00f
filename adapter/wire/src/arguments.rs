//! How a list of arguments becomes the body of a message.
//!
//! Inputs, outputs and event parameters share one rule: a single argument stands bare; two or more
//! are preceded by a table with `u32 size` for each and, for each whose type can hold file
//! descriptors, `u32 nfds` behind its size. Then follow the arguments' bytes, and beside them the
//! file descriptors, both in order.
//!
//! Source: libcamera `utils/ipc/generators/libcamera_templates/proxy_functions.tmpl`.

use crate::WireError;
use crate::reader::Reader;
use crate::writer::Writer;

/// One argument to be written.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    bytes: &'a [u8],
    fds: Option<u32>,
}

impl<'a> Argument<'a> {
    /// An argument whose type cannot hold file descriptors.
    #[must_use]
    pub const fn plain(bytes: &'a [u8]) -> Self {
        Self { bytes, fds: None }
    }

    /// An argument whose type can hold file descriptors, and holds `fds` of them.
    #[must_use]
    pub const fn with_fds(bytes: &'a [u8], fds: u32) -> Self {
        Self { bytes, fds: Some(fds) }
    }
}

/// Appends `arguments` to `out` under the rule of this module.
pub fn join(arguments: &[Argument<'_>], out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    if arguments.len() > 1 {
        for argument in arguments {
            writer.size(argument.bytes.len());
            if let Some(fds) = argument.fds {
                writer.u32(fds);
            }
        }
    }
    for argument in arguments {
        writer.bytes(argument.bytes);
    }
}

/// The bytes of `N` arguments, and how many file descriptors each is said to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'a, const N: usize> {
    /// The arguments' bytes, in order.
    pub bytes: [&'a [u8]; N],
    /// The announced file descriptors of each; 0 where the type cannot hold any, and where a single
    /// argument stands bare and its own bytes tell.
    pub fds: [u32; N],
}

/// Splits a body into `N` arguments; `can_hold_fds` says of each whether its type can hold file
/// descriptors. Allocates nothing.
///
/// # Errors
/// [`WireError::Truncated`] or [`WireError::TrailingBytes`] if the announced sizes do not add up to
/// the body.
pub fn split<const N: usize>(
    body: &[u8],
    can_hold_fds: [bool; N],
) -> Result<Split<'_, N>, WireError> {
    let mut split = Split { bytes: [&[]; N], fds: [0; N] };
    let mut reader = Reader::new(body);
    if N == 1 {
        split.bytes = [body; N];
        return Ok(split);
    }
    let mut sizes = [0; N];
    for ((size, fds), can_hold) in sizes.iter_mut().zip(&mut split.fds).zip(can_hold_fds) {
        *size = reader.size()?;
        if can_hold {
            *fds = reader.u32()?;
        }
    }
    for (bytes, size) in split.bytes.iter_mut().zip(sizes) {
        *bytes = reader.bytes(size)?;
    }
    reader.finish()?;
    Ok(split)
}

/// A presence flag must agree with the announced number of file descriptors.
///
/// # Errors
/// [`WireError::FdCount`].
pub const fn check_fds(expected: u32, announced: u32) -> Result<(), WireError> {
    if expected == announced { Ok(()) } else { Err(WireError::FdCount { expected, announced }) }
}

/// The four bytes of an argument that is one word.
///
/// # Errors
/// [`WireError::SizeMismatch`].
pub fn word(bytes: &[u8]) -> Result<[u8; 4], WireError> {
    bytes.try_into().map_err(|_| WireError::SizeMismatch {
        expected: 4,
        announced: crate::writer::announced(bytes.len()),
    })
}
