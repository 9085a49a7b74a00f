//! A wrong configuration is one clear line and a negative errno.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use cami_wire::control::FromMonitor;
use common::Setup;

fn refusal(setup: Setup) -> (i32, String) {
    let mut host = setup.start();
    let Some(FromMonitor::Refused(refused)) = host.control_message() else { panic!() };
    assert_eq!(host.control_message(), None);
    let (code, log) = host.wait();
    assert_eq!(code, Some(2));
    // The client was told, and says it: a second line would only repeat it.
    assert!(!log.contains("error: "), "{log}");
    assert!(!refused.reason.contains('\n'), "{}", refused.reason);
    (refused.errno, refused.reason)
}

#[test]
fn missing_module_is_enoent_with_its_path() {
    let mut setup = Setup::new();
    setup.module = "/nonexistent/libcam_algo.so".into();
    let (errno, reason) = refusal(setup);
    assert_eq!(errno, -libc::ENOENT);
    assert!(reason.contains("/nonexistent/libcam_algo.so"), "{reason}");
}

#[test]
fn module_that_is_no_library_is_enoexec() {
    let mut setup = Setup::new();
    setup.module = "/etc/passwd".into();
    assert_eq!(refusal(setup).0, -libc::ENOEXEC);
}

#[test]
fn unknown_configuration_value_is_einval_and_names_the_key() {
    let (errno, reason) = refusal(Setup::new().variable("CAMI_IPA_PROFILE", "nokia"));
    assert_eq!(errno, -libc::EINVAL);
    assert!(reason.contains("CAMI_IPA_PROFILE") && reason.contains("nokia"), "{reason}");
}

#[test]
fn refusal_without_a_client_to_tell_is_an_error_line() {
    let mut setup = Setup::new();
    setup.control = false;
    setup.module = "/nonexistent/libcam_algo.so".into();
    let (code, log) = setup.start().wait();
    assert_eq!(code, Some(2));
    assert!(log.starts_with("cami-ipa: error: /nonexistent/libcam_algo.so"), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn help_and_version_go_to_standard_output_and_wrong_usage_is_2() {
    let program = env!("CARGO_BIN_EXE_cros_ipa_proxy");
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), text)
    };
    let (code, [out, _]) = run(&["--help"]);
    assert!(code == Some(0) && out.contains("vendor_library"), "{out}");
    let (code, [out, _]) = run(&["--version"]);
    assert!(code == Some(0) && out.starts_with("cros_ipa_proxy "), "{out}");
    for wrong in [&[][..], &["x"], &["x", "0"], &["x", "999"], &["x", "3", "--control"]] {
        let (code, [_, error]) = run(wrong);
        assert!(code == Some(2) && error.starts_with("cros_ipa_proxy: "), "{wrong:?} {error}");
    }
}
