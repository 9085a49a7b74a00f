//! From `initialize` to a running host.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::Callbacks;
use cami_link::{Deadline, Inbox, Link, LinkError, ReceiveError, seqpacket_pair};
use cami_spawn::{Command, Connected, NoHost, connect, spawn};
use cami_wire::Header;
use cami_wire::control::{FromMonitor, Ready, Refused};
use cami_wire::cros::{Init, PROTOCOL_VERSION, Settings, command};
use nix::errno::Errno;

use crate::calls::Answer;
use crate::error::{CallError, StartError};
use crate::host::{CONTROL_BYTES, END_PATIENCE, Host};
use crate::pump::Call;
use crate::reader::{LAST_WORDS, cause_of_death};
use crate::session::{Limits, Phase, Session};
use crate::supervisor::Supervisor;

/// How long a host may take to say `ready`, and with it how long all may take: ChromeOS's total
/// for `Initialize` (platform2 `common/camera_algorithm_bridge_impl.cc`, 59).
const READY_LIMIT: Duration = Duration::from_secs(3);
/// Names the host's executable, in place of a search.
const HOST_VARIABLE: &str = "CAMI_IPA_HOST";

impl Supervisor {
    /// Starts a host and brings its library up; returns the library's own code, 0 or positive. The
    /// caller holds the right to start sessions, and has ended the one before.
    pub(crate) fn start(&self, callbacks: Arc<dyn Callbacks>) -> Result<i32, StartError> {
        let began = Instant::now();
        self.reader.start().map_err(|errno| lacking("the reader's thread", errno))?;
        let until = Deadline::after(READY_LIMIT);
        let (link, host) = self.launch(until)?;
        let ready = match await_ready(&host, until) {
            Ok(ready) => ready,
            Err(error) => {
                host.end(END_PATIENCE);
                return Err(error);
            }
        };
        // The monitor says so at the info level, with more.
        log::debug!(
            "{} runs in process {}, watched by process {}",
            ready.library,
            ready.vendor_pid,
            ready.monitor_pid
        );
        let session = Arc::new(Session::new(
            self.reader.desk.next_generation(),
            link,
            host,
            Limits::of(&ready),
            callbacks,
        ));
        self.forget_dropped();
        self.reader.desk.publish(Arc::clone(&session));
        self.reader.wake();
        let failure = match self.bring_up(&session, began) {
            Ok(code) if session.go_live() => return Ok(code),
            Ok(_) => Failure::Died,
            Err(failure) => failure,
        };
        let cause = self.abandon(&session, failure.last_words());
        Err(failure.explained(cause, session.limits.initialize))
    }

    /// Gets a host until `until`: from the service, if there is one, or by starting its process.
    fn launch(&self, until: Deadline) -> Result<(Link, Host), StartError> {
        if let Some(socket) = &self.socket {
            let Connected { link, control } =
                connect(socket, &self.options.module, until).map_err(no_host)?;
            return Ok((link, Host::of_service(control)));
        }
        let trusted = self.options.environment_trusted;
        let named = trusted.then(|| std::env::var_os(HOST_VARIABLE)).flatten();
        let path = cami_spawn::locate(HOST_VARIABLE, named.map(Into::into), &self.options.module)
            .map_err(no_host)?;
        let sockets = |errno| lacking("the sockets to the host", errno);
        let (link, host_link) = seqpacket_pair().map_err(sockets)?;
        let (control, host_control) = seqpacket_pair().map_err(sockets)?;
        let (link, control) = links(link, control).map_err(|error| {
            StartError::new(Errno::EPROTO, format!("no link can be made: {error}"))
        })?;
        let command = Command {
            host: &path,
            module: &self.options.module,
            link: host_link.as_fd(),
            control: host_control.as_fd(),
            environment_trusted: trusted,
        };
        let pid = spawn(&command).map_err(|errno| {
            StartError::new(errno, format!("{} cannot be started: {errno}", path.display()))
        })?;
        // From here on the host's end is its own: end of file tells of its death.
        drop((host_link, host_control));
        let host = Host::adopt(pid, control).map_err(|errno| lacking("the host's pidfd", errno))?;
        Ok((link, host))
    }

    /// `init`, then `start`.
    fn bring_up(&self, session: &Session, began: Instant) -> Result<i32, Failure> {
        let deadline = session
            .limits
            .initialize
            .map(|limit| (Deadline::after(limit.saturating_sub(began.elapsed())), limit));
        let client = self.options.module.file_name().unwrap_or_default().to_string_lossy();
        let settings = Settings { protocol_version: PROTOCOL_VERSION, client: client.into_owned() };
        let cookie = session.cookie();
        let message = Init { settings }.encode(cookie);
        let call = |command, cookie, message| {
            let name = "initialize";
            self.reader
                .call(session, &Call { name, command, cookie, message, fd: None, deadline })
                .map_err(Failure::of)
        };
        if let Answer::Init(reply) = call(command::INIT, cookie, &message)? {
            if reply.ret == -libc::EPROTO {
                return Err(Failure::Said(versions(reply.info.protocol_version)));
            }
            if reply.ret < 0 {
                return Err(Failure::Said(StartError {
                    code: reply.ret,
                    line: format!("the host cannot load the vendor library: {}", reply.info.reason),
                }));
            }
        }
        let cookie = session.cookie();
        let message = Header { command: command::START, cookie }.encode();
        match call(command::START, cookie, &message)? {
            Answer::Value(code) if code >= 0 => Ok(code),
            Answer::Value(code) => Err(Failure::Said(StartError {
                code,
                line: format!("the vendor library's own initialize returned {code}"),
            })),
            Answer::Init(_) | Answer::Done => Err(Failure::Died),
        }
    }

