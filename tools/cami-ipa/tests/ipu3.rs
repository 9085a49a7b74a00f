//! `cami-ipa ipu3`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_ipu3::payload::AicConfig;
use cami_ipu3::uapi::{Params, Stats3a};
use cami_ipu3::{Pod, bytes_of, zeroed_box};
use support::{cami_ipa, code, output, stderr};
use virtual_camera::{AfCell, Grids, RgbsCell, Stripes, raw_statistics};

const CONFIG: &str = "in.aic_config.bin";
const STATS: &str = "in.stats3a.bin";

/// Files for one test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, value: &impl Pod) {
        std::fs::write(self.path(name), bytes_of(value)).unwrap();
    }

    /// Runs in the folder.
    fn run(&self, arguments: &[&str]) -> std::process::Output {
        output(cami_ipa(&["ipu3"]).args(arguments).current_dir(self.0.path()))
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// A configuration that can be encoded.
fn config() -> Box<AicConfig> {
    let mut config = zeroed_box::<AicConfig>();
    config.shd_2500_config.shd.grid.grid_width = 3;
    config.shd_2500_config.shd.grid.grid_height = 2;
    config.shd_2500_config.shd.luts.gb[..6].copy_from_slice(&[10, 20, 30, 40, 50, 60]);
    config.af_2500_config.af.grid.grid_width = 16;
    config.awb_fr_2500_config.awb_fr.grid.grid_width = 16;
    config.bnr_2500_config.bnr.wb_gains.r = 4321;
    config
}

/// Statistics whose cells are a ramp.
fn stats() -> Box<Stats3a> {
    let byte = |value: u32| u8::try_from(value).unwrap();
    let cell = |place: u32| RgbsCell {
        gr: byte(place % 80),
        r: 200,
        b: byte(place / 80),
        gb: byte(place % 80),
        sat: 0,
    };
    let sums = |place| AfCell { response_1: 7, response_2: place };
    let grids = Grids { rgbs: (0..4800).map(cell).collect(), af: (0..768).map(sums).collect() };
    raw_statistics(&grids, Stripes::Two { rgbs: 33, af: 13 })
}

#[test]
fn parameters_are_encoded_and_shown() {
    let files = Files::new();
    files.put(CONFIG, &*config());
    assert_eq!(files.done(&["encode-params", CONFIG, "out.params.bin"]), "");
    let encoded = std::fs::read(files.path("out.params.bin")).unwrap();
    assert_eq!(encoded.len(), size_of::<Params>());
    assert_eq!(encoded[..12], [2, 0, 0, 0, 0xff, 0xfc, 0xe6, 0xc3, 0x17, 0, 0, 0]);
    let text = files.done(&["show-params", "out.params.bin"]);
    for line in [
        "ipu3_uapi_params: 27 of 27 blocks are used",
        "\nacc_bnr\n",
        "  wb_gains.r                           4321\n",
        "  grid.grid_height_per_slice           48\n",
        "  gb of 6 cells                        10 to 60, mean 35.0\n",
    ] {
        assert!(text.contains(line), "{line:?} is missing:\n{text}");
    }
    // To standard output the same.
    let stdout = files.run(&["encode-params", CONFIG, "-"]).stdout;
    assert_eq!(stdout, encoded);
}

#[test]
fn statistics_are_converted_to_text_and_json() {
    let files = Files::new();
    files.put(STATS, &*stats());
    assert_eq!(files.done(&["convert-stats", STATS, "out.txt", "--json", "out.json"]), "");
    let text = std::fs::read_to_string(files.path("out.txt")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["convert 0", "cfg_awb 80 60 5 5 0 0", "cfg_af 32 24 6 6 0 0"]);
    assert_eq!(lines[5..8], ["rgbs 80 60", "200 0 0 0 0", "200 1 1 0 0"]);
    assert_eq!(lines[6 + 4800..][..2], ["af 32 24 32 32", "7 0"]);
    assert_eq!(lines.last(), Some(&"end"));
    let json = std::fs::read_to_string(files.path("out.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["rgbs"]["cells"][81], serde_json::json!([200, 1, 1, 1, 0]));
    assert_eq!((&json["af"]["width"], &json["af"]["block_height"]), (&32.into(), &32.into()));
    assert_eq!(json["af"]["response_2"][767], 767);
    assert_eq!(json["ae_histogram"]["y"].as_array().unwrap().len(), 256);
}

#[test]
fn statistics_are_shown_and_drawn() {
    let files = Files::new();
    files.put(STATS, &*stats());
    let text = files.done(&["show-stats", STATS, "--png", "out.png"]);
    for line in [
        "AWB: on, 80x60 cells of 32x32 pixels from 0,0\n",
        "  stripe 0: 60 sets of 33 cells, 3 of bubble behind each\n",
        "  stripe 1: 24 sets of 19 cells, 5 of bubble behind each\n",
        "  gr: 0 to 79, mean 39.5\n",
        "  second filter: 0 to 767, mean 383.5\n",
    ] {
        assert!(text.contains(line), "{line:?} is missing:\n{text}");
    }
    let png = std::fs::read(files.path("out.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    // 80 cells wide; colour, two filters and four gaps high; 8 pixels each.
    assert_eq!(png[16..24], [0, 0, 2, 128, 0, 0, 3, 128]);
    assert_eq!(files.run(&["show-stats", STATS, "--png", "-"]).stdout, png);
}

#[test]
fn what_is_refused_is_1_says_why_and_writes_nothing() {
    let files = Files::new();
    let mut bad = config();
    bad.shd_2500_config.shd.grid.grid_width = 147;
    files.put("bad.bin", &*bad);
    let mut raw = stats();
    raw.stats_3a_bubble_per_stripe.awb[0].num_sets = 9999;
    files.put("raw.bin", &*raw);
    let mut sizes = vec![("empty", 0), ("one", 1)];
    for (name, size) in [
        ("config", size_of::<AicConfig>()),
        ("stats", size_of::<Stats3a>()),
        ("params", size_of::<Params>()),
    ] {
        sizes.push((name, size));
        std::fs::write(files.path(&format!("{name}-short")), vec![0; size - 1]).unwrap();
        std::fs::write(files.path(&format!("{name}-long")), vec![0; size + 1]).unwrap();
    }
    for (name, size) in sizes {
        std::fs::write(files.path(name), vec![0; size]).unwrap();
    }
    for (arguments, expected) in [
        (vec!["encode-params", "bad.bin", "out"], "acc_shd: grid.grid_width is 147, expected 1 to"),
        (vec!["convert-stats", "raw.bin", "out", "--json", "out"], "AWB: set "),
        (vec!["show-stats", "raw.bin", "--png", "out"], "AWB: set "),
        (vec!["encode-params", "empty", "out"], "has 288068 bytes: it has 0"),
        (vec!["encode-params", "config-short", "out"], "it has 288067"),
        (vec!["encode-params", "config-long", "out"], "it has more"),
        (vec!["encode-params", "/dev/zero", "out"], "it has more"),
        (vec!["convert-stats", "one", "out"], "has 125664 bytes: it has 1"),
        (vec!["convert-stats", "stats-short", "out"], "it has 125663"),
        (vec!["convert-stats", "config", "out"], "it has more"),
        (vec!["show-stats", "stats-long"], "it has more"),
        (vec!["show-params", "params-short"], "has 39328 bytes: it has 39327"),
        (vec!["show-params", "stats"], "it has more"),
        // All zeros are a configuration without columns.
        (vec!["encode-params", "config", "out"], "acc_shd: grid.grid_width is 0"),
    ] {
        let output = files.run(&arguments);
        assert_eq!(code(&output), 1, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert!(!files.path("out").exists(), "{arguments:?} wrote");
    }
    // What can be shown is.
    let shown = files.run(&["show-stats", "raw.bin"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("9999 sets of 33 cells"));
    // Zeros are statistics of nothing, and parameters of nothing.
    assert!(files.done(&["show-stats", "stats"]).contains("AWB: off, 0x0 cells"));
    assert!(files.done(&["show-params", "params"]).contains("0 of 27 blocks"));
    files.done(&["show-stats", "stats", "--png", "empty.png"]);
}

#[test]
fn wrong_usage_is_2_and_says_what_to_do() {
    let files = Files::new();
    for (arguments, expected) in [
        (&[][..], "what shall be done"),
        (&["decode"], "there is no \"decode\""),
        (&["encode-params", "in"], "takes 2 files, not 1"),
        (&["show-stats", "a", "b"], "takes 1 files, not 2"),
        (&["show-stats", "a", "--json", "b"], "there is no --json"),
        (&["convert-stats", "a", "b", "--png", "c"], "there is no --png"),
        (&["show-params", "--bogus"], "--bogus"),
        (&["show-params", "/nowhere/p"], "/nowhere/p cannot be read"),
    ] {
        let output = files.run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
    files.put(CONFIG, &*config());
    let output = files.run(&["encode-params", CONFIG, "/nowhere/out"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("/nowhere/out cannot be written"), "{}", stderr(&output));
}

#[test]
fn help_names_all_actions_and_options() {
    let files = Files::new();
    let help = files.done(&["--help"]);
    assert_eq!(help, files.done(&["show-stats", "-h"]));
    assert!(help.starts_with("usage: cami-ipa ipu3 "));
    let words = ["encode-params", "convert-stats", "show-params", "show-stats", "--json", "--png"];
    for word in words.into_iter().chain(["exit codes", "\"-\""]) {
        assert!(help.contains(word), "{word} is missing");
    }
    let topic = output(&mut cami_ipa(&["help", "ipu3"]));
    assert_eq!(String::from_utf8(topic.stdout).unwrap(), help);
}

/// Unpacks a vector, if there are any.
fn vector(files: &Files, name: &str) -> Option<Vec<u8>> {
    let Some(vectors) = std::env::var_os("CAMI_IPA_VECTORS") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: CAMI_IPA_VECTORS is not set");
        return None;
    };
    let path = Path::new(&vectors).join(format!("{name}.xz"));
    let output = Command::new("xz").arg("-dc").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}: {}", path.display(), output.status);
    let file = files.path(Path::new(name).file_name().unwrap().to_str().unwrap());
    std::fs::write(file, &output.stdout).unwrap();
    Some(output.stdout)
}

#[test]
fn vectors_are_reproduced() {
    let files = Files::new();
    let name = "01_ov13858-tfc_hd_dark_2300k";
    let Some(expected) = vector(&files, &format!("encoder/{name}.params.bin")) else { return };
    vector(&files, &format!("encoder/{name}.aic_config.bin"));
    files.done(&["encode-params", &format!("{name}.aic_config.bin"), "out"]);
    assert!(std::fs::read(files.path("out")).unwrap() == expected);
    let name = "05_awb60x40_two-stripes_33+27_bubbles_af21x18_11+10";
    let expected = vector(&files, &format!("stats/{name}.grids.txt")).unwrap();
    vector(&files, &format!("stats/{name}.stats3a.bin"));
    files.done(&["convert-stats", &format!("{name}.stats3a.bin"), "out"]);
    assert!(std::fs::read(files.path("out")).unwrap() == expected);
}
