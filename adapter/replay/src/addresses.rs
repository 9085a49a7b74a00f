//! Addresses of the recorded vendor process, and what stands for them in the one that is asked now.

use std::collections::HashMap;

/// Which address stands for which.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    now: HashMap<u64, u64>,
}

impl Addresses {
    /// A recorded answer gave `recorded` where this one gave `now`. 0 is none in both.
    pub fn learn(&mut self, recorded: &[u8], now: &[u8], at: u32) {
        let (Some(recorded), Some(now)) = (word(recorded, at), word(now, at)) else { return };
        if recorded != 0 {
            self.now.insert(recorded, now);
        }
    }

    /// Puts today's addresses into a recorded request. An address that no answer gave stays, and is
    /// returned: a library that trusts it will read where nothing is.
    pub fn translate(&self, request: &mut [u8], takes: &[u32]) -> Option<u64> {
        let mut stranger = None;
        for &at in takes {
            let Some(recorded) = word(request, at).filter(|&recorded| recorded != 0) else {
                continue;
            };
            match self.now.get(&recorded) {
                Some(now) => put(request, at, *now),
                None => stranger = Some(recorded),
            }
        }
        stranger
    }
}

/// The address at an offset.
#[must_use]
pub fn word(buffer: &[u8], at: u32) -> Option<u64> {
    let rest = buffer.get(usize::try_from(at).ok()?..)?;
    rest.first_chunk().copied().map(u64::from_le_bytes)
}

/// Puts an address at an offset, if the buffer reaches so far.
pub fn put(buffer: &mut [u8], at: u32, address: u64) {
    let place = usize::try_from(at).ok().and_then(|at| buffer.get_mut(at..));
    if let Some(place) = place.and_then(<[u8]>::first_chunk_mut) {
        *place = address.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_process() {
        let mut addresses = Addresses::default();
        addresses.learn(&[1, 1, 0, 0, 0, 0, 0, 0, 0], &[2, 2, 0, 0, 0, 0, 0, 0, 0], 0);
        addresses.learn(&[7; 7], &[7; 7], 0);
        addresses.learn(&[0; 8], &[9; 8], 0);
        let mut request = [1, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(addresses.translate(&mut request, &[0, 11, u32::MAX]), None);
        assert_eq!(request.get(..2), Some(&[2, 2][..]));
        assert_eq!(addresses.translate(&mut request, &[0, 8]), Some(5), "of unknown origin");
        assert_eq!(request.get(8), Some(&5));
    }
}
