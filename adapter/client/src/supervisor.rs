//! The HAL's calls.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use cami_abi::{Callbacks, CameraAlgorithm};
use cami_link::Sent;
use cami_link::sync::{TimedLock, TimedLockGuard};
use cami_spawn::service_socket;
use cami_wire::Header;
use cami_wire::cros::{MAX_HEADER_BYTES, Request, Returned, UpdateReturn, command};
use nix::errno::Errno;

use crate::calls::Time;
use crate::error::{CallError, negative};
use crate::host::END_PATIENCE;
use crate::pending::Event;
use crate::pump::Call;
use crate::reader::Reader;
use crate::seldom::Seldom;
use crate::session::Session;

/// How long a call without an answer waits for room on a full link (docs: "back-pressure").
pub(crate) const SEND_PATIENCE: Duration = Duration::from_millis(5);
/// How long `stop` may take where `register_ms` sets no deadline: the host ends in any case, so
/// nobody waits for ever. ChromeOS's own default for a wait (platform2 `common/future.h`, 85).
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long `initialize` and `deinitialize` wait for a callback of the old session to return. A
/// HAL that blocks its callback until they return is not waited for any longer.
const SETTLE_PATIENCE: Duration = Duration::from_millis(500);
/// How often a thread that wants to start a session looks whether another's has come up meanwhile.
const GIVE_WAY_STEP: Duration = Duration::from_millis(20);
/// Handles in one `deregisterBuffers`: 12 bytes each keep the message below 64 KiB.
const HANDLES_PER_MESSAGE: usize = 4096;

/// What the supervisor has to know of its surroundings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The absolute path that the shim was loaded from. The host reads its configuration by this
    /// name, and is looked for beside it.
    pub module: PathBuf,
    /// Whether `CAMI_IPA_` variables count. Not in a process that gained privileges (`AT_SECURE`).
    pub environment_trusted: bool,
    /// The service to connect to; `None`: as `CAMI_IPA_SOCKET` says.
    pub socket: Option<PathBuf>,
    /// The host's executable; `None`: as `CAMI_IPA_HOST` says, or by search.
    pub host: Option<PathBuf>,
}

/// The HAL's camera algorithm, which runs in another process.
///
/// All methods may be called from any thread at any time, from inside callbacks too, and return
/// within their deadlines. Return codes are those of [`CameraAlgorithm`]; the supervisor's own are
///
/// | code | when |
/// |---|---|
/// | `-ECONNRESET` | the host is dead, or `initialize` was never called |
/// | `-ETIMEDOUT` | the deadline passed; the host is killed |
/// | `-EPIPE` | in a forked child of the process that called `initialize` |
/// | `-EBUSY` | `initialize` inside a callback while another thread is in it |
/// | `-EPROTO` | shim and host are of different versions |
/// | `-ENOENT`, `-EACCES` | the host's executable is missing, or is none; no service, or not for us |
/// | `-ECONNREFUSED` | nobody listens on the service's socket |
/// | `-EMFILE`, `-ENFILE`, `-EAGAIN`, `-ENOMEM` | what the system lacks |
/// | any other | the vendor library's own, or the reason for which the host refused |
///
/// Calls without a return code are dropped on a dead host, with one log line.
pub struct Supervisor {
    pub(crate) options: Options,
    /// The service to connect to, in place of starting a host.
    pub(crate) socket: Option<PathBuf>,
    pub(crate) reader: Arc<Reader>,
    /// Held by whoever starts or ends a session.
    life: TimedLock,
    /// Process that called `initialize` first; 0 before.
    owner: AtomicI32,
    /// The line about calls on a dead host has been written.
    told_dropped: AtomicBool,
    overflows: Seldom,
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Supervisor {
    /// A supervisor without a session. It starts no thread and opens no descriptor before the
    /// first `initialize`. It is meant to last as long as the process: there is no `Drop`.
    ///
    /// Where a service is named, everything here keeps to the system calls that
    /// ChromeOS's camera services may make ([`cami_link::restrict_system_calls`]).
    #[must_use]
    pub fn new(options: Options) -> Self {
        let named = options.socket.clone();
        let socket = named.or_else(|| service_socket(options.environment_trusted));
        if socket.is_some() {
            cami_link::restrict_system_calls();
        }
        Self {
            reader: Reader::new(options.clone()),
            options,
            socket,
            life: TimedLock::new(),
            owner: AtomicI32::new(0),
            told_dropped: AtomicBool::new(false),
            overflows: Seldom::new(),
        }
    }

    /// Whether this is a forked child, where no lock may be touched.
    fn is_foreign(&self) -> bool {
        let owner = self.owner.load(Ordering::Acquire);
        owner != 0 && owner != nix::unistd::getpid().as_raw()
    }

    /// The current session, if calls on it make sense.
    pub(crate) fn usable(&self) -> Option<Arc<Session>> {
        self.reader.desk.current().filter(|session| session.is_usable())
    }

    /// The right to start and end sessions. A session that another thread is just starting gives
    /// way. `None` inside a callback if another thread has the right.
    fn lock_life(&self) -> Option<TimedLockGuard<'_>> {
        if let Some(life) = self.life.try_lock() {
            return Some(life);
        }
        if self.reader.is_current() {
            return None;
        }
        loop {
            // Again and again: the other thread may not have come so far that there is a session.
            self.retire(Duration::ZERO);
            if let Some(life) = self.life.try_lock_for(GIVE_WAY_STEP) {
                return Some(life);
            }
        }
    }

