//! What has changed in a buffer since it was looked at last.
//!
//! A 3A buffer has up to 2.4 MB and changes by a few pages for each request. Whoever records sits
//! in the way of the request, so what is done there is one reading and one comparison; packing and
//! writing happen elsewhere ([`crate::Writer`]).

use crate::frame::PAGE_BYTES;

/// Bytes that are read and compared in one piece: stays in the second cache.
const PIECE_BYTES: usize = 16 * PAGE_BYTES;

/// What a buffer held when it was looked at last.
#[derive(Debug, Default)]
pub struct Shadow {
    bytes: u64,
    pages: Vec<u8>,
    valid: bool,
    piece: Vec<u8>,
    /// Of each piece whether it was a hole, and so is zeros.
    holes: Vec<bool>,
}

/// What a buffer held at one time, told as the difference to the time before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes of the buffer.
    pub bytes: u64,
    /// Whether all its pages are here: there was no time before, or the size has changed.
    pub whole: bool,
    /// The pages that are here, counted from the buffer's start, in order.
    pub pages: Vec<u32>,
    /// What they hold, one behind the other; of the last page of a buffer the rest is zeros.
    pub data: Vec<u8>,
}

impl Snapshot {
    /// All of a buffer.
    #[must_use]
    pub fn of(contents: &[u8]) -> Self {
        let mut data = contents.to_vec();
        data.resize(contents.len().next_multiple_of(PAGE_BYTES), 0);
        let pages = (0..).take(data.len() / PAGE_BYTES).collect();
        Self { bytes: contents.len() as u64, whole: true, pages, data }
    }
}

impl Shadow {
    /// Looks at a buffer of so many bytes; `read` fills all of a slice from an offset. The caller
    /// bounds `bytes`: as much memory is taken once, and kept.
    ///
    /// # Errors
    /// What `read` says. The next snapshot is then whole.
    pub fn look<E>(
        &mut self,
        bytes: usize,
        read: impl FnMut(&mut [u8], u64) -> Result<(), E>,
    ) -> Result<Snapshot, E> {
        self.look_past_holes(bytes, read, Some)
    }

    /// The same for a file that knows where nobody has written yet: `data` tells from an offset on
    /// the next one with data, `None` if there is none. Holes are not read.
    ///
    /// # Errors
    /// As [`Shadow::look`].
    pub fn look_past_holes<E>(
        &mut self,
        bytes: usize,
        mut read: impl FnMut(&mut [u8], u64) -> Result<(), E>,
        mut data: impl FnMut(u64) -> Option<u64>,
    ) -> Result<Snapshot, E> {
        let whole = !self.valid || self.bytes != bytes as u64;
        self.valid = false;
        if whole {
            self.pages.clear();
            self.pages.resize(bytes.next_multiple_of(PAGE_BYTES), 0);
            self.bytes = bytes as u64;
            self.holes.clear();
            self.holes.resize(bytes.div_ceil(PIECE_BYTES), false);
        }
        self.piece.resize(PIECE_BYTES, 0);
        let mut snapshot = Snapshot { bytes: bytes as u64, whole, ..Snapshot::default() };
        let mut number = 0;
        let mut left = bytes;
        let mut next_data = 0;
        for (old, was_hole) in self.pages.chunks_mut(PIECE_BYTES).zip(&mut self.holes) {
            let length = left.min(PIECE_BYTES);
            let at = (bytes - left) as u64;
            left -= length;
            if next_data <= at {
                next_data = data(at).unwrap_or(u64::MAX);
            }
            let is_hole = next_data >= at.saturating_add(length as u64);
            if is_hole && *was_hole && !whole {
                number += u32::try_from(old.len() / PAGE_BYTES).unwrap_or(0);
                continue;
            }
            *was_hole = is_hole;
            let (new, rest) = self.piece.split_at_mut(length);
            if is_hole {
                new.fill(0);
            } else {
                read(new, at)?;
            }
            // Of the last page only a part was read.
            let tail = old.len().saturating_sub(length);
            rest.iter_mut().take(tail).for_each(|byte| *byte = 0);
            for (old, new) in old.chunks_mut(PAGE_BYTES).zip(self.piece.chunks(PAGE_BYTES)) {
                if whole || *old != *new {
                    old.copy_from_slice(new);
                    snapshot.pages.push(number);
                    snapshot.data.extend_from_slice(new);
                }
                number += 1;
            }
        }
        self.valid = true;
        Ok(snapshot)
    }

