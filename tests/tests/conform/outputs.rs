//! What the suite writes.

use std::path::Path;
use std::process::{Command, Stdio};

use cami_tests::{Room, vendor_library};

use crate::suite::conform;

#[test]
fn every_form_tells_the_same() {
    let room = Room::new();
    let (tap, junit, json) =
        (room.path("results.tap"), room.path("results.xml"), room.path("results.json"));
    let output = conform(&vendor_library("writes_header"))
        .args(["--rule", "header.,load.survives", "--tap"])
        .arg(&tap)
        .arg("--junit")
        .arg(&junit)
        .arg("--json")
        .arg(&json)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("FAIL     must   header.not-written"), "{text}");
    assert!(!text.contains('\x1b'), "no terminal, no colours");
    // No terminal, no bar: the one line is the verdict.
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let tap = std::fs::read_to_string(tap).unwrap();
    assert!(tap.starts_with("TAP version 14\n1..4\nok 1 - load.survives\n"), "{tap}");
    assert!(tap.contains("\nnot ok 4 - header.not-written\n"), "{tap}");
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("tests=\"4\" failures=\"1\""), "{junit}");
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(json["summary"]["musts_broken"], 1);
    let log = json["rules"][3]["log"].as_array().unwrap();
    assert!(log.iter().any(|line| line.as_str().unwrap().contains("SIGSEGV")), "{log:?}");
}

#[test]
fn standard_output_is_for_the_form_that_asks_for_it() {
    let output = conform(&vendor_library("conforms"))
        .args(["--rule", "load.survives", "--tap", "-"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "TAP version 14\n1..1\nok 1 - load.survives\n"
    );
}

/// What a terminal of so many columns (that of script(1)) is sent: the bar and the summary.
fn in_terminal(columns: u32, library: &Path, settings: &[(&str, &str)]) -> String {
    let asked = conform(library);
    let line =
        format!("stty rows 24 cols {columns}; exec \"$PROGRAM\" conform \"$LIBRARY\" --rule load.");
    let mut script = Command::new("script");
    // What is to be set or taken away for the program itself.
    for (name, value) in asked.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let output = script
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("PROGRAM", asked.get_program())
        .env("LIBRARY", library)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

const CLEAR: &str = "\r\x1b[K";

#[test]
fn the_bar_is_one_line_of_any_terminal_and_leaves_nothing() {
    let library = vendor_library("conforms");
    for columns in [80, 40, 12] {
        let text = in_terminal(columns, &library, &[("NO_COLOR", "1")]);
        let (bars, rest) = text.rsplit_once(CLEAR).unwrap();
        let bars: Vec<&str> = bars.split(CLEAR).skip(1).collect();
        assert!(!bars.is_empty(), "{text:?}");
        for bar in bars {
            let length = bar.chars().count();
            assert!(bar.starts_with('[') && length < columns as usize, "{columns}: {bar:?}");
            assert!(!bar.contains('\n'), "{bar:?}");
        }
        // The summary begins where the bar was.
        assert!(rest.contains("pass     must   load.survives\r\n"), "{rest:?}");
        assert!(!rest.contains('\x1b'), "NO_COLOR: {rest:?}");
    }
    assert!(in_terminal(80, &library, &[]).contains("\x1b[32mpass"));
    let dumb = in_terminal(80, &library, &[("TERM", "dumb")]);
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
}

#[test]
fn a_failure_is_told_where_the_bar_was() {
    let settings = [("CAMI_IPA_HOST", "/nowhere/cros_ipa_proxy")];
    let text = in_terminal(80, &vendor_library("conforms"), &settings);
    assert!(text.contains(&format!("{CLEAR}cami-ipa: load.survives: ")), "{text:?}");
}
