//! Writing a recording.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::block::{Block, Bytes, Content, ContentId, Pages, Run};
use crate::frame::{BLOCK_BYTES, BlockHeader, PAGE_BYTES, encode_header, padding};
use crate::pages::{KnownPages, MAX_BLOCK_PAGES, ZEROS, pack};
use crate::snapshot::Snapshot;

/// A buffer whose contents are recorded: a number of the caller's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Buffer(pub u64);

/// Writes blocks. Each block is one `write_all`, so a process that dies loses nothing that `out` had
/// written, and leaves at most one block in part.
///
/// After an error the file may end in the middle of a block: the caller stops writing to it.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    written: u64,
    events: u64,
    block: Vec<u8>,
    known: KnownPages,
    next_content: ContentId,
    buffers: HashMap<Buffer, Latest>,
}

/// What a buffer held when it was recorded last.
#[derive(Debug, Default)]
struct Latest {
    content: ContentId,
    bytes: u64,
    pages: Vec<u64>,
}

impl<W: Write> Writer<W> {
    /// Begins a recording; `begun_ns` is the real-time clock's, in nanoseconds since 1970.
    ///
    /// # Errors
    /// Of the writing.
    pub fn begin(out: W, begun_ns: u64) -> io::Result<Self> {
        let mut writer = Self::go_on(out, 1, 1, 0);
        let header = encode_header(begun_ns);
        writer.out.write_all(&header)?;
        writer.written = header.len() as u64;
        Ok(writer)
    }

    /// Goes on with a recording of `written` bytes, behind its last complete block.
    pub fn go_on(out: W, next_page: u64, next_content: ContentId, written: u64) -> Self {
        Self {
            out,
            written,
            events: 0,
            block: Vec::new(),
            known: KnownPages::new(next_page),
            next_content: next_content.max(1),
            buffers: HashMap::new(),
        }
    }

    /// Bytes of the file so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The file had so many events before.
    #[must_use]
    pub fn with_events(mut self, events: u64) -> Self {
        self.events = events;
        self
    }

    /// Events in the file so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Writes what `out` has not written yet.
    ///
    /// # Errors
    /// Of the writing.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// What it writes to.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// What it has written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// The contents of buffers that what follows builds on: see [`crate::Keep`].
    pub fn latest_contents(&self) -> Vec<ContentId> {
        self.buffers.values().map(|latest| latest.content).filter(|&content| content != 0).collect()
    }

    /// Goes on in another file, which [`crate::compact()`] has made of this one: of the pages that are
    /// known those stay so that it has.
    pub fn move_to(&mut self, out: W, compacted: &crate::Compacted) {
        self.out = out;
        self.written = compacted.bytes;
        self.events = compacted.events;
        self.known.retain(&compacted.pages);
    }

    /// Writes a block.
    ///
    /// # Errors
    /// Of the writing.
    pub fn write(&mut self, block: &Block) -> io::Result<()> {
        self.block.clear();
        self.block.extend_from_slice(&[0; 16]);
        block.encode(&mut self.block);
        self.end_block(block.kind())
    }

    /// Writes a payload as it is.
    pub(crate) fn copy(&mut self, kind: u32, payload: &[u8]) -> io::Result<()> {
        self.block.clear();
        self.block.extend_from_slice(&[0; 16]);
        self.block.extend_from_slice(payload);
        self.end_block(kind)
    }

    /// Puts the header before the payload that stands in `block`, and writes both at once.
    fn end_block(&mut self, kind: u32) -> io::Result<()> {
        let (header, payload) = self.block.split_at_mut(16);
        let framed = BlockHeader::of(kind, payload);
        header.copy_from_slice(&framed.encode());
        let length = BLOCK_BYTES + framed.bytes + padding(framed.bytes);
        self.block.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        self.out.write_all(&self.block)?;
        self.written += length;
        self.events += u64::from(!matches!(kind, Pages::KIND | Content::KIND));
        Ok(())
    }

    /// Writes what a buffer holds, as far as the file does not have it, and returns its number.
    ///
    /// A snapshot that is not whole must follow the one before it of the same buffer.
    ///
    /// # Errors
    /// `InvalidInput` for a snapshot that does not follow, or that contradicts itself; or of the
    /// writing.
    pub fn content(&mut self, buffer: Buffer, snapshot: &Snapshot) -> io::Result<ContentId> {
        let mut latest = self.buffers.remove(&buffer).unwrap_or_default();
        let unchanged = !snapshot.whole && snapshot.pages.is_empty();
        if unchanged && latest.content != 0 && latest.bytes == snapshot.bytes {
            let content = latest.content;
            self.buffers.insert(buffer, latest);
            return Ok(content);
        }
        if snapshot.whole {
            latest.pages.clear();
            latest.bytes = snapshot.bytes;
            latest.pages.resize(pages_of(snapshot.bytes)?, ZEROS);
        } else if latest.content == 0 || latest.bytes != snapshot.bytes {
            return Err(invalid("a snapshot that follows none"));
        }
        self.pages(snapshot, &mut latest.pages)?;
        latest.content = self.next_content;
        self.next_content += 1;
        let runs = runs(&latest.pages);
        self.write(&Content { content: latest.content, bytes: latest.bytes, runs }.into())?;
        let content = latest.content;
        self.buffers.insert(buffer, latest);
        Ok(content)
    }

    /// What a buffer held is not needed any more.
    pub fn forget(&mut self, buffer: Buffer) {
        self.buffers.remove(&buffer);
    }

    /// Numbers the pages of a snapshot, and writes those that are new.
    fn pages(&mut self, snapshot: &Snapshot, numbers: &mut [u64]) -> io::Result<()> {
        let mut new = Vec::new();
        let mut first = self.known.next();
        let mut data = snapshot.data.chunks_exact(PAGE_BYTES);
        for &at in &snapshot.pages {
            let page = data.next().ok_or_else(|| invalid("fewer pages than announced"))?;
            let slot = usize::try_from(at).ok().and_then(|at| numbers.get_mut(at));
            let (number, is_new) = self.known.number(page);
            *slot.ok_or_else(|| invalid("a page behind the buffer's end"))? = number;
            if is_new {
                new.extend_from_slice(page);
                if new.len() >= MAX_BLOCK_PAGES * PAGE_BYTES {
                    self.write_pages(first, &mut new)?;
                    first = self.known.next();
                }
            }
        }
        self.write_pages(first, &mut new)
    }

    fn write_pages(&mut self, first: u64, new: &mut Vec<u8>) -> io::Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let count = u32::try_from(new.len() / PAGE_BYTES).map_err(io::Error::other)?;
        let (packing, packed) = pack(new);
        new.clear();
        let written = self.write(&Pages { first, count, packing, packed: Bytes(packed) }.into());
        if written.is_err() {
            self.known.forget();
        }
        written
    }
}

fn pages_of(bytes: u64) -> io::Result<usize> {
    usize::try_from(bytes.div_ceil(PAGE_BYTES as u64)).map_err(io::Error::other)
}

/// Pages as runs of numbers that follow each other, and of zeros.
fn runs(pages: &[u64]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &page in pages {
        match runs.last_mut() {
            Some(run) if run.first == ZEROS && page == ZEROS => run.count += 1,
            Some(run) if run.first != ZEROS && run.first + u64::from(run.count) == page => {
                run.count += 1;
            }
            _ => runs.push(Run { first: page, count: 1 }),
        }
    }
    runs
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
