//! libcamera's IPU3 pipeline handler towards a worker: its calls in their order, with what they carry
//! (spec/libcamera-ipa.md, 3.2).

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use cami_ipu3::uapi::{Params, Stats3a};
use cami_ipu3::{bytes_of, bytes_of_mut, zeroed_box};
use cami_link::{Deadline, sealed_memory, write_all_at};
use cami_wire::libcamera::ipu3::{Call, ConfigInfo, Event, Reply};
use cami_wire::libcamera::{
    Control, ControlInfo, ControlList, ControlType, ControlValue, Dialect, IdMap, IpaBuffer,
    IpaCameraSensorInfo, IpaSettings, ListPacket, Plane, Rectangle, SharedFd, Size,
};

use super::contestants::Contestant;
use super::delays::{DelayedControls, SensorSettings};
use super::worker::{PATIENCE, Worker, WorkerError};
use crate::latency::Latencies;
use crate::sensors::KnownSensor;

const EXPOSURE: u32 = 0x0098_0911;
const VBLANK: u32 = 0x009e_0901;
const HBLANK: u32 = 0x009e_0902;
const ANALOGUE_GAIN: u32 = 0x009e_0903;
const FOCUS_ABSOLUTE: u32 = 0x009a_090a;
/// Codes of the analogue gain: both sensors count 1/128 (libcamera `camera_sensor_helper.cpp`), up to 16.
pub const GAIN_ONE: i32 = 128;
const GAIN_MAX: i32 = 2048;
/// Shortest exposure, in lines.
const LINES_MIN: i32 = 4;
/// Positions of the lens.
const LENS_MAX: i32 = 1023;
/// Buffers of each kind (the pipeline has as many as its streams).
const BUFFERS: u32 = 4;
/// Requests that an application has queued.
const AHEAD: u32 = 4;
/// What the ISP scales to: with it libcamera's IPA, which chooses its own grid, takes 80 × 60 cells.
const BDS: Size = Size { width: 1280, height: 960 };
/// Its input is cut to this multiple of that where it has room for it: factors up to 2.5.
const BDS_FACTORS: [(u32, u32); 2] = [(5, 2), (2, 1)];
/// A frame at 30 per second: an answer that takes longer holds the pipeline up.
pub const FRAME_TIME: Duration = Duration::from_micros(33_333);
/// Answers in a row that may be missing. A worker that answers nothing would take [`PATIENCE`] for each
/// of its frames' two otherwise, which is most of an hour.
const MISSING_IN_A_ROW: u32 = 5;

/// How the worker answered.
#[derive(Debug, Default)]
pub struct Answers {
    /// From `computeParams` to `paramsComputed`.
    pub params: Latencies,
    /// From `processStats` to `metadataReady`.
    pub metadata: Latencies,
    /// After more than [`FRAME_TIME`].
    pub late: u64,
    /// Not within [`PATIENCE`].
    pub missing: u64,
}

impl Answers {
    fn of(&mut self, wanted: Wanted) -> &mut Latencies {
        match wanted {
            Wanted::Params => &mut self.params,
            Wanted::Metadata => &mut self.metadata,
        }
    }
}

/// A worker with a camera that streams.
#[derive(Debug)]
pub struct Pipeline {
    worker: Worker,
    sensor: KnownSensor,
    sensor_map: u32,
    params: Vec<File>,
    statistics: Vec<File>,
    /// From orders to effects.
    pub delays: DelayedControls,
    /// Where the lens is.
    pub lens: i32,
    /// How the worker answered so far.
    pub answers: Answers,
    /// How long is waited for an answer: [`PATIENCE`].
    patience: Duration,
    missing_in_a_row: u32,
}

/// Which answer of a frame is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Params,
    Metadata,
}

