//! The one thread that receives, sees deaths, and delivers callbacks.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cami_abi::Callbacks;
use cami_abi::sys::CAMERA_ALGORITHM_MSG_IPC_ERROR;
use cami_link::sync::Mutex;
use cami_link::{Deadline, Event, Inbox, Interest, ReceiveError, Waiter, Waker};
use cami_wire::control::FromMonitor;
use cami_wire::cros::MAX_HEADER_BYTES;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow};

use crate::deliver::{Courier, Incoming, log_lost_update};
use crate::desk::Desk;
use crate::pending::Pending;
use crate::session::Session;
use crate::standby::control_inbox;
use crate::supervisor::Options;

/// An update's header and its argument table; the answer of `init` with its paths is smaller.
const LINK_BYTES: usize = MAX_HEADER_BYTES + 1024;
/// How long a dead host's cause is waited for. It comes within a millisecond on an idle machine, and
/// its absence is seen at once by the control socket's end of file: this bounds the wait on a machine
/// so busy that the monitor is not scheduled. `notify` waits for it, so that the log names the cause
/// before the HAL acts.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(250);
/// After so long without a message the reader looks whether the monitor is stopped (`kill -STOP`):
/// it traces the vendor process, whose death then waits for it and shows nowhere.
const SILENCE: Duration = Duration::from_secs(1);
/// A second host is started when for so long nothing came: between two frames, and not while the
/// answers wait that a recovery is all about.
const QUIET: Duration = Duration::from_millis(2);
/// After so many looks in a row at a stopped monitor it is killed, and the vendor process with it.
const STOPPED_LOOKS: u32 = 2;
/// Messages still taken from a link whose vendor process is dead: more than its socket can hold,
/// and an end for whoever else kept it open.
const DRAIN_MESSAGES: usize = 8192;
/// Messages that the reader takes without looking whether something else happened: a vendor process
/// that floods the link cannot keep it from the waker, the control socket and the pidfd.
const MESSAGES_BETWEEN_LOOKS: u32 = 16;
/// Stack of the reader: the HAL's callbacks run on it. The size that std gives to threads.
const STACK_BYTES: usize = 2 << 20;
/// Name of the thread in /proc and in debuggers; at most 15 bytes.
const THREAD_NAME: &str = "cami-ipa";

/// What the HAL's threads share with the reader.
pub(crate) struct Reader {
    pub(crate) desk: Desk,
    pub(crate) pending: Pending,
    pub(crate) courier: Courier,
    /// What is needed to start another host.
    pub(crate) options: Options,
    /// Whom to notify once the callback has returned in which a death could not be recovered from.
    pub(crate) owed: Mutex<Option<Arc<dyn Callbacks>>>,
    /// The receive buffer of calls made from inside a callback: the other one is still in use.
    pub(crate) nested: Mutex<Option<Inbox>>,
    waker: OnceLock<Waker>,
    /// What the reader waits with; taken by nobody else.
    waiter: Mutex<Option<Waiter>>,
    started: AtomicBool,
    /// Thread id of the reader, 0 before it runs.
    thread: AtomicI32,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("desk", &self.desk).finish_non_exhaustive()
    }
}

/// The reader's own buffers.
struct Buffers {
    link: Inbox,
    control: Inbox,
}

/// A new receive buffer for the link.
pub(crate) fn link_inbox() -> Inbox {
    Inbox::new(LINK_BYTES, 1)
}

impl Reader {
    pub(crate) fn new(options: Options) -> Arc<Self> {
        Arc::new(Self {
            options,
            owed: Mutex::new(None),
            desk: Desk::default(),
            pending: Pending::default(),
            courier: Courier::new(),
            nested: Mutex::new(None),
            waker: OnceLock::new(),
            waiter: Mutex::new(None),
            started: AtomicBool::new(false),
            thread: AtomicI32::new(0),
        })
    }

