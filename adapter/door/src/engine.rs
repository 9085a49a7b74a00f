//! The thread that calls the IPA.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_ipu3_ipa::{Ipa, IpaError, PARAMS_BYTES, Processed, STATISTICS_BYTES, SensorSettings};
use cami_link::sync::{Condvar, Mutex};
use cami_link::{Deadline, Event, Interest, Waker, wait};
use cami_wire::libcamera::{ControlInfo, Dialect};
use nix::errno::Errno;

use crate::door::IpaMaker;
use crate::limits::{END, Limits};
use crate::queue::{InitJob, Job, Queue, Queued, StatsJob, Ticket};

/// What became of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
    Controls(Result<Vec<ControlInfo>, IpaError>),
    Started(Result<SensorSettings, IpaError>),
    Stopped,
    Ended,
    /// `None`: nothing that could be sent.
    Processed(Option<Processed>),
    /// `None`: nothing new.
    Params(Option<Box<[u8]>>),
}

/// What the two threads share.
#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
    outcomes: Mutex<Vec<(Ticket, Outcome)>>,
    /// Memory for statistics and parameters, so that none is made in a stream.
    spare: Mutex<Spare>,
    /// Wakes the thread that serves libcamera.
    waker: Waker,
}

#[derive(Debug, Default)]
struct Spare {
    statistics: Vec<Box<[u8]>>,
    params: Vec<Box<[u8]>>,
}

/// The side of the thread that serves libcamera. It never waits here.
#[derive(Debug)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
    next: Ticket,
    /// What the thread is started with, until the first `init`.
    maker: Option<IpaMaker>,
    /// The thread runs.
    started: bool,
    limits: Limits,
}

impl Engine {
    pub(crate) fn new(maker: IpaMaker, limits: Limits) -> Result<Self, Errno> {
        let shared = Shared {
            queue: Mutex::default(),
            more: Condvar::default(),
            outcomes: Mutex::default(),
            spare: Mutex::default(),
            waker: Waker::new()?,
        };
        Ok(Self { shared: Arc::new(shared), next: 1, maker: Some(maker), started: false, limits })
    }

    /// Starts the thread, once, for a libcamera of that dialect. One that could not be started is an
    /// error from then on: what would have made the IPA is gone with it.
    pub(crate) fn start(&mut self, dialect: Dialect) -> std::io::Result<()> {
        let Some(maker) = self.maker.take() else {
            return if self.started { Ok(()) } else { Err(Errno::EAGAIN.into()) };
        };
        let shared = Arc::clone(&self.shared);
        let late = self.limits.frame_ipa;
        std::thread::Builder::new()
            .name("cami-ipu3".to_owned())
            .spawn(move || Runner::new(maker, dialect, shared, late).run())?;
        self.started = true;
        Ok(())
    }

    /// The ticket of the next job.
    pub(crate) fn next_ticket(&self) -> Ticket {
        self.next
    }

    /// Whether there was an `init`.
    pub(crate) fn is_started(&self) -> bool {
        self.started
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.shared.waker
    }

    /// Gives the thread a job, which should be done until `until`.
    pub(crate) fn give(&mut self, job: Job, until: Instant) -> Ticket {
        let ticket = self.next;
        self.next = self.next.wrapping_add(1);
        let needless = self.shared.queue.lock().push(Queued { ticket, job, until });
        self.shared.more.notify_one();
        self.recycle(needless);
        ticket
    }

    /// Takes a job back that has not begun.
    pub(crate) fn cancel(&self, ticket: Ticket) {
        let cancelled = self.shared.queue.lock().cancel(ticket);
        self.recycle(cancelled);
    }

    /// Takes the frames back that have not begun: the stream is over, and what is late was answered.
    pub(crate) fn cancel_frames(&self) {
        let cancelled = self.shared.queue.lock().cancel_frames();
        cancelled.into_iter().for_each(|queued| self.recycle(Some(queued)));
    }

    /// Ends the IPA, and waits for that, but not for ever: it may be in the midst of a call.
    pub(crate) fn end(&mut self) {
        if !self.started {
            return;
        }
        self.cancel_frames();
        let until = Instant::now() + END;
        let own = self.give(Job::End, until);
        let deadline = Deadline::after(END);
        while !deadline.has_passed() && self.outcomes().iter().all(|(ticket, _)| *ticket != own) {
            let waker = self.shared.waker.as_fd();
            let mut watched = [(waker, Interest::Message, Event::default())];
            if wait(&mut watched, Some(deadline)).is_err() {
                return;
            }
            self.shared.waker.drain();
        }
    }

    /// What has become of jobs since the last call.
    pub(crate) fn outcomes(&self) -> Vec<(Ticket, Outcome)> {
        std::mem::take(&mut *self.shared.outcomes.lock())
    }

    /// Memory of [`STATISTICS_BYTES`].
    pub(crate) fn statistics(&self) -> Box<[u8]> {
        let spare = self.shared.spare.lock().statistics.pop();
        spare.unwrap_or_else(|| vec![0; STATISTICS_BYTES].into_boxed_slice())
    }

    /// Takes parameters back that are not needed any more.
    pub(crate) fn spare_params(&self, params: Box<[u8]>) {
        self.shared.keep(|spare| &mut spare.params, params);
    }