impl Pipeline {
    /// Up to a running stream.
    pub fn start(
        contestant: &Contestant,
        sensor: KnownSensor,
        dialect: Dialect,
    ) -> Result<Self, WorkerError> {
        let mut worker = Worker::start(contestant.command(), dialect)?;
        let controls = sensor_controls(&sensor);
        let sensor_map = add_map(&mut worker, controls.clone())?;
        let init = Call::Init {
            settings: IpaSettings {
                configuration_file: contestant.configuration.clone(),
                sensor_model: sensor.name.to_owned(),
            },
            sensor_info: sensor_info(&sensor),
            sensor_controls: Some(send_map(&mut worker, sensor_map)?),
        };
        succeed("init", worker.ask(&init, &[])?)?;
        // Both sides forget their maps.
        worker.serializer.reset();
        let sensor_map = add_map(&mut worker, controls)?;
        let lens_map =
            add_map(&mut worker, vec![limits(FOCUS_ABSOLUTE, ControlLimits::new(0, LENS_MAX, 0))])?;
        let configure = Call::Configure(Box::new(ConfigInfo {
            sensor_info: sensor_info(&sensor),
            sensor_controls: Some(send_map(&mut worker, sensor_map)?),
            lens_controls: Some(send_map(&mut worker, lens_map)?),
            bds_output_size: BDS,
            iif: isp_input(&sensor),
        }));
        succeed("configure", worker.ask(&configure, &[])?)?;
        let memory = |bytes: usize| -> Result<Vec<File>, WorkerError> {
            (0..BUFFERS)
                .map(|_| sealed_memory("ipu3", bytes as u64).map_err(WorkerError::at("memory")))
                .collect()
        };
        let (params, statistics) = (memory(size_of::<Params>())?, memory(size_of::<Stats3a>())?);
        let initial = SensorSettings { lines: default_lines(&sensor), gain_code: GAIN_ONE };
        let mut pipeline = Self {
            worker,
            sensor,
            sensor_map,
            params,
            statistics,
            delays: DelayedControls::new(initial),
            lens: 0,
            answers: Answers::default(),
            patience: PATIENCE,
            missing_in_a_row: 0,
        };
        pipeline.map_buffers()?;
        succeed("start", pipeline.worker.ask(&Call::Start, &[])?)?;
        // What came before the answer: the first exposure.
        pipeline.drain()?;
        for frame in 0..AHEAD {
            pipeline.queue(frame)?;
        }
        Ok(pipeline)
    }

    /// The worker's process.
    pub fn pid(&self) -> i32 {
        self.worker.pid()
    }

    fn map_buffers(&mut self) -> Result<(), WorkerError> {
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let lengths = std::iter::repeat_n(length(size_of::<Params>()), self.params.len())
            .chain(std::iter::repeat_n(length(size_of::<Stats3a>()), self.statistics.len()));
        let buffers = (1..)
            .zip(lengths)
            .map(|(id, length)| IpaBuffer {
                id,
                planes: vec![Plane { fd: SharedFd { valid: true }, offset: 0, length }],
            })
            .collect();
        let fds: Vec<_> = self.params.iter().chain(&self.statistics).map(AsFd::as_fd).collect();
        self.worker.ask(&Call::MapBuffers(buffers), &fds).map(drop)
    }

    fn queue(&mut self, frame: u32) -> Result<(), WorkerError> {
        let nothing = ControlList { handle: 0, id_map: IdMap::Controls, controls: Vec::new() };
        let call = Call::QueueRequest { frame, controls: Some(ListPacket::from(nothing)) };
        self.worker.tell(&call).map(drop)
    }

    /// The parameters of a frame; those of an earlier one if the worker gives none.
    pub fn compute_params(&mut self, frame: u32) -> Result<Box<Params>, WorkerError> {
        let buffer_id = 1 + frame % BUFFERS;
        self.drain()?;
        let begun = self.worker.tell(&Call::ComputeParams { frame, buffer_id })?;
        self.wait_for(Wanted::Params, frame, begun)?;
        let mut params = zeroed_box::<Params>();
        let file = self.params.get(frame as usize % BUFFERS as usize);
        let file = file.ok_or_else(|| WorkerError::new("there is no such buffer"))?;
        let bytes = bytes_of_mut(&mut *params);
        file.read_exact_at(bytes, 0).map_err(WorkerError::at("the parameters"))?;
        Ok(params)
    }

