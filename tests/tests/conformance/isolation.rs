//! What the vendor's process gets from the HAL's, and what it does not.

use std::fs;

use cami_tests::{Hal, Setup};

/// 32 and 33, which glibc keeps to itself and handles from the first thread on.
const LIBC_SIGNALS: u64 = 3 << 31;

/// Whether a process has a descriptor of the file at `path`.
fn holds(pid: u32, path: &str) -> bool {
    let fds = match fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(fds) => fds,
        // The first process of the PID namespace lets nobody but root look into it.
        Err(error) => {
            assert_eq!(status(pid, "Name:"), "cami-init", "{error}");
            return false;
        }
    };
    fds.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target.as_os_str() == path))
}

fn status(pid: u32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
}

fn environment(pid: u32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    text.split('\0').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn started(setup: Setup) -> Hal {
    let mut hal = setup.start();
    assert_eq!(hal.call("init"), "init 0");
    hal
}

#[test]
fn descriptors_of_the_hal_are_in_neither_process() {
    let mut hal = Setup::new("plain").start();
    let secret = hal.room.path("secret");
    fs::write(&secret, "of the HAL's own").unwrap();
    let secret = secret.display().to_string();
    assert_eq!(hal.call(&format!("open {secret}")), "open 1");
    assert!(holds(hal.pid(), &secret), "the test's own view");
    assert_eq!(hal.call("init"), "init 0");
    let family = hal.family();
    assert_eq!(family.len(), 3, "monitor, first process of the PID namespace, vendor process");
    for process in family {
        assert!(!holds(process, &secret), "process {process} inherited a descriptor");
    }
    hal.finish();
}

#[test]
fn vendor_process_sees_the_configured_variables_and_no_others() {
    let setup = Setup::new("plain")
        .with("SECRET_OF_THE_HAL", "1")
        .with("CAMI_IPA_ENVIRONMENT", "GREETING=hello:OTHER=2");
    let hal = started(setup);
    let seen = environment(hal.vendor());
    assert!(seen.contains(&"GREETING=hello".to_owned()), "{seen:?}");
    assert!(seen.contains(&"OTHER=2".to_owned()), "{seen:?}");
    let strangers: Vec<_> = seen
        .iter()
        .filter(|item| {
            !["GREETING=", "OTHER=", "LD_LIBRARY_PATH="].iter().any(|n| item.starts_with(n))
        })
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    hal.finish();
}

#[test]
fn every_thread_of_the_vendor_process_is_confined() {
    let hal = started(Setup::new("ipu3"));
    let vendor = hal.vendor();
    let tasks = fs::read_dir(format!("/proc/{vendor}/task")).unwrap();
    let mut threads = 0;
    for task in tasks.flatten() {
        let thread: u32 = task.file_name().to_str().unwrap().parse().unwrap();
        assert_eq!(status(thread, "NoNewPrivs:"), "1");
        assert_eq!(status(thread, "Seccomp:"), "2", "a filter");
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(status(thread, set), "0000000000000000", "{set}");
        }
        threads += 1;
    }
    assert!(threads >= 5, "the library's three, the caller and the watcher, not {threads}");
    assert_eq!(status(hal.pid(), "NoNewPrivs:"), "0", "the HAL was confined too");
    hal.finish();
}

#[test]
fn vendor_process_starts_with_signals_as_a_fresh_process_has_them() {
    let mut hal = Setup::new("plain").start();
    hal.call("sigchld ignore");
    assert_eq!(hal.call("thread init"), "init 0");
    let vendor = hal.vendor();
    let number = |name| u64::from_str_radix(&status(vendor, name), 16).unwrap();
    // A library that writes to a closed pipe gets an error (host: start.rs); nothing else.
    let allowed = 1_u64 << (libc::SIGPIPE - 1);
    assert_eq!(number("SigIgn:") & !allowed & !LIBC_SIGNALS, 0);
    assert_eq!(number("SigCgt:") & !LIBC_SIGNALS, 0);
    assert_eq!(number("SigBlk:"), 0);
    hal.finish();
}

#[test]
fn output_of_the_library_is_logged_under_its_name() {
    let mut hal = started(Setup::new("revision_g"));
    hal.call("deinit");
    hal.log.wait(&["libvendor.so", "vendor: deinitialized"]);
    hal.finish();
}
