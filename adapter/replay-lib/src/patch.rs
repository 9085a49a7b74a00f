//! What is changed in a buffer, and where.

use std::ops::Range;

/// What is marked, and written, in one piece.
const PIECE_BYTES: usize = 4096;

/// A copy of a buffer that is changed, and which pieces of it were.
#[derive(Debug)]
pub struct Patch<'a> {
    bytes: &'a mut [u8],
    changed: Vec<bool>,
}

impl<'a> Patch<'a> {
    /// Of what a buffer holds.
    pub fn of(bytes: &'a mut [u8]) -> Self {
        let changed = vec![false; bytes.len().div_ceil(PIECE_BYTES)];
        Self { bytes, changed }
    }

    /// What the buffer is to hold so far.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Takes the bytes of `new` that are not those of `old`, as far as the buffer and `end` reach; the
    /// first of them belongs at `at`.
    pub fn take_changes(&mut self, at: usize, end: usize, old: &[u8], new: &[u8]) {
        let end = end.min(self.bytes.len());
        let length = end.saturating_sub(at).min(new.len());
        self.mark(at..at.saturating_add(length));
        let Some(bytes) = self.bytes.get_mut(at..end) else { return };
        for ((to, old), new) in bytes.iter_mut().zip(old).zip(new) {
            // Without a branch: many bytes in one step.
            *to = if old == new { *to } else { *new };
        }
    }

    /// Copies a range of `from`, as far as both reach.
    pub fn copy(&mut self, from: &[u8], range: Range<usize>) {
        if let Some(from) = from.get(range.clone()) {
            self.put(range.start, from);
        }
    }

    /// Puts bytes at a place, as far as the buffer reaches.
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        let range = at..at.saturating_add(bytes.len());
        if let Some(to) = self.bytes.get_mut(range.clone())
            && to != bytes
        {
            to.copy_from_slice(bytes);
            self.mark(range);
        }
    }

    fn mark(&mut self, range: Range<usize>) {
        let pieces = range.start / PIECE_BYTES..range.end.div_ceil(PIECE_BYTES);
        if let Some(changed) = self.changed.get_mut(pieces) {
            changed.fill(true);
        }
    }

    /// Where it was changed: whole pieces, with those that follow each other as one.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let pieces = self.changed.iter().enumerate().filter(|(_, changed)| **changed);
        for (piece, _) in pieces {
            let begin = piece * PIECE_BYTES;
            let end = (begin + PIECE_BYTES).min(self.bytes.len());
            match ranges.last_mut() {
                Some(last) if last.end == begin => last.end = end,
                _ => ranges.push(begin..end),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_taken_and_only_where_it_is_written() {
        let mut bytes = vec![1; 3 * PIECE_BYTES + 10];
        let mut patch = Patch::of(&mut bytes);
        assert_eq!(patch.ranges(), []);
        patch.copy(&[1; 50], 0..50);
        assert_eq!(patch.ranges(), [], "it held that already");
        let (old, mut new) = (vec![5; PIECE_BYTES], vec![5; PIECE_BYTES]);
        new.splice(3..5, [6, 7]);
        patch.take_changes(PIECE_BYTES, usize::MAX, &old, &new);
        assert_eq!(patch.bytes().get(PIECE_BYTES..PIECE_BYTES + 6), Some(&[1, 1, 1, 6, 7, 1][..]));
        assert_eq!(patch.ranges(), std::slice::from_ref(&(PIECE_BYTES..2 * PIECE_BYTES)));
        patch.take_changes(3 * PIECE_BYTES, usize::MAX, &old, &vec![4; PIECE_BYTES]);
        assert_eq!(patch.bytes().get(3 * PIECE_BYTES..), Some(&[4; 10][..]));
        patch.copy(&vec![8; 2 * PIECE_BYTES + 1], 2 * PIECE_BYTES..2 * PIECE_BYTES + 1);
        assert_eq!(patch.ranges(), std::slice::from_ref(&(PIECE_BYTES..3 * PIECE_BYTES + 10)));
        // Behind the end, and behind what counts.
        patch.copy(&vec![8; 5 * PIECE_BYTES], 3 * PIECE_BYTES..5 * PIECE_BYTES);
        patch.take_changes(9 * PIECE_BYTES, usize::MAX, &old, &new);
        patch.take_changes(0, 4, &old, &new);
        assert_eq!(patch.bytes().get(..6), Some(&[1, 1, 1, 6, 1, 1][..]));
    }
}
