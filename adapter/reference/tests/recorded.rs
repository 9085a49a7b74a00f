//! Requests recorded from the HAL's own code are understood (folder in `CAMI_IPA_VECTORS`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may state what it expects"
)]

mod common;

use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command as Process;

use cami_ipu3::Command;
use common::Hal;

const ARCHIVE: &str = "requests/ov13858_tfc13myhce_12frames.tar.xz";

/// Where a payload has its own handle, and those of a CMC and a makernote.
fn handles_at(command: Command) -> &'static [(usize, Kind)] {
    match command {
        Command::AicInit | Command::AicRun => &[(800_008, Kind::Cmc)],
        Command::AiqInit => &[(24, Kind::Makernote), (32, Kind::Cmc)],
        Command::CmcDeinit => &[(0, Kind::Cmc)],
        Command::MknUninit | Command::MknPrepare | Command::MknEnable => &[(0, Kind::Makernote)],
        command if (7..=15).contains(&command.number()) => &[(0, Kind::Aiq)],
        _ => &[],
    }
}

/// Where a payload has an answer that leaves no choice.
fn exact(command: Command) -> Option<Range<usize>> {
    match command {
        Command::ExcAnalogGainToSensor => Some(22_572..22_574),
        Command::ExcSensorToAnalogGain => Some(22_572..22_576),
        Command::CoordinateConvert => Some(72..80),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Cmc,
    Makernote,
    Aiq,
}

#[test]
fn every_recorded_request_succeeds() {
    let Some(vectors) = std::env::var_os("CAMI_IPA_VECTORS") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let status = Process::new("tar")
        .arg("-xJf")
        .arg(Path::new(&vectors).join(ARCHIVE))
        .arg("--strip-components=1")
        .arg("-C")
        .arg(folder.path())
        .status()
        .expect("tar is installed");
    assert!(status.success());

    let hal = Hal::new();
    let mut handles = [0_u64; 3];
    let manifest = std::fs::read_to_string(folder.path().join("manifest.tsv")).unwrap();
    let mut requests = 0;
    for line in manifest.lines().skip(1) {
        let fields: Vec<u32> = line.split('\t').map(|field| field.parse().unwrap()).collect();
        let (sequence, number) = (fields[0], fields[1]);
        let command = Command::try_from(number).unwrap();
        let name = format!("{sequence:03}_cmd{number:02}_in.bin");
        let mut bytes = std::fs::read(folder.path().join(name)).unwrap();
        for (at, kind) in handles_at(command) {
            bytes[*at..at + 8].copy_from_slice(&handles[*kind as usize].to_le_bytes());
        }
        let buffer = hal.buffer(bytes.len());
        buffer.fill(&bytes);
        assert_eq!(hal.status(command, buffer.handle), fields[3], "{sequence}: {}", command.name());
        let answer = buffer.bytes();
        if let Some(range) = exact(command) {
            let name = format!("{sequence:03}_cmd{number:02}_out.bin");
            let recorded = std::fs::read(folder.path().join(name)).unwrap();
            assert_eq!(answer[range.clone()], recorded[range], "{sequence}: {}", command.name());
        }
        let handle = |at: usize| u64::from_le_bytes(answer[at..at + 8].try_into().unwrap());
        match command {
            Command::CmcInit => handles[Kind::Cmc as usize] = handle(823_288),
            Command::MknInit => handles[Kind::Makernote as usize] = handle(24),
            Command::AiqInit => handles[Kind::Aiq as usize] = handle(40),
            _ => {}
        }
        requests += 1;
    }
    assert_eq!(requests, 128);
}
