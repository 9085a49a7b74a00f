//! The monitor: ours and trusted. It starts the vendor process, outlives it, and names its death.
//!
//! One thread, one loop. It never touches the link, so a request takes no extra hop, but while it
//! records (`recorder`); it holds the library's output, traces the vendor process where the kernel
//! allows it, and ends, with the vendor process, as soon as the client does.

mod cause;
mod descendants;
mod facts;
mod fault;
mod maps;
mod obituary;
mod output;
mod recorder;
mod registers;
mod spawn;
mod status;
mod trace;
mod watch;
mod watchdog;

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use cami_link::Link;
use cami_wire::control::{FromMonitor, Ready, Recovery, Refused};
use cami_wire::cros::PROTOCOL_VERSION;
use nix::errno::Errno;

use crate::module::{self, Module};
use crate::vendor_process;
use cami_config::log_target;
use cami_config::{Config, Environment, Sandbox};
use cami_sandbox::{Files, Layer, Plan, Report};
use cami_vendor::activity::ActivityFile;

pub use recorder::{RECORDER_ROLE, RecorderArguments, run as write_recording};
pub use spawn::VENDOR_ROLE;
use spawn::VendorProcess;

/// What the client gives the monitor on its command line.
#[derive(Debug)]
pub struct MonitorArguments {
    /// `MODULE`.
    pub module: PathBuf,
    /// `FD`: the link.
    pub link: OwnedFd,
    /// `--control FD`: the socket to the client, where it has one. A client that speaks
    /// libcamera's convention has none.
    pub control: Option<OwnedFd>,
}

/// Why the host could not start: for the log and for the client.
struct Refusal {
    errno: Errno,
    reason: String,
}

impl Refusal {
    fn new(errno: Errno, reason: impl Into<String>) -> Self {
        Self { errno, reason: reason.into() }
    }
}

/// Runs the host until the client or the vendor process ends.
///
/// 0: the client left. 1: the vendor process died. 2: it could not start.
pub fn run(arguments: MonitorArguments) -> ExitCode {
    let MonitorArguments { module, link, control } = arguments;
    let mut keep = vec![0, 1, 2, link.as_raw_fd()];
    keep.extend(control.as_ref().map(AsRawFd::as_raw_fd));
    if let Err(error) = vendor_process::close_all_but(&keep) {
        return cannot_start(&error.to_string());
    }
    let control = match control.map(Link::from_fd).transpose() {
        Ok(control) => control,
        Err(error) => return cannot_start(&format!("--control: {error}")),
    };
    // With SIGCHLD ignored, as a parent may leave it, neither stops nor ends would be reported.
    if let Err(error) = vendor_process::default_signals() {
        log::warn!("{error}");
    }
    match start(&module, link, control.as_ref()) {
        Ok((host, recovery, ready)) => {
            if let Some(recovery) = recovery {
                let _ = tell(control.as_ref(), &FromMonitor::Recovery(recovery));
            }
            let _ = tell(control.as_ref(), &FromMonitor::Ready(ready));
            host.watch(control)
        }
        Err(Refusal { errno, reason }) => {
            let refused =
                FromMonitor::Refused(Refused { errno: -(errno as i32), reason: reason.clone() });
            let told = tell(control.as_ref(), &refused);
            log::log!(if told { log::Level::Debug } else { log::Level::Error }, "{reason}");
            ExitCode::from(2)
        }
    }
}

/// The end of a host that has neither a configuration nor a client to tell.
fn cannot_start(reason: &str) -> ExitCode {
    log_target::install(log::LevelFilter::Info, &log_target::LogTarget::Automatic);
    log::error!("{reason}");
    ExitCode::from(2)
}

