//! The real libcamera on the host side ([`crate::application`]): its choice of our module, its sessions,
//! its end.

use cami_tests::artefact;

use crate::application::{Room, application, text};

#[test]
fn real_libcamera_takes_our_module_and_has_its_sessions() {
    let Some(application) = application() else { return };
    let room = Room::new();
    let library = artefact("libcam_algo_reference.so");
    let output = room.command(application, &library).output().unwrap();
    let said = text(&output.stdout);
    let controls = application.controls();
    let (count, controls) = (controls.len(), controls.join(" "));
    let expected = format!(
        "\
module 1, pipeline ipu3, 0 bytes of signature
module 1, pipeline PipelineHandlerIPU3, 0 bytes of signature
ipa valid 1
init 0, {count} controls
offers {controls}
configure 0, {count} controls
offers {controls}"
    );
    assert!(said.starts_with(&expected), "{said}\n{}\n{}", text(&output.stderr), room.log());
    let line = |start: &str| -> Vec<&str> {
        said.lines().filter(|line| line.starts_with(start)).collect()
    };
    assert_eq!(line("start"), ["start 0, 1 sensor controls"; 2]);
    assert_eq!(line("stopped"), ["stopped, in time 1"; 2]);
    // 30 frames, of which three are cancelled.
    let frames = line("frames");
    assert_eq!(frames.len(), 2);
    for frames in frames {
        assert!(frames.starts_with("frames: 30 parameters, 27 metadata, "), "{frames}");
        assert!(frames.ends_with(", 0 late, 0 wrong"), "{frames}");
    }
    assert_eq!(line("parameters"), ["parameters written 1"]);
    assert_eq!(line("in use"), ["in use 1"]);
    assert_eq!(line("destroyed"), ["destroyed, 0 events inside init"]);
    assert!(said.ends_with("end"), "{said}");
    assert_eq!(output.status.code(), Some(0));
    room.empty();
}

/// A `libcamera.version` of before an upgrade, which the wire does not contradict: numbers of another
/// libcamera would end the application.
#[test]
fn a_stale_version_ends_no_application() {
    let Some(application) = application() else { return };
    let stale = match application.version {
        (0, 1) => "0.2.0",
        (0, 2 | 3) => "0.1.0",
        (0, 4) => "0.5.0",
        _ => "0.4.0",
    };
    let room = Room::new();
    let mut command = room.command(application, &artefact("libcam_algo_reference.so"));
    let output = command.env("CAMI_IPA_LIBCAMERA__VERSION", stale).output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
    let frames = said.lines().filter(|line| line.starts_with("frames: 30 parameters, 27 metadata"));
    assert_eq!(frames.filter(|line| line.ends_with(" 0 wrong")).count(), 2, "{said}");
    room.empty();
}

/// In the namespaces that libcamera has made, as our host tells it.
#[test]
fn the_sandbox_inside_libcamera_s_own_is_told_as_it_is() {
    let Some(application) = application() else { return };
    let room = Room::new();
    let library = artefact("libcam_algo_reference.so");
    room.command(application, &library).output().unwrap();
    let log = room.log();
    let line = log.lines().find(|line| line.contains("sandbox of process")).expect("a report");
    for layer in ["landlock", "seccomp", "rlimits", "net (inherited"] {
        let (engaged, _) = line.split_once("; without").unwrap_or((line, ""));
        assert!(engaged.contains(layer), "{line}");
    }
    room.empty();
}

/// Libraries that misbehave: the application gets an error or its frames, and is never ended.
#[test]
fn real_libcamera_outlives_bad_libraries() {
    let Some(application) = application() else { return };
    for library in ["hang_initialize", "crash_initialize", "plain", "crash_request", "hang_request"]
    {
        let room = Room::new();
        let output =
            room.command(application, &cami_tests::vendor_library(library)).output().unwrap();
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{library}: {said}");
        assert!(said.contains("\ninit -"), "{library}: {said}");
        assert!(said.ends_with("end"), "{library}: {said}");
        room.empty();
    }
}

/// Number 15: an application that aborts leaves nothing running.
#[test]
fn nothing_is_left_of_an_application_that_aborts() {
    let Some(application) = application() else { return };
    let room = Room::new();
    let library = artefact("libcam_algo_reference.so");
    let output = room.command(application, &library).env("HOST_ABORTS", "1").output().unwrap();
    assert_eq!(output.status.code(), None, "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("aborts"));
    room.empty();
}
