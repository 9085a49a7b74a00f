//! What has changed in a buffer since it was looked at last.
//!
//! A 3A buffer has up to 2.4 MB and changes by a few pages for each request. Whoever records sits
//! in the way of the request, so what is done there is one reading; packing and writing happen
//! elsewhere ([`crate::Writer`]).
//!
//! What a page held is remembered as a hash of it, not as a copy: a copy is memory as cold as the
//! buffer's, and reading both took twice as long. A vendor library decides what is in a page, so the
//! hash has a key that it does not know, and 128 bits.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::Range;

use twox_hash::XxHash3_128;

use crate::frame::PAGE_BYTES;

/// Pages that are read in one piece: stays in the second cache.
const PIECE_PAGES: usize = 16;
/// Of the pages that need not be looked at, so many parts are made, and one is looked at each time.
const PARTS: usize = 64;

/// A buffer, as it is looked at.
pub trait Memory {
    /// Why it cannot be read.
    type Error;

    /// Fills all of `out` from an offset.
    ///
    /// # Errors
    /// Where it cannot be read, or ends before.
    fn read(&mut self, out: &mut [u8], at: u64) -> Result<(), Self::Error>;

    /// The bytes in which, from an offset on, somebody has written next, for memory that knows; `None`
    /// if there are none. What it passes over is zeros, and is not read.
    fn next_data(&mut self, from: u64) -> Option<Range<u64>> {
        Some(from..u64::MAX)
    }
}

impl<F, E> Memory for F
where
    F: FnMut(&mut [u8], u64) -> Result<(), E>,
{
    type Error = E;

    fn read(&mut self, out: &mut [u8], at: u64) -> Result<(), E> {
        self(out, at)
    }
}

/// What a buffer held when it was looked at last.
#[derive(Debug)]
pub struct Shadow {
    key: u64,
    /// The hash of a page of zeros.
    zeros: u128,
    bytes: u64,
    /// The hash of each page.
    pages: Vec<u128>,
    valid: bool,
    piece: Vec<u8>,
    /// Which part is looked at next.
    turn: usize,
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

impl Default for Shadow {
    fn default() -> Self {
        let key = RandomState::new().hash_one(PAGE_BYTES);
        let zeros = XxHash3_128::oneshot_with_seed(key, &[0; PAGE_BYTES]);
        Self { key, zeros, bytes: 0, pages: vec![], valid: false, piece: vec![], turn: 0 }
    }
}

impl Shadow {
    /// Looks at a buffer of so many bytes. The caller bounds `bytes`: 1/256 of it is taken as memory,
    /// and kept.
    ///
    /// # Errors
    /// What reading says. The next snapshot is then whole.
    pub fn look<M: Memory>(&mut self, bytes: usize, memory: &mut M) -> Result<Snapshot, M::Error> {
        let whole = !self.valid || self.bytes != bytes as u64;
        self.valid = false;
        if whole {
            self.bytes = bytes as u64;
            self.pages.clear();
            self.pages.resize(bytes.div_ceil(PAGE_BYTES), 0);
        }
        let mut snapshot = Snapshot { bytes: bytes as u64, whole, ..Snapshot::default() };
        self.look_at(0..self.pages.len(), memory, &mut (0..0), &mut snapshot)?;
        self.valid = true;
        Ok(snapshot)
    }

    /// The same where nothing but these ranges of bytes can have changed. Whether that is so is looked
    /// at too, in a part of the rest at each time, and in all of it within some 64 looks. If it is not
    /// so, all is looked at and the snapshot is whole, and told is a page that ought not to have
    /// changed.
    ///
    /// # Errors
    /// As [`Shadow::look`].
    pub fn look_within<M: Memory>(
        &mut self,
        bytes: usize,
        ranges: &[Range<u64>],
        memory: &mut M,
    ) -> Result<(Snapshot, Option<u32>), M::Error> {
        if !self.valid || self.bytes != bytes as u64 {
            return Ok((self.look(bytes, memory)?, None));
        }
        self.valid = false;
        let count = self.pages.len();
        let part = count.div_ceil(PARTS).max(1);
        let proof = self.turn * part..(self.turn + 1) * part;
        self.turn = if proof.end >= count { 0 } else { self.turn + 1 };
        let ranges: Vec<Range<usize>> = ranges.iter().map(pages_of).collect();
        let expected = |page: usize| ranges.iter().any(|range| range.contains(&page));
        let mut snapshot = Snapshot { bytes: bytes as u64, ..Snapshot::default() };
        let (mut page, mut data) = (0, 0..0);
        while page < count {
            let wanted = |page: &usize| expected(*page) || proof.contains(page);
            let Some(from) = (page..count).find(wanted) else { break };
            page = (from..count).find(|page| !wanted(page)).unwrap_or(count);
            self.look_at(from..page, memory, &mut data, &mut snapshot)?;
        }
        let is_stray = |page: &&u32| usize::try_from(**page).is_ok_and(|page| !expected(page));
        let stray = snapshot.pages.iter().rfind(is_stray).copied();
        if stray.is_some() {
            return Ok((self.look(bytes, memory)?, stray));
        }
        self.valid = true;
        Ok((snapshot, None))
    }

