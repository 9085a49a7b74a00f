//! Hosts' habits: what a process may do around the shim.

use std::process::{Command, Stdio};

use cami_tests::{Hal, Room, Setup, SignalState, artefact, host_program, vendor_library};

fn works(hal: &mut Hal) {
    hal.call("req 77 00 -1");
    hal.event("return 77 ");
}

#[test]
fn c_plus_plus_host_goes_through_the_whole_abi() {
    let room = Room::new();
    let output = Command::new(host_program("hal_cpp"))
        .arg(artefact("libcam_algo.so"))
        .env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"))
        .env("CAMI_IPA_VENDOR_LIBRARY", vendor_library("updates"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{log}", output.status);
    assert_eq!(output.stdout, b"done\n", "{log}");
}

#[test]
fn thread_that_called_initialize_may_end() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("thread init"), "init 0");
    works(&mut hal);
    assert_eq!(hal.call("thread reg memfd 4096"), "reg 1");
    works(&mut hal);
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}

#[test]
fn sigchld_may_be_ignored() {
    let mut hal = Setup::new("crash_request").start();
    hal.call("sigchld ignore");
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.call("req 1 58 -1");
    hal.event("notify 1");
    hal.log.wait(&["SIGSEGV"]);
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.call("deinit");
    assert_eq!(hal.resources().processes, 0);
    hal.finish();
}

#[test]
fn all_children_may_be_reaped_by_the_host() {
    let mut hal = Setup::new("crash_request").start();
    hal.call("reaper");
    for notified in 1..=3 {
        assert_eq!(hal.call("init"), "init 0");
        works(&mut hal);
        hal.call("req 1 58 -1");
        hal.event("notify 1");
        assert_eq!(hal.count("notify"), notified);
    }
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.call("deinit");
    hal.finish();
}

#[test]
fn child_of_a_fork_has_calls_that_fail_at_once() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    for (call, reply) in [
        ("fork reg memfd 4096", "reg -32"),
        ("fork init", "init -32"),
        ("fork req 5 00 -1", "req"),
        ("fork dereg 1", "dereg"),
        ("fork deinit", "deinit"),
    ] {
        assert_eq!(hal.call(call), reply, "{call}");
        assert_eq!(hal.event("child "), "child 0", "{call}");
    }
    works(&mut hal);
    assert_eq!(hal.count("notify"), 0);
    assert_eq!(hal.count("return 5 "), 0);
    hal.finish();
}

#[test]
fn host_with_1024_fds_in_use() {
    let mut hal = Setup::new("plain").start();
    hal.call("fds 1100 16");
    assert!(hal.resources().fds > 1024);
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    works(&mut hal);
    hal.call("deinit");
    hal.finish();
}

#[test]
fn host_without_a_free_fd_is_told_so_and_recovers() {
    let mut hal = Setup::new("plain").start();
    hal.call("fds 256 0");
    let before = hal.resources();
    assert_eq!(hal.call("init"), format!("init {}", -libc::EMFILE));
    hal.log.wait(&["RLIMIT_NOFILE"]);
    assert_eq!(hal.resources(), before);
    hal.call("unfds 3");
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    // None free while it runs: nothing on the way of a request needs one.
    hal.call("fds 256 0");
    works(&mut hal);
    hal.finish();
}

#[test]
fn host_without_standard_streams() {
    let mut hal = Setup::new("updates").start();
    hal.call("nostdio");
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    hal.call("req 4 61 -1");
    hal.event("update 4 61 fd=open content=a");
    hal.call("updret 4 8 kept");
    hal.event("return 4 7 8 ");
    hal.call("deinit");
    assert_eq!(hal.resources().processes, 0);
    hal.finish();
}