    /// Starts the thread, once. The caller holds the lock under which sessions are started.
    ///
    /// All signals are blocked in it, so that the HAL's handlers never run on its stack.
    pub(crate) fn start(self: &Arc<Self>) -> Result<(), Errno> {
        if self.started.load(Ordering::Acquire) {
            return Ok(());
        }
        if self.waker.get().is_none() {
            let _ = self.waker.set(Waker::new()?);
        }
        if self.waiter.lock().is_none() {
            *self.waiter.lock() = Some(Waiter::new()?);
        }
        let reader = Arc::clone(self);
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let spawned = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || reader.run());
        before.thread_set_mask()?;
        match spawned {
            Ok(_) => {
                self.started.store(true, Ordering::Release);
                Ok(())
            }
            Err(error) => Err(error.raw_os_error().map_or(Errno::EAGAIN, Errno::from_raw)),
        }
    }

    /// Whether the calling thread is the reader, that is, inside a callback.
    pub(crate) fn is_current(&self) -> bool {
        self.thread.load(Ordering::Acquire) == nix::unistd::gettid().as_raw()
    }

    /// Makes the reader look at the desk, the sentence, the pending events and the link's backlog.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    /// What to poll, to be woken.
    pub(crate) fn waker(&self) -> Option<&Waker> {
        self.waker.get()
    }

    /// Waits on the reader's thread. The descriptors stay known to the waiter until
    /// [`Reader::forget_watched`].
    pub(crate) fn wait(
        &self,
        fds: &mut [(BorrowedFd<'_>, Interest, Event)],
        deadline: Option<Deadline>,
    ) -> Result<usize, Errno> {
        match &mut *self.waiter.lock() {
            Some(waiter) => waiter.wait(fds, deadline),
            None => Err(Errno::EBADF),
        }
    }

    /// Before a session's descriptors are closed.
    pub(crate) fn forget_watched(&self) {
        if let Some(waiter) = &mut *self.waiter.lock() {
            waiter.forget();
        }
    }

    fn run(&self) {
        self.thread.store(nix::unistd::gettid().as_raw(), Ordering::Release);
        let mut buffers = Buffers { link: link_inbox(), control: control_inbox() };
        loop {
            if catch_unwind(AssertUnwindSafe(|| self.serve(&mut buffers))).is_err() {
                self.courier.idle();
                self.forget_watched();
                if let Some(session) = self.desk.current() {
                    session.condemn("an internal error in cami-ipa's reader");
                }
                self.desk.release();
            }
        }
    }

    /// Serves the current session until it is over, or waits for one.
    fn serve(&self, buffers: &mut Buffers) {
        let Some(session) = self.desk.hold() else {
            let owed = self.owed.lock().take();
            match owed {
                Some(callbacks) => self.tell(&*callbacks),
                None => self.idle(),
            }
            return;
        };
        let mourner = self.watch(session, buffers).or_else(|| self.owed.lock().take());
        if let Some(callbacks) = mourner {
            self.tell(&*callbacks);
        }
        self.desk.release();
    }

    fn tell(&self, callbacks: &dyn Callbacks) {
        self.courier.run(|| callbacks.notify(CAMERA_ALGORITHM_MSG_IPC_ERROR));
    }

    fn idle(&self) {
        let Some(waker) = self.waker.get() else { return };
        let mut polled = [(waker.as_fd(), Interest::Message, Event::default())];
        if let Err(errno) = self.wait(&mut polled, None) {
            log::error!("the reader cannot wait: {errno}");
        }
        waker.drain();
    }

    /// Polls a session until it is over. Returns whom to notify of its death; its descriptors are
    /// closed by then, unless a thread of the HAL is just sending.
    fn watch(&self, session: Arc<Session>, buffers: &mut Buffers) -> Option<Arc<dyn Callbacks>> {
        let mut in_a_row = 0;
        let mut stopped_looks = 0;
        loop {
            self.deliver_pending(&session);
            if session.is_over() {
                self.forget_watched();
                return None;
            }
            session.execute_sentence();
            // After a message the next one is often there already, and a look would be in vain: the
            // callback sent a request, and the vendor process ran while it was being sent.
            let nothing_else = !session.link.has_backlog() && self.pending.len() == 0;
            if (1..MESSAGES_BETWEEN_LOOKS).contains(&in_a_row)
                && nothing_else
                && self.receive(&session, &mut buffers.link)
            {
                in_a_row += 1;
                continue;
            }
            in_a_row = 0;
            // Calls made in those callbacks may have received more.
            let at_once = self.pending.len() > 0 || session.is_gone();
            let until = if at_once { Some(Deadline::now()) } else { session.sentence() };
            let quiet = session.wants_standby().then(|| Deadline::after(QUIET));
            let sight = self.look(&session, until, quiet);
            if quiet.is_some() && sight.nothing {
                self.keep_one_warm(&session);
            }
            if sight.link && self.receive(&session, &mut buffers.link) {
                in_a_row = 1;
            }
            if sight.control {
                hear(&session, &mut buffers.control);
            }
            stopped_looks =
                if sight.silent && session.host.is_stopped() { stopped_looks + 1 } else { 0 };
            if stopped_looks >= STOPPED_LOOKS {
                log::error!("the host is stopped by a signal and hides what becomes of it: killed");
                session.host.kill();
            }
            if !sight.dead && !session.is_gone() {
                continue;
            }
            // What the vendor process sent before it died still counts.
            for _ in 0..DRAIN_MESSAGES {
                if session.is_over() || !self.receive(&session, &mut buffers.link) {
                    break;
                }
            }
            self.forget_watched();
            return self.bury(session, &mut buffers.control);
        }
    }

    /// Starts a second host once this one is in use, if that is configured.
    fn keep_one_warm(&self, session: &Session) {
        if let Some(journal) = session.journal.as_ref().filter(|journal| journal.ask_for_standby())
        {
            self.stand_by(session, journal);
        }
    }

    /// Waits for something to happen.
    fn look(&self, session: &Session, until: Option<Deadline>, quiet: Option<Deadline>) -> Sight {
        let Some(waker) = self.waker.get() else { return Sight::default() };
        let link = session.link.as_fd();
        let interest =
            if session.link.has_backlog() { Interest::MessageOrRoom } else { Interest::Message };
        let mut polled = [
            (link, interest, Event::default()),
            (session.host.control.as_fd(), Interest::Message, Event::default()),
            (waker.as_fd(), Interest::Message, Event::default()),
            session.host.polled(link),
        ];
        let silence = Deadline::after(SILENCE);
        let events = match self
            .wait(&mut polled, [until.or(Some(silence)), quiet].into_iter().flatten().min())
        {
            Ok(events) => events,
            Err(errno) => {
                session.condemn(&format!("the reader cannot wait: {errno}"));
                return Sight { dead: true, ..Sight::default() };
            }
        };
        let [(.., link), (.., control), (.., woken), (.., monitor)] = polled;
        if woken.readable {
            waker.drain();
        }
        if link.writable {
            flush(session);
        }
        Sight {
            link: link.readable || link.hung_up,
            control: control.readable || control.hung_up,
            dead: monitor.readable,
            silent: events == 0 && until.is_none() && quiet.is_none(),
            nothing: events == 0,
        }
    }

    /// Receives one message without waiting and delivers it; false where there was none.
    fn receive(&self, session: &Session, inbox: &mut Inbox) -> bool {
        match session.link.receive(inbox, Some(Deadline::now())) {
            Ok(received) => {
                match Incoming::parse(received) {
                    Ok(Incoming::Answer { command, cookie, body }) => {
                        session.answered(command, cookie, body);
                    }
                    Ok(Incoming::UpdateLost { upd_id }) => log_lost_update(upd_id),
                    Ok(event) => {
                        if session.take_in(&event) {
                            self.courier.incoming(session, event);
                        }
                    }
                    Err(error) => session.broken(&error),
                }
                true
            }
            Err(error) => session.receive_failed(error),
        }
    }

    /// Delivers the events that wait now. Those that come meanwhile are for the next round, so
    /// that a HAL that requests from its callbacks cannot keep the reader from the link.
    fn deliver_pending(&self, session: &Session) {
        for _ in 0..self.pending.len() {
            match self.pending.pop(session.generation) {
                Some(event) => self.courier.event(session, event),
                None => break,
            }
        }
    }
}

/// What a look showed.
#[derive(Clone, Copy, Debug, Default)]
struct Sight {
    link: bool,
    control: bool,
    /// The monitor has ended.
    dead: bool,
    /// For [`SILENCE`] nothing came.
    silent: bool,
    /// Nothing came this time.
    nothing: bool,
}

/// Takes one control message: the monitor's word on a death, or its hang-up.
fn hear(session: &Session, inbox: &mut Inbox) {
    match session.host.listen(inbox, Some(Deadline::now())) {
        Ok(FromMonitor::Died(died)) => {
            session.set_died(died);
            session.set_gone();
        }
        Ok(_) | Err(ReceiveError::TimedOut) => {}
        Err(_) => session.set_gone(),
    }
}

/// Sends what waits in the link's backlog. A peer that is gone shows on the next receive.
pub(crate) fn flush(session: &Session) {
    if let Err(error) = session.link.flush() {
        log::debug!("messages to the host dropped: {error}");
    }
}
