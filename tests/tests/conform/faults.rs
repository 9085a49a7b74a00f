//! Libraries that crash, hang, refuse, or are none.

use std::process::Command;

use cami_tests::{artefact, vendor_library};

use crate::suite::{Report, conform};

/// Everything but the first rules is hidden by the one that is broken.
fn hides_the_rest(report: &Report, rule: &str) {
    report.assert_broken(&[rule]);
    assert_eq!(report.code(), 1);
    let hidden = report.hidden_by(rule);
    assert!(hidden.contains(&"header.not-written") && hidden.contains(&"host.session"));
}

#[test]
fn a_crash_in_initialize_is_a_result_with_its_cause() {
    let report = Report::of(&vendor_library("crash_initialize"), &[]);
    hides_the_rest(&report, "initialize.succeeds");
    let detail = report.detail("initialize.succeeds");
    assert!(
        detail
            .starts_with("in initialize: killed by SIGSEGV accessing 0x10 in crash_initialize.so"),
        "{detail}"
    );
}

#[test]
fn a_crash_in_a_constructor_is_a_result_with_its_cause() {
    let report = Report::of(&vendor_library("crash_constructor"), &[]);
    hides_the_rest(&report, "load.survives");
    let detail = report.detail("load.survives");
    assert!(detail.starts_with("while it was loaded: killed by SIGSEGV"), "{detail}");
}

#[test]
fn a_library_that_refuses_is_a_result_with_its_code() {
    let report = Report::of(&vendor_library("refuses_initialize"), &[]);
    hides_the_rest(&report, "initialize.succeeds");
    assert_eq!(report.detail("initialize.succeeds"), "initialize returned -19");
    let report = Report::of(&vendor_library("refuses_register"), &["--rule", "header.not-written"]);
    // Not looked at, and so not known to hold.
    assert_eq!((report.code(), report.rules("skipped").len()), (1, 1));
    assert_eq!(report.rule("header.not-written")["blocked_by"], "register.accepts");
}

#[test]
fn a_hang_ends_at_its_deadline_and_is_a_result() {
    for (library, rule) in [
        ("hang_constructor", "load.survives"),
        ("hang_initialize", "initialize.succeeds"),
        ("hang_register", "register.accepts"),
        ("hang_deregister", "deregister.empty-list"),
        ("hang_deinitialize", "deinitialize.returns"),
    ] {
        let report = Report::of(&vendor_library(library), &["--timeout", "1", "--rule", rule]);
        report.assert_broken(&[rule]);
        assert_eq!(report.code(), 1);
        let detail = report.detail(rule);
        assert!(detail.contains("killed: "), "{library}: {detail}");
    }
}

#[test]
fn a_request_that_hangs_hides_all_that_need_one() {
    let options = ["--timeout", "1", "--request", "1:58", "--rule", "request.,header."];
    let report = Report::of(&vendor_library("hang_request"), &options);
    report.assert_broken(&["request.survives"]);
    assert!(report.hidden_by("request.survives").contains(&"header.not-written"));
}

#[test]
fn what_the_sandbox_forbids_is_named_by_its_system_call() {
    let mut command = conform(&vendor_library("fault"));
    command.args(["--rule", "request.survives", "--request", "1:58"]);
    // The configuration's variables reach the library, as in any host.
    command.env("CAMI_IPA_ENVIRONMENT", "FAULT_AT=request:FAULT_BY=execve");
    let report = Report::from(&mut command);
    report.assert_broken(&["request.survives"]);
    let detail = report.detail("request.survives");
    assert!(detail.contains("SIGSYS") && detail.contains("execve"), "{detail}");
}

#[test]
fn what_is_no_vendor_library_is_refused() {
    let file = std::env::current_exe().unwrap();
    for (library, said) in
        [(file.as_path(), "CAMI"), (artefact("libcam_algo.so").as_path(), "cami-ipa's own")]
    {
        let output = conform(library).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(said), "{text}");
        assert!(output.stdout.is_empty());
    }
    let output = conform("/nowhere/libx.so".as_ref()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_sandbox_that_cannot_be_had_is_the_environments() {
    let mut command = conform(&vendor_library("conforms"));
    command.args(["--rule", "request.survives"]);
    command.env("CAMI_IPA_HOST", "/nowhere/cros_ipa_proxy");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("/nowhere/cros_ipa_proxy"), "{text}");
}

#[test]
fn no_process_is_left() {
    let library = vendor_library("conforms");
    let report = Report::of(&library, &["--rule", "load.survives,host."]);
    report.assert_broken(&[]);
    // The hosts of this run, and of no other: its guest's ask names the library by its copy.
    let room = cami_tests::Room::new();
    let copy = room.path("libonly.so");
    std::fs::copy(&library, &copy).unwrap();
    Report::of(&copy, &["--rule", "load.survives,host."]).assert_broken(&[]);
    let found = Command::new("pgrep").args(["-f", copy.to_str().unwrap()]).output().unwrap();
    assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
}
