//! What a buffer holds as one of its contents follows the other.

use crate::block::ContentId;
use crate::frame::PAGE_BYTES;
use crate::reader::PageCache;
use crate::{Recording, RecordingError, Source};

/// A content, from which another is made by the pages in which they differ: those of one buffer share
/// most. Memory is that of the largest content shown, at most [`crate::MAX_CONTENT_BYTES`].
#[derive(Debug, Default)]
pub struct Image {
    bytes: usize,
    /// The numbers of the pages that stand in `data`.
    pages: Vec<u64>,
    data: Vec<u8>,
}

impl Image {
    /// Shows another content. `changed` is told of each page in which it may differ: where it begins in
    /// the buffer, what it held, zeros where the buffer was shorter, and what it holds, both as far as the
    /// buffer reaches now.
    ///
    /// # Errors
    /// As [`Recording::content`]; nothing is shown then.
    pub fn show<S: Source>(
        &mut self,
        recording: &Recording<S>,
        content: ContentId,
        cache: &mut PageCache,
        changed: impl FnMut(usize, &[u8], &[u8]),
    ) -> Result<(), RecordingError> {
        let shown = self.try_to(recording, content, cache, changed);
        if shown.is_err() {
            *self = Self::default();
        }
        shown
    }

    fn try_to<S: Source>(
        &mut self,
        recording: &Recording<S>,
        content: ContentId,
        cache: &mut PageCache,
        mut changed: impl FnMut(usize, &[u8], &[u8]),
    ) -> Result<(), RecordingError> {
        let (bytes, pages) = recording.pages_of(content)?;
        self.pages.resize(pages.len(), crate::pages::ZEROS);
        self.data.resize(pages.len() * PAGE_BYTES, 0);
        self.bytes = bytes;
        let shown = self.pages.iter_mut().zip(self.data.chunks_mut(PAGE_BYTES));
        for (place, ((shown, data), &number)) in shown.zip(&pages).enumerate() {
            if *shown == number {
                continue;
            }
            let page = recording.page_or_zeros(number, cache)?;
            let at = place * PAGE_BYTES;
            let cut = PAGE_BYTES.min(bytes.saturating_sub(at));
            if let (Some(old), Some(new)) = (data.get(..cut), page.get(..cut)) {
                changed(at, old, new);
            }
            data.copy_from_slice(page);
            *shown = number;
        }
        Ok(())
    }

    /// What is shown.
    #[must_use]
    pub fn contents(&self) -> &[u8] {
        self.data.get(..self.bytes).unwrap_or_default()
    }
}