    /// Ends a session that did not come up, and says what it died of, if it died.
    fn abandon(&self, session: &Arc<Session>, last_words: Duration) -> Option<String> {
        self.reader.desk.remove(session);
        let before = session.finish();
        self.reader.wake();
        self.settle();
        self.reader.pending.forget(session.generation);
        if before == Phase::Over {
            // The reader saw it die and ended it.
            return session.epitaph();
        }
        let mut inbox = Inbox::new(CONTROL_BYTES, 0);
        let died = session.last_words(&mut inbox, Deadline::after(last_words));
        session.link.shutdown();
        let ending = session.host.end(END_PATIENCE);
        Some(cause_of_death(died.as_ref(), ending))
    }
}

/// Why a started host did not come up.
#[derive(Debug)]
enum Failure {
    /// It said why.
    Said(StartError),
    /// It died.
    Died,
    /// The deadline passed, and it was condemned.
    Overdue,
}

impl Failure {
    fn of(error: CallError) -> Self {
        match error {
            CallError::Dead => Self::Died,
            CallError::TimedOut => Self::Overdue,
            CallError::Os(errno) => Self::Said(lacking("a message to the host", errno)),
        }
    }

    /// How long the monitor's word on the death is worth waiting for.
    fn last_words(&self) -> Duration {
        match self {
            Self::Said(_) => Duration::ZERO,
            Self::Died | Self::Overdue => LAST_WORDS,
        }
    }

    fn explained(self, cause: Option<String>, limit: Option<Duration>) -> StartError {
        let cause = cause.unwrap_or_else(|| "ended by another initialize or deinitialize".into());
        match self {
            Self::Said(error) => error,
            Self::Died => StartError::new(
                Errno::ECONNRESET,
                format!("the camera algorithm's process died in initialize: {cause}"),
            ),
            Self::Overdue => StartError::new(
                Errno::ETIMEDOUT,
                format!(
                    "the vendor library did not initialise within {} ms and was killed \
                     (timeouts.initialize_ms): {cause}",
                    limit.unwrap_or_default().as_millis()
                ),
            ),
        }
    }
}

/// Both ends of ours as links. Control messages are few: what does not fit is an error.
fn links(link: OwnedFd, control: OwnedFd) -> Result<(Link, Link), LinkError> {
    Ok((Link::from_fd(link)?, Link::with_backlog(control, 0, 0)?))
}

/// Waits for the monitor's first word.
fn await_ready(host: &Host, until: Deadline) -> Result<Ready, StartError> {
    let mut inbox = Inbox::new(CONTROL_BYTES, 0);
    match host.listen(&mut inbox, Some(until)) {
        Ok(FromMonitor::Ready(ready)) if ready.protocol == PROTOCOL_VERSION => Ok(ready),
        Ok(FromMonitor::Ready(ready)) => Err(versions(ready.protocol)),
        Ok(FromMonitor::Refused(refused)) => Err(refusal(&refused)),
        Ok(FromMonitor::Link) => Err(StartError::new(
            Errno::EPROTO,
            "the host sent a second link; install shim, host and service from one release".into(),
        )),
        Ok(FromMonitor::Died(death)) => Err(StartError::new(
            Errno::ECONNRESET,
            format!("the camera algorithm's process died before it was ready: {}", death.cause),
        )),
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
    }
}

fn no_host(NoHost { code, line }: NoHost) -> StartError {
    StartError { code, line }
}

fn versions(theirs: u32) -> StartError {
    StartError::new(
        Errno::EPROTO,
        format!(
            "the shim speaks version {PROTOCOL_VERSION} of the link and the host version \
             {theirs}; install both from the same release"
        ),
    )
}

fn lacking(what: &str, errno: Errno) -> StartError {
    let remedy = match errno {
        Errno::EMFILE => "; close descriptors or raise RLIMIT_NOFILE",
        Errno::ENFILE => "; the system has no free file descriptor",
        Errno::EAGAIN | Errno::ENOMEM => "; the system lacks memory or processes",
        Errno::ENOSYS => "; Linux 5.3 or newer is needed",
        _ => "",
    };
    StartError::new(errno, format!("cannot make {what}: {}{remedy}", errno.desc()))
}
