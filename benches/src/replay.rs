//! How fast `libcam_algo_replay.so` answers: the IPU3 sequence of the reference library, from a recording
//! of it, and by the library itself.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::failure::Failure;
use crate::options::Options;
use crate::report::{Report, Row};
use crate::room::Room;
use crate::statistics::median;

/// The reference library computes little, and looks at what it needs; a recorded answer takes a comparison of
/// the whole request.
const BOUND_REFERENCE: f64 = 3.0;
/// A HAL under test has the rest of its frame for itself.
const BOUND_SHARE: f64 = 0.2;
/// A frame at 30 frames per second.
const FRAME_MS: f64 = 1000.0 / 30.0;

/// What `cami-ipa replay --json -` says, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Verdict {
    frames: u64,
    latency_ms: HashMap<String, Latency>,
}

#[derive(Debug, Deserialize)]
struct Latency {
    answers: u64,
    median: f64,
}

impl Verdict {
    /// The median of a command's answers, in milliseconds.
    fn median_ms(&self, command: &str) -> Result<f64, Failure> {
        let found = self.latency_ms.get(command);
        found
            .map(|latency| latency.median)
            .ok_or_else(|| Failure::new(format!("cami-ipa replay has answered no {command}")))
    }

    /// All answers of a frame, one after the other, in milliseconds.
    fn frame_ms(&self) -> f64 {
        // The first frame has no statistics.
        let of_frames = |latency: &&Latency| latency.answers + 1 >= self.frames;
        self.latency_ms.values().filter(of_frames).map(|latency| latency.median).sum()
    }
}

/// Records a run, and asks both libraries for it in turn, isolated, as fast as answers come.
pub(crate) fn measure(room: &Room, options: &Options, report: &mut Report) -> Result<(), Failure> {
    let [program, reference, replay] =
        ["cami-ipa", "libcam_algo_reference.so", "libcam_algo_replay.so"].map(|n| room.artefact(n));
    if ![&program, &reference, &replay].iter().all(|path| path.exists()) {
        report.progress("replay: left out, cami-ipa and both libraries are not there");
        return Ok(());
    }
    let rounds = options.count(9, 3);
    let frames = options.count(60, 30);
    report.progress(&format!("{rounds} times {frames} frames, recorded answers and computed ones"));
    let file = room.path("replay.camr");
    let command = |arguments: &[OsString], vendor: &Path| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"))
            .env("CAMI_IPA_VENDOR_LIBRARY", vendor)
            .env("CAMI_IPA_STATUS_DIR", room.path("status"))
            .env("CAMI_IPA_LOG", "off")
            .env_remove("CAMI_IPA_RECORD")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let run = ["run".into(), "--frames".into(), frames.to_string().into()];
    let mut record = command(&run, &reference);
    let status = record.env("CAMI_IPA_RECORD", &file).status();
    if !status.map_err(Failure::at(program.display()))?.success() {
        return Err(Failure::new("a run that is to be recorded fails"));
    }
    // The recording's writer outlives the run, and lets go of the file when it is complete.
    let complete = std::fs::File::open(&file).and_then(|file| file.lock_shared());
    complete.map_err(Failure::at(file.display()))?;

    let ask = |vendor: &Path| -> Result<Verdict, Failure> {
        let arguments = ["replay".into(), file.clone().into(), "--json".into(), "-".into()];
        let mut variable = OsString::from("CAMI_REPLAY_FILE=");
        variable.push(&file);
        let output = command(&arguments, vendor)
            .env("CAMI_IPA_ENVIRONMENT", variable)
            .env("CAMI_IPA_SANDBOX__READ", &file)
            .stdout(Stdio::piped())
            .output()
            .map_err(Failure::at(program.display()))?;
        serde_json::from_slice(&output.stdout).map_err(Failure::at("cami-ipa replay"))
    };
    let (mut frame, mut aic, mut frame_ratio, mut aic_ratio) = (vec![], vec![], vec![], vec![]);
    for round in 0..=rounds {
        let (computed, recorded) = (ask(&reference)?, ask(&replay)?);
        // The first round warms up.
        if round > 0 {
            frame.push(recorded.frame_ms());
            frame_ratio.push(recorded.frame_ms() / computed.frame_ms());
            let (one, other) = (computed.median_ms("AIC_RUN")?, recorded.median_ms("AIC_RUN")?);
            aic.push(other);
            aic_ratio.push(other / one);
        }
    }
    let (frame, aic) = (median(frame), median(aic));
    report.add(Row::new(
        "replay_aic_run_us",
        "libcam_algo_replay.so's answer to AIC_RUN, a buffer of 2.4 MB",
        aic * 1000.0,
        "µs",
    ));
    report.add(Row::new(
        "replay_aic_run_of_reference_ratio",
        "the same, of the reference library's",
        median(aic_ratio),
        "×",
    ));
    report.add(
        Row::new(
            "replay_frame_of_reference_ratio",
            "its answers of a frame, of the reference library's",
            median(frame_ratio),
            "×",
        )
        .at_most(BOUND_REFERENCE),
    );
    report.add(
        Row::new(
            "replay_frame_share_of_frame_time_ratio",
            "its answers of a frame, of a frame's 33.3 ms",
            frame / FRAME_MS,
            "×",
        )
        .at_most(BOUND_SHARE),
    );
    Ok(())
}