    /// Gives the worker the statistics of a frame, and takes what it orders.
    pub fn process_stats(
        &mut self,
        frame: u32,
        stats: &Stats3a,
        in_effect: SensorSettings,
    ) -> Result<(), WorkerError> {
        let file = self.statistics.get(frame as usize % BUFFERS as usize);
        let file = file.ok_or_else(|| WorkerError::new("there is no such buffer"))?;
        write_all_at(file, bytes_of(stats), 0).map_err(WorkerError::at("the statistics"))?;
        let value = |id, value: i32| Control { id, value: ControlValue::scalar(&value) };
        let list = ControlList {
            handle: self.sensor_map,
            id_map: IdMap::V4l2,
            controls: vec![
                value(EXPOSURE, in_effect.lines),
                value(ANALOGUE_GAIN, in_effect.gain_code),
            ],
        };
        let list = self.worker.serializer.send_list(list).map_err(WorkerError::at("a list"))?;
        let call = Call::ProcessStats {
            frame,
            frame_timestamp: i64::from(frame).saturating_mul(self.frame_ns()),
            buffer_id: 1 + BUFFERS + frame % BUFFERS,
            sensor_controls: Some(list),
        };
        self.drain()?;
        let begun = self.worker.tell(&call)?;
        self.wait_for(Wanted::Metadata, frame, begun)?;
        self.queue(frame.saturating_add(AHEAD))
    }

    /// Time of a frame.
    fn frame_ns(&self) -> i64 {
        let lines = f64::from(self.sensor.timing.lines_per_frame);
        #[expect(clippy::cast_possible_truncation, reason = "a frame takes some 33 ms")]
        let ns = (lines * line_us(&self.sensor) * 1000.0).round() as i64;
        ns
    }

    /// Time of lines, in µs, as the sensor exposes them.
    pub fn exposure_us(&self, lines: i32) -> i32 {
        #[expect(clippy::cast_possible_truncation, reason = "float casts saturate")]
        let us = (f64::from(lines) * line_us(&self.sensor)).round() as i32;
        us
    }

    fn wait_for(&mut self, wanted: Wanted, frame: u32, begun: Instant) -> Result<(), WorkerError> {
        let until = Deadline::after(self.patience);
        loop {
            // A socket that is never empty has the deadline of one that is.
            let found = if until.has_passed() { None } else { self.worker.event(until)? };
            let Some(found) = found else {
                return self.missing(wanted, begun);
            };
            if self.take(found.event)? != Some((wanted, frame)) {
                // An answer that was given up comes after all, or what was ordered.
                continue;
            }
            let took = found.at.saturating_duration_since(begun);
            self.answers.late += u64::from(took > FRAME_TIME);
            self.answers.of(wanted).push(took);
            self.missing_in_a_row = 0;
            return Ok(());
        }
    }

    fn missing(&mut self, wanted: Wanted, begun: Instant) -> Result<(), WorkerError> {
        self.answers.missing += 1;
        // Its time counts: a percentile that leaves out the slowest says nothing.
        self.answers.of(wanted).push(begun.elapsed());
        self.missing_in_a_row += 1;
        if self.missing_in_a_row >= MISSING_IN_A_ROW {
            return Err(WorkerError::new(format!(
                "{MISSING_IN_A_ROW} answers in a row are missing"
            )));
        }
        Ok(())
    }

    /// Takes what came before it was asked for: it is no answer to what is sent now.
    fn drain(&mut self) -> Result<(), WorkerError> {
        while let Some(found) = self.worker.event(Deadline::now())? {
            self.take(found.event)?;
        }
        Ok(())
    }

    /// Does what an event says; which answer of which frame it was, if it was one.
    fn take(&mut self, event: Event) -> Result<Option<(Wanted, u32)>, WorkerError> {
        match event {
            Event::ParamsComputed { frame } => Ok(Some((Wanted::Params, frame))),
            Event::MetadataReady { frame, metadata } => {
                if let Some(metadata) = metadata {
                    self.receive(metadata)?;
                }
                Ok(Some((Wanted::Metadata, frame)))
            }
            Event::SetSensorControls { sensor_controls, lens_controls, .. } => {
                if let Some(sensor) = sensor_controls {
                    let list = self.receive(sensor)?;
                    self.order(&list);
                }
                if let Some(lens) = lens_controls {
                    let list = self.receive(lens)?;
                    let position = list.get(FOCUS_ABSOLUTE).and_then(ControlValue::get::<i32>);
                    self.lens = position.unwrap_or(self.lens).clamp(0, LENS_MAX);
                }
                Ok(None)
            }
        }
    }

