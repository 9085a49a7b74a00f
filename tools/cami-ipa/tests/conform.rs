//! `cami-ipa conform`, as far as no library is loaded; the rest is in `tests/tests/conform`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod support;

use support::{cami_ipa, code, output, stderr};

/// The lines around the tables that the command prints.
const BEGIN: &str = "<!-- cami-ipa conform --list-markdown -->\n";
const END: &str = "\n<!-- end -->\n";

fn stdout(arguments: &[&str]) -> String {
    let output = output(cami_ipa(&["conform"]).args(arguments));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn documentation_tells_the_rules_that_are_looked_at() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(BEGIN).unwrap();
    let (told, _) = rest.split_once(END).unwrap();
    assert_eq!(
        told.trim(),
        stdout(&["--list-markdown"]).trim(),
        "put the output of `cami-ipa conform --list-markdown` into docs/conformance.md"
    );
}

#[test]
fn the_list_has_what_was_asked_for() {
    let all = stdout(&["--list"]);
    assert!(all.contains("\ndeinitialize.twice (should, seen beside)\n    rule    "), "{all}");
    assert!(!all.contains("ipu3.session"));
    assert!(
        stdout(&["--list", "--profile", "intel-ipu3"])
            .contains("ipu3.session (must, seen outside)")
    );
    let one = stdout(&["--list", "--rule", "process.locale"]);
    assert!(one.ends_with("\n1 rules: 0 must, 0 should, 1 habit\n"), "{one}");
}

#[test]
fn wrong_usage_is_2_and_says_what_to_do() {
    let reference = support::reference();
    let reference = reference.to_str().unwrap();
    for (arguments, expected) in [
        (&[][..], "which library"),
        (&["/nowhere/libx.so"], "/nowhere/libx.so"),
        (&[reference, "--rule", "bogus"], "--list"),
        (&[reference, "--guest", "/nowhere/guest.so"], "/nowhere/guest.so"),
        (&[reference, "--tuning", "/nowhere/t.aiqb"], "/nowhere/t.aiqb"),
        (&[reference, "--bogus"], "--bogus"),
    ] {
        let output = output(cami_ipa(&["conform"]).args(arguments));
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_file_that_is_no_vendor_library_is_1() {
    let output = output(&mut cami_ipa(&["conform", env!("CARGO_BIN_EXE_cami-ipa")]));
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("CAMI"), "{}", stderr(&output));
}
