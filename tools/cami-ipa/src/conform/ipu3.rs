//! Intel's IPU3 protocol: every command with good, short, missing and unknown buffers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cami_abi::CameraAlgorithm;
use cami_conform::Verdict;
use cami_ipu3::{Command, HEADER, STATUS_FAILED, STATUS_OK};
use virtual_camera::ChartCamera;

use super::hal::{Hal, Trouble, memory};
use super::job::{Done, Job};
use super::log::take_cause;
use crate::hal::engine::{Engine, EngineSetup};
use crate::hal::frame::FrameDriver;
use crate::hal::kills::KillClock;
use crate::hal::stopwatch::Stopwatch;
use crate::sensors::Sensor;
use crate::status::human::printable;

type Outcome = Result<Verdict, Verdict>;

/// Frames of a session.
const FRAMES: u64 = 5;
/// A handle that no library has got to.
const UNKNOWN: i32 = 123_456_789;
/// Numbers around and far from the last command's.
const UNKNOWN_COMMANDS: [u32; 5] = [0, 30, 31, 255, u32::MAX];
/// What is told of a rule with many commands.
const MAX_TOLD: usize = 5;

/// Looks at the job's rule.
pub fn look(job: &Job) -> Done {
    if job.ask.rule == "ipu3.session" {
        return session(job);
    }
    let look = match job.ask.rule.as_str() {
        "ipu3.header" => header,
        "ipu3.missing-buffer" => missing_buffer,
        "ipu3.unknown-buffer" => unknown_buffer,
        "ipu3.short-buffer" => short_buffer,
        "ipu3.unknown-commands" => unknown_commands,
        "ipu3.order-in-group" => order_in_group,
        "ipu3.duplicate-command" => duplicate_command,
        "ipu3.handles-never-reused" => handles_never_reused,
        "ipu3.zero-payload" => zero_payload,
        other => return Done::Environment(format!("nobody looks at {other}")),
    };
    let outcome = Hal::start(job).and_then(|hal| {
        let outcome = look(&hal);
        hal.end();
        outcome
    });
    Done::Verdict(outcome.unwrap_or_else(|verdict| verdict))
}

fn session(job: &Job) -> Done {
    let tuning = match job.tuning.as_deref().map(std::fs::read).transpose() {
        Ok(tuning) => tuning.unwrap_or_default(),
        Err(error) => return Done::Environment(format!("the tuning file: {error}")),
    };
    let without_tuning = tuning.is_empty();
    let sensor = Sensor::default();
    let setup = EngineSetup { tuning, sensor_size: sensor.size, bds: (1920, 1080) };
    let clock = Arc::new(KillClock::default());
    let library = super::beside::client(&job.ask.library);
    let failed = |text: String| {
        let hint =
            if without_tuning { " (there is no tuning file: --tuning names one)" } else { "" };
        Done::Verdict(Verdict::fail(format!("{}{hint}", printable(&text))))
    };
    let mut engine = match Engine::start(Arc::new(library), setup, Stopwatch::new(clock)) {
        Ok(engine) => engine,
        Err(error) => return failed(format!("set-up: {error}")),
    };
    let Some(camera) = ChartCamera::new(&ChartCamera::usual_lights(FRAMES), 1) else {
        return Done::Environment("the chart has no light".to_owned());
    };
    let mut driver = FrameDriver::new(1, sensor.timing);
    for number in 0..FRAMES {
        if let Err(error) = driver.drive(&mut engine, &camera, number) {
            return failed(format!("frame {number}: {error}"));
        }
    }
    if let Err(error) = super::seldom::commands(&mut engine) {
        return failed(format!("after the frames: {error}"));
    }
    match engine.stop() {
        Ok(()) => Done::Verdict(Verdict::pass(format!("version {}", engine.ready.version))),
        Err(error) => failed(format!("tear-down: {error}")),
    }
}

/// What was found wrong, command by command.
#[derive(Debug, Default)]
struct Findings {
    wrong: Vec<String>,
    looked_at: usize,
}

impl Findings {
    /// Makes one request and checks its status; after a death the library is started again.
    fn look(
        &mut self,
        hal: &Hal<'_>,
        what: &str,
        made: Result<u32, Trouble>,
        right: &[u32],
    ) -> Result<(), Verdict> {
        self.looked_at += 1;
        match made {
            Ok(status) if right.contains(&status) => {}
            Ok(status) => self.wrong.push(format!("{what}: status {status}")),
            Err(trouble) => {
                let lost = matches!(trouble, Trouble::Lost(_));
                self.wrong.push(format!("{what}: {trouble}"));
                if lost {
                    hal.begin().map_err(|why| hal.blame("host.restart", why))?;
                }
            }
        }
        Ok(())
    }

    fn verdict(self) -> Outcome {
        if self.wrong.is_empty() {
            return Ok(Verdict::pass(format!("{} requests", self.looked_at)));
        }
        let more = self.wrong.len().saturating_sub(MAX_TOLD);
        let mut told = self.wrong;
        told.truncate(MAX_TOLD);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        Ok(Verdict::fail(format!("{}{more}", told.join("; "))))
    }
}