    /// Ends the current session, if there is one, without `notify`; no callback of it begins
    /// afterwards. With no `patience` the host is killed at once.
    fn retire(&self, patience: Duration) {
        // What is owed for a session before is settled by the one that starts, or by the HAL's leave.
        self.reader.forget_owed();
        if let Some(session) = self.reader.desk.take() {
            let before = session.finish();
            session.close_journal();
            self.reader.wake();
            if before != crate::session::Phase::Over {
                if patience.is_zero() {
                    session.host.kill();
                }
                session.link.shutdown();
                let ending = session.host.end(patience);
                session.reap_standby();
                log::debug!("the host was ended: {ending}");
            }
            self.reader.pending.forget(session.generation);
        }
        self.settle();
    }

    /// Waits until the reader has let go of the old session, unless this is the reader.
    pub(crate) fn settle(&self) {
        if !self.reader.is_current() && !self.reader.desk.wait_released(SETTLE_PATIENCE) {
            log::warn!("a callback of the HAL has not returned and is not waited for");
        }
    }

    /// A call that has no return code found nobody to call.
    pub(crate) fn dropped(&self, name: &str) {
        if !self.told_dropped.swap(true, Ordering::Relaxed) {
            log::warn!("{name} and further calls are dropped: no camera algorithm is running");
        }
    }

    pub(crate) fn forget_dropped(&self) {
        self.told_dropped.store(false, Ordering::Relaxed);
    }

    /// Answers a request that could not be sent, on the reader as any other.
    pub(crate) fn overflow(&self, session: &Session, req_id: u32, buffer_handle: i32, why: &str) {
        let answered = self.push_overflow(session, req_id, buffer_handle);
        self.tell_overflow(req_id, answered, session, why);
    }

    /// The answer of a request that could not be sent, for the reader; false where there is no room.
    pub(crate) fn push_overflow(&self, session: &Session, req_id: u32, buffer_handle: i32) -> bool {
        let status = session.limits.overflow_status;
        self.push_answer(session.generation, Returned { req_id, status, buffer_handle })
    }

    /// An answer of ours in the place of the library's; false where there is no room.
    pub(crate) fn push_answer(&self, generation: u64, answer: Returned) -> bool {
        self.reader.pending.push(generation, Event::Returned(answer)).is_ok()
    }

    /// Wakes the reader to deliver it, and writes the line.
    pub(crate) fn tell_overflow(&self, req_id: u32, answered: bool, session: &Session, why: &str) {
        let status = session.limits.overflow_status;
        self.reader.wake();
        if let Some(total) = self.overflows.count() {
            let fate = if answered { "answered with" } else { "not even answered with" };
            log::warn!(
                "request {req_id} was not sent ({why}), {fate} status {status}; {total} so far"
            );
        }
    }

    /// What became of a call without an answer.
    fn after_send(&self, name: &str, sent: Result<Sent, CallError>) {
        match sent {
            Ok(Sent::Now) => {}
            Ok(Sent::Queued) => self.reader.wake(),
            Err(CallError::Dead) => self.dropped(name),
            Err(error) => log::error!("{name} was not sent: {error}"),
        }
    }
}

