//! The process under test, and its IPA.

use std::io::Write as _;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Longer than a frame may take.
const LATE: Duration = Duration::from_millis(70);

use cami_door::limits::Limits;
use cami_door::{Door, End, IpaMaker, Parent, serve};
use cami_ipu3_ipa::{Ipa, IpaError, Mode, PARAMS_BYTES, Processed, SensorSettings};
use cami_link::Link;
use cami_wire::libcamera::{
    Control, ControlInfo, ControlList, ControlType, ControlValue, IpaCameraSensorInfo, IpaSettings,
};

/// The socket's number.
pub const SOCKET: &str = "DOOR_TEST_SOCKET";
/// What the IPA does, and at which call: `hang@start`.
pub const SCRIPT: &str = "DOOR_TEST_SCRIPT";
/// Frames have all the time.
pub const NO_HURRY: &str = "DOOR_TEST_NO_HURRY";
/// A file to which the IPA writes a line for each call.
pub const JOURNAL: &str = "DOOR_TEST_JOURNAL";

/// `ExposureTime` and `AeEnable`, whose numbers never changed.
pub const EXPOSURE_TIME: u32 = 7;
pub const AE_ENABLE: u32 = 1;
/// What the IPA sets in its `n`th answer: this plus `n`.
pub const EXPOSURE: i32 = 100;
/// The IPA's parameters of a frame are all this plus the frame's number.
pub const PARAMS: u8 = 1;

#[test]
fn scripted_worker() {
    let Ok(socket) = std::env::var(SOCKET) else { return };
    // SAFETY: the other test has made it for us.
    let socket = unsafe { OwnedFd::from_raw_fd(socket.parse().unwrap()) };
    let parent = Parent::of(socket.as_fd());
    let link = Link::from_fd(socket).unwrap();
    let end = serve(Door {
        link,
        parent: Some(parent),
        ipa: IpaMaker::new(|_| Box::new(Script::from_environment())),
        limits: limits(),
    });
    let code = match end {
        End::Exit => 0,
        End::HostGone => 10,
        End::Broken(_) => 20,
    };
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) };
}

/// What is promised; or so much that a busy machine changes nothing, where time is not looked at.
fn limits() -> Limits {
    if std::env::var_os(NO_HURRY).is_some() {
        let long = Duration::from_secs(20);
        return Limits { frame: long, frame_ipa: long, ..Limits::PROMISED };
    }
    Limits::PROMISED
}

#[derive(Debug)]
struct Script {
    what: String,
    at: String,
    params: Vec<u8>,
    answers: i32,
}

impl Script {
    fn from_environment() -> Self {
        let script = std::env::var(SCRIPT).unwrap_or_default();
        let (what, at) = script.split_once('@').unwrap_or((&script, ""));
        Self { what: what.to_owned(), at: at.to_owned(), params: vec![0; PARAMS_BYTES], answers: 0 }
    }

    fn reach(&self, call: &str) {
        self.note(call);
        if self.at != call {
            return;
        }
        match self.what.as_str() {
            "hang" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "slow" => std::thread::sleep(Duration::from_secs(3)),
            "soon" => std::thread::sleep(Duration::from_millis(400)),
            // Longer than a frame may take, and shorter than two of them.
            "late" => std::thread::sleep(Duration::from_millis(70)),
            "panic" => panic!("as the script says"),
            _ => {}
        }
        self.note(&format!("{call} done"));
    }

