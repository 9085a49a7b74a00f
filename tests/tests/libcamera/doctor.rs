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
        .env("LIBCAMERA_IPU3_TUNING_FILE", "/opt/tuning/imx219.yaml")
        .env_remove("LIBCAMERA_IPA_PROXY_PATH")
        .env_remove("LIBCAMERA_PIPELINES_MATCH_LIST");
    match workers {
        Some(workers) => command.env("LIBCAMERA_IPA_PROXY_PATH", workers),
        None => command.env("LIBCAMERA_PIPELINES_MATCH_LIST", "simple,uvcvideo"),
    };
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
    let overrides = &both["libcamera"]["overrides"];
    assert_eq!(overrides[0]["name"], "LIBCAMERA_IPU3_TUNING_FILE", "{overrides:#}");
    assert_eq!(overrides[0]["harms"], false);
    assert!(!problem(&both, "leaves out the IPU3 pipeline"), "{both:#}");
    assert_eq!(half["libcamera"]["overrides"][0]["harms"], true, "{half:#}");
    // It is a problem only where a libcamera takes our module and reads the list.
    let reads = |found: &serde_json::Value| {
        let version = found["version"].as_str().unwrap_or("master");
        !["0.0.", "0.1.", "0.2."].iter().any(|old| version.starts_with(old))
    };
    let reads = both["libcamera"]["libraries"].as_array().unwrap().iter().any(reads);
    assert_eq!(problem(&half, "leaves out the IPU3 pipeline: add ipu3"), reads, "{half:#}");
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
