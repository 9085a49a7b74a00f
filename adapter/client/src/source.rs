//! Where hosts come from: started by us, or had from the service.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cami_link::{Deadline, Framing, Inbox, Link, LinkError, ReceiveError, seqpacket_pair};
use cami_spawn::{Command, Connected, NoHost, Patience, connect, environment, spawn};
use cami_wire::control::{FromMonitor, Ready, Recovery, Refused};
use cami_wire::cros::PROTOCOL_VERSION;
use nix::errno::Errno;

use crate::error::StartError;
use crate::host::{CONTROL_BYTES, END_PATIENCE, Host};
use crate::start::{lacking, versions};
use crate::supervisor::Options;

/// How long a host may take to say `ready`, and with it how long all may take: ChromeOS's total
/// for `Initialize` (platform2 `common/camera_algorithm_bridge_impl.cc`, 59).
const READY_LIMIT: Duration = Duration::from_secs(3);
/// Names the host's executable, in place of a search.
const HOST_VARIABLE: &str = "CAMI_IPA_HOST";
/// How long a service may take to give us a second host; the HAL's callbacks wait meanwhile.
const STANDBY_LIMIT: Duration = Duration::from_millis(50);
/// Messages that may wait for the vendor process to read, and their bytes.
const BACKLOG_MESSAGES: usize = 4096;
const BACKLOG_BYTES: usize = 8 << 20;

/// Where hosts come from, as the HAL's `initialize` found it. A recovery happens on our own thread,
/// which must not read the environment: the HAL may be changing it.
#[derive(Debug)]
pub(crate) struct HostSource {
    module: PathBuf,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The host's executable, and the environment that it gets.
    Start { host: PathBuf, environment: Vec<CString> },
    /// The service's socket.
    Connect { socket: PathBuf },
}

/// A host that has not said anything yet.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) link: Link,
    pub(crate) host: Host,
}

/// A host that is ready to bring up its library.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) link: Link,
    pub(crate) host: Host,
    pub(crate) ready: Ready,
    /// What the client needs to recover from its death, if that is configured.
    pub(crate) recovery: Option<Recovery>,
}

impl HostSource {
    /// To be called on the HAL's thread.
    pub(crate) fn find(options: &Options, socket: Option<&Path>) -> Result<Self, StartError> {
        let module = options.module.clone();
        if let Some(socket) = socket {
            return Ok(Self { module, way: Way::Connect { socket: socket.to_path_buf() } });
        }
        let trusted = options.environment_trusted;
        let named = options.host.clone().or_else(|| {
            trusted.then(|| std::env::var_os(HOST_VARIABLE)).flatten().map(PathBuf::from)
        });
        let host = cami_spawn::locate(HOST_VARIABLE, named, &module).map_err(no_host)?;
        Ok(Self { module, way: Way::Start { host, environment: environment(trusted) } })
    }

    /// For tests of what needs none.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        Self { module: PathBuf::new(), way: Way::Connect { socket: PathBuf::new() } }
    }

    /// Gets a host, and waits for its monitor's word.
    pub(crate) fn start(&self, patience: &Patience<'_>) -> Result<Started, StartError> {
        self.launch(patience)?.ready(patience)
    }

    /// How long a host may take.
    pub(crate) fn patience<'a>() -> Patience<'a> {
        Patience::until(Deadline::after(READY_LIMIT))
    }

    /// Gets a host, and waits for nothing but a service that is busy.
    pub(crate) fn launch_now(&self) -> Result<Launched, StartError> {
        self.launch(&Patience::until(Deadline::after(STANDBY_LIMIT)))
    }

    fn launch(&self, patience: &Patience<'_>) -> Result<Launched, StartError> {
        match &self.way {
            Way::Connect { socket } => {
                let Connected { link, control } =
                    connect(socket, &self.module, patience).map_err(no_host)?;
                Ok(Launched { link, host: Host::of_service(control) })
            }
            Way::Start { host, environment } => self.spawn(host, environment),
        }
    }

    /// Starts the host's process.
    fn spawn(&self, path: &Path, environment: &[CString]) -> Result<Launched, StartError> {
        let sockets = |errno| lacking("the sockets to the host", errno);
        let (link, host_link) = seqpacket_pair().map_err(sockets)?;
        let (control, host_control) = seqpacket_pair().map_err(sockets)?;
        let no_link = |error: LinkError| {
            StartError::new(Errno::EPROTO, format!("no link can be made: {error}"))
        };
        let link = own_link(link).map_err(no_link)?;
        let control = own_control(control).map_err(no_link)?;
        let command = Command {
            host: path,
            module: &self.module,
            link: host_link.as_fd(),
            control: host_control.as_fd(),
            environment,
        };
        let pid = spawn(&command).map_err(|errno| {
            StartError::new(errno, format!("{} cannot be started: {errno}", path.display()))
        })?;
        // From here on the host's end is its own: end of file tells of its death.
        drop((host_link, host_control));
        let host = Host::adopt(pid, control).map_err(|errno| lacking("the host's pidfd", errno))?;
        Ok(Launched { link, host })
    }
}

