//! Addresses of the vendor process in payloads: the HAL only ever sees virtual ones.
//!
//! A library hands out addresses of its own memory (IPU3's aiq, cmc and mkn handles) which the HAL
//! gives back in later requests. A new vendor process hands out others. So the HAL gets a number of
//! ours from the first answer on, and each request gets the real one on its way: the translation is
//! exercised in every frame and not only after a death.

/// The first virtual address. No address that exists has bits 48 to 55 neither all clear nor all
/// set (x86_64 and aarch64), so that one that is not translated faults instead of hitting something.
const FIRST: u64 = 0x0CA3_1000_0000_0000;
/// From one to the next; libraries align what they hand out.
const STEP: u64 = 16;
/// Addresses that are kept at a time; IPU3 has three for each camera.
pub(super) const MAX_KNOWN: usize = 4096;

/// Virtual and real addresses.
#[derive(Debug)]
pub(crate) struct Addresses {
    known: Vec<(u64, u64)>,
    next: u64,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { known: Vec::new(), next: FIRST }
    }
}

impl Addresses {
    /// Whether there is no room for another.
    pub(crate) fn is_full(&self) -> bool {
        self.known.len() >= MAX_KNOWN
    }

    /// A virtual address for a real one that the library just gave; NULL stays NULL, and so does one
    /// that there is no room for.
    pub(crate) fn give(&mut self, real: u64) -> Option<u64> {
        if real == 0 || self.is_full() {
            return None;
        }
        let address = self.next;
        self.next = self.next.wrapping_add(STEP);
        self.known.push((address, real));
        Some(address)
    }

    /// The new vendor process gave `real` where the old one gave what `address` stands for.
    pub(crate) fn move_to(&mut self, address: u64, real: u64) {
        if let Some((_, found)) = self.known.iter_mut().find(|(known, _)| *known == address) {
            *found = real;
        }
    }

    /// What a virtual address stands for; `None` for any other number.
    pub(crate) fn real(&self, address: u64) -> Option<u64> {
        self.known.iter().find(|(known, _)| *known == address).map(|(_, real)| *real)
    }

    /// The library ended what it stood for.
    pub(crate) fn forget(&mut self, address: u64) {
        self.known.retain(|(known, _)| *known != address);
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, FIRST};

    #[test]
    fn virtual_addresses_follow_the_real_one_and_are_never_used_twice() {
        let mut addresses = Addresses::default();
        assert_eq!(addresses.give(0), None);
        let first = addresses.give(0x7f00).unwrap();
        let second = addresses.give(0x7f00).unwrap();
        assert!(first != second && first >= FIRST);
        addresses.move_to(first, 0x8000);
        assert_eq!(addresses.real(first), Some(0x8000));
        assert_eq!(addresses.real(second), Some(0x7f00));
        addresses.forget(first);
        assert_eq!(addresses.real(first), None);
        assert_eq!(addresses.real(0x7f00), None);
        assert!(addresses.give(1).unwrap() > second);
    }
}
