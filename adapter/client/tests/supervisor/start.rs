//! `initialize`, and what can go wrong in it.

use cami_abi::CameraAlgorithm;

use crate::Scenario;
use crate::fake_host::INITIALIZE_MS;
use crate::hal::*;

pub const SCENARIOS: &[Scenario] = &[
    ("start_and_end_leave_nothing_behind", start_and_end_leave_nothing_behind),
    ("start_refused", start_refused),
    ("start_host_missing", start_host_missing),
    ("start_host_not_executable", start_host_not_executable),
    ("start_dies_before_ready", start_dies_before_ready),
    ("start_host_is_mute", start_host_is_mute),
    ("start_version_of_the_host", start_version_of_the_host),
    ("start_version_of_the_vendor_process", start_version_of_the_vendor_process),
    ("start_library_not_loadable", start_library_not_loadable),
    ("start_vendor_code_is_verbatim", start_vendor_code_is_verbatim),
    ("start_hangs", start_hangs),
    ("start_dies", start_dies),
    ("start_afresh_kills_without_notify", start_afresh_kills_without_notify),
    ("start_gives_way_to_another_start", start_gives_way_to_another_start),
    ("start_untrusted_environment", start_untrusted_environment),
];

/// `initialize` fails with `code`, one line with `parts`, and leaves nothing but the reader.
fn fails(code: i32, parts: &[&str]) {
    let supervisor = supervisor();
    // The first failure starts the reader, which stays.
    let (callbacks, seen) = recorder();
    assert_eq!(supervisor.initialize(callbacks), code, "{:?}", log_lines());
    assert_one_error(parts);
    let fds = open_fds();
    let tasks = threads();
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), code);
    assert_eq!(open_fds(), fds);
    assert_eq!(threads(), tasks);
    assert_eq!(supervisor.register_buffer(buffer(1)), -libc::ECONNRESET);
    supervisor.deinitialize();
    assert_no_children();
    assert_eq!(seen.try_iter().count(), 0);
    next_host("");
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0, "{:?}", log_lines());
    supervisor.deinitialize();
    assert_eq!(open_fds(), fds);
}

fn start_and_end_leave_nothing_behind() {
    let before = (open_fds(), threads());
    let (supervisor, seen) = running();
    assert_eq!((open_fds(), threads()), (before.0 + 4, before.1 + 1));
    for _ in 0..20 {
        supervisor.deinitialize();
        assert_no_children();
        assert_eq!(open_fds(), before.0 + 1, "the waker stays");
        let (callbacks, _) = recorder();
        assert_eq!(supervisor.initialize(callbacks), 0);
    }
    supervisor.deinitialize();
    supervisor.deinitialize();
    assert_eq!(threads(), before.1 + 1);
    assert_eq!(seen.try_iter().count(), 0);
}

fn start_refused() {
    next_host("refuse");
    fails(-libc::EINVAL, &["refused", "vendor_library is not set"]);
}

fn start_host_missing() {
    let host = std::env::var("CAMI_IPA_HOST").unwrap();
    set("CAMI_IPA_HOST", "/nowhere/cros_ipa_proxy");
    let supervisor = supervisor();
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), -libc::ENOENT);
    assert_one_error(&["CAMI_IPA_HOST", "/nowhere/cros_ipa_proxy"]);
    forget_log();
    set("CAMI_IPA_HOST", "");
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), -libc::ENOENT);
    assert_one_error(&["cros_ipa_proxy", "/nowhere", "libexec", "CAMI_IPA_HOST"]);
    set("CAMI_IPA_HOST", &host);
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    supervisor.deinitialize();
}

fn start_host_not_executable() {
    set("CAMI_IPA_HOST", "/proc/self/environ");
    let supervisor = supervisor();
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), -libc::EACCES);
    assert_one_error(&["/proc/self/environ"]);
}

fn start_dies_before_ready() {
    next_host("exit");
    fails(-libc::ECONNRESET, &["before it was ready", "exit code 3"]);
}

fn start_host_is_mute() {
    next_host("mute");
    let supervisor = supervisor();
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), -libc::ETIMEDOUT);
    assert_one_error(&["3000 ms", "CAMI_IPA_HOST"]);
    assert_no_children();
}

fn start_version_of_the_host() {
    next_host("version");
    fails(-libc::EPROTO, &["version 1", "version 99"]);
}

fn start_version_of_the_vendor_process() {
    next_host("init-version");
    fails(-libc::EPROTO, &["version 1", "version 99"]);
}

fn start_library_not_loadable() {
    next_host("init-fails");
    fails(-libc::ENOEXEC, &["CAMI has 12 bytes"]);
}

fn start_vendor_code_is_verbatim() {
    next_host("start-positive");
    let supervisor = supervisor();
    let (callbacks, _) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 3);
    supervisor.deinitialize();
    next_host("start-fails");
    fails(-5, &["returned -5"]);
}

fn start_hangs() {
    next_host("start-hangs");
    set(INITIALIZE_MS, "200");
    fails(-libc::ETIMEDOUT, &["200 ms", "was killed", "timeouts.initialize_ms"]);
}

fn start_dies() {
    next_host("start-dies");
    fails(-libc::ECONNRESET, &["signal 11 in its initialize"]);
}

fn start_afresh_kills_without_notify() {
    let (supervisor, old) = running();
    let first = host_pid();
    let (callbacks, new) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0);
    assert_ne!(host_pid(), first);
    supervisor.request(1, b"x", 2);
    assert_eq!(new.recv(), Ok(Seen::Returned(1, 1, 2)));
    supervisor.deinitialize();
    assert_eq!(old.try_iter().count(), 0);
    assert_no_children();
}

fn start_gives_way_to_another_start() {
    next_host("start-hangs");
    let supervisor = supervisor();
    let hung = {
        let supervisor = supervisor.clone();
        std::thread::spawn(move || supervisor.initialize(recorder().0))
    };
    while !log_lines().iter().any(|line| line.contains("runs in process")) {
        std::thread::yield_now();
    }
    next_host("");
    let (callbacks, seen) = recorder();
    assert_eq!(supervisor.initialize(callbacks), 0, "{:?}", log_lines());
    assert_eq!(hung.join().unwrap(), -libc::ECONNRESET);
    supervisor.request(1, b"", 2);
    assert_eq!(seen.recv(), Ok(Seen::Returned(1, 0, 2)));
}

fn start_untrusted_environment() {
    let supervisor = cami_client::Supervisor::new(cami_client::Options {
        module: "/nowhere/libcam_algo.so".into(),
        environment_trusted: false,
        socket: None,
        host: None,
    });
    assert_eq!(supervisor.initialize(recorder().0), -libc::ENOENT);
    assert_one_error(&["no cros_ipa_proxy"]);
}
