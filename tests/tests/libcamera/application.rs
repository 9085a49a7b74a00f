//! A program that is libcamera, its own CameraManager, IPAManager, IPAModule and IPAProxyIPU3, with a
//! pipeline handler that has no hardware (`hosts/libcamera.cpp`).
//!
//! The libcamera is Debian's 0.0.3, with private headers from its source package, or the one of a meson
//! build folder in `CAMI_IPA_LIBCAMERA_BUILD` (docs/libcamera.md).

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use cami_libcamera::{MODULE_NAME, OLD_MODULE_NAME, WORKER};
use cami_tests::{PATIENCE, artefact};

/// The variable that names a build folder of libcamera.
const BUILD: &str = "CAMI_IPA_LIBCAMERA_BUILD";

/// The compiled program.
pub struct Application {
    program: PathBuf,
    /// Major and minor number of its libcamera.
    pub version: (u32, u32),
    /// Folders of its libcamera; none where the loader finds it.
    libraries: Option<OsString>,
}

/// The program, compiled once; `None` where that is not possible here, which has been said.
pub fn application() -> Option<&'static Application> {
    static APPLICATION: OnceLock<Option<Application>> = OnceLock::new();
    APPLICATION
        .get_or_init(|| match Application::compile() {
            Ok(application) => Some(application),
            Err(why) => {
                let _ =
                    writeln!(std::io::stderr(), "SKIPPED: no real libcamera to test with: {why}");
                None
            }
        })
        .as_ref()
}

/// What was printed, without the space around it.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// `pkg-config KIND libcamera`; a build folder has its own answers.
fn flags(build: Option<&Path>, kind: &str) -> Result<Vec<String>, String> {
    let mut command = Command::new("pkg-config");
    if let Some(build) = build {
        command.env("PKG_CONFIG_PATH", build.join("meson-uninstalled"));
    }
    let output = command.args([kind, "libcamera"]).output();
    let output = output.map_err(|error| format!("pkg-config: {error}"))?;
    if !output.status.success() {
        return Err(text(&output.stderr));
    }
    Ok(text(&output.stdout).split_whitespace().map(str::to_owned).collect())
}

/// Arguments of the compiler for the headers that the distribution's package does not have.
fn private_headers(folder: &Path) -> Result<Vec<OsString>, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts/libcamera-headers");
    let output = Command::new(script).arg(folder).output();
    let output = output.map_err(|error| format!("libcamera-headers: {error}"))?;
    match output.status.code() {
        Some(0) => {}
        Some(77) => return Err(text(&output.stderr)),
        _ => panic!("{}", text(&output.stderr)),
    }
    let folders = ["generated/include", "source/include"];
    Ok(folders.iter().flat_map(|name| ["-I".into(), folder.join(name).into()]).collect())
}

impl Application {
    fn compile() -> Result<Self, String> {
        let build = std::env::var_os(BUILD).map(PathBuf::from);
        let build = build.as_deref();
        let version = flags(build, "--modversion")?.concat();
        let number = |place| version.split('.').nth(place)?.parse::<u32>().ok();
        let (Some(major), Some(minor)) = (number(0), number(1)) else {
            return Err(format!("{version} is no version of libcamera"));
        };
        // How its generator is called is known of this one.
        if build.is_none() && version != "0.0.3" {
            return Err(format!("{version} is installed; {BUILD} can name a build of it"));
        }
        let folder = artefact("cami-ipa").with_file_name("libcamera-headers");
        let mut arguments: Vec<OsString> = Vec::new();
        let program = match build {
            Some(build) => {
                // What decides the layout of its classes.
                arguments.extend(["-include".into(), build.join("config.h").into()]);
                let folder = folder.with_file_name("libcamera-build");
                std::fs::create_dir_all(&folder).unwrap();
                folder.join("host")
            }
            None => {
                arguments.extend(private_headers(&folder)?);
                folder.join("host")
            }
        };
        for kind in ["--cflags", "--libs"] {
            if kind == "--libs" {
                let hosts = Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts");
                arguments.push(hosts.join("libcamera.cpp").into());
            }
            arguments.extend(flags(build, kind)?.into_iter().map(OsString::from));
        }
        let output = Command::new("c++")
            .args(["-std=c++20", "-O1", "-g", "-Wall", "-DLIBCAMERA_BASE_PRIVATE", "-pthread"])
            .args(&arguments)
            .arg("-o")
            .arg(&program)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let libraries = build.map(|build| {
            let folder = build.join("src/libcamera");
            std::env::join_paths([folder.join("base"), folder]).unwrap()
        });
        Ok(Self { program, version: (major, minor), libraries })
    }

    /// The controls that an application is offered of a camera without a lens.
    pub fn controls(&self) -> Vec<&'static str> {
        let mut names = vec![
            "AeEnable",
            "AeMeteringMode",
            "AnalogueGain",
            "AwbEnable",
            "AwbMode",
            "Brightness",
            "ColourGains",
            "ColourTemperature",
            "Contrast",
            "ExposureTime",
            "ExposureValue",
            "FrameDurationLimits",
            "Saturation",
            "Sharpness",
        ];
        if self.version >= (0, 2) {
            names.extend(["AeFlickerMode", "AeFlickerPeriod"]);
        }
        if self.version >= (0, 5) {
            names.extend(["AnalogueGainMode", "ExposureTimeMode"]);
        }
        names.sort_unstable();
        names
    }
}

/// Our files in folders of their own, as they are installed.
pub struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path().join("modules");
        std::fs::create_dir(&modules).unwrap();
        for name in [MODULE_NAME, OLD_MODULE_NAME] {
            std::fs::copy(artefact(name), modules.join(name)).unwrap();
        }
        std::fs::write(folder.path().join("tuning.aiqb"), b"").unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program in this room, with nothing of ours in its environment but this.
    pub fn command(&self, application: &Application, library: &Path) -> Command {
        let mut command = Command::new(&application.program);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CAMI_IPA_")) {
                command.env_remove(name);
            }
        }
        if let Some(libraries) = &application.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let tuning = self.path("tuning.aiqb");
        let tuning = ["imx219", "ov13858"].map(|model| format!("{model}={}", tuning.display()));
        command
            .args([MODULE_NAME, OLD_MODULE_NAME].map(|name| self.path("modules").join(name)))
            .env("LIBCAMERA_IPA_MODULE_PATH", self.path("modules"))
            .env("LIBCAMERA_IPA_PROXY_PATH", artefact(WORKER).parent().unwrap())
            .env("CAMI_IPA_CONFIG", "/dev/null")
            .env("CAMI_IPA_STATUS_DIR", self.path("status"))
            .env("CAMI_IPA_VENDOR_LIBRARY", library)
            .env("CAMI_IPA_TUNING", tuning.join(":"))
            .env("CAMI_IPA_LOG", format!("debug,{}", self.path("log").display()));
        command
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Processes that were started here.
    pub fn processes(&self) -> Vec<u32> {
        let mark = self.folder.path().as_os_str().as_encoded_bytes();
        std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|process| {
                std::fs::read(format!("/proc/{process}/environ")).is_ok_and(|environment| {
                    environment.windows(mark.len()).any(|window| window == mark)
                })
            })
            .collect()
    }

    /// Waits until no process is left that was started here.
    pub fn empty(&self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "{left:?} are left");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
