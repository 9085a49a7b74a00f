//! One life of a host, from its start to its end.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cami_abi::Callbacks;
use cami_link::sync::Mutex;
use cami_link::{Deadline, Event, Inbox, Interest, Link, ReceiveError, SendError, Sent, wait};
use cami_wire::WireError;
use cami_wire::control::{Died, Ready};
use cami_wire::cros::Request;
use cami_wire::message::EVENT_COOKIE;
use nix::errno::Errno;

use crate::calls::Calls;
use crate::deliver::Incoming;
use crate::error::CallError;
use crate::host::Host;
use crate::journal::Journal;
use crate::standby;

/// How long a monitor that was told to kill its vendor process may take before it is killed itself.
/// The call whose deadline passed has returned by then, so nobody waits for it; shorter, and on a busy
/// machine the cause would die with the monitor.
pub(crate) const SENTENCE_GRACE: Duration = Duration::from_secs(1);

/// How long a vendor process may take to go whose monitor is gone: the kernel, or the service, ends it.
const GONE_PATIENCE: Duration = Duration::from_secs(1);

/// The cookie of a session's first call.
pub(crate) const FIRST_COOKIE: u32 = EVENT_COOKIE.wrapping_add(1);

/// Where a session stands. It only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// `initialize` has not returned yet: its failure is a return code, not a `notify`.
    Starting,
    /// In use.
    Live,
    /// A deadline passed or the vendor process broke the protocol; death is on its way. Calls fail,
    /// or wait for the next vendor process where there will be one.
    Failing,
    /// Its host is dead, and the reader brings up another; calls wait for that one.
    Recovering,
    /// `deinitialize` is under way: calls fail, and a death is nothing to notify of.
    Leaving,
    /// Whoever moved it here ends the host, and calls `notify` if that is due. No more callbacks.
    Over,
}

const STARTING: u8 = 0;
const LIVE: u8 = 1;
const FAILING: u8 = 2;
const RECOVERING: u8 = 3;
const LEAVING: u8 = 4;
const OVER: u8 = 5;

/// Deadlines and statuses that the monitor told, from its configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For all of `initialize`; `None`: no deadline.
    pub(crate) initialize: Option<Duration>,
    /// For `register_buffer` and `deregister_buffers`.
    pub(crate) register: Option<Duration>,
    /// Answers a request that the link had no room for.
    pub(crate) overflow_status: u32,
}

impl Limits {
    pub(crate) fn of(ready: &Ready) -> Self {
        let limit = |ms: u32| (ms > 0).then(|| Duration::from_millis(u64::from(ms)));
        Self {
            initialize: limit(ready.initialize_ms),
            register: limit(ready.register_ms),
            overflow_status: ready.overflow_status,
        }
    }
}

/// One host and what the HAL said when it asked for it.
pub(crate) struct Session {
    /// Counts sessions, so that an event never reaches a later one.
    pub(crate) generation: u64,
    pub(crate) link: Link,
    pub(crate) host: Host,
    pub(crate) limits: Limits,
    pub(crate) callbacks: Arc<dyn Callbacks>,
    /// What the next vendor process is brought up with; `None` where deaths are told.
    pub(crate) journal: Option<Arc<Journal>>,
    /// The dead session whose place this one is to take: when that is over, this is in vain.
    pub(crate) heir_of: Weak<Session>,
    pub(crate) calls: Calls,
    phase: AtomicU8,
    /// End of file was seen, on the link or on the control socket.
    gone: AtomicBool,
    cookies: AtomicU32,
    sentence: Mutex<Sentence>,
    /// The monitor's word on the death, once somebody has received it.
    died: Mutex<Option<Died>>,
    /// What a session died of that never came up.
    epitaph: Mutex<Option<String>>,
}

