//! Words of 8 bytes: which are addresses, and which are numbers (spec/ipu3-protocol.md, 1.4).

use super::{Kind, Shape};

/// What `uintptr_t` is in the original: what one command gives and others take.
const HANDLES: [&str; 7] =
    ["aiq_handle", "ia_aiq", "cmc_handle", "cmc_remote_handle", "ia_mkn", "mkn_handle", "results"];

/// What counts.
const NUMBERS: [&str; 5] = [
    "frame_id",
    "frame_timestamp",
    "lens_movement_start_timestamp",
    "mkn_section_1_size",
    "mkn_section_2_size",
];

/// What a member of this name is.
pub fn kind(name: &str, kind: Kind) -> Kind {
    match kind {
        Kind::U64 if HANDLES.contains(&name) => Kind::Handle,
        Kind::U64 if !NUMBERS.contains(&name) => Kind::Address,
        other => other,
    }
}

/// Words of 8 bytes in a member that the payload structs leave as bytes: the parsed CMC's members
/// are addresses, one behind the other (`ia_cmc_t`); `None`: it is what it says.
pub fn words_in(name: &str, element: &Shape, bytes: usize) -> Option<usize> {
    let is_bytes = matches!(element, Shape::Number(Kind::U8));
    (is_bytes && name.starts_with("cmc_parsed_") && bytes.is_multiple_of(8)).then_some(bytes / 8)
}
