//! The main job on the reference library, called directly.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod support;

use std::fmt::Write;

use support::{cami_ipa, code, column, output, reference, stderr, trace};

/// Arguments that drive the reference library in process.
fn direct<'a>(library: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--in-process", "--vendor-library", library], more].concat()
}

#[test]
fn figures_have_the_documented_names() {
    let library = reference();
    let arguments = direct(library.to_str().expect("text"), &["--frames", "3", "--json", "-"]);
    let output = output(cami_ipa(&["run"]).args(arguments));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).expect("only JSON");
    let names: Vec<&str> =
        figures.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = [
        "frames",
        "ae_converged_frame",
        "awb_converged_frame",
        "exposure_us",
        "analogue_gain",
        "cct_k",
        "requests",
        "callbacks",
        "request_p50_us",
        "request_p99_us",
        "frame_p50_us",
        "host_pid",
        "restarts",
        "notifications",
        "kills",
        "lost_completions",
        "doubled_completions",
        "recovery_p50_us",
        "recovery_p99_us",
        "recovery_max_us",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(figures["frames"], 3);
    assert_eq!(figures["requests"], figures["callbacks"]);
    assert!(figures["ae_converged_frame"].is_null(), "three frames are too few");
    assert!(figures["host_pid"].is_null(), "there is no host in process");
    assert_eq!(figures["restarts"], 0);
}

#[test]
fn the_seed_decides_the_run() {
    let library = reference();
    let library = library.to_str().expect("text");
    let run = |seed: &str| trace(&direct(library, &["--frames", "12", "--seed", seed]));
    let first = run("1");
    assert_eq!(first, run("1"));
    assert_ne!(first, run("2"));
    assert_eq!(first.lines().count(), 13);
    assert!(first.starts_with("frame,scene_E,"));
}

#[test]
fn both_lights_converge_within_30_frames() {
    let library = reference();
    let folder = tempfile::tempdir().expect("a folder");
    let (json, report) = (folder.path().join("run.json"), folder.path().join("run.html"));
    let mut command = cami_ipa(&["run", "--report"]);
    command.arg(&report).arg("--json").arg(&json);
    let output = output(command.args(direct(library.to_str().expect("text"), &[])));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let figures: serde_json::Value =
        serde_json::from_slice(&std::fs::read(json).expect("figures")).expect("JSON");
    for name in ["ae_converged_frame", "awb_converged_frame"] {
        assert!(figures[name].as_u64().expect("converged") <= 30, "{name}: {figures}");
    }
    let page = std::fs::read_to_string(report).expect("a report");
    // Under the second light too: "after N frames" in the table of lights.
    let after: Vec<u64> = page
        .split("<td>after ")
        .skip(1)
        .filter_map(|rest| rest.split(' ').next()?.parse().ok())
        .collect();
    assert_eq!(after.len(), 4, "AE and AWB under two lights");
    assert!(after.iter().all(|frames| *frames <= 30), "{after:?}");
}

#[test]
fn the_report_needs_nothing_but_itself() {
    let library = reference();
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("run.html");
    let arguments = direct(library.to_str().expect("text"), &["--frames", "8", "--report"]);
    let output = output(cami_ipa(&["run"]).args(arguments).arg(&report));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let page = std::fs::read_to_string(report).expect("a report");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for outside in ["http:", "https:", "src=", "@import", "url(", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("<desc").count(), "all are described");
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("lang=\"en\""));
}

/// A scene of one brightness, then another.
fn step(before: f64, after: f64) -> String {
    let mut text =
        String::from("frame,scene_E,scene_rg,scene_bg,scene_E2,scene_rg2,scene_bg2,scene_lens\n");
    for frame in 0..80 {
        let e = if frame < 40 { before } else { after };
        let _ = writeln!(text, "{frame},{e},0.5136,0.7782,{e},0.5136,0.7782,300");
    }
    text
}

#[test]
fn a_hundredfold_change_of_light_settles_in_30_frames_without_much_overshoot() {
    let library = reference();
    let folder = tempfile::tempdir().expect("a folder");
    let scene = folder.path().join("scene.csv");
    for (before, after) in [(0.05, 0.0005), (0.0005, 0.05)] {
        std::fs::write(&scene, step(before, after)).expect("a scene");
        let scene = scene.to_str().expect("text");
        let trace = trace(&direct(library.to_str().expect("text"), &["--scene", scene]));
        let column = |name| column(&trace, name);
        let (time, analogue, digital) =
            (column("ae_exp_us"), column("ae_again"), column("ae_dgain"));
        let product: Vec<f64> =
            (40..80).map(|frame| time[frame] * analogue[frame] * digital[frame]).collect();
        let target = product[39];
        for (frame, value) in product.iter().enumerate().skip(30) {
            assert!((value / target - 1.0).abs() < 0.05, "{before} to {after}, {frame}: {value}");
        }
        let (low, high) = product
            .iter()
            .fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
        let overshoot = if after < before { high / target - 1.0 } else { 1.0 - low / target };
        assert!(overshoot <= 0.20, "{before} to {after}: {overshoot}");
    }
}
