//! From `initialize` to a running host.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use cami_abi::Callbacks;
use cami_link::{Deadline, Inbox};
use cami_wire::Header;
use cami_wire::cros::{Init, PROTOCOL_VERSION, Settings, command};
use nix::errno::Errno;

use crate::bury::cause_of_death;
use crate::calls::{Answer, Time};
use crate::error::{CallError, StartError};
use crate::host::{CONTROL_BYTES, END_PATIENCE};
use crate::journal::Journal;
use crate::pump::Call;
use crate::reader::{LAST_WORDS, Reader};
use crate::session::{Limits, Phase, Session};
use crate::source::{HostSource, Started};
use crate::supervisor::{Options, Supervisor};

impl Supervisor {
    /// Starts a host and brings its library up; returns the library's own code, 0 or positive. The
    /// caller holds the right to start sessions, and has ended the one before.
    pub(crate) fn start(&self, callbacks: Arc<dyn Callbacks>) -> Result<i32, StartError> {
        let began = Instant::now();
        self.reader.start().map_err(|errno| lacking("the reader's thread", errno))?;
        let source = HostSource::find(&self.options, self.socket.as_deref())?;
        let generation = self.reader.desk.next_generation();
        let Started { link, host, ready, recovery } = source.start(&HostSource::patience())?;
        let journal = recovery.map(|recovery| Arc::new(Journal::new(recovery, source, generation)));
        let limits = Limits::of(&ready);
        let heir_of = Weak::new();
        let session =
            Arc::new(Session::new(generation, link, host, limits, callbacks, journal, heir_of));
        self.forget_dropped();
        self.reader.desk.publish(Arc::clone(&session));
        self.reader.wake();
        let failure = match self.reader.bring_up(&self.options, &session, began, false) {
            Ok(code) if session.go_live() => return Ok(code),
            Ok(_) => Failure::Died,
            Err(failure) => failure,
        };
        let cause = self.abandon(&session, failure.last_words());
        Err(failure.explained(cause, session.limits.initialize))
    }

    /// Ends a session that did not come up, and says what it died of, if it died.
    fn abandon(&self, session: &Arc<Session>, last_words: Duration) -> Option<String> {
        self.reader.desk.remove(session);
        let before = session.finish();
        self.reader.wake();
        self.settle();
        self.reader.pending.forget(session.generation);
        session.close_journal();
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

impl Reader {
    /// `init`, then `start`. A host that is `warm` was told `init` when it was started to stand by,
    /// and its answer is on its way.
    pub(crate) fn bring_up(
        &self,
        options: &Options,
        session: &Session,
        began: Instant,
        warm: bool,
    ) -> Result<i32, Failure> {
        let deadline = session.limits.initialize.map(|limit| Time {
            until: Deadline::after(limit.saturating_sub(began.elapsed())),
            ..Time::of(limit)
        });
        let client = options.module.file_name().unwrap_or_default().to_string_lossy();
        let settings = Settings { protocol_version: PROTOCOL_VERSION, client: client.into_owned() };
        let cookie = session.cookie();
        let message = Init { settings }.encode(cookie);
        let call = |command, cookie, message| {
            let name = "initialize";
            self.call(session, &Call { name, command, cookie, message, fd: None, deadline })
                .map_err(Failure::of)
        };
        let answer = if warm {
            let deadline = deadline.map(|time| time.until);
            self.await_answer(session, command::INIT, cookie, deadline).map_err(Failure::of)?
        } else {
            call(command::INIT, cookie, &message)?
        };
        if let Answer::Init(reply) = answer {
            if reply.ret == -libc::EPROTO {
                return Err(Failure::Said(versions(reply.info.protocol_version)));
            }
            if reply.ret < 0 {
                return Err(Failure::Said(StartError {
                    code: reply.ret,
                    hopeless: false,
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
                hopeless: false,
                line: format!("the vendor library's own initialize returned {code}"),
            })),
            Answer::Init(_) | Answer::Done => Err(Failure::Died),
        }
    }
}

/// Why a started host did not come up.
#[derive(Debug)]
pub(crate) enum Failure {
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
            CallError::TimedOut | CallError::NotSent => Self::Overdue,
            CallError::Os(errno) => Self::Said(lacking("a message to the host", errno)),
        }
    }

    /// How long the monitor's word on the death is worth waiting for.
    pub(crate) fn last_words(&self) -> Duration {
        match self {
            Self::Said(_) => Duration::ZERO,
            Self::Died | Self::Overdue => LAST_WORDS,
        }
    }

    /// The same without the monitor's word, which is added where it is known.
    pub(crate) fn in_short(self) -> StartError {
        match self {
            Self::Said(error) => error,
            Self::Died => StartError::new(Errno::ECONNRESET, "it died in initialize".to_owned()),
            Self::Overdue => {
                let line = "its initialize took too long (timeouts.initialize_ms)";
                StartError::new(Errno::ETIMEDOUT, line.to_owned())
            }
        }
    }

    pub(crate) fn explained(self, cause: Option<String>, limit: Option<Duration>) -> StartError {
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

pub(crate) fn versions(theirs: u32) -> StartError {
    StartError::new(
        Errno::EPROTO,
        format!(
            "the shim speaks version {PROTOCOL_VERSION} of the link and the host version \
             {theirs}; install both from the same release"
        ),
    )
}

pub(crate) fn lacking(what: &str, errno: Errno) -> StartError {
    let remedy = match errno {
        Errno::EMFILE => "; close descriptors or raise RLIMIT_NOFILE",
        Errno::ENFILE => "; the system has no free file descriptor",
        Errno::EAGAIN | Errno::ENOMEM => "; the system lacks memory or processes",
        Errno::ENOSYS => "; Linux 5.3 or newer is needed",
        _ => "",
    };
    StartError::new(errno, format!("cannot make {what}: {}{remedy}", errno.desc()))
}
