//! What is found. The field names are those of the JSON.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cami_config::{Config, Environment, Source, Value};
use cami_sandbox::{Files, Plan, Report, system};
use serde::Serialize;

use super::libcamera::Libcamera;
use super::needed::{self, Needed};
use super::recording::Recording;
use crate::options::DoctorOptions;

/// Name of the host's executable, and where it may be when it is not beside this program.
const HOST: &str = "cros_ipa_proxy";
const LIBEXEC: [&str; 3] =
    ["../libexec/cami-ipa", "/usr/libexec/cami-ipa", "/usr/local/libexec/cami-ipa"];

/// Everything.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// "good" or "falls_short".
    pub verdict: &'static str,
    /// What falls short, one line each, with what to do.
    pub problems: Vec<String>,
    /// The layers.
    #[serde(flatten)]
    pub sandbox: Report,
    /// The machine.
    pub system: System,
    /// The configuration.
    pub configuration: Configuration,
    /// The vendor library, if one is named.
    pub library: Option<Library>,
    /// Path of `cros_ipa_proxy`.
    pub host: Option<PathBuf>,
    /// What of libcamera is here, and what it would take.
    pub libcamera: Libcamera,
    /// Where hosts record to; `null` where they do not.
    pub recording: Option<Recording>,
}

/// The machine.
#[derive(Debug, Serialize)]
pub struct System {
    /// `uname -r`.
    pub kernel: String,
    /// Version of Landlock; null without it.
    pub landlock_abi: Option<i32>,
    /// Whether this process is under somebody else's system call filter.
    pub outer_seccomp_filter: bool,
    /// Whether the monitor may trace: without it crashes are named by their signal alone.
    pub ptrace_allowed: bool,
    /// Whether this process's user has a number in its user namespace.
    pub user_mapped: bool,
    /// Whether this process lives in a chroot.
    pub chroot: bool,
    /// Switches that decide over layers; those that the kernel has.
    pub sysctls: BTreeMap<String, String>,
}

/// The configuration, as read.
#[derive(Debug, Serialize)]
pub struct Configuration {
    /// Its file.
    pub file: Option<PathBuf>,
    /// Whether that is there.
    pub file_exists: bool,
    /// The keys that are set.
    pub settings: Vec<Setting>,
    /// What looks like a mistake and does no harm.
    pub warnings: Vec<String>,
}

/// A key that is set.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// The file or the environment variable that sets it.
    pub set_by: String,
}

/// The vendor library.
#[derive(Debug, Serialize)]
pub struct Library {
    /// Its path.
    pub path: PathBuf,
    /// Revision of its table: E, F or G.
    pub revision: Option<String>,
    /// Its build-id.
    pub build_id: Option<String>,
    /// What it needs, and what that needs in turn.
    pub needed: Vec<Needed>,
}

impl Findings {
    /// Looks at everything.
    pub fn gather(options: &DoctorOptions) -> Self {
        let mut problems = Vec::new();
        let environment = Environment::of_process();
        let section = options.section.as_deref();
        let config = Config::read(&environment, section)
            .map_err(|error| problems.push(error.to_string()))
            .ok();
        let library = library(options, config.as_ref(), &mut problems);
        let path = library.as_ref().map(|library| library.path.clone());
        let plan = plan(path.as_deref(), config.as_ref());
        let library = library.map(|mut library| {
            let library_path = config.as_ref().map_or(&[][..], |config| &config.library_path);
            library.needed = needed::resolve(&library.path, library_path, &plan.files);
            problems.extend(library.needed.iter().filter_map(Needed::problem));
            library
        });
        let sandbox = cami_sandbox::probe(&plan);
        let missing = sandbox.layers.iter().filter(|layer| !layer.engaged);
        problems.extend(missing.map(|layer| {
            let reason = layer.reason.as_deref().unwrap_or("unknown");
            format!("sandbox without {}: {reason}", layer.name)
        }));
        if let Some(config) = &config {
            problems.extend(sandbox.require(&config.sandbox.require).err());
        }
        let host = host(config.as_ref(), &mut problems);
        let libcamera = Libcamera::look(config.as_ref(), &mut problems);
        let recording = config.as_ref().and_then(|config| Recording::look(config, &mut problems));
        Self {
            verdict: if problems.is_empty() { "good" } else { "falls_short" },
            problems,
            sandbox,
            system: System::look(),
            configuration: Configuration::look(&environment, section, config.as_ref()),
            library,
            host,
            libcamera,
            recording,
        }
    }
}

