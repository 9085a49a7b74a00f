//! From a received message to the HAL's callback.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cami_abi::Callbacks;
use cami_link::{Fds, Received};
use cami_wire::WireError;
use cami_wire::cros::{Returned, Updated, event};
use cami_wire::message::EVENT_COOKIE;

use crate::pending::Event;
use crate::session::Session;

/// What a message of the vendor process is.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    /// The answer to a call.
    Answer { command: u32, cookie: u32, body: &'a [u8] },
    /// `return_callback`.
    Returned(Returned),
    /// `update`.
    Updated { upd_id: u32, header: &'a [u8], fd: Option<OwnedFd> },
    /// An `update` whose descriptor this process had no slot for.
    UpdateLost { upd_id: u32 },
}

impl<'a> Incoming<'a> {
    /// Descriptors that do not belong to the message make it malformed, and are closed.
    pub(crate) fn parse(received: Received<'a>) -> Result<Self, WireError> {
        let Received { command, cookie, body, fds, fds_lost, .. } = received;
        if cookie != EVENT_COOKIE {
            expect_fds(0, &fds)?;
            return Ok(Self::Answer { command, cookie, body });
        }
        match command {
            event::RETURNED => {
                let returned = Returned::decode(body)?;
                expect_fds(returned.expected_fds(), &fds)?;
                Ok(Self::Returned(returned))
            }
            event::UPDATED => {
                let updated = Updated::decode(body)?;
                if fds_lost {
                    return Ok(Self::UpdateLost { upd_id: updated.upd_id });
                }
                expect_fds(updated.expected_fds(), &fds)?;
                Ok(Self::Updated {
                    upd_id: updated.upd_id,
                    header: updated.header,
                    fd: fds.take_one(),
                })
            }
            other => Err(WireError::UnknownCommand(other)),
        }
    }

    /// The same as something that can wait; `None` for what is not an event.
    pub(crate) fn into_event(self) -> Option<Event> {
        match self {
            Self::Returned(returned) => Some(Event::Returned(returned)),
            Self::Updated { upd_id, header, fd } => {
                Some(Event::Updated { upd_id, header: header.to_vec(), fd })
            }
            Self::Answer { .. } | Self::UpdateLost { .. } => None,
        }
    }
}

fn expect_fds(expected: usize, fds: &Fds) -> Result<(), WireError> {
    if fds.len() == expected {
        return Ok(());
    }
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Err(WireError::FdCount { expected: number(expected), announced: number(fds.len()) })
}

/// Since when the HAL's code has been running on the reader.
#[derive(Debug)]
pub(crate) struct Courier {
    epoch: Instant,
    /// Milliseconds from `epoch`, plus one; 0 while no callback runs.
    since: AtomicU64,
}

impl Courier {
    pub(crate) fn new() -> Self {
        Self { epoch: Instant::now(), since: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Runs a callback, unless the session is over.
    fn call(&self, session: &Session, callback: impl FnOnce(&dyn Callbacks)) {
        if !session.is_over() {
            self.run(|| callback(&*session.callbacks));
        }
    }

    /// Runs the HAL's code.
    pub(crate) fn run(&self, callback: impl FnOnce()) {
        self.since.store(self.now(), Ordering::Release);
        callback();
        self.idle();
    }

    /// No callback runs (any more).
    pub(crate) fn idle(&self) {
        self.since.store(0, Ordering::Release);
    }

    /// How long the HAL's callback has been running; `None` while none runs.
    pub(crate) fn busy_for(&self) -> Option<Duration> {
        match self.since.load(Ordering::Acquire) {
            0 => None,
            since => Some(Duration::from_millis(self.now().saturating_sub(since))),
        }
    }

    fn returned(&self, session: &Session, returned: Returned) {
        let Returned { req_id, status, buffer_handle } = returned;
        self.call(session, |callbacks| callbacks.returned(req_id, status, buffer_handle));
    }

    fn updated(&self, session: &Session, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        self.call(session, |callbacks| callbacks.update(upd_id, header, fd));
    }

    /// A callback that was just received.
    pub(crate) fn incoming(&self, session: &Session, event: Incoming<'_>) {
        match event {
            Incoming::Returned(returned) => self.returned(session, returned),
            Incoming::Updated { upd_id, header, fd } => self.updated(session, upd_id, header, fd),
            Incoming::Answer { .. } | Incoming::UpdateLost { .. } => {}
        }
    }

    pub(crate) fn event(&self, session: &Session, event: Event) {
        match event {
            Event::Returned(returned) => self.returned(session, returned),
            Event::Updated { upd_id, header, fd } => self.updated(session, upd_id, &header, fd),
        }
    }
}

/// The line for an `update` that cannot be delivered.
pub(crate) fn log_lost_update(upd_id: u32) {
    log::error!(
        "update {upd_id} is lost: this process has no free file descriptor; raise its limit \
         (RLIMIT_NOFILE) or close some"
    );
}