    /// Looks at some pages, and appends those that have changed; `data` is the bytes that were found to
    /// have data last.
    fn look_at<M: Memory>(
        &mut self,
        pages: Range<usize>,
        memory: &mut M,
        data: &mut Range<u64>,
        snapshot: &mut Snapshot,
    ) -> Result<(), M::Error> {
        self.piece.resize(PIECE_PAGES * PAGE_BYTES, 0);
        let mut page = pages.start;
        while page < pages.end {
            let at = page as u64 * PAGE_BYTES as u64;
            if data.end <= at {
                *data = memory.next_data(at).unwrap_or(u64::MAX..u64::MAX);
            }
            let with_data = pages_of(data);
            let is_hole = page < with_data.start;
            let end = if is_hole { with_data.start } else { with_data.end.max(page + 1) };
            let end = end.min(pages.end).min(page + PIECE_PAGES);
            let known = self.pages.get_mut(page..end).unwrap_or_default();
            if is_hole {
                // Of the snapshot before there are few that were not.
                if snapshot.whole || known.iter().any(|known| *known != self.zeros) {
                    self.piece.fill(0);
                    take(known, &self.piece, |_| self.zeros, page, snapshot);
                }
            } else {
                let room = known.len() * PAGE_BYTES;
                let left = usize::try_from(self.bytes.saturating_sub(at)).unwrap_or(room);
                let (new, rest) = self.piece.split_at_mut(left.min(room));
                memory.read(new, at)?;
                // Of the last page only a part was read.
                rest.iter_mut().take(room.saturating_sub(left)).for_each(|byte| *byte = 0);
                let hash = |page: &[u8]| XxHash3_128::oneshot_with_seed(self.key, page);
                take(known, &self.piece, hash, page, snapshot);
            }
            page = end;
        }
        Ok(())
    }