    fn receive(&mut self, packet: ListPacket) -> Result<ControlList, WorkerError> {
        self.worker.serializer.receive_list(packet).map_err(WorkerError::at("a list of controls"))
    }

    /// What the driver would do with it: limit it.
    fn order(&mut self, list: &ControlList) {
        let Some(newest) = self.delays.newest() else { return };
        let of = |id, old: i32| list.get(id).and_then(ControlValue::get::<i32>).unwrap_or(old);
        let lines = of(EXPOSURE, newest.lines).clamp(LINES_MIN, lines_max(&self.sensor));
        let gain_code = of(ANALOGUE_GAIN, newest.gain_code).clamp(GAIN_ONE, GAIN_MAX);
        self.delays.push(SensorSettings { lines, gain_code });
    }

    /// The stream ends, and the worker; how it answered.
    pub fn stop(mut self) -> Result<Answers, WorkerError> {
        self.worker.ask(&Call::Stop, &[])?;
        let ids = (1..=2 * BUFFERS).collect();
        self.worker.ask(&Call::UnmapBuffers(ids), &[])?;
        self.worker.exit()?;
        Ok(self.answers)
    }
}

fn add_map(worker: &mut Worker, controls: Vec<ControlInfo>) -> Result<u32, WorkerError> {
    worker.serializer.add_map(IdMap::V4l2, controls).map_err(WorkerError::at("controls"))
}

fn send_map(
    worker: &mut Worker,
    handle: u32,
) -> Result<cami_wire::libcamera::InfoMapPacket, WorkerError> {
    worker.serializer.send_map(handle).map_err(WorkerError::at("controls"))
}

/// An answer that must say 0.
fn succeed(call: &str, reply: Reply) -> Result<(), WorkerError> {
    match reply {
        Reply::Init { ret: 0, .. } | Reply::Configure { ret: 0, .. } | Reply::Start { ret: 0 } => {
            Ok(())
        }
        Reply::Init { ret, .. } | Reply::Configure { ret, .. } | Reply::Start { ret } => {
            let errno = nix::errno::Errno::from_raw(ret.saturating_neg());
            Err(WorkerError::new(format!("{call} fails: {errno}")))
        }
        other => Err(WorkerError::new(format!("{call} is answered with {other:?}"))),
    }
}

/// What a control may be.
#[derive(Debug, Clone, Copy)]
struct ControlLimits {
    min: i32,
    max: i32,
    def: i32,
}

impl ControlLimits {
    fn new(min: i32, max: i32, def: i32) -> Self {
        Self { min, max, def }
    }
}

fn limits(id: u32, ControlLimits { min, max, def }: ControlLimits) -> ControlInfo {
    let [min, max, def] = [min, max, def].map(|value| ControlValue::scalar(&value));
    ControlInfo { id, kind: ControlType::Integer32, direction: 3, min, max, def }
}

fn sensor_controls(sensor: &KnownSensor) -> Vec<ControlInfo> {
    let (width, height) = sensor.size;
    let vblank = i32::from(sensor.timing.lines_per_frame) - i32::from(height);
    // A line may be shorter than the picture is wide where pixels come two by two.
    let hblank = (i32::from(sensor.timing.pixels_per_line) - i32::from(width)).max(0);
    vec![
        limits(EXPOSURE, ControlLimits::new(LINES_MIN, lines_max(sensor), default_lines(sensor))),
        limits(ANALOGUE_GAIN, ControlLimits::new(GAIN_ONE, GAIN_MAX, GAIN_ONE)),
        limits(VBLANK, ControlLimits::new(vblank, 30_000, vblank)),
        limits(HBLANK, ControlLimits::new(hblank, hblank, hblank)),
    ]
}

fn lines_max(sensor: &KnownSensor) -> i32 {
    i32::from(sensor.timing.lines_per_frame) - i32::from(sensor.timing.coarse_max_margin)
}

/// What drivers begin with: half of it.
fn default_lines(sensor: &KnownSensor) -> i32 {
    lines_max(sensor) / 2
}

fn line_us(sensor: &KnownSensor) -> f64 {
    f64::from(sensor.timing.pixels_per_line) / f64::from(sensor.timing.clock_mhz)
}

