//! The sandbox as the host reports it: what engages, what does not and why, and what is required.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use cami_wire::control::FromMonitor;
use common::Setup;
use common::outer::Answer;

const LAYERS: [&str; 10] =
    ["user", "net", "ipc", "uts", "pid", "mount", "landlock", "seccomp", "rlimits", "caps"];
const NAMESPACES: [&str; 6] = ["user", "net", "ipc", "uts", "pid", "mount"];

/// Outer filters, the layers that they take, and what the reason says.
fn matrix() -> Vec<(Answer, Vec<i64>, Vec<&'static str>, &'static str)> {
    let landlock = vec![libc::SYS_landlock_create_ruleset, libc::SYS_landlock_restrict_self];
    let container =
        [vec![libc::SYS_unshare, libc::SYS_mount, libc::SYS_seccomp], landlock.clone()].concat();
    let all = [&NAMESPACES[..], &["landlock", "seccomp"]].concat();
    vec![
        (Answer::Errno(libc::EPERM), vec![libc::SYS_unshare], NAMESPACES.to_vec(), "outer seccomp"),
        (Answer::Errno(libc::ENOSYS), landlock, vec!["landlock"], "landlock_create_ruleset"),
        (Answer::Errno(libc::EINVAL), vec![libc::SYS_seccomp], vec!["seccomp"], "outer seccomp"),
        (Answer::Kill, container, all, "outer seccomp filter kills for it"),
    ]
}

/// The host's one line.
fn line(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("sandbox of process")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    lines[0].to_owned()
}

fn answers(setup: Setup) -> String {
    let mut host = setup.start();
    let _buffer = host.ready();
    assert_eq!(host.status(4), 1, "no_new_privs, whatever else");
    host.hang_up();
    let (code, log) = host.wait();
    assert_eq!(code, Some(0), "{log}");
    line(&log)
}

#[test]
fn every_layer_engages_here_and_one_line_says_so() {
    let said = answers(Setup::new().variable("CAMI_IPA_SANDBOX__REQUIRE", &LAYERS.join(":")));
    assert!(!said.contains("without"), "{said}");
    for layer in LAYERS {
        assert!(said.contains(layer), "{layer}: {said}");
    }
}

#[test]
fn library_runs_in_what_is_left_and_the_line_says_what_is_missing() {
    for (answer, calls, missing, why) in matrix() {
        let said = answers(Setup::new().outer(answer, &calls));
        // "…; without user, net: reason; without seccomp: reason"
        let without: Vec<&str> = said
            .split("; without ")
            .skip(1)
            .flat_map(|part| part.split(": ").next().unwrap().split(", "))
            .collect();
        assert_eq!(without, missing, "{said}");
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn required_layer_that_cannot_be_had_is_a_refusal_with_the_reason() {
    for (answer, calls, missing, why) in matrix() {
        for layer in missing {
            let mut host = Setup::new()
                .outer(answer, &calls)
                .variable("CAMI_IPA_SANDBOX__REQUIRE", layer)
                .start();
            let Some(FromMonitor::Refused(refused)) = host.control_message() else { panic!() };
            assert_eq!(refused.errno, -libc::EPERM);
            for part in ["sandbox.require", layer, why] {
                assert!(refused.reason.contains(part), "{part}: {}", refused.reason);
            }
            assert!(!refused.reason.contains('\n'), "{}", refused.reason);
            assert_eq!(host.wait().0, Some(2));
        }
    }
}

#[test]
fn library_may_write_to_the_configured_folder_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let allow_everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder.path(), allow_everybody).unwrap();
    let cache = folder.path().join("cache");
    let write = |setup: Setup| {
        let mut host = setup.start();
        let _buffer = host.ready();
        host.request(44, format!("{}\0", cache.display()).as_bytes());
        match host.next() {
            common::Incoming::Returned(returned) => returned.status,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(write(Setup::new()), libc::ENOENT.cast_unsigned());
    assert!(!cache.exists());
    let folder = folder.path().to_str().unwrap();
    // Twice: the second time it truncates what is there.
    for _ in 0..2 {
        assert_eq!(write(Setup::new().variable("CAMI_IPA_SANDBOX__WRITE", folder)), 0);
        assert_eq!(std::fs::read_to_string(&cache).unwrap(), "cache");
    }
}
