//! The main job through `libcam_algo.so`, where it and its host are built beside the program.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use support::{built, cami_ipa, code, output, reference, stderr, trace};

/// The shim, if it and its host were built.
fn shim() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_BIN_EXE_cami-ipa"));
    let shim = beside.with_file_name("libcam_algo.so");
    if shim.exists() && beside.with_file_name("cros_ipa_proxy").exists() {
        return Some(shim);
    }
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: libcam_algo.so and cros_ipa_proxy are not built beside cami-ipa"
    );
    None
}

#[test]
fn an_isolated_run_gives_the_trace_of_a_direct_one() {
    if shim().is_none() {
        return;
    }
    let library = reference();
    let library = library.to_str().expect("text");
    let run = ["--vendor-library", library, "--frames", "40"];
    let isolated = trace(&run);
    let direct = trace(&[&run[..], &["--in-process"]].concat());
    assert_eq!(isolated, direct);
}

#[test]
fn a_killed_vendor_process_is_named_and_replaced() {
    if shim().is_none() {
        return;
    }
    let library = reference();
    let mut command = cami_ipa(&[
        "run",
        "--json",
        "-",
        "--frames",
        "40",
        "--kill-once",
        "20",
        "--vendor-library",
    ]);
    let output = output(command.arg(library));
    let told = stderr(&output);
    assert_eq!(code(&output), 0, "{told}");
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(figures["frames"], 40);
    assert_eq!(figures["restarts"], 1);
    assert_eq!(figures["notifications"], 1);
    assert!(figures["host_pid"].as_u64().is_some());
    assert!(told.contains("killed with SIGKILL (--kill-once)"), "{told}");
    assert!(told.contains("the vendor process is gone (IPC_ERROR)"), "{told}");
    assert!(told.contains("set-up replayed"), "{told}");
}

#[test]
fn a_real_library_gives_the_recorded_trace() {
    let from = |name| std::env::var(name).ok();
    let (Some(vectors), Some(library), Some(tuning)) =
        (from("CAMI_IPA_VECTORS"), from("CAMI_IPA_INTEL_LIBRARY"), from("CAMI_IPA_INTEL_TUNING"))
    else {
        println!(
            "skipped: CAMI_IPA_VECTORS, CAMI_IPA_INTEL_LIBRARY and CAMI_IPA_INTEL_TUNING (the \
             ov13858 file of module TFC13MYHCE) are not all set"
        );
        return;
    };
    let file = "closed_loop/ov13858_tfc13myhce_60frames.scene_and_trace.csv.xz";
    let unpacked = std::process::Command::new("xz")
        .arg("-dc")
        .arg(Path::new(&vectors).join(file))
        .output()
        .expect("xz is installed");
    let recorded = String::from_utf8(unpacked.stdout).expect("text");
    let folder = tempfile::tempdir().expect("a folder");
    let scene = folder.path().join("scene.csv");
    std::fs::write(&scene, &recorded).expect("a scene");
    let scene = scene.to_str().expect("text");
    let run = ["--vendor-library", &library, "--tuning", &tuning, "--scene", scene];
    assert_eq!(trace(&[&run[..], &["--in-process"]].concat()), recorded, "in process");
    if shim().is_some() {
        assert_eq!(trace(&run), recorded, "isolated");
    }
}

#[test]
fn the_default_library_is_the_reference() {
    if shim().is_none() || built("libcam_algo_reference.so").is_none() {
        return;
    }
    let beside = Path::new(env!("CARGO_BIN_EXE_cami-ipa"));
    if !beside.with_file_name("libcam_algo_reference.so").exists() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: libcam_algo_reference.so is not built beside cami-ipa"
        );
        return;
    }
    assert_eq!(trace(&["--frames", "3"]).lines().count(), 4);
}

#[test]
fn death_in_a_run_is_what_status_shows_and_the_run_leaves_no_host() {
    if shim().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (status, crash) = (folder.path().join("status"), folder.path().join("crash"));
    let run = output(
        cami_ipa(&["run", "--json", "-", "--frames", "40", "--kill-once", "20"])
            .arg("--vendor-library")
            .arg(reference())
            .env("CAMI_IPA_STATUS_DIR", &status)
            .env("CAMI_IPA_CRASH_DIR", &crash),
    );
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let shown = output(
        cami_ipa(&["status", "--json", "-"])
            .env("CAMI_IPA_STATUS_DIR", &status)
            .env("CAMI_IPA_CRASH_DIR", &crash),
    );
    assert_eq!(code(&shown), 0, "{}", stderr(&shown));
    let report: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(report["hosts"].as_array().map(Vec::len), Some(0), "{report}");
    assert_eq!(report["deaths"].as_array().map(Vec::len), Some(1), "{report}");
    let cause = report["deaths"][0]["cause"].as_str().expect("text");
    assert!(cause.contains("killed by SIGKILL from outside"), "{cause}");
    assert!(report["deaths"][0]["build_id"].is_string(), "{report}");
    let record = report["deaths"][0]["crash_record"].as_str().expect("text");
    assert!(record.starts_with(crash.to_str().expect("text")), "{record}");
}
