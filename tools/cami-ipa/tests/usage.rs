//! Help, wrong usage and wrong environment.

mod support;

use support::{cami_ipa, code, output, stderr};

#[test]
fn help_and_version_are_done_with_0() {
    for arguments in [&["help"][..], &["--help"], &["-h"]] {
        let output = output(&mut cami_ipa(arguments));
        assert_eq!(code(&output), 0, "{arguments:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("usage: cami-ipa COMMAND"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 82), "{text}");
    }
    for command in [
        "run", "serve", "doctor", "status", "top", "policy", "learn", "probe", "conform",
        "compare", "ipu3", "record", "replay", "show", "report",
    ] {
        for arguments in [["help", command], [command, "--help"]] {
            let output = output(&mut cami_ipa(&arguments));
            assert_eq!(code(&output), 0, "{arguments:?}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.starts_with(&format!("usage: cami-ipa {command}")), "{text}");
        }
    }
    let output = output(&mut cami_ipa(&["--version"]));
    assert_eq!(code(&output), 0);
    assert!(output.stdout.starts_with(b"cami-ipa "));
}

#[test]
fn run_help_names_every_option() {
    let output = output(&mut cami_ipa(&["help", "run"]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in [
        "--library",
        "--vendor-library",
        "--tuning",
        "--sensor",
        "--sensor-descriptor",
        "--bds",
        "--lag",
        "--frames",
        "--fps",
        "--seed",
        "--scene",
        "--in-process",
        "--trace",
        "--json",
        "--report",
        "--kill-once",
    ] {
        assert!(text.contains(&format!("{option} ")), "{option} is missing");
    }
}

#[test]
fn wrong_usage_is_2_and_says_what_to_do() {
    for (arguments, expected) in [
        (&[][..], "cami-ipa help"),
        (&["walk"], "\"walk\""),
        (&["run", "--bogus"], "--bogus"),
        (&["doctor", "--bogus"], "--bogus"),
        (&["run", "--frames", "many"], "--frames"),
        (&["run", "--bds", "0x0"], "1920x1080"),
        (&["serve", "--bogus"], "cami-ipa help serve"),
        (&["serve", "--mode", "rw"], "--mode"),
        (&["serve", "more"], "more"),
        (&["run", "--kill-once", "3", "--in-process"], "--kill-once"),
    ] {
        let output = output(&mut cami_ipa(arguments));
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn files_that_are_not_there_are_2_and_named() {
    let reference = support::reference();
    let reference = reference.to_str().expect("a text");
    for (arguments, expected) in [
        (vec!["--vendor-library", "/nowhere/v.so", "--in-process"], "/nowhere/v.so"),
        (vec!["--vendor-library", reference, "--library", "/nowhere/l.so"], "--library"),
        (
            vec!["--vendor-library", reference, "--in-process", "--tuning", "/nowhere/t"],
            "/nowhere/t",
        ),
        (
            vec!["--vendor-library", reference, "--in-process", "--scene", "/nowhere/s"],
            "/nowhere/s",
        ),
        (
            vec!["--vendor-library", reference, "--in-process", "--trace", "/nowhere/t"],
            "/nowhere/t",
        ),
        (vec!["--vendor-library", "/dev/null", "--in-process"], "/dev/null"),
    ] {
        let output = output(cami_ipa(&["run"]).args(&arguments));
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn help_of_serve_names_its_options_and_keys() {
    let text = |arguments: &[&str]| {
        let output = output(&mut cami_ipa(arguments));
        assert_eq!(code(&output), 0);
        String::from_utf8(output.stdout).expect("text")
    };
    let help = text(&["help", "serve"]);
    assert_eq!(help, text(&["serve", "--help"]));
    for word in ["--socket", "--mode", "LISTEN_FDS", "CAMI_IPA_SOCKET", "service.clients"] {
        assert!(help.contains(word), "{word} is missing");
    }
    for word in ["service.allow_uids", "service.on_disconnect", "SIGTERM", "exit codes"] {
        assert!(help.contains(word), "{word} is missing");
    }
    assert!(text(&["help"]).contains("serve"));
}
