//! What a recording costs: processor time of a camera's frames, recorded and not.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use crate::failure::Failure;
use crate::options::Options;
use crate::report::{Report, Row};
use crate::room::Room;
use crate::statistics::median;

/// SPECIFICATION.md: under 5 % of a frame at 30 frames per second, of one processor.
const BOUND_SHARE: f64 = 0.05;
/// A frame at 30 frames per second.
const FRAME_US: f64 = 1_000_000.0 / 30.0;

/// Runs the IPU3 sequence with the reference library, in real time, in turn with and without.
///
/// What is compared is the processor time of all processes together, HAL, monitor, vendor process and
/// the writer of the recording, which outlives the monitor and becomes our child: the kernel counts it
/// when they are reaped.
pub(crate) fn measure(room: &Room, options: &Options, report: &mut Report) -> Result<(), Failure> {
    let (program, library) = (room.artefact("cami-ipa"), room.artefact("libcam_algo_reference.so"));
    if !program.exists() || !library.exists() {
        report.progress("recording: left out, cami-ipa and the reference library are not there");
        return Ok(());
    }
    nix::sys::prctl::set_child_subreaper(true)
        .map_err(|errno| Failure::new(format!("prctl: {errno}")))?;
    let rounds = options.count(7, 3);
    let frames = options.count(90, 45);
    report.progress(&format!("{rounds} times {frames} frames at 30 per second, recorded and not"));
    let (mut plain, mut recorded, mut added, mut bytes) = (vec![], vec![], vec![], vec![]);
    for round in 0..=rounds {
        let file = room.path("bench.camr");
        let run = |record: bool| -> Result<f64, Failure> {
            let before = children_us()?;
            let mut command = Command::new(&program);
            command
                .args(["run", "--fps", "30", "--frames", &frames.to_string()])
                .env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"))
                .env("CAMI_IPA_VENDOR_LIBRARY", &library)
                .env("CAMI_IPA_STATUS_DIR", room.path("status"))
                .env("CAMI_IPA_LOG", "off")
                .env_remove("CAMI_IPA_RECORD")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            if record {
                command.env("CAMI_IPA_RECORD", &file);
            }
            command.status().map_err(Failure::at(program.display()))?;
            reap_writers()?;
            Ok((children_us()? - before) / f64::from(frames))
        };
        let (without, with) = (run(false)?, run(true)?);
        let size = std::fs::metadata(&file).map_err(Failure::at(file.display()))?.len();
        let _ = std::fs::remove_file(&file);
        // The first round warms up.
        if round > 0 {
            plain.push(without);
            recorded.push(with);
            added.push(with - without);
            #[allow(clippy::cast_precision_loss, reason = "a size for people")]
            bytes.push(size as f64 / f64::from(frames));
        }
    }
    let (plain, recorded, added) = (median(plain), median(recorded), median(added));
    report.add(Row::new(
        "frame_cpu_us".to_owned(),
        "a frame's CPU, HAL and library, not recorded".to_owned(),
        plain,
        "µs",
    ));
    report.add(Row::new(
        "frame_recorded_cpu_us".to_owned(),
        "the same, recorded".to_owned(),
        recorded,
        "µs",
    ));
    report.add(
        Row::new(
            "recording_share_of_frame_time_ratio".to_owned(),
            "recording's CPU, of a frame's 33.3 ms".to_owned(),
            added / FRAME_US,
            "×",
        )
        .at_most(BOUND_SHARE),
    );
    report.add(Row::new(
        "recording_share_of_frame_cpu_ratio".to_owned(),
        "recording's CPU, of the frame's own CPU".to_owned(),
        added / plain,
        "×",
    ));
    report.add(Row::new(
        "recording_bytes_per_frame".to_owned(),
        "bytes of a recorded frame, set-up included".to_owned(),
        median(bytes),
        "B",
    ));
    Ok(())
}

/// Waits until all that a run has left has ended: it ends by itself, within the time of a slow disk.
fn reap_writers() -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(2)),
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
    }
    Err(Failure::new("a process of a recorded run does not end".to_owned()))
}

/// Processor time of all children that were waited for, and of theirs.
fn children_us() -> Result<f64, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_err(|errno| Failure::new(format!("getrusage: {errno}")))?;
    let us = |time: nix::sys::time::TimeVal| {
        #[allow(clippy::cast_precision_loss, reason = "microseconds of minutes")]
        let us = (time.tv_sec() * 1_000_000 + time.tv_usec()) as f64;
        us
    };
    Ok(us(usage.user_time()) + us(usage.system_time()))
}
