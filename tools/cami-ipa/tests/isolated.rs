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

/// A run whose processes are killed in every second frame.
fn storm(victim: &str, standby: &str) -> (serde_json::Value, String) {
    let library = reference();
    let mut command = cami_ipa(&["run", "--json", "-", "--frames", "41", "--kill-every", "2"]);
    command.args(["--recovery", "resume", "--kill-victim", victim, "--vendor-library"]);
    let output = output(command.arg(library).env("CAMI_IPA_STANDBY", standby));
    let told = stderr(&output);
    assert_eq!(code(&output), 0, "{told}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), told)
}

#[test]
fn killed_processes_cost_no_completion_and_nobody_is_told() {
    if shim().is_none() {
        return;
    }
    for (victim, standby) in
        [("vendor", "false"), ("monitor", "false"), ("either", "false"), ("vendor", "true")]
    {
        let (figures, told) = storm(victim, standby);
        let count = |figure: &str| figures[figure].as_u64().expect("a number");
        assert!(count("kills") > 5, "{told}");
        // Each kill is a death: a process that is dying already is not counted once more.
        assert!(count("restarts") + 1 >= count("kills"), "{told}");
        for figure in ["lost_completions", "doubled_completions", "notifications"] {
            assert_eq!(figures[figure], 0, "{figure}, {victim}: {told}");
        }
        assert_eq!(figures["requests"], figures["callbacks"], "{told}");
        assert!(count("restarts") > 5, "{told}");
    }
}

/// The picture does not jump: the frames of a run with deaths are those of one without.
#[test]
fn picture_of_a_resumed_run_is_that_of_an_undisturbed_one() {
    if shim().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let run = |name: &str, more: &[&str]| {
        let path = folder.path().join(name);
        let mut command = cami_ipa(&["run", "--frames", "60", "--trace"]);
        command.arg(&path).args(more).arg("--vendor-library").arg(reference());
        let output = output(&mut command);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let text = std::fs::read_to_string(&path).expect("a trace");
        let mut lines = text.lines();
        let names: Vec<String> =
            lines.next().expect("a header").split(',').map(str::to_owned).collect();
        let column = |name: &str| {
            names
                .iter()
                .position(|found| found == name)
                .unwrap_or_else(|| panic!("{name}: {names:?}"))
        };
        let columns = [
            column("ae_exp_us"),
            column("ae_again"),
            column("awb_final_rg"),
            column("awb_final_bg"),
        ];
        lines
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                columns.map(|index| cells[index].parse::<f64>().expect("a number"))
            })
            .collect::<Vec<_>>()
    };
    let undisturbed = run("undisturbed.csv", &[]);
    let killed = run("killed.csv", &["--recovery", "resume", "--kill-every", "7"]);
    assert_eq!(undisturbed.len(), killed.len());
    let cold = undisturbed[0][0] * undisturbed[0][1];
    for (frame, (a, b)) in undisturbed.iter().zip(&killed).enumerate() {
        let off = |x: f64, y: f64| (x / y - 1.0).abs();
        let exposure = |values: &[f64; 4]| values[0] * values[1];
        // The light changes at 30; both converge within ten frames of it and of the start.
        if matches!(frame, 10..30 | 42..) {
            assert!(off(exposure(a), exposure(b)) <= 0.01, "frame {frame}: exposure {a:?} {b:?}");
            assert!(
                off(a[2], b[2]) <= 0.02 && off(a[3], b[3]) <= 0.02,
                "frame {frame}: {a:?} {b:?}"
            );
        } else if frame > 10 {
            assert!(exposure(b) > 5.0 * cold, "frame {frame}: a cold start, {b:?}");
        }
    }
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
