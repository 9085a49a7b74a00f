//! Finds the bytes that libcamera leaves uninitialised.
//!
//! These are, in a control packet and nowhere else: the header's two reserved words (bytes 24 to
//! 31); in version 1 the last word of a list entry and of an info entry (of the latter since 0.4.0
//! only its last three bytes, behind the direction); in version 2 the seven bytes behind an info
//! entry's direction, and the two reserved words of every value description.

use cami_wire::libcamera::Dialect;

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(word)).ok()
}

/// Starts and ends of what is uninitialised in an entry.
type Holes = &'static [(usize, usize)];

/// Ranges of an entry that are uninitialised, and the entry's size, for lists and for info maps.
fn layouts(dialect: Dialect) -> [(usize, Holes); 2] {
    if dialect >= Dialect::V0_6 {
        [(20, &[(12, 20)]), (64, &[(9, 16), (24, 32), (40, 48), (56, 64)])]
    } else if dialect >= Dialect::V0_4 {
        // A list entry and an info entry have the same size; only the type word, which is one byte
        // of type and three of array flag and count in a list, tells them apart.
        [(16, &[(12, 16)]), (16, &[(13, 16)])]
    } else {
        [(16, &[(12, 16)]), (16, &[(12, 16)])]
    }
}

/// For each byte of a message, whether libcamera left it to chance. Packets are found by their
/// header alone (version, size, data offset) and by the size that is announced before them,
/// independently of the decoder under test.
pub fn uninitialised(message: &[u8], dialect: Dialect) -> Vec<bool> {
    let mut mask = vec![false; message.len()];
    let mut at = 0;
    let mut last_end = 0;
    while at + 32 <= message.len() {
        let Some((size, entries, entry_bytes, holes)) = packet_at(message, at, dialect) else {
            at += 1;
            continue;
        };
        // An info map or a list stands behind its size; an info map before its list stands behind
        // both sizes, and the list behind the map.
        let announced = |before: usize| {
            at.checked_sub(before).and_then(|before| word(message, before)) == Some(size)
        };
        if !(announced(4) || announced(8) || (last_end > 0 && last_end == at)) {
            at += 1;
            continue;
        }
        mask[at + 24..at + 32].fill(true);
        for entry in 0..entries {
            let start = at + 32 + entry * entry_bytes;
            for (from, to) in holes {
                mask[start + from..start + to].fill(true);
            }
        }
        at += size;
        last_end = at;
    }
    mask
}

/// A packet's size, its number of entries, their size and their holes.
type Packet = (usize, usize, usize, Holes);

fn packet_at(message: &[u8], at: usize, dialect: Dialect) -> Option<Packet> {
    let version = usize::try_from(dialect.packet_version()).ok()?;
    let entries = word(message, at + 8)?;
    let size = word(message, at + 12)?;
    let data_offset = word(message, at + 16)?;
    let plausible = word(message, at)? == version
        && size >= 32
        && at + size <= message.len()
        && data_offset <= size
        && word(message, at + 20)? <= 2;
    if !plausible {
        return None;
    }
    let [list, info] = layouts(dialect);
    // In version 1 a list entry's second word has an element count in its upper half, an info
    // entry's has not.
    let is_list = if version == 1 {
        entries == 0 || word(message, at + 32 + 4)? >= 0x1_0000
    } else {
        data_offset == 32 + entries * list.0
    };
    let (entry_bytes, holes) = if is_list { list } else { info };
    (data_offset == 32 + entries * entry_bytes).then_some((size, entries, entry_bytes, holes))
}

/// Asserts that `ours` is `theirs`, but for the uninitialised bytes, which must be zero in ours.
pub fn assert_same_but_uninitialised(ours: &[u8], theirs: &[u8], dialect: Dialect, what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}: length");
    let mask = uninitialised(theirs, dialect);
    for (offset, ((ours, theirs), masked)) in ours.iter().zip(theirs).zip(mask).enumerate() {
        let expected = if masked { 0 } else { *theirs };
        assert_eq!(*ours, expected, "{what}: byte {offset:#x} (masked: {masked})");
    }
}

#[test]
fn mask_of_worked_list_covers_reserved_and_padding_only() {
    // The AeEnable list of types_0.0.3.txt: 8 bytes of sizes, header, one entry, 5 bytes of data.
    let list = crate::common::captures::hex(
        "00000000 35000000 01000000 00000000 01000000 35000000 30000000 00000000 0000000000000000
         01000000 01000100 00000000 fd7f0000 01000000 01",
    )
    .unwrap();
    let masked: Vec<usize> = uninitialised(&list, Dialect::V0_0)
        .iter()
        .enumerate()
        .filter_map(|(offset, &masked)| masked.then_some(offset))
        .collect();
    let expected: Vec<usize> = (32..40).chain(52..56).collect();
    assert_eq!(masked, expected);
}