fn sensor_info(sensor: &KnownSensor) -> IpaCameraSensorInfo {
    let (width, height) = (u32::from(sensor.size.0), u32::from(sensor.size.1));
    let size = Size { width, height };
    let timing = &sensor.timing;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some 10^8 Hz")]
    let pixel_rate = (f64::from(timing.clock_mhz) * 1e6).round() as u64;
    IpaCameraSensorInfo {
        model: sensor.name.to_owned(),
        bits_per_pixel: 10,
        cfa_pattern: 0,
        active_area_size: size,
        analog_crop: Rectangle { x: 0, y: 0, width, height },
        output_size: size,
        pixel_rate,
        min_line_length: u32::from(timing.pixels_per_line),
        max_line_length: u32::from(timing.pixels_per_line),
        min_frame_length: u32::from(timing.lines_per_frame),
        max_frame_length: height.saturating_add(30_000),
    }
}

/// The largest part of the picture that the ISP can scale to [`BDS`].
fn isp_input(sensor: &KnownSensor) -> Size {
    let (width, height) = (u32::from(sensor.size.0), u32::from(sensor.size.1));
    BDS_FACTORS
        .iter()
        .map(|(times, over)| Size {
            width: BDS.width * times / over,
            height: BDS.height * times / over,
        })
        .find(|size| size.width <= width && size.height <= height)
        .unwrap_or(BDS)
}

#[cfg(test)]
mod tests {
    use super::super::worker::fake;
    use super::*;

    /// A pipeline whose worker is the other end of what is returned.
    fn pipeline(patience: Duration) -> (Pipeline, cami_link::Link) {
        let (worker, theirs) = fake::worker();
        let sensor = KnownSensor::by_name("ov5670").expect("a known sensor");
        let bytes = size_of::<Params>() as u64;
        let params = (0..BUFFERS).map(|_| sealed_memory("t", bytes).expect("memory"));
        let initial = SensorSettings { lines: default_lines(&sensor), gain_code: GAIN_ONE };
        let pipeline = Pipeline {
            worker,
            sensor,
            sensor_map: 0,
            params: params.collect(),
            statistics: Vec::new(),
            delays: DelayedControls::new(initial),
            lens: 0,
            answers: Answers::default(),
            patience,
            missing_in_a_row: 0,
        };
        (pipeline, theirs)
    }

    #[test]
    fn a_worker_that_answers_nothing_is_given_up() {
        let patience = Duration::from_millis(20);
        let (mut pipeline, _theirs) = pipeline(patience);
        let error = (0..100).find_map(|frame| pipeline.compute_params(frame).err());
        let error = error.expect("an end").to_string();
        assert!(error.contains("5 answers in a row are missing"), "{error}");
        assert_eq!(pipeline.answers.missing, 5);
        // They count with the time that was waited for them.
        let fastest = pipeline.answers.params.percentile_us(1).expect("times");
        assert!(fastest >= 20_000, "{fastest}");
    }

    #[test]
    fn a_worker_that_floods_is_given_up() {
        for event in [
            Event::ParamsComputed { frame: 99 },
            Event::SetSensorControls { frame: 0, sensor_controls: None, lens_controls: None },
        ] {
            let (mut pipeline, theirs) = pipeline(PATIENCE);
            let flood = fake::flood(theirs, &event);
            let error = (0..1000).find_map(|frame| pipeline.compute_params(frame).err());
            let error = error.expect("an end").to_string();
            assert!(error.contains("nobody waits for"), "{error}");
            drop(pipeline);
            flood.join().expect("the flood ends with the socket");
        }
    }

    #[test]
    fn the_isp_takes_what_it_can_scale() {
        let input = |name: &str| isp_input(&KnownSensor::by_name(name).expect("a known sensor"));
        assert_eq!(input("ov13858"), Size { width: 3200, height: 2400 });
        assert_eq!(input("ov5670"), Size { width: 2560, height: 1920 });
    }

    #[test]
    fn an_errno_is_told_by_its_name() {
        let error = succeed("init", Reply::Start { ret: -2 }).expect_err("an error");
        assert!(error.to_string().contains("ENOENT"), "{error}");
    }
}
