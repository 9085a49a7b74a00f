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
/// when they are reaped. A run of one frame has the set-up and no more, so that a frame's share is the
/// difference of a long run to that; the set-up's, which is once for each opened camera, is told apart.
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
    let file = room.path("bench.camr");
    let run = |frames: u32, record: bool| -> Result<Run, Failure> {
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
        let cpu_us = children_us()? - before;
        let mut bytes = 0;
        if record {
            bytes = std::fs::metadata(&file).map_err(Failure::at(file.display()))?.len();
            let _ = std::fs::remove_file(&file);
        }
        Ok(Run { cpu_us, bytes })
    };
    let mut seen = Seen::default();
    for round in 0..=rounds {
        let begin = [run(1, false)?, run(1, true)?];
        let long = [run(1 + frames, false)?, run(1 + frames, true)?];
        // The first round warms up.
        if round > 0 {
            seen.take(begin, long, f64::from(frames));
        }
    }
    seen.report(report);
    Ok(())
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
struct Run {
    cpu_us: f64,
    bytes: u64,
}

/// What was seen in each round.
#[derive(Debug, Default)]
struct Seen {
    plain: Vec<f64>,
    recorded: Vec<f64>,
    added: Vec<f64>,
    bytes: Vec<f64>,
    set_up: Vec<f64>,
}

impl Seen {
    /// Runs of one frame and of many more, each not recorded and recorded.
    fn take(&mut self, begin: [Run; 2], long: [Run; 2], frames: f64) {
        let ([begin_plain, begin_recorded], [plain, recorded]) = (begin, long);
        let per_frame = |long: Run, begin: Run| (long.cpu_us - begin.cpu_us) / frames;
        let plain = per_frame(plain, begin_plain);
        self.added.push(per_frame(recorded, begin_recorded) - plain);
        self.recorded.push(per_frame(recorded, begin_recorded));
        self.plain.push(plain);
        self.set_up.push(begin_recorded.cpu_us - begin_plain.cpu_us);
        #[allow(clippy::cast_precision_loss, reason = "sizes for people")]
        let bytes = recorded.bytes.saturating_sub(begin_recorded.bytes) as f64;
        self.bytes.push(bytes / frames);
    }

    fn report(self, report: &mut Report) {
        let Self { plain, recorded, added, bytes, set_up } = self;
        let (plain, added) = (median(plain), median(added));
        let mut row = |name: &str, title: &str, value: f64, unit: &'static str| {
            report.add(Row::new(name.to_owned(), title.to_owned(), value, unit));
        };
        row("frame_cpu_us", "a frame's CPU, HAL and library, not recorded", plain, "µs");
        row("frame_recorded_cpu_us", "the same, recorded", median(recorded), "µs");
        let title = "recording's CPU, of the frame's own CPU";
        row("recording_share_of_frame_cpu_ratio", title, added / plain, "×");
        let title = "bytes of a recorded frame, set-up left out";
        row("recording_bytes_per_frame", title, median(bytes), "B");
        let title = "recording's CPU for the set-up, once";
        row("recording_set_up_cpu_us", title, median(set_up), "µs");
        let title = "recording's CPU, of a frame's 33.3 ms".to_owned();
        let name = "recording_share_of_frame_time_ratio".to_owned();
        report.add(Row::new(name, title, added / FRAME_US, "×").at_most(BOUND_SHARE));
    }
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
