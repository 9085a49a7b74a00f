//! The IPA in front of the answers that Intel's library gave to the HAL's own code (folder in
//! `CAMI_IPA_VECTORS`): libcamera's calls for the same camera and scene must lead to the same
//! requests.
//!
//! Three things differ on purpose. Both limits of the frame time are the sensor's own; the lens is
//! said to have moved when libcamera hears of it; and AIC is asked for a frame before its statistics
//! are there, so that its requests have another order.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command as Process;
use std::sync::{Arc, Mutex};

use cami_abi::{Callbacks, CameraAlgorithm};
use cami_ipu3::payload::{AeRunParams, SetStatisticsParams};
use cami_ipu3::sequence::sa::Tables;
use cami_ipu3::sequence::{ae, gbce, pa, sa, statistics};
use cami_ipu3::{Command, Pod, bytes_of, bytes_of_mut, zeroed_box};
use cami_ipu3_ipa::{ControlIds, IdSet, Ipa, Places, Translation};
use cami_wire::libcamera::{Control, ControlList, IdMap, IpaSettings};
use virtual_camera::{Camera as _, Exposure, SceneModel, Stripes, raw_statistics};

use crate::camera::{
    ANALOGUE_GAIN, EXPOSURE, Made, mode, plenty, scalar, sensor_controls, sensor_info,
};

const ARCHIVE: &str = "requests/ov13858_tfc13myhce_12frames.tar.xz";
const TRACE: &str = "requests/ov13858_tfc13myhce_12frames.trace.csv.xz";
const FRAMES: usize = 12;

fn unpacked(path: &Path) -> Vec<u8> {
    let output = Process::new("xz").arg("-dc").arg(path).output().expect("xz is installed");
    assert!(output.status.success(), "{}: {}", path.display(), output.status);
    output.stdout
}

/// The files of a tar archive by name.
fn files(mut rest: &[u8]) -> HashMap<String, Vec<u8>> {
    let mut files = HashMap::new();
    while let Some((header, data)) = rest.split_at_checked(512) {
        let text = |range: Range<usize>| {
            let field = header[range].split(|byte| *byte == 0).next().unwrap();
            String::from_utf8(field.to_vec()).unwrap()
        };
        let name = text(0..100);
        if name.is_empty() {
            break;
        }
        let size = usize::from_str_radix(text(124..136).trim(), 8).unwrap();
        files.insert(name.rsplit('/').next().unwrap().to_owned(), data[..size].to_vec());
        rest = &data[size.next_multiple_of(512)..];
    }
    files
}

/// A recorded request.
struct Request {
    before: Vec<u8>,
    after: Vec<u8>,
}

struct Recording {
    /// By command, in order.
    requests: HashMap<u32, Vec<Request>>,
    /// Bytes of requests that hold addresses.
    masks: HashMap<u32, Vec<Range<usize>>>,
    tuning: Vec<u8>,
}

fn recording(vectors: &Path) -> Recording {
    let mut files = files(&unpacked(&vectors.join(ARCHIVE)));
    let text = |files: &HashMap<String, Vec<u8>>, name: &str| {
        String::from_utf8(files[name].clone()).unwrap()
    };
    let mut masks: HashMap<u32, Vec<Range<usize>>> = HashMap::new();
    for line in text(&files, "masks.tsv").lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[1] == "in" {
            let number = |index: usize| fields[index].parse::<usize>().unwrap();
            masks.entry(number(0) as u32).or_default().push(number(2)..number(3) + 1);
        }
    }
    let mut requests: HashMap<u32, Vec<Request>> = HashMap::new();
    for line in text(&files, "manifest.tsv").lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let sequence: u32 = fields[0].parse().unwrap();
        let command: u32 = fields[1].parse().unwrap();
        let mut take = |direction| {
            files.remove(&format!("{sequence:03}_cmd{command:02}_{direction}.bin")).unwrap()
        };
        let request = Request { before: take("in"), after: take("out") };
        requests.entry(command).or_default().push(request);
    }
    let cmc = &requests[&17][0].before;
    let size = u32::from_le_bytes(cmc[..4].try_into().unwrap()) as usize;
    let tuning = cmc[4..][..size].to_vec();
    Recording { requests, masks, tuning }
}

struct State {
    buffers: HashMap<i32, File>,
    callbacks: Option<Arc<dyn Callbacks>>,
    /// The recorded frame whose answers are given.
    frame: usize,
    /// Requests that were compared, by command.
    compared: HashMap<u32, usize>,
}

