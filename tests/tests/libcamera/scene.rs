//! The real libcamera and a 3A library in a closed loop: raw statistics of the virtual camera go in, and
//! what comes out sets its sensor.
//!
//! With the reference library, and with Intel's where `CAMI_IPA_INTEL_LIBRARY` and
//! `CAMI_IPA_INTEL_TUNING` name it and its file for the ov13858 (module TFC13MYHCE).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cami_link::ProcessFd;
use cami_tests::{PATIENCE, artefact};
use virtual_camera::{Camera, ChartCamera, Exposure, Stripes, raw_statistics};

use crate::application::{Room, application};

/// Time of a line of the ov13858: 4480 pixels at 432 MHz.
const LINE_US: f64 = 4480.0 / 432.0;
/// Codes of a gain of 1.
const GAIN_ONE: f32 = 128.0;
/// Frames of a stream, and the one at which the light changes.
const FRAMES: u32 = 120;
const CHANGE: u32 = 60;

/// A library and its tuning, if it has one.
struct Subject {
    name: &'static str,
    library: PathBuf,
    tuning: Option<PathBuf>,
    /// What the program says of the gains that it is offered.
    gains: &'static str,
}

fn subjects() -> Vec<Subject> {
    let mut subjects = vec![Subject {
        name: "reference",
        library: artefact("libcam_algo_reference.so"),
        tuning: None,
        gains: "gain 1.000000 to 16.000000",
    }];
    let from = |name| std::env::var_os(name).map(PathBuf::from);
    match (from("CAMI_IPA_INTEL_LIBRARY"), from("CAMI_IPA_INTEL_TUNING")) {
        (Some(library), tuning @ Some(_)) => {
            let gains = "gain 1.000000 to 15.500000";
            subjects.push(Subject { name: "intel", library, tuning, gains });
        }
        _ => {
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: CAMI_IPA_INTEL_LIBRARY and CAMI_IPA_INTEL_TUNING are not set"
            );
        }
    }
    subjects
}

/// What a frame was exposed with, and what was told of it.
#[derive(Debug, Default)]
struct Frame {
    exposure_us: f64,
    gain: f32,
    told: BTreeMap<String, String>,
}

impl Frame {
    fn number(&self, name: &str) -> f64 {
        let told = self.told.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        told.parse().unwrap_or_else(|_| panic!("{name} {told}"))
    }

    /// Exposure time × gain.
    fn product(&self) -> f64 {
        self.exposure_us * f64::from(self.gain)
    }
}

/// The frames of both streams, and all other lines that the program said.
#[derive(Default)]
struct Run {
    frames: Vec<BTreeMap<u32, Frame>>,
    said: Vec<String>,
}

impl Run {
    fn lines(&self, start: &str) -> Vec<&str> {
        self.said.iter().map(String::as_str).filter(|line| line.starts_with(start)).collect()
    }

    /// Every frame had its events, once and in time, and nothing else came.
    fn is_whole(&self, frames: u32) {
        let said = self.said.join("\n");
        let events = format!("frames: {frames} parameters, {} metadata, ", frames - frames / 10);
        let all = self.lines("frames");
        assert_eq!(all.len(), 2, "{said}");
        for line in all {
            assert!(line.starts_with(&events), "{said}");
            assert!(line.ends_with(", 0 late, 0 wrong"), "{said}");
        }
        assert_eq!(self.lines("stopped"), ["stopped, in time 1"; 2], "{said}");
        assert_eq!(self.lines("destroyed"), ["destroyed, 0 events inside init"], "{said}");
        assert!(said.ends_with("\nend"), "{said}");
    }
}

/// Kills a process so many generations below `ancestor`, when there is one.
fn kill(ancestor: u32, generations: u32) {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut level = vec![ancestor];
        for _ in 0..generations {
            level = level.into_iter().flat_map(children).collect();
        }
        let opened = level.first().map(|pid| ProcessFd::open(i32::try_from(*pid).unwrap()));
        if let Some(Ok(process)) = opened {
            return process.kill();
        }
        assert!(Instant::now() < until, "there is none");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn children(process: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| {
            text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()
        })
        .collect()
}

