//! `cami-ipa run`: acts as a HAL for a number of frames.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_ipu3_requests::{Cause, RequestError, SetUpError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use virtual_camera::{Camera, ChartCamera, SceneModel};

use crate::convergence::{FrameTruth, judge};
use crate::failure::Failure;
use crate::hal::engine::{Engine, EngineError, EngineSetup};
use crate::hal::frame::{FrameAnswers, FrameDriver, exposure_of};
use crate::hal::kills::{KillClock, Killer};
use crate::hal::processes;
use crate::hal::stopwatch::Stopwatch;
use crate::latency::Latencies;
use crate::library::{Paths, Wanted};
use crate::outputs::Outputs;
use crate::progress::{FrameLine, Progress};
use crate::record::{Event, EventKind, Figures, FrameRecord, RunRecord};
use crate::run_options::{DEFAULT_FRAMES, RunOptions};
use crate::summary;
use crate::trace::{AeColumns, AwbColumns, PaColumns, TraceRow};

/// Losses in a row without a completed frame after which a HAL gives up.
const MAX_ATTEMPTS: u32 = 3;
/// A frame takes at least as long, for the choice of a moment in it.
const SHORT: Duration = Duration::from_millis(1);

/// Does it.
pub fn run(options: &RunOptions) -> Result<(), Failure> {
    let wanted = Wanted::of(options);
    let paths = Paths::find(&wanted)?;
    let (camera, frames) = camera(options)?;
    let tuning = match &options.tuning {
        Some(path) => std::fs::read(path)
            .map_err(|error| Failure::environment(format!("{}: {error}", path.display())))?,
        None => Vec::new(),
    };
    let library = paths.load(&wanted)?;
    let outputs = Outputs::create(options)?;
    let setup = EngineSetup { tuning, sensor_size: options.sensor.size, bds: options.bds };
    let clock = Arc::new(KillClock::default());
    let stopwatch = Stopwatch::new(Arc::clone(&clock));
    let engine = Engine::start(library.into(), setup, stopwatch.clone())
        .map_err(|error| start_failure(&error))?;
    let mut run = Run {
        options,
        engine,
        killer: Killer::new(options.kill_victim, options.seed, Arc::clone(&clock)),
        clock,
        stopwatch,
        camera,
        driver: FrameDriver::new(options.lag, options.sensor.timing),
        outputs,
        progress: Progress::new(frames, Outputs::use_stdout(options)),
        start: Instant::now(),
        events: Vec::new(),
        frames: Vec::new(),
        done_at: Vec::new(),
        durations: Latencies::default(),
        restarts: 0,
    };
    let completed = run.drive(frames);
    run.finish(frames, &paths, completed)
}

/// An error of the first start is the environment's; requests that fail are the library's.
fn start_failure(error: &EngineError) -> Failure {
    match error {
        EngineError::SetUp(SetUpError::Request(_)) => Failure::falls_short(error.to_string()),
        _ => Failure::environment(error.to_string()),
    }
}

/// The camera that was asked for, and the number of frames.
fn camera(options: &RunOptions) -> Result<(Box<dyn Camera>, u64), Failure> {
    if let Some(path) = &options.scene {
        let scene = SceneModel::read(path)
            .map_err(|error| Failure::environment(format!("{} {error}", path.display())))?;
        let frames = options.frames.unwrap_or(scene.len() as u64);
        return Ok((Box::new(scene), frames));
    }
    let frames = options.frames.unwrap_or(DEFAULT_FRAMES);
    let lights = ChartCamera::usual_lights((frames / 2).max(1));
    let chart = ChartCamera::new(&lights, options.seed)
        .ok_or_else(|| Failure::environment("the chart has no light".into()))?;
    Ok((Box::new(chart), frames))
}

/// A run that is under way.
struct Run<'a> {
    options: &'a RunOptions,
    engine: Engine,
    killer: Killer,
    clock: Arc<KillClock>,
    stopwatch: Stopwatch,
    camera: Box<dyn Camera>,
    driver: FrameDriver,
    outputs: Outputs,
    progress: Progress,
    start: Instant,
    events: Vec<Event>,
    frames: Vec<FrameRecord>,
    /// When each frame was done.
    done_at: Vec<Duration>,
    durations: Latencies,
    restarts: u64,
}