    fn note(&self, line: &str) {
        let Ok(path) = std::env::var(JOURNAL) else { return };
        let file = std::fs::File::options().append(true).create(true).open(path);
        file.unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn is(&self, what: &str) -> bool {
        self.what == what
    }

    fn controls(&self) -> Vec<ControlInfo> {
        let mut controls = vec![ControlInfo {
            id: EXPOSURE_TIME,
            kind: ControlType::Integer32,
            direction: 3,
            min: ControlValue::scalar(&1_i32),
            max: ControlValue::scalar(&1000_i32),
            def: ControlValue::scalar(&10_i32),
        }];
        if self.is("absurd") {
            let mut array = controls[0].clone();
            array.id = 3000;
            array.max = ControlValue::array(&[1_i32, 2, 3]).unwrap();
            controls.push(array);
            let mut point = controls[0].clone();
            point.id = 3001;
            point.kind = ControlType::Point;
            controls.push(point);
        }
        controls
    }

    fn result<T>(&self, call: &str, value: T) -> Result<T, IpaError> {
        self.reach(call);
        if self.at == call && self.is("error") {
            return Err(IpaError { errno: -libc::ENODEV, text: "as the script says".to_owned() });
        }
        if self.at == call && self.is("positive") {
            return Err(IpaError { errno: 5, text: "an error that is none".to_owned() });
        }
        Ok(value)
    }

    fn settings(&mut self) -> SensorSettings {
        if self.is("absurd") {
            return SensorSettings {
                exposure_lines: i32::MIN,
                analogue_gain_code: i32::MAX,
                lens_position: Some(i32::MAX),
            };
        }
        self.answers += 1;
        SensorSettings {
            exposure_lines: EXPOSURE + self.answers,
            analogue_gain_code: 5,
            // Said once, as the translation does.
            lens_position: (!self.is("lens once") || self.answers == 2).then_some(300),
        }
    }
}

impl Ipa for Script {
    fn init(
        &mut self,
        settings: &IpaSettings,
        sensor: &IpaCameraSensorInfo,
        sensor_controls: &[ControlInfo],
        _: Instant,
    ) -> Result<Vec<ControlInfo>, IpaError> {
        self.note(&format!(
            "init of {} {} with {} controls",
            settings.sensor_model,
            sensor.pixel_rate,
            sensor_controls.len()
        ));
        self.result("init", self.controls())
    }

    fn configure(&mut self, mode: &Mode, _: Instant) -> Result<Vec<ControlInfo>, IpaError> {
        self.note(&format!(
            "configure {}x{} with {} and {} controls",
            mode.bds.width,
            mode.bds.height,
            mode.sensor_controls.len(),
            mode.lens_controls.len()
        ));
        self.result("configure", self.controls())
    }

    fn start(&mut self, _: Instant) -> Result<SensorSettings, IpaError> {
        let settings = self.settings();
        self.result("start", settings)
    }

    fn stop(&mut self, _: Instant) {
        self.reach("stop");
    }

    fn end(&mut self, _: Instant) {
        self.reach("end");
    }

    fn queue_request(&mut self, frame: u32, controls: &ControlList) {
        let ae = controls.get(AE_ENABLE).and_then(ControlValue::get::<bool>);
        self.note(&format!("request {frame} AeEnable {ae:?}"));
        self.reach("request");
    }

    fn process_stats(
        &mut self,
        frame: u32,
        timestamp_ns: i64,
        statistics: &[u8],
        in_effect: &ControlList,
        _: Instant,
    ) -> Processed {
        self.note(&format!(
            "statistics {frame} at {timestamp_ns}: {} bytes of {}, {} in effect",
            statistics.len(),
            statistics[0],
            in_effect.controls.len()
        ));
        self.reach("stats");
        if self.is("lens once") && self.answers == 1 {
            std::thread::sleep(LATE);
        }
        let mut metadata = vec![Control { id: AE_ENABLE, value: ControlValue::scalar(&true) }];
        if self.is("absurd") {
            metadata = (0..3000)
                .map(|id| Control { id, value: ControlValue::array(&[0_u8; 8]).unwrap() })
                .collect();
        }
        if self.is("nothing") {
            return Processed::default();
        }
        Processed { sensor: Some(self.settings()), metadata }
    }

    fn compute_params(&mut self, frame: u32, _: Instant) -> Option<&[u8]> {
        self.reach("params");
        if self.is("nothing") {
            return None;
        }
        if self.is("absurd") {
            return Some(&[1, 2, 3]);
        }
        self.params.fill(PARAMS.wrapping_add(frame.to_le_bytes()[0]));
        Some(&self.params)
    }
}
