//! What is ours of a frame at libcamera's door: `computeParams` and `processStats` without the library.
//!
//! The translation runs in this process in front of a library that first works, until exposure and white
//! balance have settled, and is then frozen: it answers each request at once and on the same thread, and
//! what it answers stands in the request's buffer from before. So a frame goes its whole way, requests,
//! checks and conversions included, and nothing of it is the library's time. Frames alternate with plain
//! copies of `ipu3_uapi_params`.

use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cam_algo_reference::Server;
use cami_abi::{Callbacks, CameraAlgorithm, VendorLibrary};
use cami_ipu3::uapi::Params;
use cami_ipu3::{bytes_of, bytes_of_mut, zeroed_box};
use cami_ipu3_ipa::{
    ControlIds, Files, IdSet, Ipa, Mode, Places, Processed, SensorSettings, SystemFiles,
    Translation,
};
use cami_wire::libcamera::{
    Control, ControlInfo, ControlList, ControlType, ControlValue, IdMap, IpaCameraSensorInfo,
    IpaSettings, Rectangle, Size,
};
use virtual_camera::{Camera as _, ChartCamera, Exposure, Stripes, raw_statistics};

use crate::failure::Failure;
use crate::options::Options;
use crate::report::{Report, Row};
use crate::room::Room;
use crate::statistics::median;

/// SPECIFICATION.md: both calls of a frame.
const BOUND_US: f64 = 100.0;
/// The same in copies of the parameters, which take 1.0 µs where the bound above was set.
const BOUND_COPIES: f64 = 100.0;
/// Frames until everything has settled.
const SETTLING: u32 = 60;
/// Longer than any call of a library that works.
const PLENTY: Duration = Duration::from_secs(30);

const MODEL: &str = "ov13858";
const EXPOSURE: u32 = 0x0098_0911;
const VBLANK: u32 = 0x009e_0901;
const ANALOGUE_GAIN: u32 = 0x009e_0903;
const FOCUS: u32 = 0x009a_090a;

/// Measures it with the reference library, and with the one that the environment names.
pub(crate) fn measure(room: &Room, options: &Options, report: &mut Report) -> Result<(), Failure> {
    report.progress("our share of a frame at libcamera's door");
    let reference: Arc<dyn CameraAlgorithm> = Arc::new(Server::new());
    let empty = room.path("none.aiqb");
    std::fs::write(&empty, b"").map_err(Failure::at(empty.display()))?;
    let share = Share::of(reference, &empty, options)?;
    share.add(report, "frame", "our share of a frame, reference library");
    let Some(vendor) = std::env::var_os("CAMI_IPA_VENDOR_LIBRARY").filter(|name| !name.is_empty())
    else {
        return Ok(());
    };
    report.progress(&format!("the same in front of {}", vendor.display()));
    // The shim takes the rest of its settings from the same environment.
    let shim = VendorLibrary::load(&room.shim()).map_err(Failure::at("libcam_algo.so"))?;
    let tuning = tuning()?.unwrap_or(empty);
    let share = Share::of(Arc::new(shim), &tuning, options)?;
    share.add(report, "frame_vendor", "our share of a frame, $CAMI_IPA_VENDOR_LIBRARY");
    Ok(())
}

/// The sensor's tuning file of `CAMI_IPA_TUNING`.
fn tuning() -> Result<Option<PathBuf>, Failure> {
    let Ok(text) = std::env::var("CAMI_IPA_TUNING") else { return Ok(None) };
    let file =
        text.split(',').find_map(|entry| entry.trim().strip_prefix(MODEL)?.strip_prefix('='));
    let file =
        file.ok_or_else(|| Failure::new(format!("CAMI_IPA_TUNING names no file as {MODEL}=FILE")))?;
    Ok(Some(PathBuf::from(file)))
}

/// A library that can be frozen.
struct Freezer {
    library: Arc<dyn CameraAlgorithm>,
    frozen: AtomicBool,
    callbacks: OnceLock<Arc<dyn Callbacks>>,
}