/// Runs the program; `each` gets its process and the frame's number before
/// the statistics of each frame are given.
fn run(command: &mut Command, mut each: impl FnMut(u32, u32)) -> Run {
    let lights = ChartCamera::usual_lights(u64::from(CHANGE));
    let camera = ChartCamera::new(&lights, 1).unwrap();
    let child = command.env("HOST_SCENE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = child.stderr(Stdio::null()).spawn().unwrap();
    let mut statistics = child.stdin.take().unwrap();
    let mut run = Run::default();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        match words.next() {
            Some("start") => {
                run.frames.push(BTreeMap::new());
                run.said.push(line);
            }
            Some("expose") => {
                let numbers: Vec<i32> = words.map(|word| word.parse().unwrap()).collect();
                let [number, lines, code, lens] = *numbers else { panic!("{line}") };
                let frame = Frame {
                    exposure_us: f64::from(lines) * LINE_US,
                    #[expect(clippy::cast_precision_loss, reason = "a small number")]
                    gain: code as f32 / GAIN_ONE,
                    told: BTreeMap::new(),
                };
                let number = u32::try_from(number).unwrap();
                each(child.id(), number);
                #[expect(clippy::cast_possible_truncation, reason = "some 33000")]
                let exposure = Exposure {
                    time_us: frame.exposure_us.round() as i32,
                    analogue_gain: frame.gain,
                    digital_gain: 1.0,
                };
                let grids = camera.grids(u64::from(number), &exposure, lens);
                let raw = raw_statistics(&grids, Stripes::One);
                statistics.write_all(cami_ipu3::bytes_of(&*raw)).unwrap();
                statistics.flush().unwrap();
                run.frames.last_mut().unwrap().insert(number, frame);
            }
            Some("told") => {
                let number: u32 = words.next().unwrap().parse().unwrap();
                let told = line.splitn(3, ' ').nth(2).unwrap_or_default();
                let frame = run.frames.last_mut().unwrap().get_mut(&number).unwrap();
                let mut name = String::new();
                for word in told.split(' ') {
                    // Arrays have blanks: "[ 1.0, 2.0 ]".
                    match word.split_once('=') {
                        Some((start, value)) => {
                            start.clone_into(&mut name);
                            frame.told.insert(name.clone(), value.to_owned());
                        }
                        None => frame.told.get_mut(&name).unwrap().push_str(word),
                    }
                }
            }
            _ => run.said.push(line),
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", run.said.join("\n"));
    run
}

impl Room {
    fn scene(&self, application: &crate::application::Application, subject: &Subject) -> Command {
        let mut command = self.command(application, &subject.library);
        if let Some(tuning) = &subject.tuning {
            command
                .env("CAMI_IPA_TUNING", format!("ov13858={}", tuning.display()))
                .env("CAMI_IPA_LIBRARY_PATH", subject.library.parent().unwrap());
        }
        command.env("HOST_STREAM", format!("{FRAMES}:0"));
        command
    }
}

/// Last frames before a change of light, and at the end of a stream.
fn settled(frames: &BTreeMap<u32, Frame>, end: u32) -> impl Iterator<Item = &Frame> {
    let told = |frame: &&Frame| !frame.told.is_empty();
    frames.range(end - 8..end).map(|(_, frame)| frame).filter(told)
}

#[test]
fn the_picture_converges_through_the_real_libcamera() {
    let Some(application) = application() else { return };
    for subject in subjects() {
        let name = subject.name;
        let room = Room::new();
        let run = run(&mut room.scene(application, &subject), |_, _| {});
        run.is_whole(FRAMES);
        assert_eq!(run.lines("gain"), [subject.gains], "{name}");
        for frames in &run.frames {
            let mut gains = 0;
            for frame in frames.values() {
                // What holds is told as it is; the library counts gains as the driver does.
                assert!(
                    (frame.number("ExposureTime") - frame.exposure_us).abs() <= 1.0,
                    "{frame:?}"
                );
                // A frame whose answer is late has none.
                if frame.told.contains_key("AnalogueGain") {
                    let gain = frame.number("AnalogueGain");
                    assert!((gain - f64::from(frame.gain)).abs() < 0.005, "{name}: {frame:?}");
                    gains += 1;
                }
                let temperature = frame.number("ColourTemperature");
                assert!((2000.0..10_000.0).contains(&temperature), "{name}: {frame:?}");
                assert_eq!(frame.number("FrameDuration"), 33_330.0);
            }
            assert!(gains * 2 > frames.len(), "{name}: {gains} gains were told");
            // 500 lx of daylight, then 100 lx of a lamp.
            for (end, temperatures) in [(CHANGE, 5800.0..7000.0), (FRAMES, 2700.0..3050.0)] {
                let last: Vec<&Frame> = settled(frames, end).collect();
                let products: Vec<f64> = last.iter().map(|frame| frame.product()).collect();
                for (product, frame) in products.iter().zip(&last) {
                    assert!((product / products[0] - 1.0).abs() < 0.10, "{name}: {products:?}");
                    let temperature = frame.number("ColourTemperature");
                    assert!(temperatures.contains(&temperature), "{name}: {temperature}");
                }
            }
            let product = |end| settled(frames, end).last().unwrap().product();
            let ratio = product(FRAMES) / product(CHANGE);
            assert!((4.0..9.0).contains(&ratio), "{name}: a fifth of the light, {ratio}");
        }
        room.empty();
    }
}

/// Deaths of the vendor process and of its monitor while frames run, 30 of them in a second.
#[test]
fn frames_go_on_over_deaths_behind_the_real_libcamera() {
    let Some(application) = application() else { return };
    for subject in subjects() {
        let name = subject.name;
        let room = Room::new();
        let mut command = room.scene(application, &subject);
        let mut killed = 0;
        // The worker's child is the monitor, and its child the vendor process.
        let run = run(command.env("HOST_STREAM", format!("{FRAMES}:33333")), |host, number| {
            if let 24 | 31 | 75 | 84 = number {
                kill(host, if number % 2 == 0 { 2 } else { 3 });
                killed += 1;
            }
        });
        assert_eq!(killed, 8, "{name}");
        run.is_whole(FRAMES);
        for frames in &run.frames {
            // Deaths cost AE some frames; a cold start would cost it all that it had reached.
            let product = |end| settled(frames, end).last().unwrap().product();
            let ratio = product(FRAMES) / product(CHANGE);
            assert!((3.5..10.0).contains(&ratio), "{name}: a fifth of the light, {ratio}");
            let last: Vec<f64> = settled(frames, FRAMES).map(Frame::product).collect();
            for product in &last {
                assert!((product / last[0] - 1.0).abs() < 0.15, "{name}: {last:?}");
            }
        }
        room.empty();
    }
}
