//! The real libcamera on the host side: its CameraManager, IPAManager, IPAModule and IPAProxyIPU3, with a
//! pipeline handler that has no hardware (`hosts/libcamera.cpp`).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use cami_libcamera::{MODULE_NAME, OLD_MODULE_NAME, WORKER};
use cami_tests::{PATIENCE, artefact};

/// The program, compiled once; `None` where that is not possible here, which has been said.
fn host() -> Option<&'static Path> {
    static HOST: OnceLock<Option<PathBuf>> = OnceLock::new();
    HOST.get_or_init(|| match compile() {
        Ok(path) => Some(path),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no real libcamera to test with: {why}");
            None
        }
    })
    .as_deref()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn compile() -> Result<PathBuf, String> {
    let hosts = Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts");
    let flags = |kind: &str| -> Result<Vec<String>, String> {
        let output = Command::new("pkg-config").args([kind, "libcamera"]).output();
        let output = output.map_err(|error| format!("pkg-config: {error}"))?;
        if !output.status.success() {
            return Err(text(&output.stderr));
        }
        Ok(text(&output.stdout).split_whitespace().map(str::to_owned).collect())
    };
    // Its interfaces to pipeline handlers change with every release.
    let version = flags("--modversion")?.concat();
    if version != "0.0.3" {
        return Err(format!("hosts/libcamera.cpp is for 0.0.3, and {version} is installed"));
    }
    let headers = artefact("cami-ipa").with_file_name("libcamera-headers");
    let output = Command::new(hosts.join("libcamera-headers")).arg(&headers).output();
    let output = output.map_err(|error| format!("libcamera-headers: {error}"))?;
    match output.status.code() {
        Some(0) => {}
        Some(77) => return Err(text(&output.stderr)),
        _ => panic!("{}", text(&output.stderr)),
    }
    let program = headers.join("host");
    let output = Command::new("c++")
        .args(["-std=c++17", "-O1", "-g", "-Wall", "-DLIBCAMERA_BASE_PRIVATE", "-pthread", "-I"])
        .arg(headers.join("generated/include"))
        .arg("-I")
        .arg(headers.join("source/include"))
        .args(flags("--cflags")?)
        .arg("-o")
        .arg(&program)
        .arg(hosts.join("libcamera.cpp"))
        .args(flags("--libs")?)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    Ok(program)
}

/// Our files in folders of their own, as they are installed.
struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path().join("modules");
        std::fs::create_dir(&modules).unwrap();
        for name in [MODULE_NAME, OLD_MODULE_NAME] {
            std::fs::copy(artefact(name), modules.join(name)).unwrap();
        }
        std::fs::write(folder.path().join("imx219.aiqb"), b"").unwrap();
        Self { folder }
    }

    fn run(&self, program: &Path, library: &Path, more: &[(&str, &str)]) -> Output {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(program);
        command
            .args([MODULE_NAME, OLD_MODULE_NAME].map(|name| path("modules").join(name)))
            .env("LIBCAMERA_IPA_MODULE_PATH", path("modules"))
            .env("LIBCAMERA_IPA_PROXY_PATH", artefact(WORKER).parent().unwrap())
            .env("CAMI_IPA_CONFIG", "/dev/null")
            .env("CAMI_IPA_VENDOR_LIBRARY", library)
            .env("CAMI_IPA_TUNING", format!("imx219={}", path("imx219.aiqb").display()))
            .env("CAMI_IPA_LOG", format!("debug,{}", path("log").display()))
            .envs(more.iter().copied());
        command.output().unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until no process is left that was started here.
    fn empty(&self) {
        let mark = self.folder.path().as_os_str().as_encoded_bytes();
        let until = Instant::now() + PATIENCE;
        loop {
            let left: Vec<PathBuf> = std::fs::read_dir("/proc")
                .unwrap()
                .flatten()
                .map(|entry| entry.path())
                .filter(|process| {
                    std::fs::read(process.join("environ")).is_ok_and(|environment| {
                        environment.windows(mark.len()).any(|window| window == mark)
                    })
                })
                .collect();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "{left:?} are left");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn real_libcamera_takes_our_module_and_has_its_sessions() {
    let Some(program) = host() else { return };
    let room = Room::new();
    let output = room.run(program, &artefact("libcam_algo_reference.so"), &[]);
    let said = text(&output.stdout);
    let expected = "\
module 1, pipeline ipu3, name ipu3, 0 bytes of signature
module 1, pipeline PipelineHandlerIPU3, name ipu3, 0 bytes of signature
ipa valid 1
init 0, 14 controls
configure 0, 14 controls";
    assert!(said.starts_with(expected), "{said}\n{}\n{}", text(&output.stderr), room.log());
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

/// In the namespaces that libcamera has made, as our host tells it.
#[test]
fn the_sandbox_inside_libcamera_s_own_is_told_as_it_is() {
    let Some(program) = host() else { return };
    let room = Room::new();
    room.run(program, &artefact("libcam_algo_reference.so"), &[]);
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
    let Some(program) = host() else { return };
    for library in ["hang_initialize", "crash_initialize", "plain", "crash_request", "hang_request"]
    {
        let room = Room::new();
        let output = room.run(program, &cami_tests::vendor_library(library), &[]);
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
    let Some(program) = host() else { return };
    let room = Room::new();
    let library = artefact("libcam_algo_reference.so");
    let output = room.run(program, &library, &[("HOST_ABORTS", "1")]);
    assert_eq!(output.status.code(), None, "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("aborts"));
    room.empty();
}
