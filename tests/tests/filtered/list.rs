//! The lists themselves: what they let through, and what not.

use std::os::unix::process::ExitStatusExt;

use cami_tests::{filter_list, host_program, under_filter};

fn signal_of(call: &str) -> Option<i32> {
    let status = under_filter(&host_program("calls")).arg(call).status().unwrap();
    assert_ne!(status.code(), Some(99), "{call} is no case of calls.c");
    assert_ne!(status.code(), Some(2), "the list was not taken");
    status.signal()
}

#[test]
fn listed_calls_live_and_their_neighbours_are_killed() {
    let live = [
        "getpid",
        "socket unix",
        "socketpair unix",
        "mmap write",
        "mmap exec",
        "ioctl TCGETS",
        "getrandom",
    ];
    for call in live {
        assert_eq!(signal_of(call), None, "{call}");
    }
    let mut killed = vec![
        "statx",
        "mremap",
        "pidfd_open",
        "close_range",
        "shutdown",
        "getsockopt",
        "getcwd",
        "socket inet",
        "socketpair inet",
        "mmap both",
        "mprotect both",
        "ioctl FIONBIO",
        "getrandom random",
    ];
    if cfg!(target_arch = "x86_64") {
        killed.extend(["poll", "ppoll", "sched_yield"]);
    }
    for call in killed {
        assert_eq!(signal_of(call), Some(libc::SIGSYS), "{call}");
    }
}

#[test]
fn lists_have_as_many_rules_as_chromeos_has() {
    let count = |name: &str| {
        let path = filter_list().with_file_name(format!("cros-camera-algo-{name}.txt"));
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count()
    };
    // Names and names with conditions (spec/cami-abi.md, 3.2).
    assert_eq!((count("amd64"), count("arm64")), (73 + 6, 79 + 7));
}
