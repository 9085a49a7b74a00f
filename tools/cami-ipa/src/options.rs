//! The command line: what was asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::Failure;
use crate::hal::kills::Victim;
use crate::learn::{self, LearnOptions};
use crate::policy::{self, PolicyOptions};
use crate::sensors::Sensor;
use crate::serve::{self, SERVE_HELP, ServeOptions};
use crate::status::{self, StatusOptions};

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Print a text and be done.
    Print(String),
    /// Look at the machine, the configuration and the vendor library.
    Doctor(DoctorOptions),
    /// Drive a library.
    Run(Box<RunOptions>),
    /// Serve clients.
    Serve(ServeOptions),
    /// Print what a vendor library may do.
    Policy(PolicyOptions),
    /// List what a library does.
    Learn(LearnOptions),
    /// Show the hosts.
    Status(StatusOptions),
}

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct DoctorOptions {
    /// The vendor library, in place of the configured one.
    pub vendor_library: Option<PathBuf>,
    /// File name of the `libcam_algo.so` whose section of the configuration holds.
    pub section: Option<String>,
    /// Where the findings go as data; "-" is standard output.
    pub json: Option<PathBuf>,
}

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

const HELP: &str = "\
cami-ipa - closed ChromeOS camera 3A libraries in a process of their own

usage: cami-ipa run [OPTION...]            act as a camera HAL against a virtual camera
       cami-ipa serve [OPTION...]          run a closed library for each client that connects
       cami-ipa doctor [OPTION...]         say what works here, what does not, and what to do
       cami-ipa status [OPTION...]         show the hosts that run, and why the last ones died
       cami-ipa policy [OPTION...]         print which system calls a library may use, and why
       cami-ipa learn LIBRARY [OPTION...]  list what a library uses of the system
       cami-ipa help [run | serve | doctor | status | policy | learn]
       cami-ipa --version

exit codes: 0 done, 1 the thing examined falls short, 2 wrong usage or environment
";

const RUN_HELP: &str = "\
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

const DOCTOR_HELP: &str = "\
usage: cami-ipa doctor [OPTION...]

Looks at this machine, the configuration and the vendor library as cros_ipa_proxy would: which
layers of the sandbox engage and why the others do not, whether the library and all that it needs
is found, and where each key of the configuration was set. It changes nothing.

  --vendor-library FILE   the library to look at (default: the configured one)
  --section NAME          file name of the libcam_algo.so whose section of the configuration holds
  --json FILE             the findings as data (\"-\" for standard output, in place of the text)

exit codes: 0 good; 1 something falls short: it stands in the first lines; 2 wrong usage
";

impl Command {
    /// Understands the arguments behind the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let top = |error| usage(error, "run");
        match parser.next().map_err(top)? {
            Some(Long("help") | Short('h')) => Ok(Self::Print(HELP.into())),
            Some(Long("version") | Short('V')) => {
                Ok(Self::Print(format!("cami-ipa {}\n", env!("CARGO_PKG_VERSION"))))
            }
            Some(Value(command)) if command == "help" => match parser.next().map_err(top)? {
                None => Ok(Self::Print(HELP.into())),
                Some(Value(topic)) if topic == "doctor" => Ok(Self::Print(DOCTOR_HELP.into())),
                Some(Value(topic)) if topic == "run" => Ok(Self::Print(RUN_HELP.into())),
                Some(Value(topic)) if topic == "serve" => Ok(Self::Print(SERVE_HELP.into())),
                Some(Value(topic)) if topic == "policy" => Ok(Self::Print(policy::HELP.into())),
                Some(Value(topic)) if topic == "learn" => Ok(Self::Print(learn::HELP.into())),
                Some(Value(topic)) if topic == "status" => Ok(Self::Print(status::HELP.into())),
                Some(other) => Err(top(other.unexpected())),
            },
            Some(Value(command)) if command == "doctor" => parse_doctor(parser),
            Some(Value(command)) if command == "run" => parse_run(parser),
            Some(Value(command)) if command == "serve" => serve::parse(parser),
            Some(Value(command)) if command == "policy" => policy::parse(parser),
            Some(Value(command)) if command == "learn" => learn::parse(parser),
            Some(Value(command)) if command == "status" => match status::parse(&mut parser) {
                Ok(Some(options)) => Ok(Self::Status(options)),
                Ok(None) => Ok(Self::Print(status::HELP.into())),
                Err(error) => Err(Failure::usage(format!("{error}; see cami-ipa help status"))),
            },
            Some(Value(command)) => Err(Failure::usage(format!(
                "there is no command \"{}\"; see cami-ipa help",
                command.to_string_lossy()
            ))),
            Some(other) => Err(top(other.unexpected())),
            None => Err(Failure::usage("what shall be done? See cami-ipa help".into())),
        }
    }
}

/// A mistake in the arguments of `command`.
pub fn usage(error: lexopt::Error, command: &str) -> Failure {
    Failure::usage(format!("{error}; see cami-ipa help {command}").trim_end().to_owned())
}

/// What is wrong with the arguments of a command.
pub fn usage_of(command: &'static str) -> impl Fn(lexopt::Error) -> Failure {
    move |error| usage(error, command)
}

/// The value of `--ioctl`: a number as the configuration's `sandbox.ioctl` has it, `0x` or not.
pub fn ioctl_number(parser: &mut lexopt::Parser) -> Result<u32, Failure> {
    let value = text(parser, "--ioctl")?;
    let parsed = match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => value.parse(),
    };
    parsed.map_err(|_| {
        Failure::usage(format!("--ioctl: \"{value}\" is not a number from 0 to 0xffffffff"))
    })
}

fn parse_doctor(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut options = DoctorOptions::default();
    while let Some(argument) = parser.next().map_err(usage_of("doctor"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(DOCTOR_HELP.into())),
            Long("vendor-library") => options.vendor_library = Some(path(&mut parser)?),
            Long("section") => options.section = Some(text(&mut parser, "--section")?),
            Long("json") => options.json = Some(path(&mut parser)?),
            other => return Err(usage(other.unexpected(), "doctor")),
        }
    }
    Ok(Command::Doctor(options))
}

fn parse_run(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut options = RunOptions::default();
    while let Some(argument) = parser.next().map_err(|error| usage(error, "run"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(RUN_HELP.into())),
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

/// The value of an option that is a path.
pub fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, Failure> {
    parser.value().map(PathBuf::from).map_err(|error| usage(error, ""))
}

/// The value of an option that must be text.
pub fn text(parser: &mut lexopt::Parser, option: &str) -> Result<String, Failure> {
    parser.value().map_err(|error| usage(error, ""))?.into_string().map_err(|value| {
        Failure::usage(format!("{option}: \"{}\" is not text", value.to_string_lossy()))
    })
}

/// The value of an option that must be a number within bounds.
pub fn number(
    parser: &mut lexopt::Parser,
    option: &str,
    smallest: u64,
    largest: u64,
) -> Result<u64, Failure> {
    let value = text(parser, option)?;
    value.parse().ok().filter(|number| (smallest..=largest).contains(number)).ok_or_else(|| {
        Failure::usage(format!(
            "{option}: \"{value}\" is not a number from {smallest} to {largest}"
        ))
    })
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
