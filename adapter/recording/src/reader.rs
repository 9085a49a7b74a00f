//! Reading a recording.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use crate::RecordingError;
use crate::block::{Block, Content, ContentId, Pages, Run};
use crate::frame::{
    BLOCK_BYTES, BlockHeader, FileHeader, HEADER_BYTES, PAGE_BYTES, decode_header, padding,
};
use crate::pages::{ZEROS, unpack};
use crate::source::Source;

/// The largest content that is put together, in bytes: the largest 3A buffer known has 2.4 MB.
pub const MAX_CONTENT_BYTES: u64 = 64 << 20;
/// The largest block that is read: a writer's largest is 4 MiB of pages.
const MAX_BLOCK_BYTES: u64 = 64 << 20;

/// Where a recording's good part ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With the file.
    Complete,
    /// The file ends inside a block: whoever wrote it died, or still writes.
    Torn {
        /// Where the block begins, in bytes.
        at: u64,
    },
    /// A block is not what was written.
    Damaged {
        /// Where it begins, in bytes.
        at: u64,
    },
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::Torn { at } => write!(f, "ends inside a block at byte {at}; good up to there"),
            Self::Damaged { at } => write!(f, "damaged at byte {at}; good up to there"),
        }
    }
}

/// A recording that is open for reading. What is kept in memory is where each block stands.
#[derive(Debug)]
pub struct Recording<S = File> {
    source: S,
    header: FileHeader,
    events: Vec<Place>,
    pages: BTreeMap<u64, Place>,
    contents: HashMap<ContentId, Place>,
    ending: Ending,
    end: u64,
    next_page: u64,
    next_content: ContentId,
    unknown: u64,
}

/// Where a payload stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) at: u64,
    pub(crate) header: BlockHeader,
}

impl Recording<File> {
    /// Opens a file.
    ///
    /// # Errors
    /// See [`Recording::read`].
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        Self::read(File::open(path)?)
    }
}

impl<S: Source> Recording<S> {
    /// Reads all blocks once, and finds where the good part ends.
    ///
    /// # Errors
    /// Where this is no recording, or one of another major version; or of the reading.
    pub fn read(source: S) -> Result<Self, RecordingError> {
        let size = source.bytes()?;
        if size < HEADER_BYTES {
            return Err(RecordingError::NotARecording);
        }
        let mut first = [0; 32];
        source.read_at(&mut first, 0)?;
        let header = decode_header(&first)?;
        let mut recording = Self {
            source,
            header,
            events: Vec::new(),
            pages: BTreeMap::new(),
            contents: HashMap::new(),
            ending: Ending::Complete,
            end: header.bytes,
            next_page: 1,
            next_content: 1,
            unknown: 0,
        };
        recording.index(size)?;
        Ok(recording)
    }

    fn index(&mut self, size: u64) -> Result<(), RecordingError> {
        let mut payload = Vec::new();
        while self.end < size {
            let at = self.end;
            let Some(room) = (size - at).checked_sub(BLOCK_BYTES) else {
                self.ending = Ending::Torn { at };
                return Ok(());
            };
            let mut bytes = [0; 16];
            self.source.read_at(&mut bytes, at)?;
            let header = BlockHeader::decode(&bytes).filter(|h| h.bytes <= MAX_BLOCK_BYTES);
            let Some(header) = header else {
                self.ending = Ending::Damaged { at };
                return Ok(());
            };
            let whole = header.bytes + padding(header.bytes);
            if whole > room {
                self.ending = Ending::Torn { at };
                return Ok(());
            }
            let place = Place { at: at + BLOCK_BYTES, header };
            let good = self.payload(place, &mut payload)? && header.fits(&payload);
            if !good || !self.take(place, &payload) {
                self.ending = Ending::Damaged { at };
                return Ok(());
            }
            self.end = at + BLOCK_BYTES + whole;
        }
        Ok(())
    }

    /// Remembers a block; false if it contradicts what stands before it.
    fn take(&mut self, place: Place, payload: &[u8]) -> bool {
        let Ok(block) = Block::decode(place.header.kind, payload) else { return false };
        match block {
            Some(Block::Pages(pages)) => {
                let after = pages.first.checked_add(u64::from(pages.count));
                let Some(after) = after.filter(|_| pages.first >= self.next_page) else {
                    return false;
                };
                self.pages.insert(pages.first, place);
                self.next_page = after;
            }
            Some(Block::Content(content)) => {
                if content.content < self.next_content {
                    return false;
                }
                self.contents.insert(content.content, place);
                self.next_content = content.content.saturating_add(1);
            }
            Some(_) => self.events.push(place),
            None => self.unknown += 1,
        }
        true
    }

