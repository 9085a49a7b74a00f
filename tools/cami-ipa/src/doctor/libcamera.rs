//! libcamera's door: which libcamera is here, and what it would take for an IPU3 camera.

use std::fs;
use std::path::{Path, PathBuf};

use cami_config::{Config, LibcameraVersion};
use cami_libcamera::{
    Library, OwnWorker, SearchPaths, WORKER, choose_module, choose_worker, find_own_worker,
    folders, installed, is_ours, worker_folders,
};
use cami_wire::libcamera::Dialect;
use serde::Serialize;

use super::overrides::{MATCH_LIST, Override};

/// Since then pipelines can be listed.
const LISTS_SINCE: LibcameraVersion = LibcameraVersion { major: 0, minor: 3, patch: 0 };
/// Since then there is `configuration.yaml`.
const YAML_SINCE: LibcameraVersion = LibcameraVersion { major: 0, minor: 6, patch: 0 };
/// What leads a libcamera to modules and workers.
const MODULE_PATH: &str = "LIBCAMERA_IPA_MODULE_PATH";
const PROXY_PATH: &str = "LIBCAMERA_IPA_PROXY_PATH";
/// Programs that start cameras for others, as `/proc` calls them (15 bytes).
const SERVICES: [&str; 6] =
    ["pipewire", "wireplumber", "xdg-desktop-por", "cheese", "snapshot", "gnome-snapshot"];

/// What is found of it.
#[derive(Debug, Serialize)]
pub struct Libcamera {
    /// Each libcamera, and what it would take with this program's environment.
    pub libraries: Vec<Found>,
    /// libcamera's own worker, for modules that are not ours.
    pub own_worker: Option<PathBuf>,
    /// Running camera services, and where they are led.
    pub services: Vec<Service>,
    /// What else is said to it in this program's environment and in its file.
    pub overrides: Vec<Override>,
    /// Sensors that the configuration has a tuning file for.
    pub tuning: Vec<Tuning>,
}

/// One libcamera.
#[derive(Debug, Serialize)]
pub struct Found {
    /// Its file.
    pub path: PathBuf,
    /// Its version.
    pub version: Option<String>,
    /// Whether the numbers of its controls are known.
    pub control_ids_known: bool,
    /// The IPU3 module that it takes.
    pub module: Option<PathBuf>,
    /// Why that one.
    pub module_why: String,
    /// Whether that is ours.
    pub module_is_ours: bool,
    /// The worker that it starts for an isolated module.
    pub worker: Option<PathBuf>,
    /// Whether that is ours.
    pub worker_is_ours: bool,
    /// What names the folders: the environment, a file, or nothing.
    pub led_by: String,
}

/// A running program that starts cameras.
#[derive(Debug, Serialize)]
pub struct Service {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its `LIBCAMERA_IPA_MODULE_PATH`.
    pub module_path: Option<String>,
    /// Its `LIBCAMERA_IPA_PROXY_PATH`.
    pub proxy_path: Option<String>,
    /// What else its environment says to libcamera.
    pub overrides: Vec<Override>,
}

/// A configured tuning file.
#[derive(Debug, Serialize)]
pub struct Tuning {
    /// The sensor's model.
    pub sensor: String,
    /// The file.
    pub path: PathBuf,
    /// Whether it can be read.
    pub readable: bool,
}

impl Libcamera {
    /// Looks, and says what falls short. A machine without libcamera, or one that is not led to us, is
    /// well.
    pub fn look(config: Option<&Config>, problems: &mut Vec<String>) -> Self {
        let libraries = installed(&folders(std::env::var_os("LD_LIBRARY_PATH")));
        let proxy_dir = config.and_then(|config| config.libcamera.proxy_dir.as_deref());
        let own_folders = worker_folders(proxy_dir);
        // Those that match by a list.
        let listing = |library: &Library| library.version.is_none_or(|is| is >= LISTS_SINCE);
        let lists = libraries.iter().any(listing);
        let libraries: Vec<Found> = libraries
            .iter()
            .map(|library| Found::look(library, config, &libraries, &own_folders, problems))
            .collect();
        let own_worker = match find_own_worker(WORKER, own_folders, Path::new("/")) {
            OwnWorker::Found(path) => Some(path),
            OwnWorker::Missing(_) => None,
        };
        let services = services();
        for service in &services {
            problems.extend(service.problem());
            if lists && service.finds_our_module() {
                let whose = format!("{} (process {}): ", service.name, service.pid);
                problems.extend(service.overrides.iter().filter_map(|said| said.problem(&whose)));
            }
        }
        let overrides = overrides();
        if lists && libraries.iter().any(|found| found.module_is_ours) {
            problems.extend(overrides.iter().filter_map(|said| said.problem("")));
        }
        let tuning: Vec<Tuning> = config
            .into_iter()
            .flat_map(|config| &config.tuning.0)
            .map(|(sensor, path)| Tuning {
                sensor: sensor.clone(),
                path: path.clone(),
                readable: fs::File::open(path).is_ok(),
            })
            .collect();
        let unreadable = tuning.iter().filter(|tuning| !tuning.readable);
        problems.extend(unreadable.map(|Tuning { sensor, path, .. }| {
            format!("tuning of {sensor}: {} cannot be read; correct `tuning`", path.display())
        }));
        Self { libraries, own_worker, services, overrides, tuning }
    }
}

