//! The thread that serves libcamera.

use std::fmt;
use std::time::Instant;

use cami_ipu3_ipa::{Ipa, PARAMS_BYTES, SensorSettings};
use cami_link::{Deadline, Event, Framing, Inbox, Interest, Link, MAX_FDS, ReceiveError, wait};
use cami_wire::libcamera::{ControlInfo, Dialect};
use nix::errno::Errno;

use crate::arrival::Arrivals;
use crate::buffers::Buffers;
use crate::calls::Waiting;
use crate::engine::{Engine, Outcome};
use crate::frames::Frames;
use crate::limits::{AT_ONCE, Limits, MESSAGE_BYTES, UNSENT};
use crate::metadata::LastMetadata;
use crate::parent::Parent;
use crate::peer::Peer;
use crate::queue::Ticket;
use crate::seldom::Seldom;

/// Makes the IPA, on the thread that it will live on, once it is known what libcamera speaks.
pub struct IpaMaker(Box<dyn FnOnce(Dialect) -> Box<dyn Ipa> + Send>);

impl IpaMaker {
    /// Wraps the function that makes it.
    pub fn new(make: impl FnOnce(Dialect) -> Box<dyn Ipa> + Send + 'static) -> Self {
        Self(Box::new(make))
    }

    pub(crate) fn make(self, dialect: Dialect) -> Box<dyn Ipa> {
        (self.0)(dialect)
    }
}

impl fmt::Debug for IpaMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IpaMaker")
    }
}

/// What is served, and to whom.
#[derive(Debug)]
pub struct Door {
    /// libcamera's socket.
    pub link: Link,
    /// Its process, where that is to be watched: a datagram pair has no end of file.
    pub parent: Option<Parent>,
    /// The IPA.
    pub ipa: IpaMaker,
    /// How long is waited: [`Limits::PROMISED`], but in tests of something else.
    pub limits: Limits,
}

/// Why it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// libcamera said `Exit`.
    Exit,
    /// libcamera's process or its socket is gone.
    HostGone,
    /// The socket cannot be used any more.
    Broken(Errno),
}

/// Serves libcamera until one of them ends. The IPA's thread may be left in the middle of a call:
/// the process ends next.
#[must_use]
pub fn serve(door: Door) -> End {
    let engine = match Engine::new(door.ipa, door.limits) {
        Ok(engine) => engine,
        Err(errno) => return End::Broken(errno),
    };
    let arrivals = Arrivals::new(&door.link);
    let mut server = Server {
        arrivals,
        peer: Peer::new(door.link),
        parent: door.parent,
        limits: door.limits,
        engine,
        buffers: Buffers::default(),
        calls: Vec::new(),
        frames: Frames::default(),
        stream: Stream::Stopped,
        held: Held::new(),
        line: Line::default(),
        sensor_controls: Vec::new(),
        valid_from: 0,
        refused: Seldom::default(),
        end: None,
    };
    let mut inbox = Inbox::new(MESSAGE_BYTES, MAX_FDS);
    loop {
        if let Err(errno) = server.turn(&mut inbox) {
            return End::Broken(errno);
        }
        if server.peer.gone {
            return End::HostGone;
        }
        if let Some(end) = server.end {
            if end == End::Exit {
                server.engine.end();
            }
            return end;
        }
    }
}

/// Whether frames are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Frames get no answer: libcamera knows none.
    Stopped,
    /// From the call of `start` on.
    Running,
    /// Between the call and the answer of `stop`: frames are answered at once.
    Stopping,
}

/// What frames get while the IPA has nothing for them.
#[derive(Debug)]
pub(crate) struct Held {
    /// The last good parameters of this mode; zero before: `use` 0, the ISP keeps what it has.
    pub(crate) params: Box<[u8]>,
    /// The last metadata.
    pub(crate) metadata: LastMetadata,
    /// What came too late for its own frame, and goes with the next.
    pub(crate) sensor: Option<SensorSettings>,
    /// Where the lens was last asked to, as long as that was not sent: the IPA says it once.
    lens: Option<i32>,
}

impl Held {
    pub(crate) fn new() -> Self {
        let params = vec![0; PARAMS_BYTES].into_boxed_slice();
        Self { params, metadata: LastMetadata::default(), sensor: None, lens: None }
    }

    /// The IPA's newest settings, which take the place of those that were not sent.
    pub(crate) fn set(&mut self, settings: SensorSettings) {
        self.lens = settings.lens_position.or(self.lens);
        self.sensor = Some(settings);
    }

    /// What is to be sent, once.
    pub(crate) fn take_sensor(&mut self) -> Option<SensorSettings> {
        let settings = self.sensor.take()?;
        Some(SensorSettings { lens_position: self.lens.take(), ..settings })
    }

    /// Settings of a stream that is over. The lens stays asked for.
    pub(crate) fn forget_sensor(&mut self, settings: Option<SensorSettings>) {
        self.lens = settings.and_then(|settings| settings.lens_position).or(self.lens);
        self.sensor = None;
    }
}

