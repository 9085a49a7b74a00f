//! The start of the vendor process, up to the moment when the library may be loaded.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use cami_sandbox::{Layer, Outcomes, Plan, Split};
use cami_vendor::activity::Activity;
use cami_vendor::{OnInitialized, own_log};

use crate::setup_line;

/// What the monitor tells the vendor process on its command line. All descriptors are inherited.
#[derive(Debug)]
pub struct VendorArguments {
    /// The link.
    pub link: OwnedFd,
    /// The activity page.
    pub activity: OwnedFd,
    /// Where our own log lines go, as opposed to the library's standard error.
    pub log: OwnedFd,
    /// The monitor's end says what the sandbox is to be, and hears what it is.
    pub line: OwnedFd,
    /// The monitor's pid.
    pub monitor: i32,
    /// The library.
    pub library: PathBuf,
    /// See `Profile::needs_st_size`.
    pub needs_st_size: bool,
}

/// Why it could not start.
#[derive(Debug)]
pub struct StartError(String);

impl StartError {
    /// A reason, as one line.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn failed<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> StartError {
    move |error| StartError(format!("{what}: {error}"))
}

/// Builds the sandbox, then serves the link until the process ends.
///
/// # Errors
/// Only before the library was loaded.
pub fn run(arguments: VendorArguments) -> Result<std::convert::Infallible, StartError> {
    let VendorArguments { link, activity, log, line, monitor, library, needs_st_size } = arguments;
    let plan = setup_line::receive_plan(&line).map_err(failed("the sandbox's plan"))?;
    let kept = [&link, &activity, &log, &line].map(AsRawFd::as_raw_fd);
    close_all_but(&[&[0, 1, 2][..], &kept].concat())?;
    for fd in [&link, &log, &line] {
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(failed("FD_CLOEXEC"))?;
    }
    own_log::install(log);

    // The monitor has one thread, so "the thread that forked us ended" means that it ended.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(failed("PR_SET_PDEATHSIG"))?;
    if nix::unistd::getppid().as_raw() != monitor {
        return Err(StartError("the monitor is gone".to_owned()));
    }
    default_signals()?;
    raise_fd_limit();
    // Where memory runs out, the library goes and not the HAL. Raising one's own number is free.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // The mapping stays; the library does not get the descriptor.
    let page = Activity::map(activity.as_fd()).map_err(failed("the activity page"))?;
    drop(activity);

    let mut outcomes = Outcomes::new();
    plan.enter(&mut outcomes);
    outcomes.check().map_err(StartError)?;
    if plan.layers.has(Layer::Pid) {
        match cami_sandbox::split(line.as_fd()).map_err(failed("the PID namespace"))? {
            Split::Vendor => {}
            // SAFETY: _exit has no preconditions.
            Split::Outside => unsafe { libc::_exit(0) },
        }
    }
    // A new user namespace may have taken that, and the monitor reads our mappings after a crash.
    prctl::set_dumpable(true).map_err(failed("PR_SET_DUMPABLE"))?;
    let _ = std::env::set_current_dir("/");
    // Made now: the library, once loaded, could write to the memory that it is made in.
    let second = second_filter(&plan, &outcomes)?;
    plan.confine(&mut outcomes);
    outcomes.check().map_err(StartError)?;
    setup_line::give_account(&line, &outcomes.to_json()).map_err(failed("the monitor"))?;
    drop(line);
    cami_vendor::serve(link, page, &library, needs_st_size, second)
        .map_err(|error| StartError(error.to_string()))
}

/// What is to happen once the library is initialised: the tighter filter, for all threads.
fn second_filter(plan: &Plan, outcomes: &Outcomes) -> Result<OnInitialized, StartError> {
    if !plan.layers.has(Layer::Seccomp) {
        return Ok(Box::new(|| Ok(())));
    }
    let hidden = outcomes.stands(Layer::Mount);
    let filter = plan.running_filter(hidden).map_err(StartError)?;
    let required = plan.seccomp_required;
    Ok(Box::new(move || match filter.install() {
        Err(reason) if !required => {
            log::warn!("the library runs on under the first system call filter alone: {reason}");
            Ok(())
        }
        result => result,
    }))
}

/// Closes every descriptor that is not listed: those that the HAL left open belong to nobody here.
pub fn close_all_but(keep: &[RawFd]) -> Result<(), StartError> {
    let mut keep = keep.to_vec();
    keep.sort_unstable();
    let mut first = 0;
    for fd in keep.into_iter().chain([RawFd::MAX]) {
        if first < fd {
            let last = if fd == RawFd::MAX { u32::MAX } else { (fd - 1).cast_unsigned() };
            // SAFETY: nothing in this process owns a descriptor in this range: it runs with those
            // that are kept and what it inherited.
            let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
            if result != 0 {
                return Err(StartError(format!("close_range: {}", nix::errno::Errno::last())));
            }
        }
        first = fd.saturating_add(1);
    }
    Ok(())
}

/// Signals as a fresh process has them, whatever the parent ignored; Rust's runtime has set two
/// handlers. SIGPIPE is ignored: a library that writes to a closed pipe gets EPIPE.
///
/// # Errors
/// What `sigaction` and `sigprocmask` say.
pub fn default_signals() -> Result<(), StartError> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    let unchangeable = [Signal::SIGKILL, Signal::SIGSTOP, Signal::SIGPIPE];
    for signal in Signal::iterator().filter(|signal| !unchangeable.contains(signal)) {
        // SAFETY: the default action runs no code of ours.
        unsafe { sigaction(signal, &default) }.map_err(failed("sigaction"))?;
    }
    SigSet::all().thread_unblock().map_err(failed("sigprocmask"))
}

/// A HAL with many buffers meets the hard limit and not the soft one. No further than what 1024
/// buffers of IPU6 ever need many times over: some libraries walk through all numbers to close them.
fn raise_fd_limit() {
    const ENOUGH: u64 = 65536;
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(ENOUGH).max(soft), hard);
    }
}

/// Takes a descriptor that the command line names.
///
/// # Errors
/// Where it is no number, or not an open descriptor.
pub fn inherited(text: &str) -> Result<OwnedFd, StartError> {
    let fd: RawFd = text
        .parse()
        .ok()
        .filter(|fd| *fd > 2)
        .ok_or_else(|| StartError(format!("\"{text}\" is no descriptor above 2")))?;
    // SAFETY: F_GETFD looks at the descriptor's flags only.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(StartError(format!("descriptor {fd} is not open")));
    }
    // SAFETY: it is open, was inherited under this number for this purpose, and each number is
    // taken once.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