/// The sandbox that the host would build.
fn plan(library: Option<&Path>, config: Option<&Config>) -> Plan {
    match config {
        Some(config) => {
            let sandbox = &config.sandbox;
            let path = &config.library_path;
            let files = Files::for_library(library, path, &sandbox.read, &sandbox.write);
            Plan::new(files, sandbox.ioctl.clone())
        }
        None => Plan::new(Files::for_library(library, &[], &[], &[]), Vec::new()),
    }
}

fn library(
    options: &DoctorOptions,
    config: Option<&Config>,
    problems: &mut Vec<String>,
) -> Option<Library> {
    let configured = config.and_then(|config| config.vendor_library.as_ref());
    let Some(path) = options.vendor_library.as_ref().or(configured) else {
        problems.push(
            "no vendor library is configured: set `vendor_library` in /etc/cami-ipa.toml or \
             CAMI_IPA_VENDOR_LIBRARY, or name one with --vendor-library"
                .to_owned(),
        );
        return None;
    };
    // A bare name is searched in library_path, as the host does it.
    let bare = path.components().count() == 1 && options.vendor_library.is_none();
    let folders = config.filter(|_| bare).map_or(&[][..], |config| &config.library_path);
    let found = folders.iter().map(|folder| folder.join(path)).find(|path| path.exists());
    let path = found.unwrap_or_else(|| path.clone());
    let path = std::path::absolute(&path).unwrap_or(path);
    let table = match cami_abi::inspect(&path) {
        Ok(table) => table,
        Err(error) => {
            problems.push(format!("vendor library {}: {error}", path.display()));
            return Some(Library { path, revision: None, build_id: None, needed: Vec::new() });
        }
    };
    if table.is_shim() {
        problems.push(format!(
            "vendor library {} is cami-ipa's own libcam_algo.so: name the vendor's file",
            path.display()
        ));
    }
    Some(Library {
        path,
        revision: Some(table.revision.to_string()),
        build_id: table.build_id,
        needed: Vec::new(),
    })
}

fn host(config: Option<&Config>, problems: &mut Vec<String>) -> Option<PathBuf> {
    let named = config.and_then(|config| config.host.clone());
    let found = match &named {
        Some(path) => path.is_file().then(|| path.clone()),
        None => {
            let program = std::env::current_exe().ok()?;
            let own = program.parent()?.to_path_buf();
            std::iter::once(own.clone())
                .chain(LIBEXEC.iter().map(|folder| own.join(folder)))
                .map(|folder| folder.join(HOST))
                .find(|path| path.is_file())
        }
    };
    if found.is_none() {
        problems.push(match named {
            Some(path) => format!("host: {} is no file; correct the key `host`", path.display()),
            None => format!(
                "{HOST} is neither beside this program nor in libexec/cami-ipa: install it, or name \
                 it with the key `host`"
            ),
        });
    }
    found
}

impl System {
    fn look() -> Self {
        let sysctls = system::SYSCTLS
            .into_iter()
            .filter_map(|path| Some((path.replace('/', "."), system::sysctl(path)?)))
            .collect();
        Self {
            kernel: system::kernel_release(),
            landlock_abi: system::landlock_abi().ok(),
            outer_seccomp_filter: system::is_filtered(),
            ptrace_allowed: system::may_trace(),
            user_mapped: system::user_is_mapped(),
            chroot: system::is_chrooted(),
            sysctls,
        }
    }
}

impl Configuration {
    fn look(environment: &Environment, section: Option<&str>, config: Option<&Config>) -> Self {
        let source = Source::open(environment, section).ok();
        let file = source.as_ref().map(|source| source.file().to_path_buf());
        let settings = source.iter().flat_map(Source::settings).map(|(key, value, origin)| {
            Setting { key, value: shown(value), set_by: origin.to_owned() }
        });
        Self {
            file_exists: file.as_ref().is_some_and(|file| file.exists()),
            file,
            settings: settings.collect(),
            warnings: config.map(|config| config.warnings.clone()).unwrap_or_default(),
        }
    }
}

/// A value as the environment would have it.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(list) => list.join(":"),
        Value::Table(table) => {
            table.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(":")
        }
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Numbers(numbers) => {
            numbers.iter().map(|number| format!("{number:#x}")).collect::<Vec<_>>().join(":")
        }
    }
}
