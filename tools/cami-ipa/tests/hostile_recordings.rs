//! Recordings that nobody recorded: whatever stands in them, show and report end in order.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a failure here is the test's failure"
)]

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::fs::File;
use std::path::Path;

use browser::Browser;
use cami_ipu3::payload::SetStatisticsParams;
use cami_recording::block::{
    Annotation, Answered, Bytes, Called, Died, Dropped, Ended, Host, Line, Lost, Requested,
    Resumed, Returned, UpdateReturned, Updated, Usage,
};
use cami_recording::{Block, Buffer, Snapshot, Writer};
use fastrand::Rng;
use support::{cami_ipa, code, output, stderr};

const PROFILES: [&str; 4] = ["intel-ipu3", "rockchip", "</script><b>", ""];

/// A number at the edge, or among few, so that others name it too.
fn number(rng: &mut Rng) -> u64 {
    match rng.u32(..8) {
        0 => u64::MAX - rng.u64(..2),
        1 => rng.u64(..),
        _ => rng.u64(..12),
    }
}

fn small(rng: &mut Rng) -> u32 {
    number(rng) as u32
}

fn text(rng: &mut Rng) -> String {
    let pieces = ["</script>", "\x1b[2J", "\u{202e}", "\"", "'", "<!--", "\n", "é", "]]>", "&amp;"];
    (0..rng.usize(..6)).map(|_| *rng.choice(pieces.iter()).unwrap()).collect()
}

fn block(rng: &mut Rng) -> Block {
    let (host, at_ns) = (rng.u32(..3), number(rng).saturating_mul(1_000_000));
    let (handle, content_errno) = (small(rng) as i32, small(rng));
    match rng.u32(..18) {
        0 => Annotation { key: text(rng), value: text(rng) }.into(),
        1 => Host {
            host,
            at_ns,
            real_ns: number(rng),
            library: text(rng),
            build_id: text(rng),
            revision: text(rng),
            profile: (*rng.choice(PROFILES.iter()).unwrap()).to_owned(),
            command_at: small(rng) % 3,
            ok_status: rng.u32(..2),
            ..Host::default()
        }
        .into(),
        2 => Called {
            host,
            at_ns,
            cookie: rng.u32(..4),
            call: small(rng),
            buffer_bytes: number(rng),
            handles: vec![handle; rng.usize(..20)],
        }
        .into(),
        3 => Answered { host, at_ns, cookie: rng.u32(..4), call: small(rng), value: handle }.into(),
        4..=8 => Requested {
            host,
            at_ns,
            number: number(rng),
            req_id: rng.u32(..32),
            handle,
            role: small(rng),
            content: number(rng),
            content_errno,
            header: Bytes(vec![rng.u8(..); rng.usize(..3)]),
        }
        .into(),
        9..=11 => Returned {
            host,
            at_ns,
            request: number(rng),
            req_id: rng.u32(..32),
            status: rng.u32(..2),
            handle,
            content: number(rng),
            content_errno,
        }
        .into(),
        12 => Updated {
            host,
            at_ns,
            upd_id: rng.u32(..3),
            content: number(rng),
            content_errno,
            header: Bytes(Vec::new()),
        }
        .into(),
        13 => UpdateReturned { host, at_ns, upd_id: rng.u32(..3), status: small(rng) }.into(),
        14 => Line { host, at_ns, stream: small(rng), text: text(rng) }.into(),
        15 => Usage {
            host,
            at_ns,
            cpu_us: number(rng),
            resident_bytes: number(rng),
            threads: small(rng),
        }
        .into(),
        16 => match rng.u32(..4) {
            0 => Ended { host, at_ns }.into(),
            1 => Resumed { host, at_ns }.into(),
            2 => Lost { host, at_ns, events: number(rng), reason: text(rng) }.into(),
            _ => Dropped { until_ns: at_ns, events: number(rng) }.into(),
        },
        _ => {
            let (signal, exit_code, cause) = (handle, handle, text(rng));
            Died { host, at_ns, signal, exit_code, cause, ..Died::default() }.into()
        }
    }
}

/// A file of good blocks that make no sense.
fn write(path: &Path, rng: &mut Rng) {
    let mut writer = Writer::begin(File::create(path).unwrap(), number(rng)).unwrap();
    for buffer in 0..6 {
        let mut bytes = vec![0; [8, 120, 16_800, size_of::<SetStatisticsParams>()][buffer % 4]];
        // Noise in what is looked at, and grids that claim any size.
        let noisy = bytes.len().min(20_000);
        rng.fill(&mut bytes[..noisy]);
        writer.content(Buffer(buffer as u64), &Snapshot::of(&bytes)).unwrap();
    }
    for _ in 0..rng.usize(..400) {
        writer.write(&block(rng)).unwrap();
    }
}

#[test]
fn nothing_in_a_recording_is_obeyed_or_panics() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("hostile.camr");
    let mut browser = Browser::start();
    for seed in 0..24 {
        let mut rng = Rng::with_seed(seed);
        write(&file, &mut rng);
        if seed % 3 == 0 {
            let size = std::fs::metadata(&file).unwrap().len();
            File::options().write(true).open(&file).unwrap().set_len(rng.u64(32..size)).unwrap();
        }
        for arguments in [
            &["show", "hostile.camr", "--fields"][..],
            &["show", "hostile.camr", "--fields", "--json", "-"],
            &["report", "hostile.camr", "--html", "page.html", "--trace-events", "trace.json"],
        ] {
            let output = output(cami_ipa(arguments).current_dir(room.path()));
            assert_eq!(code(&output), 0, "seed {seed}, {arguments:?}: {}", stderr(&output));
            assert!(!output.stdout.contains(&0x1b), "seed {seed}, {arguments:?}");
        }
        let page = std::fs::read(room.path().join("page.html")).unwrap();
        assert!(page.len() < 4 << 20, "seed {seed}: {} bytes", page.len());
        let trace = std::fs::read(room.path().join("trace.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&trace).unwrap();
        if let Some(browser) = browser.as_mut().filter(|_| seed < 6) {
            browser.open(&room.path().join("page.html"));
            assert_eq!(browser.text("document.title"), "cami-ipa report");
            browser.assert_no_errors();
        }
    }
}