    /// The next snapshot is to be whole: the last one has not reached its recording.
    pub fn forget(&mut self) {
        self.valid = false;
    }
}

/// Appends those of some pages that are not what is known of them; `first` is the number of the first.
fn take(
    known: &mut [u128],
    contents: &[u8],
    hash: impl Fn(&[u8]) -> u128,
    first: usize,
    snapshot: &mut Snapshot,
) {
    let pages = known.iter_mut().zip(contents.chunks(PAGE_BYTES));
    for (number, (known, page)) in (first..).zip(pages) {
        let hash = hash(page);
        if snapshot.whole || *known != hash {
            *known = hash;
            snapshot.pages.push(u32::try_from(number).unwrap_or(u32::MAX));
            snapshot.data.extend_from_slice(page);
        }
    }
}

/// The pages in which some bytes stand.
fn pages_of(bytes: &Range<u64>) -> Range<usize> {
    let page = |byte: u64| usize::try_from(byte / PAGE_BYTES as u64).unwrap_or(usize::MAX);
    page(bytes.start)..page(bytes.end.saturating_add(PAGE_BYTES as u64 - 1))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a failure here is the test's failure"
    )]

    use super::*;

    /// Memory in which some pages have been written, and which counts what is read of it.
    struct Sparse<'a> {
        contents: &'a [u8],
        written: &'a [Range<usize>],
        read: usize,
    }

    impl Memory for Sparse<'_> {
        type Error = ();

        fn read(&mut self, out: &mut [u8], at: u64) -> Result<(), ()> {
            let at = usize::try_from(at).map_err(drop)?;
            out.copy_from_slice(self.contents.get(at..at + out.len()).ok_or(())?);
            self.read += out.len();
            Ok(())
        }

        fn next_data(&mut self, from: u64) -> Option<Range<u64>> {
            let byte = |page: usize| (page * PAGE_BYTES) as u64;
            let ranges = self.written.iter().map(|pages| byte(pages.start)..byte(pages.end));
            let next = ranges.filter(|range| range.end > from).min_by_key(|range| range.end)?;
            Some(from.max(next.start)..next.end)
        }
    }

    fn plain(contents: &[u8]) -> impl FnMut(&mut [u8], u64) -> Result<(), ()> {
        move |out, at| {
            let at = usize::try_from(at).map_err(drop)?;
            out.copy_from_slice(contents.get(at..at + out.len()).ok_or(())?);
            Ok(())
        }
    }

    fn look(shadow: &mut Shadow, contents: &[u8]) -> Snapshot {
        shadow.look(contents.len(), &mut plain(contents)).unwrap()
    }

    #[test]
    fn only_changed_pages_are_in_a_later_snapshot() {
        let mut contents = vec![7; 40 * PAGE_BYTES + 5];
        let mut shadow = Shadow::default();
        assert_eq!(look(&mut shadow, &contents), Snapshot::of(&contents));
        assert_eq!(look(&mut shadow, &contents).pages, []);
        for at in [3 * PAGE_BYTES, 17 * PAGE_BYTES + 1, 40 * PAGE_BYTES + 4] {
            contents[at] = 8;
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
        let mut gone = |_: &mut [u8], _| Err("gone");
        assert_eq!(shadow.look(11, &mut gone), Err("gone"));
        assert!(look(&mut shadow, &[1; 11]).whole);
        shadow.forget();
        assert!(look(&mut shadow, &[1; 11]).whole);
        assert!(!look(&mut shadow, &[1; 11]).whole);
    }

    #[test]
    fn holes_are_zeros_and_are_not_read() {
        let bytes = 90 * PAGE_BYTES + 100;
        let mut contents = vec![0; bytes];
        let mut shadow = Shadow::default();
        let part = std::slice::from_ref(&(33..35));
        // What was data is a hole later, and the other way round.
        for (written, read) in [
            (part, 2 * PAGE_BYTES),
            (part, 2 * PAGE_BYTES),
            (&[0..1, 33..60, 90..91], 28 * PAGE_BYTES + 100),
            (&[], 0),
            (&[15..16, 16..17], 2 * PAGE_BYTES),
        ] {
            contents.fill(0);
            for page in written.iter().cloned().flatten() {
                contents[page * PAGE_BYTES + 5] = 9;
            }
            let mut sparse = Sparse { contents: &contents, written, read: 0 };
            shadow.look(bytes, &mut sparse).unwrap();
            assert_eq!(sparse.read, read, "{written:?}");
            assert_eq!(look(&mut shadow, &contents).pages, [], "it is what the shadow says");
        }
    }

    #[test]
    fn where_nothing_can_have_changed_little_is_read() {
        let mut contents = vec![7; 320 * PAGE_BYTES];
        let bytes = contents.len();
        let mut shadow = Shadow::default();
        look(&mut shadow, &contents);
        // In the middle of a page, and across the border of two.
        let ranges = [1_228_800..1_228_810, 81_919..81_921];
        for round in 0..40 {
            contents[81_920] = round;
            contents[1_228_805] = round;
            let all = std::slice::from_ref(&(0..320));
            let mut sparse = Sparse { contents: &contents, written: all, read: 0 };
            let (snapshot, stray) = shadow.look_within(bytes, &ranges, &mut sparse).unwrap();
            assert_eq!((snapshot.whole, stray), (false, None));
            assert_eq!(snapshot.pages, [20, 300], "in their order");
            assert!(sparse.read <= 8 * PAGE_BYTES, "{}", sparse.read);
        }
    }

    #[test]
    fn what_ought_not_to_change_is_found_and_all_is_told() {
        let mut contents = vec![7; 320 * PAGE_BYTES + 5];
        let bytes = contents.len();
        for place in [0, 77 * PAGE_BYTES, 320 * PAGE_BYTES + 4] {
            let mut shadow = Shadow::default();
            look(&mut shadow, &contents);
            contents[place] += 1;
            let mut looks = 0;
            let other_page = std::slice::from_ref(&(50 * 4096..51 * 4096));
            let (snapshot, stray) = loop {
                looks += 1;
                let looked = shadow.look_within(bytes, other_page, &mut plain(&contents));
                match looked.unwrap() {
                    (snapshot, None) => assert_eq!(snapshot.pages, []),
                    found => break found,
                }
            };
            assert_eq!(stray, u32::try_from(place / PAGE_BYTES).ok());
            assert!(looks <= 65, "{looks}");
            assert_eq!(snapshot, Snapshot::of(&contents));
            assert_eq!(look(&mut shadow, &contents).pages, []);
        }
        // Where it is not known what stood there, nothing is left out.
        let mut shadow = Shadow::default();
        let (first, _) = shadow.look_within(bytes, &[], &mut plain(&contents)).unwrap();
        assert_eq!(first, Snapshot::of(&contents));
    }

    #[test]
    fn an_empty_buffer_has_no_pages() {
        assert_eq!(look(&mut Shadow::default(), &[]), Snapshot::of(&[]));
    }
}
