//! What the suite writes.

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