/// When the monitor is killed for not having ended.
#[derive(Clone, Copy, Debug)]
enum Sentence {
    None,
    Due(Deadline),
    Executed,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("generation", &self.generation)
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(
        generation: u64,
        link: Link,
        host: Host,
        limits: Limits,
        callbacks: Arc<dyn Callbacks>,
        journal: Option<Arc<Journal>>,
        heir_of: Weak<Session>,
    ) -> Self {
        Self {
            generation,
            link,
            host,
            limits,
            callbacks,
            journal,
            heir_of,
            calls: Calls::default(),
            phase: AtomicU8::new(STARTING),
            gone: AtomicBool::new(false),
            cookies: AtomicU32::new(EVENT_COOKIE),
            sentence: Mutex::new(Sentence::None),
            died: Mutex::new(None),
            epitaph: Mutex::new(None),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from(self.phase.load(Ordering::Acquire))
    }

    /// Whether callbacks of this session must no longer reach the HAL.
    pub(crate) fn is_over(&self) -> bool {
        self.phase() == Phase::Over
    }

    /// `Starting` becomes `Live`; false where the session failed before.
    pub(crate) fn go_live(&self) -> bool {
        self.phase.compare_exchange(STARTING, LIVE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether the HAL's calls are sent, or wait for the next vendor process.
    pub(crate) fn is_usable(&self) -> bool {
        match self.phase() {
            Phase::Starting | Phase::Live => true,
            Phase::Failing | Phase::Recovering => self.journal.is_some(),
            Phase::Leaving | Phase::Over => false,
        }
    }

    /// Whether the HAL wants none of what this session is brought up for.
    pub(crate) fn is_in_vain(&self) -> bool {
        self.phase() == Phase::Starting && self.heir_of.upgrade().is_some_and(|dead| dead.is_over())
    }

    /// Whether it is being brought to the state of one that died: what its library calls back then
    /// is the replay's.
    pub(crate) fn is_replaying(&self) -> bool {
        self.phase() == Phase::Starting && self.heir_of.upgrade().is_some()
    }

    /// The host is dead: on to `Recovering` where there is a journal and the HAL is not leaving, and
    /// otherwise `Over`. Says where it stood.
    pub(crate) fn die(&self) -> Phase {
        if self.journal.is_some() {
            for (number, phase) in [(LIVE, Phase::Live), (FAILING, Phase::Failing)] {
                let (ok, no) = (Ordering::AcqRel, Ordering::Acquire);
                if self.phase.compare_exchange(number, RECOVERING, ok, no).is_ok() {
                    self.calls.close();
                    return phase;
                }
            }
        }
        self.finish()
    }

    /// Nothing is recovered any more.
    pub(crate) fn close_journal(&self) {
        if let Some(journal) = &self.journal {
            journal.close();
        }
    }

    /// Whether a second host is to be started when there is time for it.
    pub(crate) fn wants_standby(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.wants_standby())
            && self.phase() == Phase::Live
    }

    /// The second host ended with the first one's monitor, and is reaped.
    pub(crate) fn reap_standby(&self) {
        // One that was sent back and not used ends when its sockets close.
        drop(self.host.take_standby());
        if let Some(pid) = self.journal.as_ref().and_then(|journal| journal.take_standby()) {
            standby::reap(pid);
        }
    }

    /// Takes a received callback into the journal, before anybody else sees it; false where the HAL
    /// must not.
    pub(crate) fn take_in(&self, event: &Incoming<'_>) -> bool {
        let Some(journal) = &self.journal else { return true };
        match event {
            Incoming::Returned(returned) => journal.returned(self.generation, returned),
            Incoming::Updated { upd_id, .. } => {
                journal.lent(*upd_id);
                true
            }
            Incoming::Answer { .. } | Incoming::UpdateLost { .. } => true,
        }
    }

    /// `Live` becomes `Leaving`; false where there is nobody left to take leave of.
    pub(crate) fn leave(&self) -> bool {
        self.phase.compare_exchange(LIVE, LEAVING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Moves to `Over` and says where it stood. Exactly one caller sees something other than
    /// `Over`: the one who ends the host.
    pub(crate) fn finish(&self) -> Phase {
        let before = Phase::from(self.phase.swap(OVER, Ordering::AcqRel));
        self.calls.close();
        before
    }

    /// Tells the monitor to kill the vendor process, and sees to it that it happens. The first
    /// reason counts. The caller wakes the reader, which executes the sentence.
    pub(crate) fn condemn(&self, reason: &str) {
        {
            let mut sentence = self.sentence.lock();
            if !matches!(*sentence, Sentence::None) {
                return;
            }
            *sentence = Sentence::Due(Deadline::after(SENTENCE_GRACE));
        }
        // Not so a session that is starting: `initialize` fails, reports and ends it.
        let _ = self.phase.compare_exchange(LIVE, FAILING, Ordering::AcqRel, Ordering::Acquire);
        if self.phase() != Phase::Starting {
            log::error!("{reason}; the camera algorithm's process is killed");
        }
        self.host.condemn(reason);
    }

    /// When the sentence is due, if there is one that has not been executed.
    pub(crate) fn sentence(&self) -> Option<Deadline> {
        match *self.sentence.lock() {
            Sentence::Due(deadline) => Some(deadline),
            Sentence::None | Sentence::Executed => None,
        }
    }

    /// Kills the monitor if it had its time.
    pub(crate) fn execute_sentence(&self) {
        let mut sentence = self.sentence.lock();
        if matches!(*sentence, Sentence::Due(deadline) if deadline.has_passed()) {
            *sentence = Sentence::Executed;
            if !self.host.kill() {
                // Nobody to wait for: the session ends, and with it the host.
                self.set_gone();
            }
        }
    }

    /// Kills the host, without a word to the HAL, and waits until the vendor process is gone too, which
    /// shows by the link's end: its own, or where its host records that of the writer, which holds it
    /// until then. False where that takes too long.
    pub(crate) fn kill_and_wait(&self) -> bool {
        if self.finish() == Phase::Over {
            // Somebody else ends it, and may just have begun; the vendor process goes with the monitor.
            return self.host.is_gone(Deadline::after(GONE_PATIENCE));
        }
        self.close_journal();
        self.host.kill();
        let ending = self.host.end(Duration::ZERO);
        log::debug!("the host was ended: {ending}");
        self.reap_standby();
        let mut polled = [(self.link.as_fd(), Interest::HangUp, Event::default())];
        let waited = wait(&mut polled, Some(Deadline::after(GONE_PATIENCE)));
        self.link.shutdown();
        waited.is_ok_and(|events| events > 0)
    }

    /// Whether the host has hung up. What it sent before can still be received.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// The host has hung up.
    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Hands an answer to whoever waits for it; an answer after the deadline finds nobody.
    pub(crate) fn answered(&self, command: u32, cookie: u32, body: &[u8]) {
        if let Some(journal) = &self.journal {
            journal.call_answered(self.generation, command, cookie, body);
        }
        match self.calls.answer(cookie, command, body) {
            Ok(true) => {}
            Ok(false) => log::debug!("an answer to command {command} came too late"),
            Err(error) => self.broken(&error),
        }
    }

    /// The vendor process sent nonsense: it is not trusted with another message.
    pub(crate) fn broken(&self, error: &WireError) {
        self.condemn(&format!("a malformed message on the link: {error}"));
    }

    /// Nothing was received; true where trying again may help at once.
    pub(crate) fn receive_failed(&self, error: ReceiveError) -> bool {
        match error {
            ReceiveError::TimedOut => false,
            ReceiveError::Closed => {
                self.set_gone();
                false
            }
            ReceiveError::Malformed(what) => {
                self.condemn(&format!("a malformed message on the link: {what}"));
                true
            }
            ReceiveError::Os(errno) => {
                self.condemn(&format!("the link cannot be read: {errno}"));
                false
            }
        }
    }

    /// Keeps the monitor's word on the death for whoever ends the session.
    pub(crate) fn set_died(&self, died: Died) {
        *self.died.lock() = Some(died);
    }

    /// The monitor's word on the death, if it came or comes until `deadline`. Not to be called
    /// while the reader polls the session.
    pub(crate) fn last_words(&self, inbox: &mut Inbox, deadline: Deadline) -> Option<Died> {
        let heard = self.died.lock().take();
        heard.or_else(|| self.host.last_words(inbox, deadline))
    }

    /// Leaves the cause of death for whoever is in `initialize`.
    pub(crate) fn set_epitaph(&self, cause: String) {
        *self.epitaph.lock() = Some(cause);
    }

    /// What it died of, if the reader ended it before it came up.
    pub(crate) fn epitaph(&self) -> Option<String> {
        self.epitaph.lock().take()
    }

    /// A number for the next message; never that of events.
    pub(crate) fn cookie(&self) -> u32 {
        loop {
            let cookie = self.cookies.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if cookie != EVENT_COOKIE {
                return cookie;
            }
        }
    }

    /// Sends a request under a cookie of its own; the same otherwise.
    pub(crate) fn send_request(
        &self,
        request: &Request<'_>,
        patience: Duration,
    ) -> Result<Sent, CallError> {
        let parts = request.parts(self.cookie());
        let parts =
            [IoSlice::new(&parts.head), IoSlice::new(parts.header), IoSlice::new(&parts.tail)];
        self.send(&parts, &[], patience)
    }

    /// Sends one message; `Sent::Queued` asks the caller to wake the reader.
    pub(crate) fn send(
        &self,
        parts: &[IoSlice<'_>],
        fds: &[BorrowedFd<'_>],
        patience: Duration,
    ) -> Result<Sent, CallError> {
        match self.link.send(parts, fds, patience) {
            Ok(sent) => Ok(sent),
            Err(SendError::Full) => Err(CallError::NotSent),
            Err(SendError::Closed) => Err(CallError::Dead),
            Err(SendError::TooLarge) => Err(CallError::Os(Errno::EMSGSIZE)),
            Err(SendError::Os(errno)) => Err(CallError::Os(errno)),
        }
    }
}

impl From<u8> for Phase {
    fn from(number: u8) -> Self {
        match number {
            STARTING => Self::Starting,
            LIVE => Self::Live,
            FAILING => Self::Failing,
            RECOVERING => Self::Recovering,
            LEAVING => Self::Leaving,
            _ => Self::Over,
        }
    }
}
