//! The command line of `cami-ipa compare`.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, number, path, text, usage};
use crate::sensors::{KNOWN, KnownSensor};

/// What to compare, and how.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// A closed library behind our worker.
    pub vendor_library: Option<PathBuf>,
    /// Where the libraries are that it needs; folders joined by colons.
    pub library_path: Option<String>,
    /// The profile of its protocol.
    pub profile: Option<String>,
    /// Its tuning file for the sensor.
    pub tuning: Option<PathBuf>,
    /// Leave libcamera's own worker out.
    pub without_libcamera: bool,
    /// The sensor.
    pub sensor: KnownSensor,
    /// Frames under each light.
    pub frames_per_light: u64,
    /// Seed of the sensor's noise.
    pub seed: u64,
    /// Where the figures go; "-" is standard output.
    pub json: Option<PathBuf>,
    /// Folder for plots.
    pub plots: Option<PathBuf>,
}

/// Enough for libraries that move the exposure gently: Intel's takes 55 frames from one light to another.
const DEFAULT_FRAMES: u64 = 120;
/// Below, there is nothing to judge; above, nothing more to see.
const FRAMES: std::ops::RangeInclusive<u64> = 20..=2000;

impl Default for CompareOptions {
    fn default() -> Self {
        let [sensor, ..] = KNOWN;
        Self {
            vendor_library: None,
            library_path: None,
            profile: None,
            tuning: None,
            without_libcamera: false,
            sensor,
            frames_per_light: DEFAULT_FRAMES,
            seed: 1,
            json: None,
            plots: None,
        }
    }
}

/// `cami-ipa help compare`.
pub const HELP: &str = "\
usage: cami-ipa compare [OPTION...]

Acts as libcamera's IPU3 pipeline and drives workers side by side, over libcamera's own wire, each in
one closed loop with the same virtual camera: a ColorChecker chart under six lights. What a worker
orders is done by the sensor with its delays, what it emits for the ISP is applied to the chart.

who is compared
  reference   our worker ipu3_ipa_proxy with the reference library; always
  vendor      our worker with a closed library: --vendor-library or $CAMI_IPA_VENDOR_LIBRARY,
              with the configuration of this machine (the section ipa_cami_ipu3.so of
              /etc/cami-ipa.toml, and the environment)
  libcamera   libcamera's own ipa_ipu3.so in its own worker, as installed

  --vendor-library FILE   the closed library
  --library-path FOLDERS  where the libraries that it needs are (joined by colons)
  --profile NAME          what is known of its protocol (default at libcamera's door: intel-ipu3)
  --tuning FILE.aiqb      tuning data for it
  --without-libcamera     leave libcamera's own out

the virtual camera
  --sensor NAME           ov13858 (default) or ov5670
  --frames N              frames under each of the six lights, 20 to 2000 (default: 120)
  --seed N                of the sensor's noise, and of who runs first (default: 1)

what comes out
  --json FILE             the figures (\"-\" for standard output, in place of the table)
  --plots FOLDER          SVG: exposure over time, error of white balance, colour differences

The figures (docs/compare.md has their definitions)
  AE frames    from a light's first frame to the first of five within 5 % of where AE settles;
               the sensor's delay of four frames included
  overshoot    how far the exposure went beyond its final value
  AWB error    angle between balanced grey patches and neutral, in degrees
  dE picture   CIEDE2000 between the picture, as the emitted parameters show it, and the chart
  dE colour    the same with exposure and black level made equal for all
  CPU          of the worker and all processes below it, for each frame
  late         answers after more than 33 ms; missing: after more than 2 s, or never

exit codes: 0 done; 1 our worker, with either library, misses a bound (docs/compare.md) or fails;
2 wrong usage or environment
";

/// Understands the arguments behind `compare`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut options = CompareOptions::default();
    while let Some(argument) = parser.next().map_err(|error| usage(error, "compare"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("vendor-library") => options.vendor_library = Some(path(&mut parser)?),
            Long("library-path") => {
                options.library_path = Some(text(&mut parser, "--library-path")?);
            }
            Long("profile") => options.profile = Some(text(&mut parser, "--profile")?),
            Long("tuning") => {
                let file = path(&mut parser)?;
                let found = file.canonicalize().map_err(|error| {
                    Failure::environment(format!("--tuning {}: {error}", file.display()))
                })?;
                options.tuning = Some(found);
            }
            Long("without-libcamera") => options.without_libcamera = true,
            Long("sensor") => {
                let name = text(&mut parser, "--sensor")?;
                options.sensor = KnownSensor::by_name(&name).ok_or_else(|| {
                    let known = KnownSensor::names();
                    Failure::usage(format!("--sensor: there is no \"{name}\", but {known}"))
                })?;
            }
            Long("frames") => {
                let (least, most) = (*FRAMES.start(), *FRAMES.end());
                options.frames_per_light = number(&mut parser, "--frames", least, most)?;
            }
            Long("seed") => options.seed = number(&mut parser, "--seed", 0, u64::MAX)?,
            Long("json") => options.json = Some(path(&mut parser)?),
            Long("plots") => options.plots = Some(path(&mut parser)?),
            other => return Err(usage(other.unexpected(), "compare")),
        }
    }
    Ok(Command::Compare(Box::new(options)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn compare(arguments: &[&str]) -> Result<CompareOptions, String> {
        match Command::parse(["compare"].iter().chain(arguments).map(OsString::from)) {
            Ok(Command::Compare(options)) => Ok(*options),
            Ok(other) => Err(format!("{other:?}")),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn options_are_understood() {
        let found = compare(&[
            "--vendor-library",
            "v.so",
            "--library-path",
            "/a:/b",
            "--profile=intel-ipu3",
            "--without-libcamera",
            "--sensor",
            "ov5670",
            "--frames",
            "40",
            "--seed",
            "7",
            "--json",
            "-",
            "--plots",
            "p",
        ])
        .expect("good options");
        assert_eq!(found.library_path.as_deref(), Some("/a:/b"));
        assert_eq!((found.sensor.name, found.frames_per_light, found.seed), ("ov5670", 40, 7));
        assert!(found.without_libcamera && found.json == Some("-".into()));
    }

    #[test]
    fn mistakes_name_their_option() {
        for arguments in [
            &["--frames", "10"][..],
            &["--frames", "3000"],
            &["--sensor", "imx258"],
            &["--tuning", "/nonexistent/t.aiqb"],
            &["--seed"],
            &["--bogus"],
        ] {
            let error = compare(arguments).expect_err("a mistake");
            assert!(error.contains(arguments[0]), "{arguments:?}: {error}");
        }
    }
}
