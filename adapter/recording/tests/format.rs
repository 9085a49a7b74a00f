//! The promises of the format: what was written is read, whatever became of the file's end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use cami_recording::block::{Answered, Bytes, Called, Host, Requested, Returned};
use cami_recording::session::Event;
use cami_recording::{
    Block, Buffer, Call, Ending, Image, PAGE_BYTES, PageCache, Recording, RecordingError, Session,
    Shadow, Snapshot, Writer,
};
use proptest::prelude::*;

/// A session of a few requests whose buffer changes a little each time.
fn written() -> (Vec<u8>, Vec<Block>, Vec<Vec<u8>>) {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 1_700_000_000_000_000_000).unwrap();
    let mut blocks = Vec::new();
    let mut contents = Vec::new();
    let mut write = |writer: &mut Writer<_>, block: Block| {
        writer.write(&block).unwrap();
        blocks.push(block);
    };
    let host =
        Host { host: 1, at_ns: 5, command_at: 1, profile: "intel-ipu3".into(), ..Host::default() };
    write(&mut writer, host.into());
    let register = Call::RegisterBuffer.number();
    let called = Called {
        host: 1,
        at_ns: 6,
        cookie: 9,
        call: register,
        buffer_bytes: 9000,
        ..Called::default()
    };
    write(&mut writer, called.into());
    write(&mut writer, Answered { host: 1, at_ns: 7, cookie: 9, call: register, value: 3 }.into());
    let mut memory: Vec<u8> = (0..9000_u32).map(|at| (at >> 7) as u8).collect();
    let mut shadow = Shadow::default();
    let mut look = |memory: &[u8]| {
        shadow
            .look(memory.len(), &mut |out: &mut [u8], at| {
                out.copy_from_slice(&memory[at as usize..][..out.len()]);
                Ok::<(), ()>(())
            })
            .unwrap()
    };
    for number in 1..=3 {
        memory[0] = number as u8;
        let content = writer.content(Buffer(1), &look(&memory)).unwrap();
        contents.push(memory.clone());
        let requested = Requested {
            host: 1,
            at_ns: 10 * number,
            number,
            req_id: 40,
            handle: 3,
            content,
            header: Bytes(vec![12, 0, 0, 0]),
            ..Requested::default()
        };
        write(&mut writer, requested.into());
        memory[5000] ^= 1;
        let content = writer.content(Buffer(1), &look(&memory)).unwrap();
        contents.push(memory.clone());
        let returned = Returned {
            host: 1,
            at_ns: 10 * number + 5,
            request: number,
            req_id: 40,
            handle: 3,
            content,
            ..Returned::default()
        };
        write(&mut writer, returned.into());
    }
    (file, blocks, contents)
}

fn events<S: cami_recording::Source>(recording: &Recording<S>) -> Vec<Block> {
    recording.events().collect::<Result<_, _>>().unwrap()
}

#[test]
fn what_was_written_is_read() {
    let (file, blocks, contents) = written();
    let recording = Recording::read(file).unwrap();
    assert_eq!(recording.ending(), Ending::Complete);
    assert_eq!(recording.begun_ns(), 1_700_000_000_000_000_000);
    assert_eq!(events(&recording), blocks);
    for (number, content) in (1..).zip(contents) {
        assert_eq!(recording.content(number).unwrap(), content, "content {number}");
    }
    let mut cache = PageCache::default();
    for (part, end) in [(0..1, 1), (4095..4097, 4097), (5000..9000, 9000), (8999..u64::MAX, 9000)] {
        let expected = &recording.content(2).unwrap()[part.start as usize..end];
        assert_eq!(recording.part(2, part.clone(), &mut cache).unwrap(), expected, "{part:?}");
    }
    assert_eq!(recording.part(2, 9000..9001, &mut cache).unwrap(), []);
    assert_eq!(recording.part(2, 9100..9101, &mut cache).unwrap(), []);
    let session = Session::of(&recording).unwrap();
    assert_eq!(session.hosts[0].host.profile, "intel-ipu3");
    assert_eq!(session.span_ns(), Some((5, 30)));
    let exchanges = session.events.iter().filter(|event| {
        matches!(event, Event::Exchange { requested, returned: Some(returned) }
            if session.hosts[0].command(requested) == 12 && returned.request == requested.number)
    });
    assert_eq!(exchanges.count(), 3);
    assert!(matches!(
        &session.events[0],
        Event::Call { answered: Some(Answered { value: 3, .. }), .. }
    ));
}