impl CameraAlgorithm for Supervisor {
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        if self.is_foreign() {
            log::error!("initialize in a forked child: use the process that was forked, or exec");
            return negative(Errno::EPIPE);
        }
        let Some(_life) = self.lock_life() else {
            log::error!("initialize inside a callback while another thread initialises");
            return negative(Errno::EBUSY);
        };
        self.owner.store(nix::unistd::getpid().as_raw(), Ordering::Release);
        self.retire(Duration::ZERO);
        match self.start(callbacks) {
            Ok(code) => code,
            Err(error) => {
                log::error!("{}", error.line);
                error.code
            }
        }
    }

    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        if self.is_foreign() {
            return negative(Errno::EPIPE);
        }
        let Some(session) = self.usable() else { return CallError::Dead.code() };
        let deadline = session.register_deadline();
        if let Some(journal) = &session.journal {
            return self.register_durably(journal, fd, deadline);
        }
        let called = self.reader.register_buffer(&session, session.cookie(), fd.as_fd(), deadline);
        called.unwrap_or_else(CallError::code)
    }

    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        if self.is_foreign() {
            return;
        }
        let Some(session) = self.usable() else { return self.dropped("request") };
        if header.len() > MAX_HEADER_BYTES {
            let why = format!("its header has {} bytes, at most 65536 are sent", header.len());
            if let Some(journal) = &session.journal {
                return self.refuse_durably(&session, journal, req_id, buffer_handle, &why);
            }
            return self.overflow(&session, req_id, buffer_handle, &why);
        }
        let request = Request { req_id, header, buffer_handle };
        if let Some(journal) = session.journal.clone() {
            return self.request_durably(session, &journal, request);
        }
        match session.send_request(&request, SEND_PATIENCE) {
            Ok(Sent::Now) => {}
            Ok(Sent::Queued) => self.reader.wake(),
            Err(CallError::Dead) => self.dropped("request"),
            Err(CallError::TimedOut | CallError::NotSent) => {
                self.overflow(&session, req_id, buffer_handle, "the link is full");
            }
            Err(CallError::Os(errno)) => {
                self.overflow(&session, req_id, buffer_handle, errno.desc());
            }
        }
    }

    fn deregister_buffers(&self, buffer_handles: &[i32]) {
        if self.is_foreign() {
            return;
        }
        let Some(session) = self.usable() else { return self.dropped("deregister_buffers") };
        let mut deadline = session.register_deadline();
        for handles in buffer_handles.chunks(HANDLES_PER_MESSAGE) {
            let called = match &session.journal {
                Some(journal) => self.deregister_durably(journal, handles, &mut deadline),
                None => {
                    self.reader.deregister_buffers(&session, session.cookie(), handles, deadline)
                }
            };
            match called {
                Ok(()) => {}
                Err(CallError::Dead) => return self.dropped("deregister_buffers"),
                Err(error) => return log::error!("deregister_buffers failed: {error}"),
            }
        }
    }

    fn update_return(&self, upd_id: u32, status: u32, fd: Option<OwnedFd>) {
        if self.is_foreign() {
            return;
        }
        let Some(session) = self.usable() else { return self.dropped("update_return") };
        if session.journal.as_ref().is_some_and(|journal| !journal.given_back(upd_id)) {
            return log::debug!("update {upd_id} was lent by a vendor process that is dead");
        }
        let message = UpdateReturn { upd_id, status, has_fd: fd.is_some() };
        let message = message.encode(session.cookie());
        let borrowed = fd.as_ref().map(AsFd::as_fd);
        let sent = session.send(&[IoSlice::new(&message)], borrowed.as_slice(), SEND_PATIENCE);
        self.after_send("update_return", sent);
    }

    fn deinitialize(&self) {
        if self.is_foreign() {
            return;
        }
        let Some(_life) = self.lock_life() else {
            return log::error!("deinitialize inside a callback while another thread initialises");
        };
        if let Some(session) = self.reader.desk.current().filter(|session| session.leave()) {
            let limit = session.limits.register.unwrap_or(STOP_LIMIT);
            let cookie = session.cookie();
            let call = Call {
                name: "deinitialize",
                command: command::STOP,
                cookie,
                message: &Header { command: command::STOP, cookie }.encode(),
                fd: None,
                deadline: Some(Time::of(limit)),
            };
            if let Err(error) = self.reader.call(&session, &call) {
                log::error!("deinitialize did not reach its end: {error}");
            }
        }
        self.retire(END_PATIENCE);
    }

    /// False in a forked child, inside a callback while another thread initialises, and where the
    /// process is not gone within two seconds.
    fn end_now(&self) -> bool {
        if self.is_foreign() {
            return false;
        }
        let Some(_life) = self.lock_life() else {
            log::error!("the camera algorithm cannot be ended inside a callback");
            return false;
        };
        let dying = self.reader.desk.current();
        let gone = dying.is_none_or(|session| session.kill_and_wait());
        self.retire(Duration::ZERO);
        gone
    }
}
