//! Making a recording smaller: its newest part, and what it needs to be understood and replayed.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use crate::block::{Block, Bytes, ContentId, Dropped, Pages};
use crate::ended::Rules;
use crate::frame::PAGE_BYTES;
use crate::pages::{pack, unpack};
use crate::plan::Plan;
use crate::reader::{Place, Recording};
use crate::source::Source;
use crate::writer::Writer;

/// What is to be left of a recording.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// About as many bytes. What must be kept may take more.
    pub bytes: u64,
    /// About as many events. What must be kept may be more.
    pub events: u64,
    /// What is known of the commands, so that set-up which was ended again does not stay.
    pub rules: Rules<'a>,
    /// Contents that are needed beside those that events name: what buffers hold now, for a writer
    /// that goes on.
    pub contents: &'a [ContentId],
}

/// What is left.
#[derive(Clone, Debug, Default)]
pub struct Compacted {
    /// Bytes of the new file.
    pub bytes: u64,
    /// Events in it.
    pub events: u64,
    /// Events that are not in it, and were in the old one.
    pub dropped: u64,
    /// The numbers of the pages in it.
    pub pages: HashSet<u64>,
}

/// Writes the newest part of `recording` to `out`, as a recording of its own: what was told of the
/// recording itself, all hosts and deaths, and of each host that the newest part tells of the
/// libraries, the set-up that was not ended, the last state and the buffers that are still registered or
/// named. What a library says without being asked has a quarter of the room where there is more than that of
/// the rest. Pages, contents and requests keep their numbers. A block [`Dropped`] says what is missing.
///
/// It asks `go_on` again and again and stops where that is false.
///
/// # Errors
/// `Interrupted` where `go_on` said so; of the reading and of the writing.
pub fn compact<S: Source, W: Write>(
    recording: &Recording<S>,
    out: W,
    keep: Keep<'_>,
    mut go_on: impl FnMut() -> bool,
) -> io::Result<Compacted> {
    let plan = Plan::of(recording, keep, &mut go_on)?;
    let mut writer = Writer::begin(out, recording.begun_ns())?;
    let mut places: Vec<(Place, What)> = Vec::new();
    places.extend(recording.page_places().map(|place| (place, What::Pages)));
    let contents = recording.content_places();
    places.extend(contents.map(|(content, place)| (place, What::Content(content))));
    let events = recording.event_places().iter().enumerate();
    places.extend(events.map(|(event, &place)| (place, What::Event(event))));
    places.sort_by_key(|(place, _)| place.at);
    let mut payload = Vec::new();
    let mut said = HashSet::new();
    let mut told = false;
    for (place, what) in places {
        if !go_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match what {
            What::Pages => {
                let Block::Pages(pages) = read(recording, place)? else { continue };
                write_pages(&mut writer, pages, &plan.pages)?;
            }
            What::Content(content) if plan.contents.contains(&content) => {
                recording.raw(place, &mut payload).map_err(io::Error::other)?;
                writer.copy(place.header.kind, &payload)?;
            }
            What::Event(event) if plan.keeps(event) => {
                if event >= plan.newest && !told {
                    told = true;
                    writer.write(&dropped(&plan))?;
                }
                recording.raw(place, &mut payload).map_err(io::Error::other)?;
                let is_annotation = place.header.kind == crate::block::Annotation::KIND;
                if !is_annotation || said.insert(payload.clone()) {
                    writer.copy(place.header.kind, &payload)?;
                }
            }
            What::Content(_) | What::Event(_) => {}
        }
    }
    if !told {
        writer.write(&dropped(&plan))?;
    }
    let (bytes, events) = (writer.written(), writer.events());
    writer.into_inner().flush()?;
    Ok(Compacted { bytes, events, dropped: plan.dropped, pages: plan.pages })
}

fn dropped(plan: &Plan) -> Block {
    let events = plan.dropped.saturating_add(plan.dropped_before);
    Dropped { until_ns: plan.until_ns, events }.into()
}

/// What stands at a place.
enum What {
    Pages,
    Content(ContentId),
    Event(usize),
}

/// A block of a recording whose every block was good when it was opened.
pub(crate) fn read<S: Source>(recording: &Recording<S>, place: Place) -> io::Result<Block> {
    recording.block(place).map_err(io::Error::other)
}