#[test]
fn an_image_follows_a_buffer_by_what_changes() {
    // Sizes, and the byte that every third page is filled with; 0 makes pages of zeros.
    let held: Vec<Vec<u8>> =
        [(9000, 1), (9000, 2), (20_000, 2), (4096, 0), (1, 7), (0, 0), (9000, 1)]
            .map(|(bytes, fill)| {
                (0..bytes).map(|at| if (at / PAGE_BYTES) % 3 == 1 { 9 } else { fill }).collect()
            })
            .into();
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 0).unwrap();
    for held in &held {
        writer.content(Buffer(1), &Snapshot::of(held)).unwrap();
    }
    drop(writer);
    let recording = Recording::read(file).unwrap();
    let (mut image, mut cache) = (Image::default(), PageCache::default());
    for (from, to) in (0..held.len()).flat_map(|from| (0..held.len()).map(move |to| (from, to))) {
        let number = |place: usize| place as u64 + 1;
        recording.unpack_ahead(number(to), &mut cache).unwrap();
        image.show(&recording, number(from), &mut cache, |_, _, _| {}).unwrap();
        assert_eq!(image.contents(), held[from]);
        let mut patched = held[from].clone();
        patched.resize(held[from].len().max(held[to].len()).next_multiple_of(PAGE_BYTES), 0);
        let mut pages = 0;
        let told = |at: usize, old: &[u8], new: &[u8]| {
            pages += 1;
            let part = at..at + PAGE_BYTES.min(held[to].len() - at);
            // Behind its end, what a buffer held is zeros, whatever it held before that.
            assert_eq!(patched[part.clone()], *old, "{from} to {to} at {at}");
            patched[part].copy_from_slice(new);
        };
        image.show(&recording, number(to), &mut cache, told).unwrap();
        assert_eq!(image.contents(), held[to], "{from} to {to}");
        assert_eq!(patched[..held[to].len()], held[to], "{from} to {to}");
        assert!(from != to || pages == 0, "{pages} pages of {from} changed");
    }
    assert!(image.show(&recording, 99, &mut cache, |_, _, _| {}).is_err());
    assert_eq!(image.contents(), [], "nothing is shown by half");
}

#[test]
fn a_page_is_stored_once() {
    let page: Vec<u8> = (0..PAGE_BYTES).map(|at| ((at * 31) >> 3) as u8).collect();
    let size = |copies: usize| {
        let mut file = Vec::new();
        let mut writer = Writer::begin(&mut file, 0).unwrap();
        writer.content(Buffer(1), &Snapshot::of(&page.repeat(copies))).unwrap();
        writer.content(Buffer(2), &Snapshot::of(&page.repeat(copies))).unwrap();
        drop(writer);
        let recording = Recording::read(file.clone()).unwrap();
        assert_eq!(recording.content(2).unwrap(), page.repeat(copies));
        file.len()
    };
    assert!(size(50) < size(1) + 50 * 2 * 12 + 64, "{} against {}", size(50), size(1));
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 0).unwrap();
    let id = writer.content(Buffer(1), &Snapshot::of(&vec![0; 2 << 20])).unwrap();
    drop(writer);
    assert!(file.len() < 128);
    assert_eq!(Recording::read(file).unwrap().content(id).unwrap(), vec![0; 2 << 20]);
}

#[test]
fn a_file_cut_anywhere_opens_to_its_last_complete_block() {
    let (file, blocks, _) = written();
    let mut before = 0;
    for length in 0..=file.len() {
        let part = file[..length].to_vec();
        if length < 32 {
            assert!(matches!(Recording::read(part), Err(RecordingError::NotARecording)));
            continue;
        }
        let recording = Recording::read(part).unwrap();
        let read = events(&recording);
        assert!(read.len() >= before, "cut at {length}");
        before = read.len();
        assert_eq!(read, blocks[..before], "cut at {length}");
        assert!(recording.good_bytes() <= length as u64);
        let complete = recording.good_bytes() == length as u64;
        assert_eq!(recording.ending() == Ending::Complete, complete, "cut at {length}");
        for event in read {
            if let Block::Requested(Requested { content, .. }) = event {
                recording.content(content).unwrap();
            }
        }
    }
    assert_eq!(before, blocks.len());
}

#[test]
fn a_writer_goes_on_behind_the_last_complete_block() {
    let (file, blocks, contents) = written();
    let torn = Recording::read(file[..file.len() - 3].to_vec()).unwrap();
    let (next_page, next_content) = torn.next_numbers();
    let mut good = file[..torn.good_bytes() as usize].to_vec();
    let written = good.len() as u64;
    let mut writer = Writer::go_on(&mut good, next_page, next_content, written);
    let content = writer.content(Buffer(7), &Snapshot::of(&[9; 10])).unwrap();
    writer.write(&Requested { content, ..Requested::default() }.into()).unwrap();
    assert_eq!(writer.written() as usize, good.len());
    let recording = Recording::read(good).unwrap();
    assert_eq!(recording.ending(), Ending::Complete);
    assert_eq!(events(&recording).len(), blocks.len());
    assert_eq!(recording.content(content).unwrap(), [9; 10]);
    assert_eq!(recording.content(1).unwrap(), contents[0]);
}