impl CameraAlgorithm for Freezer {
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        let callbacks = Arc::clone(self.callbacks.get_or_init(|| callbacks));
        self.library.initialize(callbacks)
    }
    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        self.library.register_buffer(fd)
    }
    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        match self.callbacks.get() {
            Some(callbacks) if self.frozen.load(Ordering::Relaxed) => {
                callbacks.returned(req_id, cami_ipu3::STATUS_OK, buffer_handle);
            }
            _ => self.library.request(req_id, header, buffer_handle),
        }
    }
    fn deregister_buffers(&self, buffer_handles: &[i32]) {
        self.library.deregister_buffers(buffer_handles);
    }
    fn update_return(&self, upd_id: u32, status: u32, fd: Option<OwnedFd>) {
        self.library.update_return(upd_id, status, fd);
    }
    fn deinitialize(&self) {
        self.library.deinitialize();
    }
}

/// Medians, in µs.
struct Share {
    compute_params: f64,
    process_stats: f64,
    both: f64,
    copy: f64,
}

impl Share {
    fn of(
        library: Arc<dyn CameraAlgorithm>,
        tuning: &Path,
        options: &Options,
    ) -> Result<Self, Failure> {
        let freezer = Arc::new(Freezer {
            library,
            frozen: AtomicBool::new(false),
            callbacks: OnceLock::new(),
        });
        let mut frames = Frames::start(Arc::clone(&freezer) as Arc<dyn CameraAlgorithm>, tuning)?;
        let mut before = frames.next()?;
        for _ in 1..SETTLING {
            before = frames.next()?;
        }
        freezer.frozen.store(true, Ordering::Relaxed);
        let (from, mut to) = (zeroed_box::<Params>(), zeroed_box::<Params>());
        let mut samples: [Vec<f64>; 4] = Default::default();
        for _ in 0..options.count(4000, 800) {
            let frame = frames.next()?;
            if frame.params != before.params || frame.sensor != before.sensor {
                return Err(Failure::new(
                    "a frozen library changes its answers: nothing is measured",
                ));
            }
            let begun = Instant::now();
            bytes_of_mut(black_box(&mut *to)).copy_from_slice(bytes_of(black_box(&*from)));
            let copy = begun.elapsed();
            let times = [
                frame.compute_params,
                frame.process_stats,
                frame.compute_params + frame.process_stats,
            ];
            for (samples, time) in samples.iter_mut().zip(times.into_iter().chain([copy])) {
                samples.push(time.as_secs_f64() * 1e6);
            }
            before = frame;
        }
        let [compute_params, process_stats, both, copy] = samples.map(median);
        freezer.frozen.store(false, Ordering::Relaxed);
        Ok(Self { compute_params, process_stats, both, copy })
    }

    fn add(&self, report: &mut Report, name: &str, what: &str) {
        report
            .add(Row::new(format!("{name}_share_p50_us"), what, self.both, "µs").at_most(BOUND_US));
        let part = |what: &str| format!("  of it {what}");
        report.add(Row::new(
            format!("{name}_compute_params_p50_us"),
            part("computeParams"),
            self.compute_params,
            "µs",
        ));
        report.add(Row::new(
            format!("{name}_process_stats_p50_us"),
            part("processStats"),
            self.process_stats,
            "µs",
        ));
        let against = "  against a copy of the parameters";
        let ratio = self.both / self.copy;
        let row = Row::new(format!("{name}_share_to_copy_ratio"), against, ratio, "×");
        report.add(row.at_most(BOUND_COPIES));
    }
}

/// A frame, and how long its calls took.
struct Frame {
    params: Vec<u8>,
    sensor: Option<SensorSettings>,
    compute_params: Duration,
    process_stats: Duration,
}

/// A stream in front of the chart under daylight, whose exposure is what was ordered last.
struct Frames {
    ipa: Translation,
    chart: ChartCamera,
    statistics: Vec<u8>,
    settings: SensorSettings,
    number: u32,
}

