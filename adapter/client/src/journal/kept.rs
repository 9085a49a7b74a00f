//! Requests that a new vendor process has to be given again.

use std::sync::Arc;

use cami_wire::control::{CommandRule, Role};
use nix::errno::Errno;

use super::buffers::Buffer;
use super::in_flight::MAX_WORDS;

/// All payloads together: IPU3 needs 5 MiB for each camera.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// One request that was carried out, with what its buffer held when the HAL sent it, addresses
/// virtual.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) rule: Arc<CommandRule>,
    pub(crate) req_id: u32,
    pub(crate) header: Vec<u8>,
    /// Size of the buffer; 0 where there is none.
    pub(crate) buffer_bytes: u64,
    /// The ranges of the rule, one after the other.
    pub(crate) bytes: Vec<u8>,
    /// The word that tells several of its kind apart.
    pub(crate) instance: Option<u32>,
    /// The virtual address that the answer gave.
    pub(crate) gave: Option<u64>,
    /// The virtual addresses that the request named.
    pub(crate) took: [Option<u64>; MAX_WORDS],
}

impl Kept {
    /// The ranges of the buffer that are kept: offset and length.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u32, u32)> {
        ranges(&self.rule, self.buffer_bytes)
    }

    fn names(&self) -> impl Iterator<Item = u64> {
        self.took.iter().flatten().copied()
    }

    /// Whether a later request of the same kind takes the place of this one.
    fn is_same(&self, other: &Self) -> bool {
        self.rule.id == other.rule.id
            && self.instance == other.instance
            && self.gave.is_none()
            && other.gave.is_none()
            && (self.rule.role != Role::State || self.names().next() == other.names().next())
    }
}

/// The ranges of a buffer of this size that count, as offset and length. They are no list, because
/// they are gone through in every frame.
fn ranges(rule: &CommandRule, buffer_bytes: u64) -> impl Iterator<Item = (u32, u32)> {
    let ranges: &[_] = if rule.keep.is_empty() { &[(0, u32::MAX)] } else { &rule.keep };
    let end = u32::try_from(buffer_bytes).unwrap_or(u32::MAX);
    ranges.iter().filter_map(move |&(offset, bytes)| {
        let most = end.checked_sub(offset).filter(|&most| most > 0)?;
        Some((offset, bytes.min(most)))
    })
}

/// How many bytes count of a request's buffer.
///
/// # Errors
/// `EFBIG` where there are more than `room`, `ENODATA` where the buffer's size is not known.
pub(crate) fn bytes(rule: &CommandRule, buffer: &Buffer, room: usize) -> Result<usize, Errno> {
    if buffer.bytes() == 0 {
        return Err(Errno::ENODATA);
    }
    let total: u64 = ranges(rule, buffer.bytes()).map(|(_, length)| u64::from(length)).sum();
    usize::try_from(total).ok().filter(|total| *total <= room).ok_or(Errno::EFBIG)
}

/// Where the eight bytes at `offset` of the buffer are among those that are kept, if they all are.
pub(crate) fn place(rule: &CommandRule, buffer_bytes: u64, offset: u32) -> Option<usize> {
    let mut before = 0_usize;
    for (start, length) in ranges(rule, buffer_bytes) {
        let inside = offset.checked_sub(start);
        if inside.is_some_and(|inside| inside.saturating_add(8) <= length) {
            return before.checked_add(usize::try_from(inside?).ok()?);
        }
        before = before.checked_add(usize::try_from(length).ok()?)?;
    }
    None
}

/// Copies what counts of a request's buffer, which is `total` bytes, into `bytes`.
pub(crate) fn copy(
    rule: &CommandRule,
    buffer: &Buffer,
    total: usize,
    bytes: &mut Vec<u8>,
) -> Result<(), Errno> {
    if bytes.capacity() < total {
        // Anew and not grown: growing a large block is mremap, which ChromeOS's filters do not know
        // (spec/cami-abi.md, 3.2).
        *bytes = vec![0; total];
    } else {
        bytes.resize(total, 0);
    }
    let mut rest = bytes.as_mut_slice();
    for (offset, length) in ranges(rule, buffer.bytes()) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (piece, after) = rest.split_at_mut_checked(length).unwrap_or_default();
        buffer.read(offset, piece)?;
        rest = after;
    }
    Ok(())
}

/// Everything that is kept, in the order in which it is to be done again.
#[derive(Debug, Default)]
pub(crate) struct Keepsakes {
    set_up: Vec<Arc<Kept>>,
    state: Vec<Arc<Kept>>,
}

