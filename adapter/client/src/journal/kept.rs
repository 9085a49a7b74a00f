//! Requests that a new vendor process has to be given again.

use cami_wire::control::{CommandRule, Role};
use nix::errno::Errno;

use super::buffers::Buffer;

/// All payloads together: IPU3 needs 5 MiB for each camera.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// One request that was carried out, with what its buffer held when the HAL sent it, addresses
/// virtual.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) rule: CommandRule,
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
    pub(crate) took: Vec<u64>,
}

impl Kept {
    /// The ranges of the buffer that are kept: offset and length.
    pub(crate) fn ranges(rule: &CommandRule, buffer_bytes: u64) -> Vec<(u32, u32)> {
        let end = u32::try_from(buffer_bytes).unwrap_or(u32::MAX);
        if rule.keep.is_empty() {
            return vec![(0, end)];
        }
        let inside = |&(offset, bytes): &(u32, u32)| {
            (offset < end).then(|| (offset, bytes.min(end.saturating_sub(offset))))
        };
        rule.keep.iter().filter_map(inside).collect()
    }

    /// Whether a later request of the same kind takes the place of this one.
    fn is_same(&self, other: &Self) -> bool {
        self.rule.id == other.rule.id
            && self.instance == other.instance
            && self.gave.is_none()
            && other.gave.is_none()
            && (self.rule.role != Role::State || self.took.first() == other.took.first())
    }
}

/// How many bytes [`copy`] copies.
pub(crate) fn copied_bytes(rule: &CommandRule, buffer: &Buffer) -> usize {
    let size = buffer.bytes();
    let inside = |&(offset, length): &(u32, u32)| {
        u64::from(length).min(size.saturating_sub(u64::from(offset)))
    };
    let total = if rule.keep.is_empty() { size } else { rule.keep.iter().map(inside).sum() };
    usize::try_from(total).unwrap_or(usize::MAX)
}

/// Copies what counts of a request's buffer into `bytes`.
pub(crate) fn copy(rule: &CommandRule, buffer: &Buffer, bytes: &mut Vec<u8>) -> Result<(), Errno> {
    if buffer.bytes() == 0 {
        return Err(Errno::ENODATA);
    }
    let total = copied_bytes(rule, buffer);
    if total > MAX_BYTES {
        return Err(Errno::EFBIG);
    }
    if bytes.capacity() < total {
        // Anew and not grown: growing a large block is mremap, which ChromeOS's filters do not know
        // (spec/cami-abi.md, 3.2).
        *bytes = vec![0; total];
    }
    let mut end: usize = 0;
    let mut one = |offset: u32, length: u32, bytes: &mut Vec<u8>| {
        let start = end;
        end = end.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        if end > MAX_BYTES {
            return Err(Errno::EFBIG);
        }
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        buffer.read(offset, bytes.get_mut(start..end).unwrap_or_default())
    };
    if rule.keep.is_empty() {
        one(0, u32::try_from(buffer.bytes()).map_err(|_| Errno::EFBIG)?, bytes)?;
    } else {
        // No list is made of them: this is done in every frame.
        let size = u32::try_from(buffer.bytes()).unwrap_or(u32::MAX);
        for &(offset, length) in rule.keep.iter().filter(|(offset, _)| *offset < size) {
            one(offset, length.min(size.saturating_sub(offset)), bytes)?;
        }
    }
    bytes.truncate(end);
    Ok(())
}

/// Everything that is kept, in the order in which it is to be done again.
#[derive(Debug, Default)]
pub(crate) struct Keepsakes {
    set_up: Vec<Kept>,
    state: Vec<Kept>,
}

impl Keepsakes {
    /// Set-up, then state.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Kept> {
        self.set_up.iter().chain(&self.state)
    }

    /// A request was carried out: it takes the place of the one before it, whose bytes come back
    /// for the next to use.
    pub(crate) fn keep(&mut self, kept: Kept) -> Result<Vec<u8>, Errno> {
        let list = if kept.rule.role == Role::State { &mut self.state } else { &mut self.set_up };
        let old = list.iter().position(|old| old.is_same(&kept));
        let old = old.map(|index| list.remove(index).bytes);
        list.push(kept);
        let total: usize = self.in_order().map(|kept| kept.bytes.len()).sum();
        if total > MAX_BYTES { Err(Errno::EFBIG) } else { Ok(old.unwrap_or_default()) }
    }

    /// What stands for `address` was ended, and with it all that named it.
    pub(crate) fn end_address(&mut self, address: u64) {
        let concerns = |kept: &Kept| kept.gave == Some(address) || kept.took.contains(&address);
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
        let rule = CommandRule { id, role, ..CommandRule::default() };
        Kept { rule, gave, took: took.to_vec(), instance, ..Kept::default() }
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
