//! Which bytes of a large payload a filled request uses.
//!
//! The payloads have room for the largest tables there may be, and a request uses a few per cent of
//! it. A client that copies payloads need copy only these parts; the rest keeps what it held.

use std::ops::Range;

/// Ranges of bytes, in ascending order.
pub type Parts = Vec<Range<usize>>;

/// `count` items of `T` at `offset`.
pub(crate) fn items<T>(offset: usize, count: usize) -> Range<usize> {
    offset..offset + count * size_of::<T>()
}
