//! Pointer words of flattened structs.
//!
//! Structs travel with their pointer members. Their values mean nothing to the receiver, which
//! replaces every non-NULL one by the address of the sibling struct in its own mapping: only NULL
//! or not NULL counts (spec/ipu3-protocol.md, 1.4). So no address of ours ever leaves the process.

/// The sibling struct is filled in.
pub(super) const PRESENT: u64 = 1;
/// It is not.
pub(super) const ABSENT: u64 = 0;

/// The word for a sibling that may be filled in.
pub(super) fn word(present: bool) -> u64 {
    if present { PRESENT } else { ABSENT }
}

/// The word that says the same as another process's.
pub(super) fn same(word: u64) -> u64 {
    self::word(word != ABSENT)
}