/// A library that gives recorded answers, and compares what it is asked with what was recorded.
struct Replay {
    recording: Recording,
    state: Mutex<State>,
}

/// The bytes of a request that are the client's; `None` for those that are not compared.
fn asked(command: Command, before: &[u8]) -> Option<Vec<Range<usize>>> {
    let but = |range: Range<usize>, left_out: &[(usize, usize)]| {
        let mut parts = Vec::new();
        let mut next = range.start;
        for (from, to) in left_out {
            parts.push(next..*from);
            next = *to;
        }
        parts.push(next..range.end);
        parts
    };
    let limits = std::mem::offset_of!(AeRunParams, manual_limits.manual_frame_time_us_min);
    Some(match command {
        Command::CmcInit => but(0..800_004, &[]),
        Command::MknInit => but(0..24, &[]),
        Command::AiqInit => but(0..before.len(), &[(24, 48)]),
        Command::AicInit => but(0..before.len(), &[]),
        Command::AeRun => but(ae::ASKED, &[(limits, limits + 8)]),
        Command::GbceRun => but(gbce::ASKED, &[]),
        Command::AwbRun => but(0..56, &[]),
        Command::PaRun => but(pa::ASKED, &[]),
        Command::SaRun => but(sa::ASKED, &[]),
        // The HAL has asked for focus in its first frame too, and begins a search in its fifth.
        Command::AfRun => but(0..96, &[(16, 24), (56, 57)]),
        Command::StatisticsSet => statistics::used(&payload(before), Tables::AsAnswered),
        _ => return None,
    })
}

fn payload<T: Pod>(bytes: &[u8]) -> Box<T> {
    let mut payload = zeroed_box::<T>();
    bytes_of_mut(&mut *payload).copy_from_slice(bytes);
    payload
}

impl Replay {
    fn answer(&self, command: Command, handle: i32) {
        let mut state = self.state.lock().unwrap();
        let recorded = &self.recording.requests[&command.number()];
        let file = state.buffers[&handle].try_clone().unwrap();
        let index = match command {
            // Those with this very input, whichever it was.
            Command::ExcAnalogGainToSensor | Command::ExcSensorToAnalogGain => {
                let size = if command == Command::ExcAnalogGainToSensor { 4 } else { 2 };
                let mut input = vec![0; size];
                file.read_exact_at(&mut input, 22_568).unwrap();
                let same = |request: &Request| request.before[22_568..][..size] == input;
                recorded
                    .iter()
                    .position(same)
                    .unwrap_or_else(|| panic!("{} of {input:?}", command.name()))
            }
            Command::StatisticsSet => state.frame - 1,
            _ if recorded.len() == FRAMES => state.frame,
            _ => 0,
        };
        let request = &recorded[index];
        let mut ours = vec![0; request.before.len()];
        file.read_exact_at(&mut ours, 0).unwrap();
        // The HAL's first statistics name an answer of AF that libcamera's calls leave no time for.
        let first = command == Command::StatisticsSet && index == 0;
        if !first && self.compare(command, index, &ours, &request.before) {
            *state.compared.entry(command.number()).or_default() += 1;
        }
        file.write_all_at(&request.after, 0).unwrap();
    }

    fn compare(&self, command: Command, index: usize, ours: &[u8], theirs: &[u8]) -> bool {
        let Some(parts) = asked(command, theirs) else { return false };
        let masks = self.recording.masks.get(&command.number()).map_or(&[][..], Vec::as_slice);
        let masked = |at: usize| masks.iter().any(|mask| mask.contains(&at));
        let name = command.name();
        for part in parts {
            for at in part {
                if masked(at) {
                    let word = at / 8 * 8..at / 8 * 8 + 8;
                    let null = |bytes: &[u8]| bytes[word.clone()].iter().all(|byte| *byte == 0);
                    assert_eq!(null(ours), null(theirs), "{name} {index}: NULL at {at}");
                } else {
                    assert_eq!(ours[at], theirs[at], "{name} {index}: byte {at}");
                }
            }
        }
        true
    }
}

impl CameraAlgorithm for Replay {
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        self.state.lock().unwrap().callbacks = Some(callbacks);
        0
    }
    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        let mut state = self.state.lock().unwrap();
        let handle = i32::try_from(state.buffers.len()).unwrap() + 1;
        state.buffers.insert(handle, File::from(fd));
        handle
    }
    fn request(&self, req_id: u32, _: &[u8], handle: i32) {
        self.answer(Command::try_from(req_id).unwrap(), handle);
        let callbacks = self.state.lock().unwrap().callbacks.clone().unwrap();
        callbacks.returned(req_id, 0, handle);
    }
    fn deregister_buffers(&self, _: &[i32]) {}
    fn update_return(&self, _: u32, _: u32, _: Option<OwnedFd>) {}
    fn deinitialize(&self) {}
}