impl Found {
    fn look(
        library: &Library,
        config: Option<&Config>,
        all: &[Library],
        own_folders: &[PathBuf],
        problems: &mut Vec<String>,
    ) -> Self {
        let version = library.version.unwrap_or(LibcameraVersion::MASTER);
        let (told, led_by) = led(version);
        let module = choose_module(version, &told, &library.path);
        let worker = choose_worker(&told, own_folders);
        let module_is_ours = module.as_ref().is_some_and(|(path, _)| is_ours(path));
        let worker_is_ours = worker.as_deref().is_some_and(is_our_worker);
        let module_why = match &module {
            None => "no folder has one that fits".to_owned(),
            Some((path, info)) => {
                let folder = path.parent().unwrap_or(Path::new("/"));
                let where_from = if told.modules.iter().any(|told| told == folder) {
                    format!("the first of its folder that fits, which {led_by} names")
                } else {
                    "the first of libcamera's own folder that fits".to_owned()
                };
                format!("{where_from}: pipeline {:?}", info.pipeline_name)
            }
        };
        let name = library.path.display();
        if module_is_ours && !worker_is_ours {
            problems.push(format!(
                "{name} takes our module and not our worker, which is no camera: add the folder of \
                 our {WORKER} to {PROXY_PATH} (or ipa.proxy_paths), or take our module away"
            ));
        }
        let configured = config.and_then(|config| config.libcamera.version);
        let control_ids_known =
            cami_libcamera::control_ids(configured, dialect(version), all).known().is_some();
        if module_is_ours && !control_ids_known {
            problems.push(format!(
                "which numbers the controls of {name} have is not known, few are offered: set \
                 libcamera.version"
            ));
        }
        Self {
            path: library.path.clone(),
            version: library.version.map(|v| format!("{}.{}.{}", v.major, v.minor, v.patch)),
            control_ids_known,
            module: module.map(|(path, _)| path),
            module_why,
            module_is_ours,
            worker,
            worker_is_ours,
            led_by,
        }
    }
}

/// What `init` of that version shows.
fn dialect(version: LibcameraVersion) -> Dialect {
    match (version.major, version.minor) {
        (0, 0) => Dialect::V0_0,
        (0, 1..=3) => Dialect::V0_1,
        (0, 4..=5) => Dialect::V0_4,
        _ => Dialect::V0_6,
    }
}

/// The environment wins over the file, for each of both.
fn led(version: LibcameraVersion) -> (SearchPaths, String) {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (modules, workers) = (variable(MODULE_PATH), variable(PROXY_PATH));
    let mut told = SearchPaths::of_variables(modules.as_deref(), workers.as_deref());
    let by_environment = modules.is_some() || workers.is_some();
    let mut by = if by_environment { "the environment" } else { "nothing" }.to_owned();
    if version >= YAML_SINCE
        && let Some((path, text)) = yaml()
    {
        let yaml = SearchPaths::of_yaml(&text);
        if modules.is_none() {
            told.modules = yaml.modules;
        }
        if workers.is_none() {
            told.workers = yaml.workers;
        }
        if !by_environment {
            by = path.display().to_string();
        }
    }
    (told, by)
}

/// The first that is there, and no other.
fn yaml() -> Option<(PathBuf, String)> {
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let folders = home.into_iter().chain(["/etc", "/usr/share"].map(PathBuf::from));
    folders.map(|folder| folder.join("libcamera/configuration.yaml")).find_map(|path| {
        let text = fs::read_to_string(&path).ok()?;
        Some((path, text))
    })
}

/// Ours says so; libcamera's own prints its usage to nobody's harm, and is not started for that: the
/// name of our configuration is in the file.
fn is_our_worker(path: &Path) -> bool {
    let mark = b"ipa_cami_ipu3.so";
    fs::read(path).is_ok_and(|bytes| bytes.windows(mark.len()).any(|window| window == mark))
}

/// A variable goes before the file's key.
fn overrides() -> Vec<Override> {
    let mut found = Override::of_variables(|name| std::env::var(name).ok());
    if std::env::var_os(MATCH_LIST).is_none()
        && let Some((path, text)) = yaml()
    {
        found.extend(Override::of_yaml(&path, &text));
    }
    found
}

fn services() -> Vec<Service> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let name = fs::read_to_string(entry.path().join("comm")).ok()?.trim().to_owned();
            if !SERVICES.contains(&name.as_str()) {
                return None;
            }
            // Another user's is not ours to read.
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let variable = |wanted: &str| {
                environment.split(|byte| *byte == 0).find_map(|entry| {
                    let text = std::str::from_utf8(entry).ok()?;
                    Some(text.strip_prefix(wanted)?.strip_prefix('=')?.to_owned())
                })
            };
            let (module_path, proxy_path) = (variable(MODULE_PATH), variable(PROXY_PATH));
            let overrides = Override::of_variables(variable);
            Some(Service { pid, name, module_path, proxy_path, overrides })
        })
        .collect()
}

impl Service {
    fn told(&self) -> SearchPaths {
        SearchPaths::of_variables(self.module_path.as_deref(), self.proxy_path.as_deref())
    }

    fn finds_our_module(&self) -> bool {
        let names = [cami_libcamera::MODULE_NAME, cami_libcamera::OLD_MODULE_NAME];
        let modules = self.told().modules;
        modules.iter().any(|folder| names.iter().any(|name| is_ours(&folder.join(name))))
    }

    /// It finds one of both and not the other.
    fn problem(&self) -> Option<String> {
        let (told, module) = (self.told(), self.finds_our_module());
        let worker = choose_worker(&told, &[]).is_some_and(|path| is_our_worker(&path));
        (module && !worker).then(|| {
            format!(
                "{} (process {}) finds our module and not our worker: set {PROXY_PATH} too and \
                 start it again",
                self.name, self.pid
            )
        })
    }
}
