//! Addresses in the buffers of requests in flight: virtual while the HAL may look, real while the
//! library may.
//!
//! A HAL may make several requests with one buffer before the first is answered. Then a word is all
//! of theirs: it becomes virtual again with the last answer.

use cami_wire::control::CommandRule;

use super::addresses::Addresses;
use super::buffers::Buffer;
use super::in_flight::{Entry, InFlight, Word, Words};
use super::kept;

/// The addresses that a request's buffer names.
pub(super) fn find(
    rule: &CommandRule,
    buffer: &Buffer,
    in_flight: &mut InFlight,
    addresses: &Addresses,
) -> Words {
    let mut words = Words::default();
    for (word, &offset) in words.iter_mut().zip(&rule.takes) {
        let address = buffer.read_u64(offset).and_then(|found| {
            if addresses.real(found).is_some() {
                return Some(found);
            }
            // The real one stands there if an earlier request with the same buffer is in flight.
            let (_, theirs) = in_flight.word_at(buffer, offset)?;
            (addresses.real(theirs.address) == Some(found)).then_some(theirs.address)
        });
        *word = address.map(|address| Word { offset, address, last: address });
    }
    words
}

/// A payload that was copied while the real address stood in the buffer keeps the virtual one.
pub(super) fn keep_virtual(entry: &mut Entry) {
    let (Some(rule), Some(buffer), true) = (&entry.rule, &entry.buffer, entry.has_payload) else {
        return;
    };
    for word in entry.words.iter().flatten() {
        let place = kept::place(rule, buffer.bytes(), word.offset);
        let kept = place.and_then(|place| entry.payload.get_mut(place..place.checked_add(8)?));
        if let Some(kept) = kept {
            kept.copy_from_slice(&word.address.to_ne_bytes());
        }
    }
}

/// Puts the real addresses into a request's buffer.
pub(super) fn put_real(entry: &Entry, addresses: &Addresses) {
    put(entry, |word| addresses.real(word.address));
}

/// Puts the virtual addresses back that no other request in flight needs; the last of them does it for
/// the others.
pub(super) fn put_virtual(entry: &Entry, in_flight: &mut InFlight) {
    let Some(buffer) = &entry.buffer else { return };
    for word in entry.words.iter().flatten() {
        match in_flight.word_at(buffer, word.offset) {
            None => write(entry, buffer, word.offset, word.last),
            Some((id, older)) if id < entry.id => older.last = word.last,
            Some(_) => {}
        }
    }
}

/// The vendor process is dead: nobody needs real ones.
pub(super) fn restore(entry: &Entry) {
    put(entry, |word| Some(word.last));
}

fn put(entry: &Entry, value: impl Fn(&Word) -> Option<u64>) {
    let Some(buffer) = &entry.buffer else { return };
    for word in entry.words.iter().flatten() {
        if let Some(value) = value(word) {
            write(entry, buffer, word.offset, value);
        }
    }
}

fn write(entry: &Entry, buffer: &Buffer, offset: u32, value: u64) {
    if let Err(errno) = buffer.write_u64(offset, value) {
        log::error!("an address cannot be written into buffer {}: {errno}", entry.handle);
    }
}
