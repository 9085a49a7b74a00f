//! What the vendor library finds, and what it is kept from.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::io::Write;

use common::Setup;

const EPERM: u32 = 1;
const ENOENT: u32 = 2;
const ENOSYS: u32 = 38;

#[test]
fn library_finds_only_the_links_descriptors_and_no_environment() {
    let mut host = Setup::new().variable("SECRET", "1").start();
    let _buffer = host.ready();
    // The link, our log's, and the watching thread's eventfd.
    assert_eq!(host.status(2), 3);
    assert_eq!(host.status(3), 0);
    assert_eq!(host.status(4), 1, "no_new_privs");
}

#[test]
fn library_sees_the_configured_environment_alone() {
    let mut host = Setup::new().variable("CAMI_IPA_ENVIRONMENT", "CAMERA_MODE=42").start();
    let _buffer = host.ready();
    assert_eq!((host.status(22), host.status(3)), (42, 1));
}

/// What shrinks a buffer by its descriptor, or goes around the filter.
const SHRINKS: [(u32, &str, u32); 7] = [
    (5, "ftruncate", EPERM),
    (6, "F_ADD_SEALS", EPERM),
    (7, "fallocate(COLLAPSE_RANGE)", EPERM),
    (24, "name_to_handle_at", ENOSYS),
    (31, "madvise(MADV_HWPOISON)", EPERM),
    (10, "io_uring_setup", ENOSYS),
    (11, "openat2", ENOSYS),
];

#[test]
fn library_cannot_shrink_or_seal_a_registered_buffer() {
    let mut host = Setup::new().start();
    let buffer = host.ready();
    for (request, what, expected) in SHRINKS {
        assert_eq!(host.status(request), expected, "{what}");
    }
    #[cfg(target_arch = "x86_64")]
    assert_eq!(host.status(21), ENOSYS, "ftruncate of the x32 ABI");
    // There is no name to open the buffer by.
    for (request, what) in [(9, "open with O_TRUNC"), (12, "creat")] {
        assert_eq!(host.status(request), ENOENT, "{what} of /proc/self/fd");
    }
    assert_ne!(host.status(8), 0, "truncate of /proc/self/fd");
    assert_eq!(std::fs::File::from(buffer).metadata().unwrap().len(), 8192);
}

#[test]
fn library_that_is_given_proc_cannot_shrink_a_buffer_by_its_name() {
    let mut host = Setup::new().variable("CAMI_IPA_SANDBOX__READ", "/proc").start();
    let buffer = host.ready();
    for (request, what) in [(8, "truncate"), (9, "open with O_TRUNC"), (12, "creat")] {
        assert_eq!(host.status(request), EPERM, "{what} of /proc/self/fd");
    }
    assert_eq!(std::fs::File::from(buffer).metadata().unwrap().len(), 8192);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn library_that_calls_the_i386_abi_is_killed() {
    let mut host = Setup::new().start();
    let buffer = host.ready();
    host.request(25, &[]);
    assert_eq!(host.next(), common::Incoming::Closed);
    let cause = host.cause();
    assert!(cause.contains("killed by SIGSYS"), "{cause}");
    assert_eq!(std::fs::File::from(buffer).metadata().unwrap().len(), 8192);
}

#[test]
fn library_may_fork_and_wait_and_loses_what_it_executes() {
    let mut host = Setup::new().start();
    let _buffer = host.ready();
    assert_eq!(host.status(43), 5);
    assert_eq!(host.status(32), 100 + libc::SIGSYS.cast_unsigned(), "system");
    assert_eq!(host.status(4), 1);
}

#[test]
fn every_thread_is_under_the_filter_and_without_capabilities() {
    let mut host = Setup::new().start();
    let pid = host.vendor_pid();
    let _buffer = host.ready();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let mut threads = 0;
    for task in tasks {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(status.contains("Seccomp:\t2"), "{status}");
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert!(status.contains(&format!("{set}:\t0000000000000000")), "{status}");
        }
        threads += 1;
    }
    assert_eq!(threads, 2, "the one that calls the library and the one that watches");
}

#[test]
fn needed_libraries_are_found_on_the_library_path() {
    let folder = tempfile::tempdir().unwrap();
    let compile = |arguments: &[&str], source: &str| {
        let file = folder.path().join("source.c");
        std::fs::File::create(&file).unwrap().write_all(source.as_bytes()).unwrap();
        let status = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-Wl,--no-as-needed"])
            .current_dir(folder.path())
            .args(["source.c"])
            .args(arguments)
            .status()
            .unwrap();
        assert!(status.success());
    };
    compile(&["-o", "libneeded.so"], "int needed(void) { return 0; }");
    compile(
        &["-o", "libvendor.so", "-L.", "-lneeded"],
        "int needed(void); static int init(void *c) { (void)c; return needed(); }\n\
         void *CAMI[4] = {(void *)init, 0, 0, 0};",
    );
    let module = folder.path().join("libvendor.so");
    let mut setup = Setup::new();
    setup.module.clone_from(&module);
    let reply = setup.start().init(1);
    assert_eq!(reply.ret, -libc::ELIBACC);
    assert!(reply.info.reason.contains("libneeded.so"), "{}", reply.info.reason);
    let mut setup = Setup::new().variable("CAMI_IPA_LIBRARY_PATH", folder.path().to_str().unwrap());
    setup.module = module;
    let mut host = setup.start();
    assert_eq!(host.init(1).ret, 0);
    assert_eq!(host.start_library(), 0);
}
