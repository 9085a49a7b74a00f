//! `cami-ipa doctor`: the verdict, the exit code, and the data.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a missing field is the test's failure"
)]

mod support;

use support::{cami_ipa, code, output, reference, stderr};

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

/// The command, with a host to find whatever was built.
fn doctor(arguments: &[&str]) -> std::process::Command {
    let mut command = cami_ipa(&["doctor"]);
    command.args(arguments).env("CAMI_IPA_HOST", "/bin/true").env("CAMI_IPA_RECOVERY", "notify");
    command
}

#[test]
fn library_that_runs_here_is_good_and_its_needs_are_found() {
    let library = reference();
    let mut command = doctor(&["--json", "-", "--vendor-library"]);
    let output = output(command.arg(&library));
    let json = json(&output);
    let layers = json["layers"].as_array().expect("the layers");
    assert_eq!(layers.len(), 10);
    let missing = layers.iter().filter(|layer| layer["engaged"] == false).count();
    assert_eq!(json["problems"].as_array().expect("problems").len(), missing, "{json:#}");
    assert_eq!(code(&output), i32::from(missing > 0), "{}", stderr(&output));
    assert_eq!(json["verdict"], if missing == 0 { "good" } else { "falls_short" });
    assert_eq!(json["library"]["revision"], "G");
    let needed = json["library"]["needed"].as_array().expect("what it needs");
    let c_library = needed.iter().find(|needed| needed["name"] == "libc.so.6");
    let c_library = c_library.expect("it needs the C library");
    assert!(c_library["path"].is_string() && c_library["in_sandbox"] == true, "{c_library}");
    let settings = json["configuration"]["settings"].as_array().expect("settings");
    let set_by = |key: &str| settings.iter().find(|setting| setting["key"] == key);
    assert_eq!(set_by("recovery").expect("it is set")["set_by"], "CAMI_IPA_RECOVERY");
    assert_eq!(json["host"], "/bin/true");
}

#[test]
fn what_falls_short_stands_first_with_what_to_do() {
    for (arguments, variable, expected) in [
        (&[][..], ("CAMI_IPA_LOG", "info"), "CAMI_IPA_VENDOR_LIBRARY"),
        (&["--vendor-library", "/etc/passwd"], ("CAMI_IPA_LOG", "info"), "/etc/passwd"),
        (&[], ("CAMI_IPA_HOST", "/nonexistent"), "/nonexistent"),
        (&[], ("CAMI_IPA_PROFILE", "nokia"), "nokia"),
    ] {
        let output = output(doctor(arguments).env(variable.0, variable.1));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(code(&output), 1, "{text}");
        assert!(text.starts_with("falls short:\n  - "), "{text}");
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn what_record_is_set_to_is_told_and_whether_it_can_be() {
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("x.camr");
    let of = |file: &std::path::Path| {
        let mut command = doctor(&["--json", "-"]);
        json(&output(command.env("CAMI_IPA_RECORD", file).env("CAMI_IPA_RECORD_LIMIT_MIB", "1")))
    };
    let good = of(&file)["recording"].clone();
    assert_eq!(good["path"], file.to_str().expect("text"));
    assert_eq!((&good["can_write"], &good["limit_mib"]), (&true.into(), &1.into()), "{good}");
    let bad = of(&room.path().join("no/x.camr"));
    assert_eq!(bad["recording"]["can_write"], false);
    let problems = bad["problems"].as_array().expect("problems");
    let told =
        |problem: &serde_json::Value| problem.as_str().is_some_and(|p| p.contains("record: "));
    assert!(problems.iter().any(told), "{problems:?}");
    assert!(json(&output(&mut doctor(&["--json", "-"])))["recording"].is_null());
}

#[test]
fn need_that_is_not_found_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let compile = |arguments: &[&str]| {
        let status = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-x", "c", "/dev/null", "-Wl,--no-as-needed", "-L."])
            .args(arguments)
            .current_dir(folder.path())
            .status();
        assert!(status.expect("cc runs").success());
    };
    compile(&["-o", "libmissing.so"]);
    compile(&["-o", "libvendor.so", "-lmissing"]);
    let library = folder.path().join("libvendor.so");
    let run = |path: Option<&std::path::Path>| {
        let mut command = doctor(&["--json", "-", "--vendor-library"]);
        command.arg(&library);
        if let Some(path) = path {
            command.env("CAMI_IPA_LIBRARY_PATH", path);
        }
        json(&output(&mut command))["problems"].to_string()
    };
    assert!(run(None).contains("libmissing.so, which libvendor.so needs, is not found"));
    assert!(!run(Some(folder.path())).contains("libmissing.so"));
}

#[test]
fn json_file_is_written_beside_the_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("doctor.json");
    let output = output(doctor(&["--json"]).arg(&file));
    assert_eq!(code(&output), 1);
    assert!(output.stdout.starts_with(b"falls short"));
    let json = std::fs::read(&file).expect("the file");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["verdict"], "falls_short");
}