fn start(
    module: &std::path::Path,
    mut link: OwnedFd,
    control: Option<&Link>,
) -> Result<(watch::Host, Option<Recovery>, Ready), Refusal> {
    let config = Config::read(&Environment::of_process(), module::section(module));
    let (level, target) = match &config {
        Ok(config) => (config.log_level, config.log_target.clone()),
        Err(_) => (log::LevelFilter::Info, log_target::LogTarget::Automatic),
    };
    log_target::install(level, &target);
    let config = config.map_err(|error| Refusal::new(Errno::EINVAL, error.to_string()))?;
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    let module = module::resolve(module, &config)
        .map_err(|error| Refusal::new(error.errno, error.reason))?;

    // What the library leaves behind comes to us and is ended with it.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    // ^C at the HAL's terminal is for the HAL: it decides when the vendor process ends.
    let _ = nix::unistd::setpgid(nix::unistd::Pid::this(), nix::unistd::Pid::from_raw(0));
    let activity = ActivityFile::new()
        .map_err(|errno| Refusal::new(errno, format!("cannot make the activity page: {errno}")))?;
    let ends = recorder::Recorder::prepare(&config, &mut link);
    let vendor = spawn_sandboxed(&module, &config, &link, &activity)?;
    drop(link);
    log::info!("sandbox of process {}: {}", vendor.pid, vendor.sandbox);
    // Should one that was built not stand, the vendor process ends with us.
    vendor
        .sandbox
        .require(&config.sandbox.require)
        .map_err(|reason| Refusal::new(Errno::EPERM, reason))?;
    log::info!(
        "running {} ({}, build-id {}) in process {}, profile {}",
        module.path.display(),
        module.table.revision,
        module.table.build_id.as_deref().unwrap_or("unknown"),
        vendor.pid,
        config.profile.name,
    );
    let ready = ready(&config, &module, vendor.pid);
    let mut facts = facts::Facts::new(&config, &module);
    facts.sandbox = Some(vendor.sandbox.to_json());
    let watchdog = watchdog::Watchdog::new(&config, control.is_some());
    let recorder = ends
        .map(|ends| recorder::Recorder::start(ends, &config, &module, &facts, vendor.pid, control))
        .transpose()
        .map_err(|error| Refusal::new(Errno::EAGAIN, format!("cannot start the relay: {error}")))?;
    let host = watch::Host::new(facts, vendor, activity, watchdog, recorder);
    Ok((host, recovery(&config), ready))
}

/// What the client needs for `recovery = "resume"`, if that is configured.
fn recovery(config: &Config) -> Option<Recovery> {
    let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    (config.recovery == cami_config::Recovery::Resume).then(|| Recovery {
        restart_limit: config.restart.limit,
        restart_window_ms: milliseconds(config.restart.window),
        standby: config.standby,
        command_byte: config.profile.command_byte,
        ok_status: config.profile.ok_status,
        answers_all: config.profile.answers_every_request,
        commands: config.profile.rules(),
    })
}

/// Starts the vendor process in the whole sandbox. Where that cannot be had, a trial finds out what
/// can, and another vendor process is started in that.
fn spawn_sandboxed(
    module: &Module,
    config: &Config,
    link: &OwnedFd,
    activity: &ActivityFile,
) -> Result<VendorProcess, Refusal> {
    let cannot = |error| Refusal::new(Errno::EAGAIN, format!("cannot start the host: {error}"));
    let library = std::path::absolute(&module.path).map_err(cannot)?;
    let Sandbox { require, read, write, ioctl } = &config.sandbox;
    let files = Files::for_library(Some(&library), &config.library_path, read, write);
    let mut plan = Plan::new(files, ioctl.clone());
    plan.seccomp_required = require.iter().any(|layer| layer == Layer::Seccomp.name());
    let start = |plan: &Plan, report| {
        spawn::spawn(spawn::Start { module, config, link, activity, plan, report })
    };
    match start(&plan, Report::expected(plan.layers)) {
        Ok(vendor) => return Ok(vendor),
        Err(error) => log::debug!("the whole sandbox cannot be had here: {error}"),
    }
    let report = cami_sandbox::probe(&plan);
    report.require(require).map_err(|reason| Refusal::new(Errno::EPERM, reason))?;
    plan.layers = report.layers();
    start(&plan, report).map_err(cannot)
}

fn ready(config: &Config, module: &Module, vendor_pid: i32) -> Ready {
    let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    Ready {
        protocol: PROTOCOL_VERSION,
        monitor_pid: nix::unistd::getpid().as_raw(),
        vendor_pid,
        initialize_ms: milliseconds(config.timeouts.initialize),
        register_ms: milliseconds(config.timeouts.register),
        request_ms: milliseconds(config.timeouts.request),
        overflow_status: config.profile.error_status,
        library: module.path.display().to_string(),
    }
}

/// Tells the client; false if there is none to tell.
fn tell(control: Option<&Link>, message: &FromMonitor) -> bool {
    let Some(control) = control else { return false };
    let bytes = message.encode();
    match control.send(&[std::io::IoSlice::new(&bytes)], &[], Duration::ZERO) {
        Ok(_) => true,
        Err(error) => {
            log::debug!("cannot tell the client: {error}");
            false
        }
    }
}
