//! The command line of `cami-ipa ipu3`.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, usage_of};

/// What to do with which files; "-" is standard output.
#[derive(Debug, Clone)]
pub enum Ipu3Options {
    /// `aic_config` to `ipu3_uapi_params`.
    EncodeParams {
        /// What is read.
        config: PathBuf,
        /// What is written.
        params: PathBuf,
    },
    /// `ipu3_uapi_stats_3a` to grids.
    ConvertStats {
        /// What is read.
        stats: PathBuf,
        /// What is written.
        grids: PathBuf,
        /// Where the same goes as JSON.
        json: Option<PathBuf>,
    },
    /// Print `ipu3_uapi_params`.
    ShowParams {
        /// What is read.
        params: PathBuf,
    },
    /// Print `ipu3_uapi_stats_3a`.
    ShowStats {
        /// What is read.
        stats: PathBuf,
        /// Where the grids go as a picture.
        png: Option<PathBuf>,
    },
}

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa ipu3 encode-params IN.aic_config.bin OUT.params.bin
       cami-ipa ipu3 convert-stats IN.stats3a.bin OUT.grids.txt [--json FILE]
       cami-ipa ipu3 show-params FILE
       cami-ipa ipu3 show-stats FILE [--png FILE]

Converts between what a closed IPU3 3A library gives and takes, and the structs of the Linux driver,
as the ChromeOS HAL does.

  encode-params   a library's ISP configuration (aic_config, 288068 bytes) to the driver's parameters
                  (ipu3_uapi_params, 39328 bytes)
  convert-stats   the driver's statistics (ipu3_uapi_stats_3a, 125664 bytes) to the grids that the
                  library takes, as text, one item a line: the configuration as decoded, colour cells
                  as \"r gr gb b sat\", focus cells as two filter responses, exposure histograms
  show-params     the driver's parameters, block by block
  show-stats      the driver's statistics: configuration, stripes and bubbles, grids as maps

  --json FILE     the grids also as JSON
  --png FILE      the grids also as a picture: colour, then both filter responses of focus

\"-\" in place of a file that is written is standard output. Nothing is written where the input is
refused.

exit codes: 0 done; 1 the input is refused: it has another size, or values that the conversion is not
defined for, and which; 2 wrong usage or environment
";

/// Understands the arguments behind `ipu3`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("ipu3");
    let (mut words, mut json, mut png) = (Vec::new(), None, None);
    while let Some(argument) = parser.next().map_err(&usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("json") => json = Some(PathBuf::from(parser.value().map_err(&usage)?)),
            Long("png") => png = Some(PathBuf::from(parser.value().map_err(&usage)?)),
            Value(word) => words.push(word),
            other => return Err(usage(other.unexpected())),
        }
    }
    let wrong = |what: String| Failure::usage(format!("{what}; see cami-ipa help ipu3"));
    let mut words = words.into_iter();
    let Some(action) = words.next() else { return Err(wrong("ipu3: what shall be done?".into())) };
    let action = action.to_string_lossy().into_owned();
    let takes = match action.as_str() {
        "encode-params" | "convert-stats" => 2,
        "show-params" | "show-stats" => 1,
        _ => return Err(wrong(format!("ipu3: there is no \"{action}\""))),
    };
    if json.is_some() && action != "convert-stats" {
        return Err(wrong(format!("{action}: there is no --json")));
    }
    if png.is_some() && action != "show-stats" {
        return Err(wrong(format!("{action}: there is no --png")));
    }
    let files: Vec<PathBuf> = words.map(PathBuf::from).collect();
    let options = match (action.as_str(), files.as_slice()) {
        ("encode-params", [config, params]) => {
            Ipu3Options::EncodeParams { config: config.clone(), params: params.clone() }
        }
        ("convert-stats", [stats, grids]) => {
            Ipu3Options::ConvertStats { stats: stats.clone(), grids: grids.clone(), json }
        }
        ("show-params", [params]) => Ipu3Options::ShowParams { params: params.clone() },
        ("show-stats", [stats]) => Ipu3Options::ShowStats { stats: stats.clone(), png },
        _ => return Err(wrong(format!("{action} takes {takes} files, not {}", files.len()))),
    };
    Ok(Command::Ipu3(options))
}