impl Run<'_> {
    /// Drives all frames. An error ends the run early; what was driven until then is reported.
    fn drive(&mut self, frames: u64) -> Result<(), Failure> {
        for light in self.camera.lights(frames).iter().skip(1) {
            let text = format!("the light changes to {}", light.name);
            self.events.push(Event {
                frame: light.first_frame,
                at: Duration::ZERO,
                kind: EventKind::Light,
                text,
            });
        }
        for number in 0..frames {
            self.wait_for_frame(number);
            if self.options.kill_once == Some(number) {
                self.kill_vendor(number)?;
            }
            if self.options.kill_every.is_some_and(|every| number > 0 && number % every == 0) {
                let usual = self.frames.last().map_or(SHORT, |frame| frame.duration);
                if let Some(killed) = self.killer.arm(number, usual.max(SHORT)) {
                    self.tell(killed.frame, EventKind::Fault, killed.text);
                }
            }
            let answers = self.frame_in_spite_of_losses(number)?;
            self.take(number, &answers)?;
        }
        if let Some(killed) = self.killer.disarm() {
            self.tell(killed.frame, EventKind::Fault, killed.text);
        }
        Ok(())
    }

    /// Waits until a frame is due in real time.
    fn wait_for_frame(&self, number: u64) {
        if self.options.fps > 0 {
            let due = number as f64 / f64::from(self.options.fps);
            let due = Duration::try_from_secs_f64(due).unwrap_or_default();
            std::thread::sleep(due.saturating_sub(self.start.elapsed()));
        }
    }

    fn frame_in_spite_of_losses(&mut self, number: u64) -> Result<FrameAnswers, Failure> {
        for _ in 0..MAX_ATTEMPTS {
            match self.driver.drive(&mut self.engine, &*self.camera, number) {
                Ok(answers) => return Ok(answers),
                Err(error) if matches!(error.cause, Cause::Lost) => {
                    self.tell(number, EventKind::Fault, error.to_string());
                    self.recover(number)?;
                }
                // Two processes were killed with the same request: it has its answer, and is made again.
                Err(error)
                    if self.options.kill_every.is_some()
                        && matches!(error.cause, Cause::Status(_)) =>
                {
                    self.tell(number, EventKind::Fault, error.to_string());
                }
                Err(error) => {
                    let text = format!("frame {number}: {error}");
                    self.tell(number, EventKind::Fault, error.to_string());
                    return Err(Failure::falls_short(text));
                }
            }
        }
        Err(Failure::falls_short(format!(
            "frame {number}: the vendor process was lost {MAX_ATTEMPTS} times in a row; its cause \
             is in the log above"
        )))
    }

    /// What a HAL does after `notify(IPC_ERROR)`.
    fn recover(&mut self, number: u64) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut attempts = 1;
        while let Err(error) = self.engine.restart() {
            let lost = matches!(
                &error,
                EngineError::SetUp(
                    SetUpError::Request(RequestError { cause: Cause::Lost, .. })
                        | SetUpError::Register(_)
                )
            );
            if !lost || attempts >= MAX_ATTEMPTS {
                return Err(Failure::falls_short(format!(
                    "frame {number}: the vendor process was lost and could not be started again: \
                     {error}"
                )));
            }
            attempts += 1;
            self.tell(number, EventKind::Fault, format!("lost once more: {error}"));
        }
        self.restarts += 1;
        self.tell(
            number,
            EventKind::Recovered,
            format!(
                "initialised again, buffers registered, set-up replayed in {:.1} ms",
                begun.elapsed().as_secs_f64() * 1000.0
            ),
        );
        Ok(())
    }

    fn kill_vendor(&mut self, number: u64) -> Result<(), Failure> {
        let found = processes::find().ok_or_else(|| {
            Failure::environment(
                "--kill-once: the library has started no process that could be killed".into(),
            )
        })?;
        let pid = i32::try_from(found.vendor)
            .map_err(|_| Failure::environment(format!("{} is no process", found.vendor)))?;
        let at = Instant::now();
        kill(Pid::from_raw(pid), Signal::SIGKILL).map_err(|error| {
            Failure::environment(format!("--kill-once: process {pid} cannot be killed: {error}"))
        })?;
        self.clock.killed(at, found.host);
        let text = format!("vendor process {pid} killed with SIGKILL (--kill-once)");
        self.tell(number, EventKind::Fault, text);
        Ok(())
    }

    /// Remembers what happened, and says so.
    fn tell(&mut self, frame: u64, kind: EventKind, text: String) {
        self.progress.line(&format!("frame {frame}: {text}"));
        self.events.push(Event { frame, at: self.start.elapsed(), kind, text });
    }

    /// Takes the answers of a frame into trace, record and display.
    fn take(&mut self, number: u64, answers: &FrameAnswers) -> Result<(), Failure> {
        self.outputs.trace(&row(number, self.options.lag, &*self.camera, answers))?;
        let truth = truth(number, &*self.camera, answers);
        let exposure = exposure_of(&answers.ae);
        let cct_k = answers.awb.cct_estimate;
        self.progress.frame(&FrameLine {
            frame: number,
            exposure_us: exposure.time_us,
            analogue_gain: exposure.analogue_gain,
            cct_k,
            truth,
        });
        self.durations.push(answers.duration);
        self.done_at.push(self.start.elapsed());
        self.frames.push(FrameRecord {
            exposure_us: exposure.time_us,
            analogue_gain: exposure.analogue_gain,
            cct_k,
            lens: answers.lens.1,
            truth,
            duration: answers.duration,
        });
        Ok(())
    }

    /// Ends the library, judges, writes everything.
    fn finish(
        mut self,
        frames: u64,
        paths: &Paths,
        completed: Result<(), Failure>,
    ) -> Result<(), Failure> {
        let found = if self.options.in_process { None } else { processes::find() };
        let stopped = match completed {
            Ok(()) => self.engine.stop().map_err(|e| Failure::falls_short(e.to_string())),
            Err(failure) => {
                self.engine.abandon();
                Err(failure)
            }
        };
        let truths: Vec<FrameTruth> = self.frames.iter().map(|frame| frame.truth).collect();
        let lights = judge(&self.camera.lights(frames.min(truths.len() as u64)), &truths);
        self.date_events(&lights);
        let counts = self.engine.requester.answers().counts();
        let kills = self.clock.finish(found.map(|found| found.host));
        let last = self.frames.last();
        let requests = self.stopwatch.take();
        let figures = Figures {
            frames: self.frames.len() as u64,
            ae_converged_frame: lights.first().and_then(|light| light.ae_frame),
            awb_converged_frame: lights.first().and_then(|light| light.awb_frame),
            exposure_us: last.map(|frame| frame.exposure_us),
            analogue_gain: last.map(|frame| frame.analogue_gain),
            cct_k: last.map(|frame| frame.cct_k),
            requests: self.engine.requester.count(),
            callbacks: counts.callbacks,
            request_p50_us: requests.percentile_us(50),
            request_p99_us: requests.percentile_us(99),
            frame_p50_us: self.durations.percentile_us(50),
            host_pid: found.map(|found| found.host),
            restarts: kills.restarts.max(self.restarts),
            notifications: counts.notifications,
            kills: kills.kills,
            lost_completions: self.engine.requester.unanswered(),
            doubled_completions: counts.doubled,
            recovery_p50_us: kills.recoveries.percentile_us(50),
            recovery_p99_us: kills.recoveries.percentile_us(99),
            recovery_max_us: kills.recoveries.percentile_us(100),
        };
        let subject = summary::subject(self.options, paths, &self.engine.ready);
        let record = RunRecord {
            subject,
            frames: self.frames,
            lights,
            events: self.events,
            requests,
            figures,
        };
        for line in summary::lines(&record, self.options) {
            self.progress.line(&line);
        }
        self.outputs.finish(&record)?;
        stopped?;
        summary::verdict(&record)
    }

    /// Adds convergence to the events, and brings all into order.
    fn date_events(&mut self, lights: &[crate::convergence::LightVerdict]) {
        for light in lights {
            for (what, frame) in [("AE", light.ae_frame), ("AWB", light.awb_frame)] {
                if let Some(frame) = frame {
                    self.events.push(Event {
                        frame,
                        at: Duration::ZERO,
                        kind: EventKind::Converged,
                        text: format!("{what} converged under {}", light.name),
                    });
                }
            }
        }
        for event in &mut self.events {
            if matches!(event.kind, EventKind::Light | EventKind::Converged) {
                // Light changes when its frame begins, an answer is there when its frame is done.
                let ends = u64::from(event.kind == EventKind::Converged);
                let index = usize::try_from(event.frame + ends).unwrap_or(usize::MAX);
                let done = index.checked_sub(1).and_then(|index| self.done_at.get(index));
                event.at = done.copied().unwrap_or_default();
            }
        }
        self.events.sort_by_key(|event| event.at);
        let driven = self.frames.len() as u64;
        self.events.retain(|event| event.frame <= driven);
    }
}

