//! A virtual camera behind libcamera's calls: sensor with delays, raw statistics, files in memory.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use cam_algo_reference::Server;
use cami_abi::CameraAlgorithm;
use cami_ipu3::bytes_of;
use cami_ipu3::uapi::Stats3a;
use cami_ipu3_ipa::{
    ControlIds, ControlName, Files, IdSet, Ipa, PARAMS_BYTES, Places, Processed, SensorSettings,
    Translation,
};
use cami_wire::libcamera::{
    Control, ControlElement, ControlInfo, ControlList, ControlValue, IdMap, IpaSettings,
};
use virtual_camera::{
    Camera as _, ChartCamera, Exposure, Grids, ScheduledLight, Stripes, raw_statistics,
};

pub(crate) use crate::made_up::{
    ANALOGUE_GAIN, CODES, EXPOSURE, LINES, mode, sensor_controls, sensor_info,
};
use crate::made_up::{POSITIONS, list};

/// Position of the lens at which the chart is sharp is the chart camera's own.
const FRAME_NS: i64 = 33_330_370;
/// Longer than any call takes on a slow machine: what is tested there is not time.
pub const PLENTY: Duration = Duration::from_secs(60);

pub fn plenty() -> Instant {
    Instant::now() + PLENTY
}

/// Files in memory, shared with the test; while somebody holds the lock, no write ends.
#[derive(Clone, Default)]
pub struct Made(pub Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>, pub Arc<RwLock<()>>);

impl Files for Made {
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let files = self.0.lock().unwrap();
        let contents = files.get(path).ok_or(io::Error::from(ErrorKind::NotFound))?;
        assert!(contents.len() <= most);
        Ok(contents.clone())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Err(ErrorKind::NotFound.into())
    }
    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        drop(self.1.read().unwrap());
        self.0.lock().unwrap().insert(path.to_path_buf(), contents.to_vec());
        Ok(())
    }
}

/// Raw statistics, of one stripe and of two in turn.
pub fn raw(grids: &Grids, frame: u32) -> Box<Stats3a> {
    let two = Stripes::Two { rgbs: 41, af: 17 };
    raw_statistics(grids, if frame.is_multiple_of(2) { Stripes::One } else { two })
}

pub fn scalar<T: ControlElement>(value: T) -> ControlValue {
    ControlValue::scalar(&value)
}

/// A frame as it went.
pub struct Frame {
    /// What the sensor did for it.
    pub in_effect: SensorSettings,
    pub processed: Processed,
    pub params: Option<Vec<u8>>,
    pub lens: i32,
}

/// libcamera's pipeline handler, a sensor and a scene.
pub struct Session {
    pub ipa: Translation,
    pub ids: ControlIds,
    pub chart: ChartCamera,
    pub files: Made,
    /// What the sensor was told after each frame; it does it two frames later.
    told: Vec<SensorSettings>,
    pub lens: i32,
    pub frame: u32,
    /// How long each call may take.
    pub patience: Duration,
    /// What comes in place of a frame's statistics.
    pub spoil: Option<Vec<u8>>,
}

pub fn lights(lux: f64, source: virtual_camera::Source) -> Vec<ScheduledLight> {
    let light = virtual_camera::Light { source, lux };
    vec![ScheduledLight { first_frame: 0, light }]
}

impl Session {
    /// A camera that was never opened, in front of a library.
    pub fn new(library: Arc<dyn CameraAlgorithm>, set: IdSet, lights: &[ScheduledLight]) -> Self {
        let files = Made::default();
        files.0.lock().unwrap().insert("/t.aiqb".into(), b"tuning".to_vec());
        let places = Places {
            tuning: vec![("ov13858".to_owned(), "/t.aiqb".into())],
            aiqd: Some("/learnt".into()),
            ..Places::default()
        };
        let ids = ControlIds::from(set);
        let ipa = Translation::new(library, Box::new(files.clone()), places, ids).unwrap();
        let chart = ChartCamera::new(lights, 1).unwrap();
        let nothing =
            SensorSettings { exposure_lines: 0, analogue_gain_code: 0, lens_position: None };
        Self {
            ipa,
            ids,
            chart,
            files,
            told: vec![nothing],
            lens: 0,
            frame: 0,
            patience: PLENTY,
            spoil: None,
        }
    }

    /// In front of the reference library, in this process.
    pub fn reference(set: IdSet) -> Self {
        let day = lights(500.0, virtual_camera::Source::Daylight(6504.0));
        Self::started(Arc::new(Server::new()), set, &day)
    }

    /// A camera that runs.
    pub fn started(
        library: Arc<dyn CameraAlgorithm>,
        set: IdSet,
        lights: &[ScheduledLight],
    ) -> Self {
        let mut session = Self::new(library, set, lights);
        session.init().unwrap();
        session.ipa.configure(&mode(), plenty()).unwrap();
        session.start();
        session
    }

