//! The library, as far as it is there: brought up in steps, each of which may take its time, and
//! brought up again when it was lost.
//!
//! Nothing here waits longer than it is told. Calls that a library may never return from
//! (`initialize`, `register_buffer`) are made on a thread of their own; requests are answered by
//! callbacks, and one whose answer is late stays under way until it comes.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::handover::{NotTaken, Taker, handover};
use crate::trouble::NotUp;
use cami_abi::CameraAlgorithm;
use cami_ipu3_requests::{
    Answers, Buffers, Cause, Data, Engine, Patience, RequestError, Requester, SetUp, SetUpError,
    register_all,
};

/// A request that has been under way for so long will not be answered any more: longer than two
/// vendor processes in a row are given for it by the `intel-ipu3` profile.
const HOPELESS: Duration = Duration::from_secs(10);
/// The time between attempts to bring a library up that does not stay up: the first and the most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is left of the time of a stop to end a library in that has not answered until then.
const END_TIME: Duration = Duration::from_millis(300);

/// How long the engine of another camera may take to end before the next is made.
const CLOSE_TIME: Duration = Duration::from_millis(100);

/// How long a frame waits for what another has waited for in vain: frames must not queue up behind a
/// library that is slow to come back.
const GLANCE: Duration = Duration::from_millis(5);

/// An engine and the means to ask it.
pub struct Up<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// Makes the requests.
    pub requester: &'a mut Requester,
    /// The shared buffers.
    pub buffers: &'a mut Buffers,
    /// What it was made of.
    pub data: &'a Data,
    /// Which engine it is, counted from 1.
    pub generation: u64,
}

enum State {
    Down,
    /// Another thread ends the library; whether it is known to be gone will come.
    Ending(Taker<bool>),
    /// The other thread initialises and registers; the buffers' handles will come.
    Starting(Taker<Result<Vec<i32>, i32>>, Box<SetUp>),
    SettingUp(Box<SetUp>),
    Up(Box<Engine>),
}

/// A library and what is known of it.
pub struct Connection {
    requester: Requester,
    buffers: Buffers,
    state: State,
    data: Data,
    /// When the next attempt is due, and how long after a failure.
    due: Option<Instant>,
    pause: Duration,
    /// Engines that came up so far.
    generation: u64,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl Connection {
    /// A library that nobody has called yet.
    pub fn new(library: Arc<dyn CameraAlgorithm>) -> io::Result<Self> {
        let patience = Patience::Each(Duration::ZERO);
        Ok(Self {
            requester: Requester::new(library, Answers::new(), patience),
            buffers: Buffers::new()?,
            state: State::Down,
            data: Data::default(),
            due: None,
            pause: Duration::ZERO,
            generation: 0,
        })
    }

    /// What the engine shall be made of from now on; one that is up is ended, and replaced.
    pub fn make_of(&mut self, data: Data, until: Instant) {
        self.close(until.min(Instant::now() + CLOSE_TIME));
        self.data = data;
        self.due = None;
        self.pause = Duration::ZERO;
        if !matches!(self.state, State::Starting(..) | State::Ending(_)) {
            self.state = State::Down;
        }
    }

    /// Ends the engine as the HAL does (spec/ipu3-protocol.md, 2, "Close"), and the library. One that
    /// is dead, or at a request, is not asked.
    pub fn leave(&mut self, until: Instant) {
        self.close(until);
        if matches!(self.state, State::Ending(_)) {
            return;
        }
        let was_there = self.generation > 0 || matches!(self.state, State::Starting(..));
        self.generation = 0;
        self.state = State::Down;
        if was_there {
            self.on_its_own_thread(until, |library| {
                library.deinitialize();
                true
            });
        }
    }

    fn close(&mut self, until: Instant) {
        let dead = self.requester.answers().lost();
        let busy = self.requester.under_way_since().is_some();
        let State::Up(engine) = &self.state else { return };
        if dead || busy {
            return;
        }
        self.requester.be_patient(Patience::Until(until));
        if let Err(error) = engine.end(&mut self.requester, &mut self.buffers) {
            log::debug!("the engine is left as it is: {error}");
        }
        self.state = State::Down;
    }

    /// Whether there is an engine, as far as is known.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// The engine for a frame: where it is not up, or still has something to answer, only a glance
    /// is given to it.
    pub fn up(&mut self, until: Instant) -> Result<Up<'_>, NotUp> {
        let busy = self.requester.under_way_since().is_some();
        if busy || !self.is_up() || self.requester.answers().lost() {
            self.bring_up(until.min(Instant::now() + GLANCE))?;
        }
        self.up_patiently(until)
    }

