//! `cami-ipa doctor` about the libcamera of this machine, led to our files.

use std::path::Path;
use std::process::Command;

use cami_libcamera::{MODULE_NAME, OLD_MODULE_NAME, WORKER, folders, installed};
use cami_tests::artefact;

fn doctor(modules: &Path, workers: Option<&Path>) -> serde_json::Value {
    let mut command = Command::new(artefact("cami-ipa"));
    command
        .args(["doctor", "--json", "-"])
        .env("CAMI_IPA_CONFIG", "/dev/null")
        .env("CAMI_IPA_VENDOR_LIBRARY", artefact("libcam_algo_reference.so"))
        .env("CAMI_IPA_TUNING", "imx219=/nonexistent/imx219.aiqb")
        .env("LIBCAMERA_IPA_MODULE_PATH", modules)
        .env_remove("LIBCAMERA_IPA_PROXY_PATH");
    if let Some(workers) = workers {
        command.env("LIBCAMERA_IPA_PROXY_PATH", workers);
    }
    let output = command.output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn doctor_says_what_libcamera_would_take_and_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let [modules, workers] = ["modules", "workers"].map(|name| folder.path().join(name));
    for made in [&modules, &workers] {
        std::fs::create_dir(made).unwrap();
    }
    for name in [MODULE_NAME, OLD_MODULE_NAME] {
        std::fs::copy(artefact(name), modules.join(name)).unwrap();
    }
    std::fs::copy(artefact(WORKER), workers.join(WORKER)).unwrap();
    let problem = |found: &serde_json::Value, text: &str| {
        let problems = found["problems"].as_array().unwrap();
        problems.iter().any(|problem| problem.as_str().unwrap().contains(text))
    };
    let both = doctor(&modules, Some(&workers));
    let half = doctor(&modules, None);
    assert!(problem(&both, "/nonexistent/imx219.aiqb"), "{both:#}");
    assert_eq!(both["libcamera"]["tuning"][0]["readable"], false);
    if installed(&folders(None)).is_empty() {
        return;
    }
    let found = &both["libcamera"]["libraries"][0];
    assert_eq!(found["module_is_ours"], true, "{found:#}");
    assert_eq!(found["worker_is_ours"], true, "{found:#}");
    assert_eq!(found["led_by"], "the environment");
    assert!(!problem(&both, "and not our worker"), "{both:#}");
    assert_eq!(half["libcamera"]["libraries"][0]["worker_is_ours"], false);
    assert!(problem(&half, "and not our worker"), "{half:#}");
}