#[test]
fn libcamera_s_calls_lead_to_the_hals_requests() {
    let Some(vectors) = std::env::var_os("CAMI_IPA_VECTORS") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is not set");
        return;
    };
    let vectors = Path::new(&vectors);
    let recording = recording(vectors);
    let trace = String::from_utf8(unpacked(&vectors.join(TRACE))).unwrap();
    let scene = SceneModel::parse(&trace).unwrap();
    let files = Made::default();
    files.0.lock().unwrap().insert("/t.aiqb".into(), recording.tuning.clone());
    let answers: Vec<Box<AeRunParams>> =
        recording.requests[&8].iter().map(|request| payload(&request.after)).collect();
    let statistics: Vec<Box<SetStatisticsParams>> =
        recording.requests[&15].iter().map(|request| payload(&request.before)).collect();
    let library = Arc::new(Replay {
        recording,
        state: Mutex::new(State {
            buffers: HashMap::new(),
            callbacks: None,
            frame: 0,
            compared: HashMap::new(),
        }),
    });
    let places =
        Places { tuning: vec![("ov13858".to_owned(), "/t.aiqb".into())], ..Places::default() };
    let ids = ControlIds::from(IdSet::From0_5);
    let mut ipa = Translation::new(library.clone(), Box::new(files), places, ids).unwrap();

    let settings =
        IpaSettings { configuration_file: String::new(), sensor_model: "ov13858".to_owned() };
    // The largest code of the tuning, for which the HAL asked too.
    let mut controls = sensor_controls();
    let gain = controls.iter_mut().find(|info| info.id == ANALOGUE_GAIN).unwrap();
    gain.max = scalar(1984_i32);
    ipa.init(&settings, &sensor_info(), &controls, plenty()).unwrap();
    let mut mode = mode();
    mode.sensor_controls = controls;
    ipa.configure(&mode, plenty()).unwrap();
    let first = ipa.start(plenty()).unwrap();
    let exposed = answers[0].res.sensor_exposure;
    assert_eq!(first.exposure_lines, i32::from(exposed.coarse_integration_time));
    assert_eq!(first.analogue_gain_code, i32::from(exposed.analog_gain_code_global));

    let mut lens = 0;
    for number in 1..FRAMES {
        library.state.lock().unwrap().frame = number;
        let in_effect = &answers[number - 1].res;
        let exposure = Exposure {
            time_us: in_effect.exposure.exposure_time_us,
            analogue_gain: in_effect.exposure.analog_gain,
            digital_gain: in_effect.exposure.digital_gain,
        };
        let grids = scene.grids(number as u64, &exposure, lens);
        let raw = raw_statistics(&grids, Stripes::Two { rgbs: 37, af: 15 });
        // The recorded time is that of the exposure's begin.
        let began = statistics[number - 1].input.base.frame_timestamp;
        let time_us = began + u64::try_from(exposure.time_us).unwrap();
        let sensor = in_effect.sensor_exposure;
        let list = ControlList {
            handle: 1,
            id_map: IdMap::V4l2,
            controls: [
                (EXPOSURE, sensor.coarse_integration_time),
                (ANALOGUE_GAIN, sensor.analog_gain_code_global),
            ]
            .map(|(id, value)| Control { id, value: scalar(i32::from(value)) })
            .to_vec(),
        };
        let frame = u32::try_from(number).unwrap();
        let timestamp = i64::try_from(time_us * 1000).unwrap();
        let processed = ipa.process_stats(frame, timestamp, bytes_of(&*raw), &list, plenty());
        let told = processed.sensor.unwrap();
        let expected = answers[number].res.sensor_exposure;
        assert_eq!(told.exposure_lines, i32::from(expected.coarse_integration_time));
        assert_eq!(told.analogue_gain_code, i32::from(expected.analog_gain_code_global));
        lens = told.lens_position.unwrap_or(lens);
        assert!(ipa.compute_params(frame + 1, plenty()).is_some());
    }
    let compared = library.state.lock().unwrap().compared.clone();
    for command in [8, 10, 11, 12, 13] {
        assert_eq!(compared[&command], FRAMES, "command {command}");
    }
    assert_eq!((compared[&9], compared[&15]), (FRAMES - 1, FRAMES - 2));
    assert_eq!([1, 6, 17, 21].map(|command| compared[&command]), [1; 4]);
}