    /// Reads a payload. The size is no larger than the file.
    fn payload(&self, place: Place, into: &mut Vec<u8>) -> Result<bool, RecordingError> {
        let Ok(length) = usize::try_from(place.header.bytes) else { return Ok(false) };
        into.resize(length, 0);
        self.source.read_at(into, place.at)?;
        Ok(true)
    }

    /// Where the pages stand, in order.
    pub(crate) fn page_places(&self) -> impl Iterator<Item = Place> + '_ {
        self.pages.values().copied()
    }

    /// Where the contents stand.
    pub(crate) fn content_places(&self) -> impl Iterator<Item = (ContentId, Place)> + '_ {
        self.contents.iter().map(|(&content, &place)| (content, place))
    }

    /// Where the events stand, in order.
    pub(crate) fn event_places(&self) -> &[Place] {
        &self.events
    }

    /// A payload as it is.
    pub(crate) fn raw(&self, place: Place, into: &mut Vec<u8>) -> Result<(), RecordingError> {
        self.payload(place, into).map(drop)
    }

    /// The first bytes of a payload.
    pub(crate) fn start_of(&self, place: Place, into: &mut [u8]) -> Result<(), RecordingError> {
        if place.header.bytes < into.len() as u64 {
            return Err(RecordingError::Pages { at: place.at - BLOCK_BYTES });
        }
        Ok(self.source.read_at(into, place.at)?)
    }

    pub(crate) fn block(&self, place: Place) -> Result<Block, RecordingError> {
        let mut payload = Vec::new();
        self.payload(place, &mut payload)?;
        let kind = place.header.kind;
        let at = place.at - BLOCK_BYTES;
        // It was good when the file was opened; it may have been written to since.
        let damaged = |error| RecordingError::Block { at, kind, error };
        if !place.header.fits(&payload) {
            return Err(damaged(cami_wire::WireError::Truncated));
        }
        Block::decode(kind, &payload)
            .map_err(damaged)?
            .ok_or_else(|| damaged(cami_wire::WireError::UnknownCommand(kind)))
    }

    /// When it was begun, in nanoseconds of the real-time clock since 1970.
    pub fn begun_ns(&self) -> u64 {
        self.header.begun_ns
    }

    /// Its minor version.
    pub fn minor(&self) -> u16 {
        self.header.minor
    }

    /// Where its good part ends, and why.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Bytes of its good part.
    pub fn good_bytes(&self) -> u64 {
        self.end
    }

    /// Blocks of kinds that this release does not know.
    pub fn unknown_blocks(&self) -> u64 {
        self.unknown
    }

    /// The numbers that the next page and the next content get, for [`crate::Writer::go_on`].
    pub fn next_numbers(&self) -> (u64, ContentId) {
        (self.next_page, self.next_content)
    }

    /// How many events there are.
    pub fn event_count(&self) -> u64 {
        self.events.len() as u64
    }

    /// All events in order: every known block but [`Pages`] and [`Content`].
    pub fn events(&self) -> impl Iterator<Item = Result<Block, RecordingError>> + '_ {
        self.events.iter().map(|&place| self.block(place))
    }

    /// What a content is made of.
    ///
    /// # Errors
    /// [`RecordingError::Missing`] where the file does not have it.
    pub fn outline(&self, content: ContentId) -> Result<Content, RecordingError> {
        let missing = RecordingError::Missing { number: content };
        match self.contents.get(&content).map(|&place| self.block(place)).transpose()? {
            Some(Block::Content(content)) => Ok(content),
            _ => Err(missing),
        }
    }

    /// What a buffer held.
    ///
    /// # Errors
    /// [`RecordingError::Missing`], [`RecordingError::TooLarge`], [`RecordingError::Pages`].
    pub fn content(&self, content: ContentId) -> Result<Vec<u8>, RecordingError> {
        self.part(content, 0..u64::MAX, &mut PageCache::default())
    }

    /// A part of what a buffer held, as far as the buffer reached: only the pages that it needs are
    /// read. A cache that is kept for the next part saves unpacking them again.
    ///
    /// # Errors
    /// As [`Recording::content`].
    pub fn part(
        &self,
        content: ContentId,
        part: Range<u64>,
        cache: &mut PageCache,
    ) -> Result<Vec<u8>, RecordingError> {
        const PAGE: u64 = PAGE_BYTES as u64;
        let Content { bytes, runs, .. } = self.outline(content)?;
        if bytes > MAX_CONTENT_BYTES {
            return Err(RecordingError::TooLarge { bytes });
        }
        let too_large = |_| RecordingError::TooLarge { bytes };
        let part = part.start.min(bytes)..part.end.min(bytes);
        let pages = part.start / PAGE..part.end.div_ceil(PAGE);
        let mut out = Vec::new();
        let mut at = 0;
        for run in runs {
            let end = at + u64::from(run.count);
            for page in pages.start.max(at)..pages.end.min(end) {
                if run.first == ZEROS {
                    out.resize(out.len() + PAGE_BYTES, 0);
                } else {
                    let number = run.first.saturating_add(page - at);
                    out.extend_from_slice(self.page(number, cache)?);
                }
            }
            at = end;
            if at >= pages.end {
                break;
            }
        }
        if at < pages.end {
            return Err(RecordingError::Missing { number: content });
        }
        let length = usize::try_from(part.end.saturating_sub(part.start)).map_err(too_large)?;
        let skip = usize::try_from(part.start % PAGE).map_err(too_large)?;
        out.drain(..skip.min(out.len()));
        out.truncate(length);
        Ok(out)
    }

    /// The bytes of a content, and the numbers of the pages that it is made of.
    pub(crate) fn pages_of(&self, content: ContentId) -> Result<(usize, Vec<u64>), RecordingError> {
        let Content { bytes, runs, .. } = self.outline(content)?;
        let length = usize::try_from(bytes).ok().filter(|_| bytes <= MAX_CONTENT_BYTES);
        let length = length.ok_or(RecordingError::TooLarge { bytes })?;
        let count = length.div_ceil(PAGE_BYTES);
        let number = |run: Run, at: u32| match run.first {
            ZEROS => ZEROS,
            first => first.saturating_add(at.into()),
        };
        let all = runs.iter().flat_map(|&run| (0..run.count).map(move |at| number(run, at)));
        let numbers: Vec<u64> = all.take(count).collect();
        if numbers.len() < count {
            return Err(RecordingError::Missing { number: content });
        }
        Ok((length, numbers))
    }

    /// A page by its number.
    pub(crate) fn page_or_zeros<'u>(
        &self,
        number: u64,
        cache: &'u mut PageCache,
    ) -> Result<&'u [u8], RecordingError> {
        const NOTHING: [u8; PAGE_BYTES] = [0; PAGE_BYTES];
        if number == ZEROS { Ok(&NOTHING) } else { self.page(number, cache) }
    }

    /// Unpacks what a content is made of into the cache, ahead of its use.
    ///
    /// # Errors
    /// As [`Recording::content`].
    pub fn unpack_ahead(
        &self,
        content: ContentId,
        cache: &mut PageCache,
    ) -> Result<(), RecordingError> {
        let (_, mut pages) = self.pages_of(content)?;
        pages.sort_unstable();
        pages.dedup();
        for number in pages {
            self.page_or_zeros(number, cache)?;
        }
        Ok(())
    }

    fn page<'u>(
        &self,
        number: u64,
        unpacked: &'u mut PageCache,
    ) -> Result<&'u [u8], RecordingError> {
        let missing = RecordingError::Missing { number };
        let Some((&first, &place)) = self.pages.range(..=number).next_back() else {
            return Err(missing);
        };
        if !unpacked.has(first) {
            let Block::Pages(Pages { count, packing, packed, .. }) = self.block(place)? else {
                return Err(missing);
            };
            let damaged = RecordingError::Pages { at: place.at - BLOCK_BYTES };
            unpacked.keep(first, unpack(packing, &packed.0, count).ok_or(damaged)?);
        }
        unpacked.page(first, number).ok_or(missing)
    }
}

