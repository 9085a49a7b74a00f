//! Request and response bytes of the real Intel library pass unchanged through shim, link and host.
//!
//! The vectors are not part of this project: `CAMI_IPA_VECTORS` names their folder.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_tests::{Hal, Room, Setup, digest};

/// The largest header that the link carries.
const HEADER_BYTES: usize = 65536;

/// One recorded request: its command, and the buffer before and after.
struct Recorded {
    command: u32,
    input: PathBuf,
    output: PathBuf,
}

/// Unpacks the recordings into `room`; `None`, and a note, where there are none.
fn recorded(room: &Room) -> Option<Vec<Recorded>> {
    let Some(vectors) = std::env::var_os("CAMI_IPA_VECTORS") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is unset");
        return None;
    };
    let archive = Path::new(&vectors).join("requests/ov13858_tfc13myhce_12frames.tar.xz");
    let folder = room.path("requests");
    fs::create_dir(&folder).unwrap();
    let status =
        Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&folder).status().unwrap();
    assert!(status.success(), "cannot unpack {}", archive.display());
    let mut inputs = files_of(&folder);
    inputs.retain(|path| path.to_string_lossy().ends_with("_in.bin"));
    inputs.sort();
    assert_eq!(inputs.len(), 128, "requests in {}", archive.display());
    Some(
        inputs
            .into_iter()
            .map(|input| {
                let name = input.file_name().unwrap().to_str().unwrap().to_owned();
                let (_, command) = name.trim_end_matches("_in.bin").rsplit_once("cmd").unwrap();
                let output = input.with_file_name(name.replace("_in.bin", "_out.bin"));
                Recorded { command: command.parse().unwrap(), input, output }
            })
            .collect(),
    )
}

/// The files in a folder and in those below it.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}

/// A HAL with one buffer, the tape, of which the vendor library reads what to answer.
fn with_tape() -> Hal {
    let mut hal = Setup::new("replays").with("CAMI_IPA_PROFILE", "intel-ipu3").start();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call(&format!("reg memfd {}", 2 << 20)), "reg 1");
    hal
}

#[test]
fn payloads_of_the_real_library_pass_unchanged() {
    let room = Room::new();
    let Some(recorded) = recorded(&room) else { return };
    let mut hal = with_tape();
    let tape = room.path("tape");
    let result = room.path("result");
    for (number, Recorded { command, input, output }) in recorded.iter().enumerate() {
        let before = fs::read(input).unwrap();
        let after = fs::read(output).unwrap();
        assert_eq!(before.len(), after.len());
        let size = u32::try_from(before.len()).unwrap();
        let head = [digest(&before).to_ne_bytes(), size.to_ne_bytes()].concat();
        fs::write(&tape, [head.as_slice(), &after].concat()).unwrap();
        hal.call(&format!("fill 0 {}", tape.display()));

        let handle = number + 2;
        assert_eq!(hal.call(&format!("reg memfd {size}")), format!("reg {handle}"));
        let buffer = number + 1;
        assert_eq!(hal.call(&format!("fill {buffer} {}", input.display())), format!("fill {size}"));
        hal.call(&format!("req {command} 56 {handle}"));
        // Status 0: the vendor found every byte of the request as it was recorded.
        hal.event(&format!("return {command} 0 {handle} "));
        assert_eq!(
            hal.call(&format!("dump {buffer} {}", result.display())),
            format!("dump {size}")
        );
        assert!(fs::read(&result).unwrap() == after, "the response to {}", input.display());
        hal.call(&format!("dereg {handle}"));
    }
    hal.finish();
}

#[test]
fn bytes_of_the_real_library_pass_the_link_unchanged() {
    let room = Room::new();
    let Some(recorded) = recorded(&room) else { return };
    let mut hal = with_tape();
    for Recorded { command, input, .. } in recorded.iter().step_by(8) {
        let bytes = fs::read(input).unwrap();
        for (part, chunk) in bytes.chunks(HEADER_BYTES).enumerate().filter(|(_, c)| c.len() > 1) {
            let offset = part * HEADER_BYTES;
            let sent = hal.call(&format!("send {command} {} {offset}", input.display()));
            assert_eq!(sent, format!("send {}", chunk.len()));
            hal.event(&format!("return {command} {} -1 ", digest(chunk)));
        }
    }
    hal.finish();
}