/// How long a line of the sensor takes, to know what an exposure in lines is in time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) pixels: u32,
    pub(crate) pixel_rate: u64,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) peer: Peer,
    arrivals: Arrivals,
    pub(crate) parent: Option<Parent>,
    pub(crate) limits: Limits,
    pub(crate) engine: Engine,
    pub(crate) buffers: Buffers,
    /// Synchronous calls that the IPA is at.
    pub(crate) calls: Vec<Waiting>,
    pub(crate) frames: Frames,
    pub(crate) stream: Stream,
    pub(crate) held: Held,
    pub(crate) line: Line,
    /// libcamera's map of the sensor's controls, for an `init` that says only that it has sent it.
    pub(crate) sensor_controls: Vec<ControlInfo>,
    /// Frame jobs before this one belong to a mode or a stream that is over.
    pub(crate) valid_from: Ticket,
    pub(crate) refused: Seldom,
    pub(crate) end: Option<End>,
}

impl Server {
    /// Waits for one thing to happen, and does what follows from it.
    fn turn(&mut self, inbox: &mut Inbox) -> Result<(), Errno> {
        let (link, woken, parent) = self.wait()?;
        if parent {
            self.end = Some(End::HostGone);
            return Ok(());
        }
        if link.writable && self.peer.link.flush().is_err() {
            self.peer.gone = true;
        }
        if link.readable || link.hung_up || self.reads() {
            self.receive_all(inbox);
        }
        if woken {
            self.engine.waker().drain();
            for (ticket, outcome) in self.engine.outcomes() {
                self.take(ticket, outcome);
            }
        }
        let now = Instant::now();
        self.expire_frames(now);
        self.expire_calls(now);
        Ok(())
    }

    /// What happened: on the link, from the IPA, to the parent.
    fn wait(&self) -> Result<(Event, bool, bool), Errno> {
        let interest = match (self.reads(), self.peer.link.has_backlog()) {
            (true, false) => Interest::Message,
            (true, true) => Interest::MessageOrRoom,
            (false, _) => Interest::RoomToSend,
        };
        let link = (self.peer.link.as_fd(), interest, Event::default());
        let waker = (self.engine.waker().as_fd(), Interest::Message, Event::default());
        let parent = self.parent.as_ref().and_then(Parent::as_fd);
        let parent = match parent {
            Some(parent) => (parent, Interest::Message, Event::default()),
            None => (self.peer.link.as_fd(), Interest::None, Event::default()),
        };
        let mut watched = [link, waker, parent];
        wait(&mut watched, self.deadline())?;
        let [(.., link), (.., waker), (.., parent)] = watched;
        let orphaned = self.parent.as_ref().is_some_and(Parent::has_ended);
        Ok((link, waker.readable, parent.readable || orphaned))
    }

    /// A libcamera that does not read gets no more work done until it does: nothing is lost, and
    /// nothing grows.
    fn reads(&self) -> bool {
        self.peer.link.backlog_messages() < UNSENT
    }

    fn deadline(&self) -> Option<Deadline> {
        let look = self.parent.as_ref().and_then(Parent::look_within);
        let look = look.map(|within| Instant::now() + within);
        let calls = self.calls.iter().map(|call| call.due).min();
        let next = [look, calls, self.frames.next_due()].into_iter().flatten().min()?;
        Some(Deadline::after(next.saturating_duration_since(Instant::now())))
    }

    /// Takes in what is in the socket, before anything else is answered: a `stop` that libcamera has
    /// given up on ends the frames before it.
    fn receive_all(&mut self, inbox: &mut Inbox) {
        for _ in 0..AT_ONCE {
            if !self.receive(inbox) || self.peer.gone || self.end.is_some() || !self.reads() {
                return;
            }
        }
    }

    /// Takes in one message; false where there is none.
    fn receive(&mut self, inbox: &mut Inbox) -> bool {
        match self.peer.link.receive(inbox, Some(Deadline::now())) {
            Ok(message) => {
                let made = self.arrivals.instant(message.stamp);
                self.handle(message, made);
            }
            Err(ReceiveError::TimedOut) => {
                self.arrivals.seen_empty();
                return false;
            }
            Err(ReceiveError::Closed) => self.peer.gone = true,
            Err(ReceiveError::Malformed(what)) => {
                if let Some(total) = self.refused.count() {
                    log::error!("libcamera sent a malformed message: {what}; {total} so far");
                }
                // Datagrams find their feet again; a stream does not.
                if self.peer.link.framing() == Framing::TwoWrites {
                    self.end = Some(End::Broken(Errno::EPROTO));
                }
            }
            Err(ReceiveError::Os(errno)) => self.end = Some(End::Broken(errno)),
        }
        true
    }

    fn take(&mut self, ticket: Ticket, outcome: Outcome) {
        match outcome {
            Outcome::Params(params) => self.take_params(ticket, params),
            Outcome::Processed(processed) => self.take_processed(ticket, processed),
            Outcome::Controls(result) => self.take_controls(ticket, result),
            Outcome::Started(result) => self.take_started(ticket, result),
            Outcome::Stopped => self.take_stopped(ticket),
            // Nobody is told.
            Outcome::Ended => {}
        }
    }
}
