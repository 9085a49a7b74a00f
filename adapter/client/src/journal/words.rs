//! Addresses in the buffers of requests in flight: virtual while the HAL may look, real while the
//! library may.
//!
//! A HAL may make several requests with one buffer before the first is answered. Then a word is all
//! of theirs: it becomes virtual again with the last answer.

use cami_wire::control::CommandRule;

use super::addresses::Addresses;
use super::buffers::Buffer;
use super::in_flight::{Entry, InFlight, Words};
use super::kept;

/// The addresses that a request's buffer names.
pub(super) fn find(
    rule: &CommandRule,
    buffer: &Buffer,
    in_flight: &InFlight,
    addresses: &Addresses,
) -> Words {
    let mut words = Words::default();
    for (word, &offset) in words.iter_mut().zip(&rule.takes) {
        let address = buffer.read_u64(offset).and_then(|found| {
            if addresses.real(found).is_some() {
                return Some(found);
            }
            // The real one stands there if an earlier request with the same buffer is in flight.
            let theirs = in_flight.address_at(buffer, offset)?;
            (addresses.real(theirs) == Some(found)).then_some(theirs)
        });
        *word = address.map(|address| (offset, address));
    }
    words
}

/// A payload that was copied while the real address stood in the buffer keeps the virtual one.
pub(super) fn keep_virtual(entry: &mut Entry) {
    let (Some(rule), Some(buffer), true) = (&entry.rule, &entry.buffer, entry.has_payload) else {
        return;
    };
    for &(offset, address) in entry.words.iter().flatten() {
        let place = kept::place(rule, buffer.bytes(), offset);
        let kept = place.and_then(|place| entry.payload.get_mut(place..place.checked_add(8)?));
        if let Some(kept) = kept {
            kept.copy_from_slice(&address.to_ne_bytes());
        }
    }
}

/// Puts the real addresses into a request's buffer.
pub(super) fn put_real(entry: &Entry, addresses: &Addresses) {
    put(entry, |_, address| addresses.real(address));
}

/// Puts the virtual addresses back, but for those that another request in flight needs.
pub(super) fn put_virtual(entry: &Entry, in_flight: &InFlight) {
    let Some(buffer) = &entry.buffer else { return };
    put(entry, |offset, address| in_flight.address_at(buffer, offset).is_none().then_some(address));
}

/// The vendor process is dead: nobody needs real ones.
pub(super) fn put_all_virtual(entry: &Entry) {
    put(entry, |_, address| Some(address));
}

fn put(entry: &Entry, value: impl Fn(u32, u64) -> Option<u64>) {
    let Some(buffer) = &entry.buffer else { return };
    for &(offset, address) in entry.words.iter().flatten() {
        let Some(word) = value(offset, address) else { continue };
        if let Err(errno) = buffer.write_u64(offset, word) {
            log::error!("an address cannot be written into buffer {}: {errno}", entry.handle);
        }
    }
}