impl Keepsakes {
    /// Set-up, then state.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Arc<Kept>> {
        self.set_up.iter().chain(&self.state)
    }

    /// A request was carried out: it takes the place of the one before it, which comes back so
    /// that the next can use its memory.
    pub(crate) fn keep(&mut self, kept: Kept) -> Result<Option<Kept>, Errno> {
        let list = if kept.rule.role == Role::State { &mut self.state } else { &mut self.set_up };
        let before = list.iter().position(|old| old.is_same(&kept));
        let mut place = before.map(|index| list.remove(index));
        // The memory of the place is used again, too, unless a recovery looks at it.
        let old = match place.as_mut().and_then(Arc::get_mut) {
            Some(place) => Some(std::mem::replace(place, kept)),
            None => {
                place = Some(Arc::new(kept));
                None
            }
        };
        list.extend(place);
        let total: usize = self.in_order().map(|kept| kept.bytes.len()).sum();
        if total > MAX_BYTES { Err(Errno::EFBIG) } else { Ok(old) }
    }

    /// What stands for `address` was ended, and with it all that named it.
    pub(crate) fn end_address(&mut self, address: u64) {
        let concerns =
            |kept: &Kept| kept.gave == Some(address) || kept.took.contains(&Some(address));
        self.set_up.retain(|kept| !concerns(kept));
        self.state.retain(|kept| !concerns(kept));
    }

    /// What these commands made was ended.
    pub(crate) fn end_commands(&mut self, ids: &[u32]) {
        self.set_up.retain(|kept| !ids.contains(&kept.rule.id));
        self.state.retain(|kept| !ids.contains(&kept.rule.id));
    }
}

#[cfg(test)]
mod tests {
    use super::{Keepsakes, Kept};
    use cami_wire::control::{CommandRule, Role};

    fn kept(id: u32, role: Role, gave: Option<u64>, took: &[u64], instance: Option<u32>) -> Kept {
        let rule = CommandRule { id, role, ..CommandRule::default() }.into();
        let took = std::array::from_fn(|word| took.get(word).copied());
        Kept { rule, gave, took, instance, ..Kept::default() }
    }

    fn ids(keepsakes: &Keepsakes) -> Vec<(u32, Option<u32>)> {
        keepsakes.in_order().map(|kept| (kept.rule.id, kept.instance)).collect()
    }

    #[test]
    fn set_up_of_a_kind_is_replaced_by_instance_and_stays_apart_by_address() {
        let mut keepsakes = Keepsakes::default();
        for kept in [
            kept(17, Role::SetUp, Some(0x10), &[], None),
            kept(17, Role::SetUp, Some(0x20), &[], None),
            kept(1, Role::SetUp, None, &[0x10], Some(0)),
            kept(1, Role::SetUp, None, &[0x10], Some(1)),
            kept(1, Role::SetUp, None, &[0x20], Some(0)),
        ] {
            keepsakes.keep(kept).unwrap();
        }
        assert_eq!(ids(&keepsakes), [(17, None), (17, None), (1, Some(1)), (1, Some(0))]);
    }

    #[test]
    fn state_is_the_latest_of_each_address_and_comes_last() {
        let mut keepsakes = Keepsakes::default();
        keepsakes.keep(kept(15, Role::State, None, &[0x10], None)).unwrap();
        keepsakes.keep(kept(15, Role::State, None, &[0x20], None)).unwrap();
        keepsakes.keep(kept(6, Role::SetUp, Some(0x30), &[], None)).unwrap();
        keepsakes.keep(kept(15, Role::State, None, &[0x10], None)).unwrap();
        assert_eq!(ids(&keepsakes), [(6, None), (15, None), (15, None)]);
    }

    #[test]
    fn end_of_an_address_takes_what_named_it() {
        let mut keepsakes = Keepsakes::default();
        keepsakes.keep(kept(17, Role::SetUp, Some(0x10), &[], None)).unwrap();
        keepsakes.keep(kept(6, Role::SetUp, Some(0x20), &[0x10], None)).unwrap();
        keepsakes.keep(kept(15, Role::State, None, &[0x20], None)).unwrap();
        keepsakes.keep(kept(27, Role::SetUp, None, &[], None)).unwrap();
        keepsakes.end_address(0x20);
        assert_eq!(ids(&keepsakes), [(17, None), (27, None)]);
        keepsakes.end_commands(&[27]);
        assert_eq!(ids(&keepsakes), [(17, None)]);
    }
}