impl Frames {
    fn start(library: Arc<dyn CameraAlgorithm>, tuning: &Path) -> Result<Self, Failure> {
        let places =
            Places { tuning: vec![(MODEL.to_owned(), tuning.to_path_buf())], ..Places::default() };
        let files: Box<dyn Files> = Box::new(SystemFiles);
        let mut ipa = Translation::new(library, files, places, ControlIds::from(IdSet::From0_5))
            .map_err(Failure::at("memory"))?;
        let settings =
            IpaSettings { configuration_file: String::new(), sensor_model: MODEL.to_owned() };
        let mode = mode();
        let plenty = || Instant::now() + PLENTY;
        let failed = |call: &'static str| {
            move |error: cami_ipu3_ipa::IpaError| Failure::new(format!("{call}: {}", error.text))
        };
        ipa.init(&settings, &mode.sensor, &mode.sensor_controls, plenty())
            .map_err(failed("init"))?;
        ipa.configure(&mode, plenty()).map_err(failed("configure"))?;
        let settings = ipa.start(plenty()).map_err(failed("start"))?;
        let chart = ChartCamera::new(&ChartCamera::usual_lights(u64::MAX), 1)
            .ok_or_else(|| Failure::new("there is no light"))?;
        Ok(Self { ipa, chart, statistics: Vec::new(), settings, number: 0 })
    }

    fn next(&mut self) -> Result<Frame, Failure> {
        let number = self.number;
        self.number += 1;
        if number < SETTLING {
            let exposure = exposure(&self.settings);
            let grids = self.chart.grids(u64::from(number), &exposure, 300);
            let raw = raw_statistics(&grids, Stripes::Two { rgbs: 41, af: 17 });
            self.statistics = bytes_of(&*raw).to_vec();
        }
        let value = |id, value: i32| Control { id, value: ControlValue::scalar(&value) };
        let in_effect = ControlList {
            handle: 1,
            id_map: IdMap::V4l2,
            controls: vec![
                value(EXPOSURE, self.settings.exposure_lines),
                value(ANALOGUE_GAIN, self.settings.analogue_gain_code),
            ],
        };
        let until = Instant::now() + PLENTY;
        let begun = Instant::now();
        let params = self.ipa.compute_params(number, until);
        let compute_params = begun.elapsed();
        let params = params.ok_or_else(|| Failure::new("a frame has no parameters"))?.to_vec();
        let timestamp = 33_330_370 * i64::from(number);
        let begun = Instant::now();
        let processed: Processed =
            self.ipa.process_stats(number, timestamp, &self.statistics, &in_effect, until);
        let process_stats = begun.elapsed();
        if let Some(sensor) = processed.sensor.filter(|_| number < SETTLING) {
            self.settings = sensor;
        }
        let sensor =
            processed.sensor.map(|sensor| SensorSettings { lens_position: None, ..sensor });
        Ok(Frame { params, sensor, compute_params, process_stats })
    }
}

fn exposure(settings: &SensorSettings) -> Exposure {
    #[expect(clippy::cast_possible_truncation, reason = "float casts saturate")]
    let time_us = (f64::from(settings.exposure_lines) * 4480.0 / 432.0).round() as i32;
    #[expect(clippy::cast_possible_truncation, reason = "16 bits are exact")]
    let analogue_gain = (f64::from(settings.analogue_gain_code) / 128.0) as f32;
    Exposure { time_us, analogue_gain, digital_gain: 1.0 }
}

fn limits(id: u32, min: i32, max: i32) -> ControlInfo {
    let [min, max, def] = [min, max, min].map(|value| ControlValue::scalar(&value));
    ControlInfo { id, kind: ControlType::Integer32, direction: 3, min, max, def }
}

/// The sensor of the recorded runs, scaled to HD.
fn mode() -> Mode {
    let size = Size { width: 4224, height: 3136 };
    Mode {
        sensor: IpaCameraSensorInfo {
            model: MODEL.to_owned(),
            bits_per_pixel: 10,
            cfa_pattern: 0,
            active_area_size: size,
            analog_crop: Rectangle { x: 0, y: 0, width: size.width, height: size.height },
            output_size: size,
            pixel_rate: 432_000_000,
            min_line_length: 4480,
            max_line_length: 4480,
            min_frame_length: 3214,
            max_frame_length: 33_136,
        },
        sensor_controls: vec![
            limits(EXPOSURE, 4, 3206),
            limits(ANALOGUE_GAIN, 128, 2048),
            limits(VBLANK, 78, 30_000),
        ],
        lens_controls: vec![limits(FOCUS, 0, 1023)],
        bds: Size { width: 1920, height: 1080 },
        iif: size,
    }
}