    pub fn init(&mut self) -> Result<Vec<ControlInfo>, cami_ipu3_ipa::IpaError> {
        let settings =
            IpaSettings { configuration_file: String::new(), sensor_model: "ov13858".to_owned() };
        let until = self.until();
        self.ipa.init(&settings, &sensor_info(), &sensor_controls(), until)
    }

    pub fn start(&mut self) {
        let first = self.ipa.start(plenty()).unwrap();
        self.told = vec![first];
        self.frame = 0;
    }

    fn until(&self) -> Instant {
        Instant::now() + self.patience
    }

    pub fn ask(&mut self, asked: &[(ControlName, ControlValue)]) {
        self.ask_for(self.frame, asked);
    }

    pub fn ask_for(&mut self, frame: u32, asked: &[(ControlName, ControlValue)]) {
        self.ipa.queue_request(frame, &list(self.ids, asked));
    }

    /// One frame: parameters, exposure, statistics.
    pub fn step(&mut self) -> Frame {
        let frame = self.frame;
        // Two frames pass between an order and its frame.
        let ordered = self.told.len().saturating_sub(3);
        let in_effect = self.told[ordered];
        let params = self.ipa.compute_params(frame, self.until()).map(<[u8]>::to_vec);
        if let Some(params) = &params {
            assert_eq!(params.len(), PARAMS_BYTES);
        }
        let grids = self.chart.grids(u64::from(frame), &exposure(&in_effect), self.lens);
        let raw = raw(&grids, frame);
        let statistics = self.spoil.take().unwrap_or_else(|| bytes_of(&*raw).to_vec());
        let timestamp = 5_000_000_000 + FRAME_NS * i64::from(frame);
        let effective = ControlList {
            handle: 1,
            id_map: IdMap::V4l2,
            controls: vec![
                Control { id: EXPOSURE, value: scalar(in_effect.exposure_lines) },
                Control { id: ANALOGUE_GAIN, value: scalar(in_effect.analogue_gain_code) },
            ],
        };
        let until = self.until();
        let processed = self.ipa.process_stats(frame, timestamp, &statistics, &effective, until);
        let sensor = processed.sensor.expect("always something");
        assert!((LINES.0..=LINES.1).contains(&sensor.exposure_lines), "{sensor:?}");
        assert!((CODES.0..=CODES.1).contains(&sensor.analogue_gain_code), "{sensor:?}");
        let lens = self.lens;
        if let Some(position) = sensor.lens_position {
            assert!((POSITIONS.0..=POSITIONS.1).contains(&position), "{sensor:?}");
            self.lens = position;
        }
        for control in &processed.metadata {
            check_numbers(control);
        }
        self.told.push(sensor);
        self.frame += 1;
        Frame { in_effect, processed, params, lens }
    }

    pub fn run(&mut self, frames: u32) -> Frame {
        let mut last = self.step();
        for _ in 1..frames {
            last = self.step();
        }
        last
    }

    /// A metadata value of a frame.
    pub fn get<T: ControlElement>(&self, frame: &Frame, control: ControlName) -> Option<T> {
        self.value(frame, control)?.get()
    }

    pub fn array<T: ControlElement>(&self, frame: &Frame, control: ControlName) -> Option<Vec<T>> {
        self.value(frame, control)?.elements()
    }

    fn value<'a>(&self, frame: &'a Frame, control: ControlName) -> Option<&'a ControlValue> {
        let id = self.ids.id(control)?;
        let found: Vec<&Control> =
            frame.processed.metadata.iter().filter(|found| found.id == id).collect();
        assert!(found.len() <= 1, "{} twice", control.name());
        found.first().map(|control| &control.value)
    }
}

/// Nothing that is no number ever reaches libcamera.
fn check_numbers(control: &Control) {
    let value = &control.value;
    let numbers = value.elements::<f32>().or_else(|| value.get::<f32>().map(|value| vec![value]));
    assert!(numbers.unwrap_or_default().iter().all(|number| number.is_finite()), "{control:?}");
}

/// What the sensor's settings are for the chart.
pub fn exposure(settings: &SensorSettings) -> Exposure {
    let time_us = (f64::from(settings.exposure_lines) * 4480.0 / 432.0).round() as i32;
    Exposure {
        time_us,
        analogue_gain: settings.analogue_gain_code as f32 / 128.0,
        digital_gain: 1.0,
    }
}

impl Session {
    /// How bright the picture of a frame was, of 255.
    pub fn chart_level(&self, frame: &Frame) -> f64 {
        self.chart.level(u64::from(self.frame) - 1, &exposure(&frame.in_effect)) * 255.0
    }
}
