//! `cami-ipa compare` with real workers: ours with the reference library, and libcamera's own where it is
//! installed.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use support::{cami_ipa, code, output, reference, stderr};

/// Says why nothing was tested.
fn skip(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Whether our worker, its modules, the host and the shim are beside the program.
fn is_built() -> bool {
    let beside = Path::new(env!("CARGO_BIN_EXE_cami-ipa"));
    let needed = [
        "ipu3_ipa_proxy",
        "ipa_cami_ipu3.so",
        "ipa_cami_ipu3_0.so",
        "cros_ipa_proxy",
        "libcam_algo_reference.so",
    ];
    let missing: Vec<&str> =
        needed.into_iter().filter(|name| !beside.with_file_name(name).exists()).collect();
    if !missing.is_empty() {
        skip(&format!("{} not built beside cami-ipa", missing.join(" and ")));
    }
    missing.is_empty()
}

fn has_libcamera() -> bool {
    ["/usr/lib/x86_64-linux-gnu/libcamera", "/usr/lib/aarch64-linux-gnu/libcamera"]
        .into_iter()
        .flat_map(|folder| [format!("{folder}/ipa_ipu3.so"), format!("{folder}/ipa/ipa_ipu3.so")])
        .any(|module| Path::new(&module).exists())
}

/// A comparison and its figures. It must be a good one where the machine had the time for it.
fn compared(more: &[&str]) -> serde_json::Value {
    let output = output(&mut short(more));
    let figures: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let all = figures["contestants"].as_array().expect("contestants");
    if all.iter().all(had_time) {
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
    figures
}

/// Whether every answer came within a frame's time. On a machine that is busy with other tests our worker
/// answers frames without its library, as it promises, and AE takes its time.
fn had_time(one: &serde_json::Value) -> bool {
    one["late_answers"] == 0
}

fn short(more: &[&str]) -> Command {
    let mut command = cami_ipa(&["compare", "--frames", "45", "--json", "-"]);
    command.args(more).env_remove("CAMI_IPA_PROFILE").env_remove("CAMI_IPA_TUNING");
    command
}

fn number(value: &serde_json::Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name} is a number: {value}"))
}

/// What holds for everybody who works at all.
fn is_sensible(one: &serde_json::Value) {
    let name = &one["name"];
    assert_eq!(one["failure"], serde_json::Value::Null, "{name}");
    assert_eq!(one["missing_answers"], 0, "{name}");
    let lights = one["lights"].as_array().expect("lights");
    assert_eq!(lights.len(), 6, "{name}");
    for light in lights {
        let (mean, max) = (number(light, "de2000_colour_mean"), number(light, "de2000_colour_max"));
        assert!(mean > 0.1 && mean < max && max < 60.0, "{name}: {light}");
        if !had_time(one) {
            continue;
        }
        let level = number(light, "level");
        assert!((0.10..=0.40).contains(&level), "{name}: {light}");
        assert!(number(light, "awb_error_deg") < 3.0, "{name}: {light}");
    }
    assert_eq!(one["level"].as_array().map(Vec::len), Some(270), "{name}");
    assert!(number(one, "cpu_us_per_frame") > 1.0, "{name}");
}

#[test]
fn our_worker_and_libcamera_s_own_are_driven_through_all_lights() {
    if !is_built() {
        return;
    }
    let libcamera = has_libcamera();
    if !libcamera {
        skip("libcamera's own worker: install libcamera-ipa");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let plots = folder.path().join("plots");
    let plots_text = plots.to_str().expect("text");
    let mut arguments = vec!["--plots", plots_text];
    if !libcamera {
        arguments.push("--without-libcamera");
    }
    let figures = compared(&arguments);
    let all = figures["contestants"].as_array().expect("contestants");
    let names: Vec<&str> = all.iter().filter_map(|one| one["name"].as_str()).collect();
    let expected: &[&str] = if libcamera { &["reference", "libcamera"] } else { &["reference"] };
    assert_eq!(names, expected);
    for one in all {
        is_sensible(one);
    }
    let ours = &all[0];
    assert!(ours["processes"].as_u64() >= Some(3), "worker, monitor and vendor process: {ours}");
    assert!(!had_time(ours) || number(ours, "ae_frames_max") <= 30.0, "{ours}");
    if let Some(theirs) = all.get(1) {
        assert_eq!(theirs["processes"], 1);
    }
    for plot in ["ae.svg", "awb.svg", "de2000_picture.svg", "de2000_colour.svg"] {
        let text = std::fs::read_to_string(plots.join(plot)).expect("a plot");
        assert!(text.contains("<svg") && text.contains("reference"), "{plot}");
    }
}

#[test]
fn a_library_that_does_not_come_up_is_1_and_is_named() {
    if !is_built() {
        return;
    }
    // No 3A library: it exports no CAMI.
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("libcam_algo.so");
    std::fs::copy(env!("CARGO_BIN_EXE_cami-ipa"), &library).expect("a copy");
    let library = library.to_str().expect("text");
    let mut command = short(&["--without-libcamera", "--vendor-library", library]);
    let output = output(&mut command);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("vendor: init fails"), "{}", stderr(&output));
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let all = figures["contestants"].as_array().expect("contestants");
    assert_eq!(all[0]["failure"], serde_json::Value::Null, "the reference goes on");
    assert!(all[1]["failure"].as_str().expect("a reason").contains("init"));
}

#[test]
fn a_vendor_library_stands_beside_the_reference() {
    if !is_built() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tuning = folder.path().join("t.aiqb");
    std::fs::write(&tuning, b"").expect("a file");
    let (library, tuning) = (reference(), tuning.to_str().expect("text").to_owned());
    let library = library.to_str().expect("text");
    let figures =
        compared(&["--without-libcamera", "--vendor-library", library, "--tuning", &tuning]);
    let all = figures["contestants"].as_array().expect("contestants");
    assert_eq!(all.len(), 2);
    is_sensible(&all[1]);
    // The same library and noise: the same course.
    if all.iter().all(had_time) {
        assert_eq!(all[0]["level"], all[1]["level"]);
    }
}

#[test]
fn mistakes_are_2() {
    for arguments in [
        &["compare", "--vendor-library", "/nonexistent/v.so", "--without-libcamera"][..],
        &["compare", "--frames", "1"],
        &["compare", "more"],
    ] {
        let output = output(&mut cami_ipa(arguments));
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
    }
}