#[test]
fn host_of_revision_e_passes_two_slots() {
    let mut hal = Setup::new("updates").start();
    assert_eq!(hal.call("init old"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    hal.call("deinit");
    hal.room.install("plain", "libvendor.so");
    assert_eq!(hal.call("init old"), "init 0");
    works(&mut hal);
    hal.finish();
}

#[test]
fn host_that_wants_neither_notify_nor_updates() {
    let mut hal = Setup::new("updates").start();
    assert_eq!(hal.call("init silent"), "init 0");
    let before = hal.resources();
    hal.call("req 3 61 -1");
    hal.log.wait(&["takes no updates"]);
    assert_eq!(hal.resources(), before, "the fd of an unwanted update was kept");
    let family = hal.family();
    hal.signal(hal.vendor(), libc::SIGKILL);
    hal.wait_for_end(&family);
    assert_eq!(hal.call("reg memfd 4096"), "reg -104");
    assert_eq!(hal.call("init silent"), "init 0");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}

#[test]
fn initialize_on_a_live_session_starts_afresh_without_notify() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    let old = hal.family();
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    assert_eq!(hal.call("init"), "init 0");
    hal.wait_for_end(&old);
    assert!(!hal.family().iter().any(|pid| old.contains(pid)));
    assert_eq!(
        hal.family().len(),
        3,
        "monitor, first process of the PID namespace, vendor process"
    );
    assert_eq!(hal.call("reg memfd 4096"), "reg 1", "the fresh library begins anew");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}

#[test]
fn killed_host_takes_monitor_and_vendor_process_with_it() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    let family = hal.family();
    assert_eq!(family.len(), 3, "monitor, first process of the PID namespace, vendor process");
    hal.signal(hal.pid(), libc::SIGKILL);
    hal.wait_for_end(&family);
}

#[test]
fn library_may_be_closed_while_it_is_in_use() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("unload"), "unload 0");
    // It stays mapped: its thread runs, and the table that the HAL kept still works.
    works(&mut hal);
    hal.call("deinit");
    hal.finish();
}

#[test]
fn a_thousand_times_opened_and_closed() {
    let mut hal = Setup::new("plain").start();
    let shim = hal.library.display().to_string();
    assert_eq!(hal.call(&format!("cycle 1 {shim} use")), "cycle failures=0");
    let before = (hal.resources(), maps(&hal));
    assert_eq!(hal.call(&format!("cycle 1000 {shim}")), "cycle failures=0");
    assert_eq!((hal.resources(), maps(&hal)), before);
    assert_eq!(hal.call(&format!("cycle 10 {shim} use")), "cycle failures=0");
    assert_eq!(hal.resources(), before.0);
    hal.finish();
}

/// How often the shim is mapped.
fn maps(hal: &Hal) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", hal.pid())).unwrap();
    maps.lines().filter(|line| line.contains("libcam_algo.so")).count()
}

/// Without 32 and 33, which glibc keeps to itself and handles from the first thread on.
fn without_libc(mut state: SignalState) -> SignalState {
    for signals in [&mut state.ignored, &mut state.caught, &mut state.blocked] {
        *signals &= !(3 << 31);
    }
    state
}

#[test]
fn signals_of_the_host_stay_as_they_are_and_our_thread_takes_none() {
    let mut hal = Setup::new("crash_request").start_unloaded();
    hal.call("sigchld ignore");
    let before = without_libc(hal.signals(hal.pid()));
    let shim = hal.library.display().to_string();
    assert_eq!(hal.call(&format!("load {shim}")), "load ok");
    assert_eq!(hal.threads().len(), 1, "loading started a thread");
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.call("req 1 58 -1");
    hal.event("notify 1");
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(
        without_libc(hal.signals(hal.pid())),
        before,
        "dispositions or mask of the HAL were changed"
    );

    let threads = hal.threads();
    let ours: Vec<_> = threads.iter().filter(|(thread, _)| *thread != hal.pid()).collect();
    assert_eq!(ours.len(), 1, "one thread, not {threads:?}");
    let blocked = hal.signals(ours[0].0).blocked;
    for signal in 1..=64_u32 {
        // SIGKILL and SIGSTOP cannot be blocked, and glibc keeps 32 and 33 to itself.
        if [9, 19, 32, 33].contains(&signal) {
            continue;
        }
        assert!(blocked >> (signal - 1) & 1 == 1, "signal {signal} is not blocked");
    }
    hal.finish();
}

#[test]
fn host_with_default_sigpipe_survives_a_dead_vendor() {
    let mut hal = Setup::new("plain").start();
    let sigpipe = 1 << (libc::SIGPIPE - 1);
    assert_eq!(hal.call("init"), "init 0");
    let state = hal.signals(hal.pid());
    assert_eq!((state.ignored | state.caught | state.blocked) & sigpipe, 0);
    let vendor = hal.vendor();
    hal.signal(vendor, libc::SIGSTOP);
    for _ in 0..50 {
        hal.call("req 5 0102030405 -1 10");
    }
    hal.signal(vendor, libc::SIGKILL);
    for _ in 0..50 {
        hal.call("req 5 0102030405 -1 10");
        hal.call("updret 1 1 none");
    }
    hal.event("notify 1");
    hal.call("req 5 00 -1 10");
    assert_eq!(hal.count("notify"), 1);
    hal.finish();
}