/// Of a block of pages those that are needed, in runs.
fn write_pages<W: Write>(
    writer: &mut Writer<W>,
    pages: Pages,
    needed: &HashSet<u64>,
) -> io::Result<()> {
    let numbers = pages.first..pages.first.saturating_add(u64::from(pages.count));
    let wanted = numbers.clone().filter(|number| needed.contains(number)).count();
    if wanted == 0 {
        return Ok(());
    }
    if u32::try_from(wanted) == Ok(pages.count) {
        return writer.write(&pages.into());
    }
    let Pages { packing, packed, count, .. } = pages;
    let unpacked = unpack(packing, &packed.0, count)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "pages do not unpack"))?;
    let mut run = Vec::new();
    let mut first = 0;
    for (number, page) in numbers.zip(unpacked.chunks_exact(PAGE_BYTES)) {
        if !needed.contains(&number) {
            write_run(writer, first, &mut run)?;
            continue;
        }
        if run.is_empty() {
            first = number;
        }
        run.extend_from_slice(page);
    }
    write_run(writer, first, &mut run)
}

fn write_run<W: Write>(writer: &mut Writer<W>, first: u64, run: &mut Vec<u8>) -> io::Result<()> {
    if run.is_empty() {
        return Ok(());
    }
    let count = u32::try_from(run.len() / PAGE_BYTES).map_err(io::Error::other)?;
    let (packing, packed) = pack(run);
    run.clear();
    writer.write(&Pages { first, count, packing, packed: Bytes(packed) }.into())
}

/// What each page costs in the file, by the block that it is in.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    /// First page, how many, and bytes of each.
    blocks: Vec<(u64, u64, u64)>,
}

impl Costs {
    pub(crate) fn of<S: Source>(recording: &Recording<S>) -> io::Result<Self> {
        let mut blocks = Vec::new();
        for place in recording.page_places() {
            let mut start = [0; 12];
            recording.start_of(place, &mut start).map_err(io::Error::other)?;
            let mut reader = cami_wire::reader::Reader::new(&start);
            let first = reader.u64().map_err(io::Error::other)?;
            let count = u64::from(reader.u32().map_err(io::Error::other)?);
            blocks.push((first, count, place.header.bytes.div_ceil(count.max(1))));
        }
        Ok(Self { blocks })
    }

    /// Bytes that a page takes; 0 for one that is not there.
    pub(crate) fn page(&self, number: u64) -> u64 {
        let behind = self.blocks.partition_point(|(first, ..)| *first <= number);
        let found = behind.checked_sub(1).and_then(|at| self.blocks.get(at));
        let Some(&(first, count, bytes)) = found else { return 0 };
        if number < first.saturating_add(count) { bytes } else { 0 }
    }
}

/// Contents and pages that are needed, as they are added.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    pub(crate) contents: HashSet<ContentId>,
    pub(crate) pages: HashSet<u64>,
    /// What they take in the file.
    pub(crate) bytes: u64,
    costs: Costs,
    /// The cost of what was looked at and not taken.
    outlines: HashMap<ContentId, crate::block::Content>,
}

impl Needed {
    pub(crate) fn new(costs: Costs) -> Self {
        Self { costs, ..Self::default() }
    }

    /// Nothing is needed.
    pub(crate) fn clear(&mut self) {
        self.contents.clear();
        self.pages.clear();
        self.bytes = 0;
    }

    /// Bytes that a content adds.
    pub(crate) fn cost<S: Source>(&mut self, recording: &Recording<S>, content: ContentId) -> u64 {
        if content == 0 || self.contents.contains(&content) {
            return 0;
        }
        let Ok(outline) = recording.outline(content) else { return 0 };
        let new = numbers(&outline).filter(|page| !self.pages.contains(page));
        let pages: u64 = new.map(|page| self.costs.page(page)).sum();
        let own = own_bytes(&outline);
        self.outlines.insert(content, outline);
        pages.saturating_add(own)
    }

    /// Takes a content; one that the file does not have stays missing.
    pub(crate) fn add<S: Source>(&mut self, recording: &Recording<S>, content: ContentId) {
        if content == 0 || !self.contents.insert(content) {
            return;
        }
        let known = self.outlines.remove(&content).map_or_else(|| recording.outline(content), Ok);
        if let Ok(outline) = known {
            self.bytes = self.bytes.saturating_add(own_bytes(&outline));
            for page in numbers(&outline) {
                if self.pages.insert(page) {
                    self.bytes = self.bytes.saturating_add(self.costs.page(page));
                }
            }
        }
    }
}

/// A content's block without its pages.
fn own_bytes(outline: &crate::block::Content) -> u64 {
    44 + 12 * outline.runs.len() as u64
}

/// The numbers of a content's pages, no more than a content can have.
fn numbers(outline: &crate::block::Content) -> impl Iterator<Item = u64> + '_ {
    const MOST: usize = 64 << 20 >> 12;
    let runs = outline.runs.iter().filter(|run| run.first != crate::pages::ZEROS);
    runs.flat_map(|run| run.first..run.first.saturating_add(u64::from(run.count))).take(MOST)
}