/// Blocks of pages that were unpacked: those of one content are of many, and go to and fro. At most
/// 64 MiB, and two blocks more; what was used last stays.
#[derive(Debug, Default)]
pub struct PageCache {
    recent: HashMap<u64, Vec<u8>>,
    recent_bytes: usize,
    /// What was used before `recent` was full last.
    older: HashMap<u64, Vec<u8>>,
}

impl PageCache {
    /// The most bytes of each half.
    const MAX_BYTES: usize = 32 << 20;

    /// Whether it has a block, which is recent from now on.
    fn has(&mut self, first: u64) -> bool {
        if self.recent.contains_key(&first) {
            return true;
        }
        match self.older.remove(&first) {
            Some(pages) => {
                self.keep(first, pages);
                true
            }
            None => false,
        }
    }

    fn keep(&mut self, first: u64, pages: Vec<u8>) {
        if self.recent_bytes + pages.len() > Self::MAX_BYTES {
            self.older = std::mem::take(&mut self.recent);
            self.recent_bytes = 0;
        }
        self.recent_bytes += pages.len();
        self.recent.insert(first, pages);
    }

    fn page(&self, first: u64, number: u64) -> Option<&[u8]> {
        let at = usize::try_from(number.checked_sub(first)?).ok()?.checked_mul(PAGE_BYTES)?;
        self.recent.get(&first)?.get(at..)?.get(..PAGE_BYTES)
    }
}
