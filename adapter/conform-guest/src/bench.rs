//! The library under test with all that an experiment needs.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::{Callbacks, VendorLibrary};
use cami_conform::{Ask, TELL_ID, Tell, Verdict};

use crate::descriptors::{self, Buffer, Table as Descriptors};
use crate::machine::Machine;
use crate::target::Target;
use crate::witness::{self, Answer, CallbackTable};

/// How long something is waited for of which nobody knows whether it comes.
pub const A_WHILE: Duration = Duration::from_millis(100);

/// What is known of the process before the library was loaded.
#[derive(Debug)]
pub struct Before {
    /// The descriptors.
    pub descriptors: Descriptors,
    /// Signals, floating point, locale.
    pub machine: Machine,
}

/// An experiment: when it begins, and what it does.
#[derive(Clone, Copy, Debug)]
pub enum Experiment {
    /// Once the library is loaded, within the host's `initialize`.
    Loaded(fn(&Bench) -> Outcome),
    /// Once it is initialised, within a request to the host.
    Initialized(fn(&Bench) -> Outcome),
    /// The same, after one sample request was made.
    Working(fn(&Bench, &Working) -> Outcome),
}

/// A result, or the reason why there is none.
pub type Outcome = Result<Verdict, Verdict>;

/// What a first request showed.
#[derive(Debug)]
pub struct Working {
    /// A buffer that stays registered.
    pub buffer: Buffer,
    /// The answers to it.
    pub answers: Vec<Answer>,
    /// How long `request` took.
    pub took: Duration,
}

impl Working {
    /// Whether the sample is answered, so that its answers can be waited for.
    pub fn is_answered(&self) -> bool {
        !self.answers.is_empty()
    }
}

/// See the module.
pub struct Bench {
    ask: Ask,
    report: Arc<dyn Callbacks>,
    experiment: Option<Experiment>,
    target: Option<Target>,
    table: Option<CallbackTable>,
    before: Before,
    /// How long loading and `initialize` took.
    pub start_took: Duration,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("ask", &self.ask).finish_non_exhaustive()
    }
}

impl Bench {
    /// A bench without a library yet.
    pub fn new(ask: Ask, report: Arc<dyn Callbacks>) -> Self {
        let before =
            Before { descriptors: descriptors::table(), machine: Machine::of_this_thread() };
        Self {
            ask,
            report,
            experiment: None,
            target: None,
            table: None,
            before,
            start_took: Duration::ZERO,
        }
    }

    /// Loads the library, and does what is to be done before the host is initialised.
    pub fn prepare(&mut self, experiment: Experiment) -> Result<(), Verdict> {
        let start = Instant::now();
        self.blame("load.survives", "while it was loaded");
        let library = VendorLibrary::load(&self.ask.library)
            .map_err(|error| Verdict::blame("load.survives", &self.ask.rule, error.to_string()))?;
        self.target = Some(Target::new(library));
        if let Experiment::Loaded(look) = experiment {
            return Err(look(self).unwrap_or_else(|verdict| verdict));
        }
        self.table = Some(self.initialize(CallbackTable::full())?);
        self.start_took = start.elapsed();
        self.experiment = Some(experiment);
        Ok(())
    }

    /// The rest, with the result.
    pub fn go_on(self) {
        let outcome = match self.experiment {
            Some(Experiment::Initialized(look)) => look(&self),
            Some(Experiment::Working(look)) => {
                self.start_working().and_then(|working| look(&self, &working))
            }
            Some(Experiment::Loaded(_)) | None => return,
        };
        self.conclude(outcome.unwrap_or_else(|verdict| verdict));
    }

    /// Tells the result.
    pub fn conclude(&self, verdict: Verdict) {
        self.tell(&Tell::Verdict(verdict));
    }

    /// From now on the rule itself is to blame.
    pub fn test(&self, doing: &str) {
        self.blame(&self.ask.rule, doing);
    }

    /// From now on `rule` is to blame.
    pub fn blame(&self, rule: &str, doing: &str) {
        self.tell(&Tell::Blame { rule: rule.to_owned(), doing: doing.to_owned() });
    }

    fn tell(&self, tell: &Tell) {
        self.report.update(TELL_ID, &tell.encode(), None);
    }

    /// What the library breaks `rule` with: a failure if it is the one that is looked at.
    pub fn broken(&self, rule: &str, detail: impl Into<String>) -> Verdict {
        Verdict::blame(rule, &self.ask.rule, detail)
    }