/// What the sensor model says of a frame's answers.
fn truth(number: u64, camera: &dyn Camera, answers: &FrameAnswers) -> FrameTruth {
    let exposure = exposure_of(&answers.ae);
    let gains = &answers.pa.results().base.color_gains;
    let green = (f64::from(gains.gr) + f64::from(gains.gb)) / 2.0;
    let worst = |errors: &mut dyn Iterator<Item = f64>| {
        errors.fold(0.0, |worst: f64, error| if error.abs() > worst.abs() { error } else { worst })
    };
    let greys = camera.greys(number);
    let (red, blue) = (f64::from(gains.r) / green, f64::from(gains.b) / green);
    FrameTruth {
        product: exposure.product(),
        level: camera.level(number, &exposure),
        red_error: worst(&mut greys.iter().map(|grey| grey.r_per_g * red - 1.0)),
        blue_error: worst(&mut greys.iter().map(|grey| grey.b_per_g * blue - 1.0)),
    }
}

/// The trace's row.
fn row(number: u64, lag: u64, camera: &dyn Camera, answers: &FrameAnswers) -> TraceRow {
    let ae = answers.ae.results();
    let awb = &answers.awb;
    let pa = &answers.pa.results().base;
    let [[ccm00, ..], ..] = pa.color_conversion_matrix;
    let (sa_width, sa_height) = answers.sa.size();
    let [_, green, _] = answers.gbce.gamma();
    TraceRow {
        frame: number,
        scene: camera.scene(number),
        applied: answers.applied.map(|exposure| (number.saturating_sub(lag), exposure)),
        lens: answers.lens.0,
        ae: AeColumns {
            exposure: exposure_of(&answers.ae),
            iso: ae.exposure.iso,
            coarse: ae.sensor_exposure.coarse_integration_time,
            gain_code: ae.sensor_exposure.analog_gain_code_global,
            digital_gain_code: ae.sensor_exposure.digital_gain_global,
            line_length: ae.sensor_exposure.line_length_pixels,
            frame_length: ae.sensor_exposure.frame_length_lines,
            distance: answers.ae.distance(),
            converged: answers.ae.converged(),
            lux: ae.base.lux_level_estimate,
        },
        awb: AwbColumns {
            accurate_r_per_g: awb.accurate_r_per_g,
            accurate_b_per_g: awb.accurate_b_per_g,
            final_r_per_g: awb.final_r_per_g,
            final_b_per_g: awb.final_b_per_g,
            cct: awb.cct_estimate,
            distance: awb.distance_from_convergence,
        },
        pa: PaColumns {
            gain_gr: pa.color_gains.gr,
            gain_r: pa.color_gains.r,
            gain_b: pa.color_gains.b,
            gain_gb: pa.color_gains.gb,
            black_level_gr: pa.black_level.gr,
            ccm00,
        },
        sa: (sa_width, sa_height, answers.sa.updated()),
        gbce: (
            u32::try_from(green.len()).unwrap_or(0),
            green.get(green.len() / 2).copied().unwrap_or(0.0),
        ),
        af: answers.af.map(|af| {
            let reached = af.final_lens_position_reached != 0;
            (af.status, af.next_lens_position, af.lens_driver_action, reached)
        }),
        statistics: answers.sent,
    }
}
