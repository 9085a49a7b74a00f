//! What a library does, in a process under the filters: it works, or fails as it may expect, and an
//! abort is an abort.
//!
//! Each scenario runs in a fresh process: this test program again, which finds the scenario's name in
//! its environment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exit,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::ffi::{CString, c_char, c_int, c_void};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;

use cami_seccomp::{Arch, Options, Phase, compile, install, own_signals};

const SCENARIO: &str = "CAMI_SECCOMP_SCENARIO";
const LIBRARY: &str = "CAMI_SECCOMP_LIBRARY";
const PHASE: &str = "CAMI_SECCOMP_PHASE";

/// Compiles a library into a folder.
fn compiled(folder: &Path, source: &Path, arguments: &[&str]) -> PathBuf {
    let file = folder.join("library.so");
    let output = Command::new("c++")
        .args(["-shared", "-fPIC", "-O1", "-g0", "-pthread", "-o"])
        .arg(&file)
        .arg(source)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/library.cpp");
        // It stays among what is built, where it takes the place of the one before: no test is the
        // last one that needs it.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::tempdir_in(target).unwrap();
        let stays = target.join("libbehaviour.so");
        std::fs::rename(compiled(folder.path(), &source, &[]), &stays).unwrap();
        stays
    })
}

/// Runs a scenario in a process of its own.
fn run(phase: Phase, scenario: &str, library: &Path) -> (ExitStatus, String) {
    // A process that dies removes nothing.
    let room = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "scenario_process", "--nocapture", "--test-threads=1"])
        .env(SCENARIO, scenario)
        .env(LIBRARY, library)
        .env(PHASE, phase.name())
        .env("TMPDIR", room.path())
        .output()
        .unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn symbol(library: *mut c_void, name: &str) -> *mut c_void {
    let name = CString::new(name).unwrap();
    // SAFETY: the handle is open, and the name a text.
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!found.is_null(), "{name:?}");
    found
}

fn call(library: *mut c_void, name: &str) -> c_int {
    // SAFETY: the library's functions of these names take nothing and return an int, or nothing, in
    // which case what is returned is not looked at.
    let function = unsafe {
        std::mem::transmute::<*mut c_void, extern "C" fn() -> c_int>(symbol(library, name))
    };
    function()
}

extern "C" fn boundary() {
    panic!("a panic of ours at a border");
}

/// Not a test of its own: what [`run`] starts.
#[test]
fn scenario_process() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    let running = std::env::var(PHASE).unwrap() == Phase::Running.name();
    let options = Options { ioctls: vec![], may_truncate: scenario == "files_truncating" };
    let folder = tempfile::tempdir().unwrap();
    let loading = compile(Arch::current(), Phase::Loading, &options).unwrap();
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
    // For all threads, as this is a test's and the main one waits.
    install(&loading, true).unwrap();
    install(&[own_signals(Arch::current(), std::process::id()).unwrap()], true).unwrap();

    let path = CString::new(std::env::var(LIBRARY).unwrap()).unwrap();
    // SAFETY: the constructors of the test's own library may run.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    if scenario == "does_not_load" {
        std::process::exit(if library.is_null() { 0 } else { 1 });
    }
    assert!(!library.is_null());
    call(library, "start_waiting");
    if running {
        let programs = compile(Arch::current(), Phase::Running, &options).unwrap();
        install(&programs, true).unwrap();
    }
    let line = match scenario.as_str() {
        "waiting_thread" => {
            let expected = if running { libc::EACCES } else { 0 };
            c_int::from(call(library, "waiting_got") != expected)
        }
        "code_is_new" => {
            // SAFETY: it takes an int and returns one.
            let function = unsafe {
                std::mem::transmute::<*mut c_void, extern "C" fn(c_int) -> c_int>(symbol(
                    library, &scenario,
                ))
            };
            function(c_int::from(!running))
        }
        "files" | "files_truncating" => {
            // SAFETY: it takes a text and an int, and returns an int.
            let function = unsafe {
                std::mem::transmute::<*mut c_void, extern "C" fn(*const c_char, c_int) -> c_int>(
                    symbol(library, "files"),
                )
            };
            let folder = CString::new(folder.path().to_str().unwrap()).unwrap();
            function(folder.as_ptr(), c_int::from(options.may_truncate))
        }
        "rust_panic" => {
            boundary();
            0
        }
        "rust_threads" => {
            let work = || std::thread::spawn(|| std::fs::metadata("/proc/self").is_ok());
            let all: Vec<_> = (0..4).map(|_| work()).collect();
            let fine = all.into_iter().all(|thread| thread.join().unwrap());
            let caught = std::thread::spawn(|| panic!("caught")).join().is_err();
            c_int::from(!(fine && caught))
        }
        name => call(library, name),
    };
    if line != 0 {
        eprintln!("line {line} of the library");
    }
    drop(folder);
    std::process::exit(c_int::from(line != 0));
}

fn works(scenario: &str) {
    for phase in Phase::ALL {
        let (status, text) = run(phase, scenario, library());
        assert_eq!(status.code(), Some(0), "{phase:?}, {scenario}: {status}\n{text}");
    }
}

fn dies_of(scenario: &str, signal: c_int) {
    for phase in Phase::ALL {
        let (status, text) = run(phase, scenario, library());
        assert_eq!(status.signal(), Some(signal), "{phase:?}, {scenario}: {status}\n{text}");
    }
}

#[test]
fn threads_work() {
    works("threads");
}

#[test]
fn threads_of_rust_and_their_panics_work() {
    works("rust_threads");
}

#[test]
fn memory_works_and_is_never_writable_and_executable() {
    works("memory");
}

#[test]
fn new_code_is_loaded_before_the_second_filter_and_not_after_it() {
    works("code_is_new");
}

#[test]
fn second_filter_reaches_threads_that_run_already() {
    works("waiting_thread");
}

#[test]
fn exceptions_and_backtraces_work() {
    works("exceptions");
}

#[test]
fn timers_work() {
    works("timers");
}

#[test]
fn memfds_get_their_size_without_ftruncate() {
    works("shared_memory");
}

#[test]
fn files_are_written_without_truncation() {
    works("files");
}

#[test]
fn files_are_truncated_where_that_is_allowed() {
    works("files_truncating");
}

#[test]
fn waiting_and_pairs_work_and_networks_are_not_there() {
    works("events");
}

#[test]
fn identity_can_be_asked_and_not_changed() {
    works("identity");
}

#[test]
fn signals_work_within_the_process() {
    works("signals");
}

#[test]
fn children_are_forked_and_waited_for_and_execute_nothing() {
    works("children");
}

#[test]
fn an_abort_is_sigabrt() {
    dies_of("aborts", libc::SIGABRT);
}

#[test]
fn an_exception_that_nobody_catches_is_sigabrt() {
    dies_of("terminates", libc::SIGABRT);
}

#[test]
fn a_rust_panic_at_a_border_is_sigabrt() {
    dies_of("rust_panic", libc::SIGABRT);
}

#[test]
fn another_program_in_its_place_is_sigsys() {
    dies_of("executes", libc::SIGSYS);
}

#[test]
fn a_library_with_an_executable_stack_does_not_load() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("stack.cpp");
    std::fs::write(&source, "extern \"C\" void start_waiting() {}").unwrap();
    let library = compiled(folder.path(), &source, &["-Wl,-z,execstack"]);
    let (status, text) = run(Phase::Loading, "does_not_load", &library);
    assert_eq!(status.code(), Some(0), "{status}\n{text}");
}