fn header(hal: &Hal<'_>) -> Outcome {
    let mut findings = Findings::default();
    let handle = hal.register(&memory(4096)?)?;
    let command = Command::AiqGetVersion.number();
    for header in [&[][..], &[0x55], &[0, 0x56], &[0xff, 0xff, 0xff]] {
        let made = hal.ask(command, header, handle);
        findings.look(hal, &format!("header {header:02x?}"), made, &[STATUS_FAILED])?;
    }
    findings.verdict()
}

/// The status of each command without its buffer.
fn without_its_buffer(command: Command) -> &'static [u32] {
    // It has none: what it answers without one depends on the face engine, which a library may lack.
    if command == Command::FaceUninit { &[STATUS_OK, STATUS_FAILED] } else { &[STATUS_FAILED] }
}

fn with_handle(hal: &Hal<'_>, handle: i32) -> Outcome {
    let mut findings = Findings::default();
    for command in Command::ALL {
        let made = hal.ask(command.number(), &HEADER, handle);
        findings.look(hal, command.name(), made, without_its_buffer(*command))?;
    }
    findings.verdict()
}

fn missing_buffer(hal: &Hal<'_>) -> Outcome {
    with_handle(hal, -1)
}

fn unknown_buffer(hal: &Hal<'_>) -> Outcome {
    with_handle(hal, UNKNOWN)
}

/// Commands with a payload, each with a buffer of that size.
fn with_buffers(
    hal: &Hal<'_>,
    size: impl Fn(u64) -> u64,
    right: impl Fn(Command) -> &'static [u32],
) -> Outcome {
    let mut findings = Findings::default();
    for command in Command::ALL.iter().filter(|command| command.payload_bytes() > 1) {
        let file = memory(size(command.payload_bytes() as u64))?;
        let handle = hal.register(&file)?;
        let made = hal.ask(command.number(), &HEADER, handle);
        let lived = !matches!(made, Err(Trouble::Lost(_)));
        findings.look(hal, command.name(), made, right(*command))?;
        if lived {
            hal.library().deregister_buffers(&[handle]);
        }
    }
    findings.verdict()
}

/// Half, and not a byte less: the original looks a few bytes too short in AIC_GETAICCONFIG.
fn short_buffer(hal: &Hal<'_>) -> Outcome {
    with_buffers(
        hal,
        |payload| payload / 2,
        |command| match command {
            Command::AicRun | Command::AicReset => &[STATUS_OK, STATUS_FAILED],
            _ => &[STATUS_FAILED],
        },
    )
}

fn zero_payload(hal: &Hal<'_>) -> Outcome {
    with_buffers(hal, |payload| payload, |_| &[STATUS_OK, STATUS_FAILED])
}

fn unknown_commands(hal: &Hal<'_>) -> Outcome {
    let mut findings = Findings::default();
    let handle = hal.register(&memory(4096)?)?;
    for command in UNKNOWN_COMMANDS {
        let made = hal.ask(command, &HEADER, handle);
        findings.look(hal, &format!("command {command}"), made, &[STATUS_FAILED])?;
    }
    findings.verdict()
}

fn order_in_group(hal: &Hal<'_>) -> Outcome {
    const ROUNDS: usize = 5;
    for _ in 0..ROUNDS {
        let mark = hal.mark();
        for command in Command::ALL {
            hal.library().request(command.number(), &HEADER, -1);
        }
        enough(hal, mark, Command::ALL.len())?;
        let answers = hal.since(mark);
        for group in [1..=5, 6..=16, 17..=29] {
            let order: Vec<u32> = answers
                .iter()
                .map(|answer| answer.req_id)
                .filter(|req_id| group.contains(req_id))
                .collect();
            if !order.is_sorted() {
                return Ok(Verdict::fail(format!("answers came in the order {order:?}")));
            }
        }
    }
    Ok(Verdict::pass(""))
}

fn duplicate_command(hal: &Hal<'_>) -> Outcome {
    let handles = [hal.register(&memory(4096)?)?, hal.register(&memory(4096)?)?];
    let mark = hal.mark();
    for handle in handles {
        hal.library().request(Command::AiqGetVersion.number(), &HEADER, handle);
    }
    enough(hal, mark, handles.len())?;
    let answered: Vec<i32> = hal.since(mark).iter().map(|answer| answer.handle).collect();
    if handles.iter().all(|handle| answered.contains(handle)) {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!("requests on buffers {handles:?} were answered on {answered:?}")))
}

/// Waits until so many answers have come.
fn enough(hal: &Hal<'_>, mark: usize, count: usize) -> Result<(), Verdict> {
    if hal.wait_for(mark, count) {
        return Ok(());
    }
    if hal.is_lost(Duration::ZERO) {
        return Err(Verdict::fail(take_cause()));
    }
    Err(Verdict::fail(format!("{} of {count} requests were answered", hal.since(mark).len())))
}

fn handles_never_reused(hal: &Hal<'_>) -> Outcome {
    let mut seen = HashSet::new();
    let mut last = 0;
    for _ in 0..20 {
        let mut handles = Vec::new();
        for _ in 0..3 {
            let handle = hal.register(&memory(4096)?)?;
            if !seen.insert(handle) || handle <= last {
                return Ok(Verdict::fail(format!("the handle {handle} came after {last}")));
            }
            last = handle;
            handles.push(handle);
        }
        hal.library().deregister_buffers(&handles);
    }
    Ok(Verdict::pass(""))
}