    /// The next snapshot is to be whole: the last one has not reached its recording.
    pub fn forget(&mut self) {
        self.valid = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(shadow: &mut Shadow, contents: &[u8]) -> Snapshot {
        shadow
            .look(contents.len(), |out: &mut [u8], at| {
                let at = usize::try_from(at).map_err(drop)?;
                out.copy_from_slice(contents.get(at..at + out.len()).ok_or(())?);
                Ok::<(), ()>(())
            })
            .unwrap_or_default()
    }

    #[test]
    fn only_changed_pages_are_in_a_later_snapshot() {
        let mut contents = vec![7; 40 * PAGE_BYTES + 5];
        let mut shadow = Shadow::default();
        assert_eq!(look(&mut shadow, &contents), Snapshot::of(&contents));
        assert_eq!(look(&mut shadow, &contents).pages, []);
        for at in [3 * PAGE_BYTES, 17 * PAGE_BYTES + 1, 40 * PAGE_BYTES + 4] {
            if let Some(byte) = contents.get_mut(at) {
                *byte = 8;
            }
        }
        let changed = look(&mut shadow, &contents);
        assert_eq!((changed.whole, changed.pages.as_slice()), (false, [3, 17, 40].as_slice()));
        assert_eq!(changed.data.get(..PAGE_BYTES), contents.get(3 * PAGE_BYTES..4 * PAGE_BYTES));
        assert_eq!(
            changed.data.get(2 * PAGE_BYTES..2 * PAGE_BYTES + 6),
            Some(&[7, 7, 7, 7, 8, 0][..])
        );
    }

    #[test]
    fn another_size_a_failure_or_a_loss_makes_the_next_snapshot_whole() {
        let mut shadow = Shadow::default();
        look(&mut shadow, &[1; 10]);
        assert!(look(&mut shadow, &[1; 11]).whole);
        assert_eq!(shadow.look(11, |_, _| Err("gone")), Err("gone"));
        assert!(look(&mut shadow, &[1; 11]).whole);
        shadow.forget();
        assert!(look(&mut shadow, &[1; 11]).whole);
        assert!(!look(&mut shadow, &[1; 11]).whole);
    }

    #[test]
    fn holes_are_zeros_and_are_not_read() {
        let bytes = 5 * PIECE_BYTES + 100;
        let mut contents = vec![0; bytes];
        let mut shadow = Shadow::default();
        // Data stands in the third piece, later in the fifth too, then in none.
        for (written, read) in [(&[2][..], 1), (&[2], 1), (&[2, 4], 2), (&[], 0), (&[0], 1)] {
            contents.fill(0);
            for piece in written {
                if let Some(byte) = contents.get_mut(piece * PIECE_BYTES + 5) {
                    *byte = 9;
                }
            }
            let mut reads = 0;
            let snapshot = shadow.look_past_holes(
                bytes,
                |out: &mut [u8], at| {
                    reads += 1;
                    let at = usize::try_from(at).map_err(drop)?;
                    out.copy_from_slice(contents.get(at..at + out.len()).ok_or(())?);
                    Ok::<(), ()>(())
                },
                |from| {
                    let ends = written.iter().map(|piece| ((piece + 1) * PIECE_BYTES) as u64);
                    let next = ends.filter(|&end| end > from).min()?;
                    Some(from.max(next - PIECE_BYTES as u64))
                },
            );
            assert!(snapshot.is_ok());
            assert_eq!(reads, read, "{written:?}");
            let mut other = Shadow { pages: shadow.pages.clone(), ..Shadow::default() };
            (other.bytes, other.valid) = (bytes as u64, true);
            other.holes.resize(6, false);
            assert_eq!(look(&mut other, &contents).pages, [], "the shadow is what it should be");
        }
    }

    #[test]
    fn an_empty_buffer_has_no_pages() {
        assert_eq!(look(&mut Shadow::default(), &[]), Snapshot::of(&[]));
    }
}