    pub(crate) fn spare_statistics(&self, statistics: Box<[u8]>) {
        self.shared.keep(|spare| &mut spare.statistics, statistics);
    }

    fn recycle(&self, queued: Option<Queued>) {
        if let Some(Queued { job: Job::ProcessStats(job), .. }) = queued {
            self.spare_statistics(job.statistics);
        }
    }
}

impl Shared {
    fn keep(&self, list: impl Fn(&mut Spare) -> &mut Vec<Box<[u8]>>, memory: Box<[u8]>) {
        /// More than are ever away at once: one with the IPA, one in the queue, one to come.
        const SPARE: usize = 4;
        let mut spare = self.spare.lock();
        let list = list(&mut spare);
        if list.len() < SPARE {
            list.push(memory);
        }
    }
}

/// The thread's own side.
struct Runner {
    /// `None` after a panic: what state it was left in nobody knows.
    ipa: Option<Box<dyn Ipa>>,
    shared: Arc<Shared>,
    /// The time for statistics that begin late: as for those that do not.
    late: Duration,
}

impl Runner {
    fn new(maker: IpaMaker, dialect: Dialect, shared: Arc<Shared>, late: Duration) -> Self {
        let ipa = catch_unwind(AssertUnwindSafe(|| maker.make(dialect)));
        Self { ipa: ipa.ok(), shared, late }
    }

    fn run(mut self) {
        loop {
            let queued = self.next();
            let outcome = self.carry_out(queued.job, queued.until);
            if let Some(outcome) = outcome {
                self.shared.outcomes.lock().push((queued.ticket, outcome));
                self.shared.waker.wake();
            }
        }
    }

    fn next(&self) -> Queued {
        let mut queue = self.shared.queue.lock();
        loop {
            match queue.pop() {
                Some(queued) => return queued,
                None => queue = self.shared.more.wait(queue),
            }
        }
    }

    fn carry_out(&mut self, job: Job, until: Instant) -> Option<Outcome> {
        match job {
            Job::Init(job) => {
                let InitJob { settings, sensor, sensor_controls } = *job;
                let result = self.call(|ipa| ipa.init(&settings, &sensor, &sensor_controls, until));
                Some(Outcome::Controls(result.unwrap_or_else(|| Err(broken()))))
            }
            Job::Configure(mode) => {
                let result = self.call(|ipa| ipa.configure(&mode, until));
                Some(Outcome::Controls(result.unwrap_or_else(|| Err(broken()))))
            }
            Job::Start => {
                let result = self.call(|ipa| ipa.start(until));
                Some(Outcome::Started(result.unwrap_or_else(|| Err(broken()))))
            }
            Job::Stop => {
                self.call(|ipa| ipa.stop(until));
                Some(Outcome::Stopped)
            }
            Job::QueueRequest { frame, controls } => {
                self.call(|ipa| ipa.queue_request(frame, &controls));
                None
            }
            Job::ComputeParams { frame } => Some(Outcome::Params(self.params(frame, until))),
            Job::ProcessStats(job) => Some(Outcome::Processed(self.process(*job, until))),
            Job::End => {
                self.call(|ipa| ipa.end(until));
                Some(Outcome::Ended)
            }
        }
    }

    fn params(&mut self, frame: u32, until: Instant) -> Option<Box<[u8]>> {
        if Instant::now() >= until {
            // Answered already, with what was good before.
            return None;
        }
        let mut memory = self.shared.spare.lock().params.pop();
        let copied = self.call(|ipa| {
            let params = ipa.compute_params(frame, until)?;
            let mut copy = memory.take().unwrap_or_else(|| vec![0; PARAMS_BYTES].into());
            if params.len() != PARAMS_BYTES {
                log::error!("parameters of {} bytes are none", params.len());
                return None;
            }
            copy.copy_from_slice(params);
            Some(copy)
        });
        if let Some(unused) = memory {
            self.shared.keep(|spare| &mut spare.params, unused);
        }
        copied.flatten()
    }

    fn process(&mut self, job: StatsJob, until: Instant) -> Option<Processed> {
        // Those that waited for a slow IPA are late for their own frame. They are the newest there
        // are all the same, and what they lead to goes with the next frame.
        let until = until.max(Instant::now() + self.late);
        let StatsJob { frame, timestamp_ns, statistics, in_effect } = job;
        let processed =
            self.call(|ipa| ipa.process_stats(frame, timestamp_ns, &statistics, &in_effect, until));
        self.shared.keep(|spare| &mut spare.statistics, statistics);
        processed
    }

    /// Calls the IPA behind a panic boundary. `None` if it panicked, now or before.
    fn call<T>(&mut self, call: impl FnOnce(&mut dyn Ipa) -> T) -> Option<T> {
        let mut ipa = self.ipa.take()?;
        match catch_unwind(AssertUnwindSafe(|| call(ipa.as_mut()))) {
            Ok(result) => {
                self.ipa = Some(ipa);
                Some(result)
            }
            Err(_) => {
                log::error!("the IPA is broken: frames go on with what was last good");
                // Dropping it would run more of its code.
                let _ = Box::leak(ipa);
                None
            }
        }
    }
}

fn broken() -> IpaError {
    IpaError { errno: -libc::EIO, text: "the IPA has failed".to_owned() }
}
