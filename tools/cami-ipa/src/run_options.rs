//! The command line of `cami-ipa run`.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::Failure;
use crate::hal::kills::Victim;
use crate::options::{Command, number, path, text, usage};
use crate::sensors::Sensor;

/// How to drive it.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The `libcam_algo.so` to act as a HAL for; the one beside the executable if not given.
    pub library: Option<PathBuf>,
    /// The closed library behind it.
    pub vendor_library: Option<PathBuf>,
    /// The tuning file.
    pub tuning: Option<PathBuf>,
    /// The sensor.
    pub sensor: Sensor,
    /// Size behind the ISP's scaler.
    pub bds: (u16, u16),
    /// Frames from an AE result to the frame in which it is in effect.
    pub lag: u64,
    /// Frames to drive; the scene's own number, or [`DEFAULT_FRAMES`], if not given.
    pub frames: Option<u64>,
    /// Frames per second in real time; 0 as fast as it goes.
    pub fps: u32,
    /// Seed of the sensor's noise.
    pub seed: u64,
    /// A scene to use in place of the chart.
    pub scene: Option<PathBuf>,
    /// Call the vendor library directly, without isolation.
    pub in_process: bool,
    /// Frame before which the vendor process is killed, once.
    pub kill_once: Option<u64>,
    /// The vendor process is killed every so many frames.
    pub kill_every: Option<u64>,
    /// Which process that is.
    pub kill_victim: Victim,
    /// What a death means: the `recovery` key for this run.
    pub recovery: Option<&'static str>,
    /// Where the trace goes.
    pub trace: Option<PathBuf>,
    /// Where the figures go; "-" is standard output.
    pub json: Option<PathBuf>,
    /// Where the report goes.
    pub report: Option<PathBuf>,
}

/// Frames of a run on the chart: half of them under each light.
pub const DEFAULT_FRAMES: u64 = 100;
/// More would need more memory than a run is worth.
const MAX_FRAMES: u64 = 1_000_000;
/// Sensors and their drivers take a few frames at most.
const MAX_LAG: u64 = 60;

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            library: None,
            vendor_library: None,
            tuning: None,
            sensor: Sensor::default(),
            bds: (1920, 1080),
            lag: 1,
            frames: None,
            fps: 0,
            seed: 1,
            scene: None,
            in_process: false,
            kill_once: None,
            kill_every: None,
            kill_victim: Victim::default(),
            recovery: None,
            trace: None,
            json: None,
            report: None,
        }
    }
}

/// `cami-ipa help run`.
pub const HELP: &str = "\
usage: cami-ipa run [OPTION...]

Acts as an IPU3 camera HAL: loads a libcam_algo.so, registers its shared buffers and drives the
complete 3A sequence of every frame against a virtual sensor that looks at a ColorChecker chart
under a light that changes.

what is driven
  --vendor-library FILE   the 3A library to isolate
                          (default: $CAMI_IPA_VENDOR_LIBRARY, else libcam_algo_reference.so
                          beside this program)
  --library FILE          the libcam_algo.so that a HAL would load
                          (default: the one beside this program)
  --in-process            call the vendor library directly, without isolation
  --tuning FILE.aiqb      tuning data for it (default: none)

the virtual camera
  --sensor NAME           ov13858 (default) or ov5670
  --sensor-descriptor CLOCK_MHZ,PIXELS_PER_LINE,LINES_PER_FRAME,COARSE_MAX_MARGIN
                          any other sensor
  --bds WxH               size behind the ISP's scaler (default: 1920x1080)
  --lag N                 frames until an exposure is in effect (default: 1)
  --frames N              how many (default: those of the scene, else 100)
  --fps N                 pace in real time, 0 = as fast as it goes (default: 0); timestamps
                          always advance by 33 333 us
  --seed N                of the sensor's noise (default: 1)
  --scene FILE.csv        columns frame, scene_E, scene_rg, scene_bg, scene_E2, scene_rg2,
                          scene_bg2, scene_lens in place of the chart

