//! The worker's process, whatever is behind it.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cami_libcamera::{MODULE_NAME, OwnWorker, WORKER, find_own_worker, worker_folders};
use cami_tests::artefact;

use crate::driver::{Worker, command, sockets};

const CAPTURE: &str = "capture_ipu3_0.0.3.txt";

/// No library is configured, or it cannot be: libcamera is told so at once, and does not wait for a
/// worker that has ended (numbers 17 and 18).
#[test]
fn what_is_missing_is_an_error_of_init() {
    let bad: [&[(&str, &str)]; 4] = [
        &[],
        &[("CAMI_IPA_VENDOR_LIBRARY", "/nonexistent/libcam_algo.so")],
        &[("CAMI_IPA_HOST", "/nonexistent/cros_ipa_proxy")],
        &[("CAMI_IPA_RECOVERY", "perhaps")],
    ];
    for settings in bad {
        let before = Instant::now();
        let mut worker = Worker::start(settings);
        assert!(worker.init(CAPTURE) < 0, "{settings:?}");
        assert!(before.elapsed() < Duration::from_secs(2), "{settings:?}: {:?}", before.elapsed());
        worker.exit();
    }
}

/// libcamera's own worker and module, where they are installed; says so where not.
fn libcamera_s_own() -> Option<(PathBuf, PathBuf)> {
    let ours = artefact(WORKER);
    if let OwnWorker::Found(worker) = find_own_worker(WORKER, worker_folders(None), &ours) {
        let folder = worker.parent().unwrap();
        let module = [folder.join("ipa_ipu3.so"), folder.join("ipa/ipa_ipu3.so")]
            .into_iter()
            .find(|module| module.exists());
        if let Some(module) = module {
            return Some((worker, module));
        }
    }
    use std::io::Write as _;
    let _ =
        writeln!(std::io::stderr(), "SKIPPED: no {WORKER} of libcamera's; install libcamera-ipa");
    None
}

#[test]
fn another_module_is_left_to_libcamera_s_own_worker() {
    let Some((own, module)) = libcamera_s_own() else { return };
    let (ours, theirs) = sockets();
    let mut command = command(&artefact(WORKER), &module, &theirs);
    command.stderr(Stdio::null());
    let mut worker = Worker::adopt(command, ours);
    drop(theirs);
    assert_eq!(worker.init(CAPTURE), 0, "libcamera's own module works as ever");
    let running = std::fs::read_link(format!("/proc/{}/exe", worker.child.id())).unwrap();
    assert_eq!(running, own.canonicalize().unwrap());
    worker.exit();
}

#[test]
fn without_libcamera_s_own_worker_another_module_is_an_error_of_init() {
    let Some((_, module)) = libcamera_s_own() else { return };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(WORKER);
    std::fs::copy(artefact(WORKER), &copy).unwrap();
    let missing = folder.path().join("none");
    // Nothing there; and a copy of ourselves, which must not start itself for ever.
    for proxy_dir in [missing.as_path(), folder.path()] {
        let (ours, theirs) = sockets();
        let mut command = command(&artefact(WORKER), &module, &theirs);
        command.env("CAMI_IPA_LIBCAMERA__PROXY_DIR", proxy_dir).stderr(Stdio::null());
        let mut worker = Worker::adopt(command, ours);
        drop(theirs);
        assert_eq!(worker.init(CAPTURE), -libc::ENOEXEC);
        worker.exit();
    }
}

/// Number 19: libcamera up to 0.5.0 closes the standard streams.
#[test]
fn closed_standard_streams_are_opened_on_the_null_device() {
    let (ours, theirs) = sockets();
    let mut command = command(&artefact(WORKER), &artefact(MODULE_NAME), &theirs);
    command.env("CAMI_IPA_LOG", "off");
    let close = || {
        for stream in 0..3 {
            // SAFETY: close is async-signal-safe.
            unsafe { libc::close(stream) };
        }
        Ok(())
    };
    // SAFETY: see there.
    unsafe { command.pre_exec(close) };
    let mut worker = Worker::adopt(command, ours);
    drop(theirs);
    assert!(worker.init(CAPTURE) < 0);
    for stream in 0..3 {
        let target = std::fs::read_link(format!("/proc/{}/fd/{stream}", worker.child.id()));
        assert_eq!(target.unwrap(), PathBuf::from("/dev/null"));
    }
    worker.exit();
}

#[test]
fn a_worker_has_a_process_group_of_its_own() {
    let mut worker = Worker::start(&[]);
    worker.init(CAPTURE);
    let pid = i32::try_from(worker.child.id()).unwrap();
    // SAFETY: asks for a number.
    assert_eq!(unsafe { libc::getpgid(pid) }, pid);
    worker.exit();
}

#[test]
fn wrong_usage_is_told() {
    for arguments in [&[][..], &["/m.so"], &["/m.so", "x", "y"]] {
        let status = std::process::Command::new(artefact(WORKER))
            .args(arguments)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}");
    }
    let module = artefact(MODULE_NAME);
    for fd in ["-1", "x", "99999"] {
        let mut command = std::process::Command::new(artefact(WORKER));
        let status = command.arg(&module).arg(fd).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{fd}");
    }
}