    /// The engine, which is brought up if it is not, as far as there is time.
    pub fn up_patiently(&mut self, until: Instant) -> Result<Up<'_>, NotUp> {
        self.bring_up(until)?;
        let Self { requester, buffers, state, data, generation, .. } = self;
        match state {
            State::Up(engine) => {
                Ok(Up { engine, requester, buffers, data, generation: *generation })
            }
            // The loop above ends with no other.
            _ => Err(NotUp::Late),
        }
    }

    /// Nothing is under way, and the engine is up.
    fn bring_up(&mut self, until: Instant) -> Result<(), NotUp> {
        self.requester.be_patient(Patience::Until(until));
        self.notice_losses();
        while !self.is_up() {
            self.step(until)?;
        }
        match self.requester.settle() {
            Ok(()) => Ok(()),
            Err(RequestError { cause: Cause::NoAnswer, .. }) => Err(NotUp::Late),
            Err(error) => {
                self.failed();
                Err(NotUp::SetUp(error.into()))
            }
        }
    }

    /// A frame went well: the next loss is the first in a row.
    pub fn works(&mut self) {
        self.pause = Duration::ZERO;
        self.due = None;
    }

    /// The time for requests where all of it must have ended by `until`.
    pub fn time_to_ask(until: Instant) -> Instant {
        until.checked_sub(END_TIME).unwrap_or(until)
    }

    /// Waits until no request is under way, and the library is in no `initialize`. If that takes too
    /// long, the library is ended: it must not be at work any more when this returns.
    pub fn quiesce(&mut self, until: Instant) {
        let asked_until = Self::time_to_ask(until);
        if matches!(self.state, State::Starting(..)) {
            if matches!(self.step(asked_until), Err(NotUp::Late)) {
                self.end_start(until);
            }
            return;
        }
        self.requester.be_patient(Patience::Until(asked_until));
        match self.requester.settle() {
            Ok(()) => {}
            Err(RequestError { cause: Cause::NoAnswer, command }) => {
                log::warn!(
                    "{} was not answered before the stop: the library is ended",
                    command.name()
                );
                self.failed();
                self.end(until);
            }
            Err(_) => self.failed(),
        }
    }

    /// Ends the library at once, or, where it is in this process, by its own means.
    fn end(&mut self, until: Instant) {
        self.on_its_own_thread(until, |library| {
            let gone = library.end_now();
            if !gone {
                library.deinitialize();
            }
            gone
        });
    }

    /// Ends a library whose `initialize` does not return. One in this process stays in it: there are no
    /// means to end that, and no second call may be made meanwhile.
    fn end_start(&mut self, until: Instant) {
        let State::Starting(handles, set_up) = std::mem::replace(&mut self.state, State::Down)
        else {
            return;
        };
        log::warn!("the vendor library is not initialised before the stop");
        let library = Arc::clone(self.requester.library());
        let (giver, ended) = handover();
        let end = move || giver.give(library.end_now());
        let spawned = thread::Builder::new().name("cami-end".to_owned()).spawn(end);
        if let Err(error) = spawned {
            log::error!("the library cannot be ended: {error}");
        }
        if let Ok(true) = ended.take(until) {
            self.failed();
            self.requester.forget();
        } else {
            self.state = State::Starting(handles, set_up);
        }
    }

    /// A library may never return from what ends it.
    fn on_its_own_thread(
        &mut self,
        until: Instant,
        what: impl FnOnce(&dyn CameraAlgorithm) -> bool + Send + 'static,
    ) {
        self.requester.forget();
        let library = Arc::clone(self.requester.library());
        let (giver, ended) = handover();
        let end = move || {
            giver.give(what(&*library));
        };
        match thread::Builder::new().name("cami-end".to_owned()).spawn(end) {
            Ok(_) => drop(self.ended(ended, until)),
            Err(error) => log::error!("the library cannot be ended: {error}"),
        }
    }

    fn ended(&mut self, ended: Taker<bool>, until: Instant) -> Result<(), NotUp> {
        match ended.take(until) {
            Ok(true) => Ok(()),
            Ok(false) | Err(NotTaken::Over) => {
                // What may still be there may still write: the next library gets memory of its own.
                self.replace_buffers();
                Ok(())
            }
            Err(NotTaken::TimedOut) => {
                self.state = State::Ending(ended);
                Err(NotUp::Late)
            }
        }
    }

    fn notice_losses(&mut self) {
        let since = self.requester.under_way_since();
        let hopeless = since.is_some_and(|since| since.elapsed() > HOPELESS);
        let running = matches!(self.state, State::Up(_) | State::SettingUp(_));
        if running && (hopeless || self.requester.answers().lost()) {
            let why = if hopeless { "does not answer" } else { "was lost" };
            log::warn!("the vendor library {why}; it is started again");
            self.failed();
        }
    }

    fn step(&mut self, until: Instant) -> Result<(), NotUp> {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Down => self.start(),
            State::Ending(ended) => self.ended(ended, until),
            State::Starting(handles, set_up) => self.started(handles, set_up, until),
            State::SettingUp(set_up) => self.set_up(set_up),
            up @ State::Up(_) => {
                self.state = up;
                Ok(())
            }
        }
    }

    fn start(&mut self) -> Result<(), NotUp> {
        if self.due.is_some_and(|due| Instant::now() < due) {
            return Err(NotUp::Pausing);
        }
        let mut set_up = SetUp::new(self.data.clone()).map_err(NotUp::System)?;
        let mut fds = self.buffers.share().map_err(NotUp::System)?;
        fds.push(set_up.aiq_init().share().map_err(NotUp::System)?);
        self.requester.forget();
        let (library, answers) =
            (Arc::clone(self.requester.library()), Arc::clone(self.requester.answers()));
        let (giver, handles) = handover();
        let begin = move || {
            giver.give(initialize(&*library, answers, fds));
        };
        thread::Builder::new().name("cami-start".to_owned()).spawn(begin).map_err(NotUp::System)?;
        self.state = State::Starting(handles, Box::new(set_up));
        Ok(())
    }

    fn started(
        &mut self,
        handles: Taker<Result<Vec<i32>, i32>>,
        mut set_up: Box<SetUp>,
        until: Instant,
    ) -> Result<(), NotUp> {
        match handles.take(until) {
            // Begun for another camera, while nobody waited.
            Ok(_) if *set_up.data() != self.data => Ok(()),
            Ok(Ok(handles)) => {
                let registered = self.buffers.registered(&handles).and_then(|()| {
                    set_up.aiq_init().registered(handles.last().copied().unwrap_or(-1))
                });
                if let Err(error) = registered {
                    self.failed();
                    return Err(NotUp::SetUp(error.into()));
                }
                self.state = State::SettingUp(set_up);
                Ok(())
            }
            Ok(Err(code)) => {
                self.failed();
                Err(NotUp::Initialize(io::Error::from_raw_os_error(code.saturating_neg())))
            }
            Err(NotTaken::TimedOut) => {
                self.state = State::Starting(handles, set_up);
                Err(NotUp::Late)
            }
            Err(NotTaken::Over) => {
                self.failed();
                Err(NotUp::System(io::Error::other("its thread ended")))
            }
        }
    }

    fn set_up(&mut self, mut set_up: Box<SetUp>) -> Result<(), NotUp> {
        match set_up.go_on(&mut self.requester, &mut self.buffers) {
            Ok(engine) => {
                log::info!("the vendor library's engine is up (version {})", engine.version);
                self.generation = self.generation.saturating_add(1);
                self.state = State::Up(Box::new(engine));
                Ok(())
            }
            Err(SetUpError::Request(RequestError { cause: Cause::NoAnswer, .. })) => {
                self.state = State::SettingUp(set_up);
                Err(NotUp::Late)
            }
            Err(error) => {
                self.failed();
                if let SetUpError::Request(RequestError { cause: Cause::Buffer(_), .. }) = &error {
                    self.replace_buffers();
                }
                Err(NotUp::SetUp(error))
            }
        }
    }

    /// After a request that failed: where its buffer cannot be used, nothing that was set up through it
    /// can be relied upon, and another engine gets other buffers.
    pub fn failed_by(&mut self, error: &RequestError) {
        if matches!(error.cause, Cause::Buffer(_)) {
            self.failed();
            self.replace_buffers();
        }
    }

    fn replace_buffers(&mut self) {
        match Buffers::new() {
            Ok(buffers) => self.buffers = buffers,
            Err(error) => log::error!("no memory for other buffers: {error}"),
        }
    }

    /// The next attempt is made at once after the first failure, and then ever later.
    fn failed(&mut self) {
        self.state = State::Down;
        self.due = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
    }
}

impl Drop for Connection {
    /// Ends the library, which ends its engine.
    fn drop(&mut self) {
        if self.generation > 0 {
            self.requester.library().deinitialize();
        }
    }
}

fn initialize(
    library: &dyn CameraAlgorithm,
    answers: Arc<Answers>,
    fds: Vec<OwnedFd>,
) -> Result<Vec<i32>, i32> {
    let code = library.initialize(answers);
    if code < 0 { Err(code) } else { Ok(register_all(library, fds)) }
}