what goes wrong
  --kill-once FRAME       kill the vendor process before this frame
  --kill-every N          kill it every N frames at a random point of the frame; restart.limit is
                          off then
  --kill-victim WHICH     of --kill-every: vendor (default), monitor or either
  --recovery MODE         notify: a HAL is told, and initialises again; resume: it is not
                          (default: the configuration's, which is notify)

The profile is intel-ipu3 unless $CAMI_IPA_PROFILE says otherwise.

what comes out
  --trace FILE.csv        every result of every frame
  --json FILE             the figures (\"-\" for standard output)
  --report FILE.html      convergence, latency and events, to look at

exit codes: 0 done; 1 AE or AWB did not converge under a light of 35 frames or more, or the vendor
process was lost for good; 2 wrong usage or environment
";

/// Understands the arguments behind `run`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut options = RunOptions::default();
    while let Some(argument) = parser.next().map_err(|error| usage(error, "run"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("library") => options.library = Some(path(&mut parser)?),
            Long("vendor-library") => options.vendor_library = Some(path(&mut parser)?),
            Long("tuning") => options.tuning = Some(path(&mut parser)?),
            Long("scene") => options.scene = Some(path(&mut parser)?),
            Long("trace") => options.trace = Some(path(&mut parser)?),
            Long("json") => options.json = Some(path(&mut parser)?),
            Long("report") => options.report = Some(path(&mut parser)?),
            Long("in-process") => options.in_process = true,
            Long("sensor") => {
                let name = text(&mut parser, "--sensor")?;
                options.sensor = Sensor::by_name(&name)
                    .map_err(|error| Failure::usage(format!("--sensor: {error}")))?;
            }
            Long("sensor-descriptor") => {
                let descriptor = text(&mut parser, "--sensor-descriptor")?;
                options.sensor = Sensor::by_descriptor(&descriptor)
                    .map_err(|error| Failure::usage(format!("--sensor-descriptor: {error}")))?;
            }
            Long("bds") => options.bds = size(&text(&mut parser, "--bds")?)?,
            Long("lag") => options.lag = number(&mut parser, "--lag", 1, MAX_LAG)?,
            Long("frames") => {
                options.frames = Some(number(&mut parser, "--frames", 1, MAX_FRAMES)?);
            }
            Long("fps") => {
                let fps = number(&mut parser, "--fps", 0, 1000)?;
                options.fps = u32::try_from(fps).unwrap_or(0);
            }
            Long("seed") => options.seed = number(&mut parser, "--seed", 0, u64::MAX)?,
            Long("kill-once") => {
                options.kill_once = Some(number(&mut parser, "--kill-once", 0, MAX_FRAMES)?);
            }
            Long("kill-every") => {
                options.kill_every = Some(number(&mut parser, "--kill-every", 1, MAX_FRAMES)?);
            }
            Long("kill-victim") => {
                let name = text(&mut parser, "--kill-victim")?;
                options.kill_victim = Victim::by_name(&name).ok_or_else(|| {
                    Failure::usage(format!(
                        "--kill-victim: \"{name}\" is not vendor, monitor or either"
                    ))
                })?;
            }
            Long("recovery") => {
                let name = text(&mut parser, "--recovery")?;
                let known = ["notify", "resume"].into_iter().find(|known| *known == name);
                options.recovery = Some(known.ok_or_else(|| {
                    Failure::usage(format!("--recovery: \"{name}\" is not notify or resume"))
                })?);
            }
            other => return Err(usage(other.unexpected(), "run")),
        }
    }
    let kills = [("--kill-once", options.kill_once), ("--kill-every", options.kill_every)];
    if let Some((option, _)) = kills.iter().find(|(_, frame)| options.in_process && frame.is_some())
    {
        return Err(Failure::usage(format!(
            "{option} kills the vendor process, and with --in-process there is none"
        )));
    }
    if options.in_process && options.library.is_some() {
        return Err(Failure::usage(
            "--library has no meaning with --in-process; name the library with --vendor-library"
                .into(),
        ));
    }
    Ok(Command::Run(Box::new(options)))
}

/// WxH, both even and not 0.
fn size(value: &str) -> Result<(u16, u16), Failure> {
    let parsed = value
        .split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
        .filter(|&(width, height): &(u16, u16)| {
            width > 0 && height > 0 && width % 2 == 0 && height % 2 == 0
        });
    parsed.ok_or_else(|| {
        Failure::usage(format!("--bds: \"{value}\" is not WxH with even sizes, as 1920x1080"))
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn run(arguments: &[&str]) -> Result<RunOptions, String> {
        let all = ["run"].iter().chain(arguments).map(OsString::from);
        match Command::parse(all) {
            Ok(Command::Run(options)) => Ok(*options),
            Ok(Command::Print(text)) => Err(text),
            Ok(other) => Err(format!("{other:?}")),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn every_option_is_understood() {
        let options = run(&[
            "--vendor-library",
            "v.so",
            "--library",
            "l.so",
            "--tuning",
            "t.aiqb",
            "--sensor",
            "ov5670",
            "--bds",
            "1280x720",
            "--lag",
            "2",
            "--frames",
            "7",
            "--fps=30",
            "--seed",
            "9",
            "--scene",
            "s.csv",
            "--kill-once",
            "3",
            "--trace",
            "t.csv",
            "--json",
            "-",
            "--report",
            "r.html",
        ])
        .expect("good options");
        assert_eq!(options.bds, (1280, 720));
        assert_eq!((options.lag, options.frames, options.fps), (2, Some(7), 30));
        assert_eq!((options.seed, options.kill_once), (9, Some(3)));
        assert_eq!(options.sensor.size, Some((2592, 1944)));
        assert_eq!(options.json, Some("-".into()));
    }

    #[test]
    fn mistakes_name_their_option() {
        for (arguments, named) in [
            (&["--bds", "1920"][..], "--bds"),
            (&["--bds", "1921x1080"], "--bds"),
            (&["--lag", "0"], "--lag"),
            (&["--frames", "0"], "--frames"),
            (&["--frames", "-3"], "--frames"),
            (&["--seed"], "--seed"),
            (&["--sensor", "imx258"], "--sensor"),
            (&["--sensor-descriptor", "1,2"], "--sensor-descriptor"),
            (&["--in-process", "--kill-once", "3"], "--kill-once"),
            (&["--in-process", "--kill-every", "3"], "--kill-every"),
            (&["--kill-every", "0"], "--kill-every"),
            (&["--kill-victim", "hal"], "--kill-victim"),
            (&["--recovery", "retry"], "--recovery"),
            (&["--in-process", "--library", "x"], "--library"),
            (&["--bogus"], "--bogus"),
            (&["more"], "more"),
        ] {
            let error = run(arguments).expect_err("a mistake");
            assert!(error.contains(named), "{arguments:?}: {error}");
        }
    }
}
