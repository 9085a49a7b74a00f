//! The recorded sessions against the worker as it is installed: with the reference library in a host's
//! process behind it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cami_tests::artefact;

use crate::captures::{Direction, messages};
use crate::driver::{Worker, calls, memory};

/// A folder with a tuning file for the recorded sensor, and what the worker is told.
pub struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("imx219.aiqb"), b"").unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn start(&self, library: &Path, more: &[(&str, &str)]) -> Worker {
        let tuning = format!("imx219={}", self.path("imx219.aiqb").display());
        let library = library.display().to_string();
        let status = self.folder.path().display().to_string();
        let log = format!("debug,{}", self.path("log").display());
        let mut settings = vec![
            ("CAMI_IPA_VENDOR_LIBRARY", library.as_str()),
            ("CAMI_IPA_TUNING", tuning.as_str()),
            ("CAMI_IPA_STATUS_DIR", status.as_str()),
            ("CAMI_IPA_LOG", log.as_str()),
        ];
        settings.extend_from_slice(more);
        Worker::start(&settings)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

#[test]
fn recorded_sessions_run_with_the_reference_library() {
    for capture in [
        "capture_ipu3_0.0.3.txt",
        "capture_ipu3_v0.4.0.txt",
        "capture_ipu3_v0.7.2.txt",
        "capture_ipu3_master.txt",
    ] {
        let setup = Setup::new();
        let mut worker = setup.start(&artefact("libcam_algo_reference.so"), &[]);
        let buffers = [memory(0x1_0000, 0xee), memory(0x4_0000, 0)];
        let mut events = Vec::new();
        for call in calls(capture) {
            let fds: Vec<File> =
                buffers.iter().take(call.fds).map(|file| file.try_clone().unwrap()).collect();
            worker.send(&call.bytes, &fds);
            if !(1..=6).contains(&call.command) {
                continue;
            }
            loop {
                let (command, cookie, body) = worker.receive();
                if (command, cookie) == (call.command, call.cookie) {
                    if matches!(command, 1 | 2 | 4) {
                        let ret = i32::from_le_bytes(body[..4].try_into().unwrap());
                        assert_eq!(ret, 0, "{capture}: call {command}\n{}", setup.log());
                    }
                    break;
                }
                assert_eq!(cookie, 0, "{capture}");
                events.push(command);
            }
        }
        assert_eq!(worker.end().code(), Some(0), "{capture}");
        let recorded = |event| {
            messages(capture)
                .iter()
                .filter(|message| message.direction == Direction::WorkerToHost)
                .filter(|message| message.cookie == 0 && message.command == event)
                .count()
        };
        let ours = |event| events.iter().filter(|found| **found == event).count();
        for event in [2, 3] {
            // One of each is the answer of `init`, whose cookie is 0 too, and is none of these.
            assert_eq!(ours(event), recorded(event), "{capture}: event {event}\n{}", setup.log());
        }
        let mut use_word = [0; 4];
        buffers[0].read_exact_at(&mut use_word, 0).unwrap();
        assert_ne!(use_word, [0xee; 4], "{capture}: parameters were written");
    }
}