    /// What is asked.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// How long the answer to a request is waited for that is known to be answered.
    pub fn patience(&self) -> Duration {
        self.ask.patience
    }

    /// What the process was like before.
    pub fn before(&self) -> &Before {
        &self.before
    }

    /// The library under test.
    pub fn target(&self) -> Result<&Target, Verdict> {
        self.target.as_ref().ok_or_else(|| Verdict::skipped("it is not loaded"))
    }

    /// The table that the library was initialised with.
    pub fn table(&self) -> Option<CallbackTable> {
        self.table
    }

    /// Initialises the library with a table that is not what the rule is about.
    pub fn initialize(&self, table: CallbackTable) -> Result<CallbackTable, Verdict> {
        self.blame("initialize.succeeds", "in initialize");
        match self.target()?.initialize(Some(table)) {
            code if code < 0 => {
                Err(self.broken("initialize.succeeds", format!("initialize returned {code}")))
            }
            _ => Ok(table),
        }
    }

    /// Registers a buffer of the sample's size.
    pub fn register(&self) -> Result<Buffer, Verdict> {
        let (file, identity) = self.buffer()?;
        self.blame("register.accepts", "in register_buffer");
        self.give(file, identity)
    }

    /// The same where `register_buffer` is what the rule is about.
    pub fn register_in_test(&self) -> Result<Buffer, Verdict> {
        let (file, identity) = self.buffer()?;
        self.give(file, identity)
    }

    fn buffer(&self) -> Result<(std::os::fd::OwnedFd, descriptors::Identity), Verdict> {
        descriptors::memory(self.ask.sample.buffer_bytes).map_err(|error| {
            // The library's leaks, or the machine's limit: either way no verdict on this rule.
            Verdict::skipped(format!("no descriptor or memory for another buffer: {error}"))
        })
    }

    fn give(
        &self,
        file: std::os::fd::OwnedFd,
        identity: descriptors::Identity,
    ) -> Result<Buffer, Verdict> {
        let number = descriptors::give_away(file);
        match self.target()?.register_buffer(number) {
            code if code < 0 => {
                Err(self.broken("register.accepts", format!("register_buffer returned {code}")))
            }
            handle => Ok(Buffer { handle, number, identity }),
        }
    }

    /// Makes the sample request; its header lives for ever.
    pub fn request_sample(&self, handle: i32) -> Result<(), Verdict> {
        let sample = &self.ask.sample;
        self.target()?.request(sample.req_id, self.header(), handle);
        Ok(())
    }

    /// The sample's header, which is never freed.
    pub fn header(&self) -> &'static [u8] {
        witness::for_ever(&self.ask.sample.header)
    }

    /// The sample's answers since `mark`, once one has come or the time is over.
    pub fn await_answer(&self, mark: usize, patience: Duration) -> Vec<Answer> {
        witness::wait(mark, 1, patience)
    }

    fn start_working(&self) -> Result<Working, Verdict> {
        let buffer = self.register()?;
        self.blame("request.survives", "in a request, or soon after it");
        let mark = witness::mark();
        let start = Instant::now();
        self.request_sample(buffer.handle)?;
        let took = start.elapsed();
        let patience = if self.ask.sample.is_answered { self.patience() } else { A_WHILE };
        let answers = self.await_answer(mark, patience);
        Ok(Working { buffer, answers, took })
    }

    /// Sees whether the library still works: makes another request and waits for its answer, as far as
    /// it answers at all. What is broken by now breaks the rule that is looked at.
    pub fn settle(&self, working: &Working) -> Result<(), Verdict> {
        let mark = witness::mark();
        self.request_sample(working.buffer.handle)?;
        let patience = if working.is_answered() { self.patience() } else { A_WHILE };
        let answers = self.await_answer(mark, patience);
        if working.is_answered() && answers.is_empty() {
            return Err(Verdict::fail(format!(
                "the library answers no more: the next request has no answer after {:?}",
                self.patience()
            )));
        }
        Ok(())
    }

    /// Lets the library catch up, in the midst of many requests.
    pub fn breathe(&self, working: &Working) -> Result<(), Verdict> {
        if working.is_answered() {
            return self.settle(working);
        }
        std::thread::sleep(Duration::from_millis(1));
        Ok(())
    }
}