impl Launched {
    /// Waits for the monitor's word.
    pub(crate) fn ready(self, patience: &Patience<'_>) -> Result<Started, StartError> {
        let Self { link, host } = self;
        match await_ready(&host, patience) {
            Ok((recovery, ready)) => {
                // The monitor says so at the info level, with more.
                log::debug!(
                    "{} runs in process {}, watched by process {}",
                    ready.library,
                    ready.vendor_pid,
                    ready.monitor_pid
                );
                Ok(Started { link, host, ready, recovery })
            }
            Err(error) => {
                host.end(END_PATIENCE);
                Err(error)
            }
        }
    }
}

/// Our end of a link.
pub(crate) fn own_link(socket: OwnedFd) -> Result<Link, LinkError> {
    Link::of_known_type(socket, Framing::OnePacket, BACKLOG_MESSAGES, BACKLOG_BYTES)
}

/// Our end of a control socket. Its messages are few: what does not fit is an error.
pub(crate) fn own_control(socket: OwnedFd) -> Result<Link, LinkError> {
    Link::of_known_type(socket, Framing::OnePacket, 0, 0)
}

/// Waits for the monitor's first word.
fn await_ready(
    host: &Host,
    patience: &Patience<'_>,
) -> Result<(Option<Recovery>, Ready), StartError> {
    let mut inbox = Inbox::new(CONTROL_BYTES, 0);
    let mut recovery = None;
    let mut listen = || loop {
        patience.wait_for(Some(host.control.as_fd()), READY_LIMIT).map_err(ReceiveError::Os)?;
        match host.listen(&mut inbox, Some(Deadline::now())) {
            // What came was skipped.
            Err(ReceiveError::TimedOut) if !patience.deadline().has_passed() => {}
            heard => return heard,
        }
    };
    let mut heard = listen();
    while let Ok(FromMonitor::Recovery(told)) = heard {
        recovery = Some(told);
        heard = listen();
    }
    match heard {
        Ok(FromMonitor::Ready(ready)) if ready.protocol == PROTOCOL_VERSION => {
            Ok((recovery, ready))
        }
        Ok(FromMonitor::Ready(ready)) => Err(versions(ready.protocol)),
        // Taken above, or by `listen`.
        Ok(FromMonitor::Recovery(_) | FromMonitor::Standby(_)) => Err(versions(PROTOCOL_VERSION)),
        Ok(FromMonitor::Refused(refused)) => Err(refusal(&refused)),
        Ok(FromMonitor::Link) => Err(StartError::new(
            Errno::EPROTO,
            "the host sent a second link; install shim, host and service from one release".into(),
        )),
        Ok(FromMonitor::Died(death)) => Err(StartError::new(
            Errno::ECONNRESET,
            format!("the camera algorithm's process died before it was ready: {}", death.cause),
        )),
        Err(ReceiveError::TimedOut) if patience.is_interrupted() => {
            Err(StartError::new(Errno::ECANCELED, "the HAL has ended it".to_owned()))
        }
        Err(ReceiveError::TimedOut) => Err(StartError::new(
            Errno::ETIMEDOUT,
            format!(
                "the host said nothing within {} ms and is killed; is CAMI_IPA_HOST the \
                 cros_ipa_proxy of this shim?",
                READY_LIMIT.as_millis()
            ),
        )),
        Err(_) => Err(StartError::new(
            Errno::ECONNRESET,
            format!(
                "the host ended before it was ready ({}); its own log lines name the cause",
                host.end(END_PATIENCE)
            ),
        )),
    }
}

/// What `initialize` returns, and says, where the host does not want us.
fn refusal(refused: &Refused) -> StartError {
    StartError {
        code: if refused.errno < 0 { refused.errno } else { -libc::EINVAL },
        line: format!("the host refused: {}", refused.reason),
        hopeless: true,
    }
}

fn no_host(NoHost { code, line }: NoHost) -> StartError {
    StartError { code, line, hopeless: false }
}