#[test]
fn every_damaged_byte_is_noticed() {
    let (file, blocks, _) = written();
    for at in 32..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        let recording = Recording::read(damaged).unwrap();
        // Zeros behind a payload say nothing.
        if recording.ending() != Ending::Complete {
            let read = events(&recording);
            assert_eq!(read, blocks[..read.len()], "byte {at}");
        } else {
            assert_eq!(events(&recording), blocks, "byte {at}");
        }
    }
}

#[test]
fn unknown_blocks_and_fields_are_skipped_and_missing_ones_are_empty() {
    let mut file = Vec::new();
    Writer::begin(&mut file, 0).unwrap();
    let mut append = |kind: u32, payload: &[u8]| {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&(payload.len() as u64).to_le_bytes());
        crc.update(&kind.to_le_bytes());
        crc.update(payload);
        file.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        file.extend_from_slice(&kind.to_le_bytes());
        file.extend_from_slice(&crc.finalize().to_le_bytes());
        file.extend_from_slice(payload);
        file.resize(file.len().next_multiple_of(8), 0);
    };
    append(4000, b"of a later release");
    append(Host::KIND, &[7, 0, 0, 0]);
    let mut longer = Vec::new();
    let full = Host { host: 8, library: "lib".into(), ..Host::default() };
    Block::from(full.clone()).encode(&mut longer);
    longer.extend_from_slice(b"fields of a later release");
    append(Host::KIND, &longer);
    append(Host::KIND, &[7, 0]);
    append(Host::KIND, &[9, 0, 0, 0]);
    let recording = Recording::read(file).unwrap();
    assert_eq!(recording.unknown_blocks(), 1);
    assert_eq!(events(&recording), [Host { host: 7, ..Host::default() }.into(), full.into()]);
    assert!(matches!(recording.ending(), Ending::Damaged { .. }));
}

#[test]
fn other_files_and_other_versions_are_told_apart() {
    let elf = b"\x7fELF".repeat(20);
    assert!(matches!(Recording::read(elf), Err(RecordingError::NotARecording)));
    let mut file = written().0;
    file[4] = 2;
    let error = Recording::read(file).unwrap_err();
    assert!(matches!(error, RecordingError::Version { major: 2, .. }));
    assert!(error.to_string().contains("newer cami-ipa"), "{error}");
}

#[test]
fn a_snapshot_that_follows_none_is_refused() {
    let mut writer = Writer::begin(Vec::new(), 0).unwrap();
    let follows =
        Snapshot { bytes: 10, pages: vec![0], data: vec![1; PAGE_BYTES], ..Snapshot::default() };
    assert!(writer.content(Buffer(1), &follows).is_err());
    let behind = Snapshot { bytes: 10, whole: true, pages: vec![1], data: vec![1; PAGE_BYTES] };
    assert!(writer.content(Buffer(1), &behind).is_err());
    let short =
        Snapshot { bytes: 9000, whole: true, pages: vec![0, 1, 2], data: vec![1; PAGE_BYTES] };
    assert!(writer.content(Buffer(1), &short).is_err());
}

proptest! {
    #[test]
    fn no_bytes_panic(noise in prop::collection::vec(any::<u8>(), 0..400), kind in 0_u32..20) {
        let _ = Block::decode(kind, &noise);
        let mut file = Vec::new();
        Writer::begin(&mut file, 0).unwrap();
        file.extend_from_slice(&noise);
        if let Ok(recording) = Recording::read(file) {
            let _ = Session::of(&recording);
        }
    }

    /// Payloads that are nonsense but pass the checksum.
    #[test]
    fn no_payload_panics(payloads in prop::collection::vec((1_u32..20, prop::collection::vec(0_u8..3, 0..64)), 0..12)) {
        let mut file = Vec::new();
        Writer::begin(&mut file, 0).unwrap();
        for (kind, payload) in payloads {
            let mut crc = crc32fast::Hasher::new();
            crc.update(&(payload.len() as u64).to_le_bytes());
            crc.update(&kind.to_le_bytes());
            crc.update(&payload);
            file.extend_from_slice(&(payload.len() as u64).to_le_bytes());
            file.extend_from_slice(&kind.to_le_bytes());
            file.extend_from_slice(&crc.finalize().to_le_bytes());
            file.extend_from_slice(&payload);
            file.resize(file.len().next_multiple_of(8), 0);
        }
        if let Ok(recording) = Recording::read(file) {
            let _ = Session::of(&recording);
            for number in 0..20 {
                let _ = recording.content(number);
            }
        }
    }
}
