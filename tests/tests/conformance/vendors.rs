//! Each vendor's habits, driven as that vendor's HAL client drives its library
//! (spec/cami-abi.md, 5.1): once loaded by the client itself, to see that the test is true, and once
//! in isolation, where nothing may differ.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cami_tests::{Room, artefact, host_program, vendor_library};

/// Runs a client of `hosts/clients.c` on libraries; it ends with "done" if all was right.
fn run(client: &str, libraries: &[PathBuf], variables: &[(&str, &Path)]) {
    let mut command = Command::new(host_program("clients"));
    command.arg(client).args(libraries).stdin(Stdio::null());
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{client}: {}\n{log}", output.status);
    assert!(output.stdout.ends_with(b"done\n"), "{client} did not finish\n{log}");
    if let Some(note) = String::from_utf8_lossy(&output.stdout).strip_suffix("done\n") {
        print!("{note}");
    }
}

/// Behind our shim, with the vendor's profile.
fn isolated(client: &str, profile: &str) {
    run(client, &[vendor_library(client)], &[]);
    let room = Room::new();
    let vendor = room.install(client, "libvendor.so");
    run(
        client,
        &[artefact("libcam_algo.so")],
        &[
            ("CAMI_IPA_CONFIG", &room.path("cami-ipa.toml")),
            ("CAMI_IPA_VENDOR_LIBRARY", &vendor),
            ("CAMI_IPA_PROFILE", Path::new(profile)),
        ],
    );
}

#[test]
fn intel_ipu3_three_threads_and_the_command_in_the_id() {
    isolated("ipu3", "intel-ipu3");
}

#[test]
fn rockchip_works_inside_request_and_drops_bad_headers() {
    isolated("rockchip", "rockchip");
}

#[test]
fn mediatek_pushes_polls_long_and_believes_its_own_addresses() {
    isolated("mediatek", "mediatek");
}

#[test]
fn google_gpu_names_its_buffers_in_the_header() {
    isolated("google_gpu", "generic");
}

#[test]
fn intel_ipu6_two_libraries_and_handles_inside_payloads() {
    run("ipu6", &[vendor_library("ipu6_cpu"), vendor_library("ipu6_gpu")], &[]);
    let room = Room::new();
    // Two files of ours under the two names that the HAL opens, told apart by the configuration.
    let shims =
        [room.install_shim("libcam_algo.so"), room.install_shim("libcam_algo_vendor_gpu.so")];
    let text = format!(
        "vendor_library = {:?}\nprofile = \"intel-ipu6\"\n\n[\"libcam_algo_vendor_gpu.so\"]\n\
         vendor_library = {:?}\n",
        room.install("ipu6_cpu", "libvendor_cpu.so"),
        room.install("ipu6_gpu", "libvendor_gpu.so")
    );
    let configuration = room.path("ipu6.toml");
    fs::write(&configuration, text).unwrap();
    run(
        "ipu6",
        &shims,
        &[("CAMI_IPA_CONFIG", &configuration), ("CAMI_IPA_HOST", &artefact("cros_ipa_proxy"))],
    );
}
