//! One request after the other, each with its answer.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::CameraAlgorithm;
use cami_ipu3::sequence::BadAnswer;
use cami_ipu3::{Command, HEADER, STATUS_OK};

use crate::answers::{Answers, NoAnswer};

/// How long answers are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Each answer for so long.
    Each(Duration),
    /// All together until then.
    Until(Instant),
}

impl Patience {
    fn deadline(self) -> Instant {
        match self {
            Self::Each(duration) => Instant::now() + duration,
            Self::Until(instant) => instant,
        }
    }
}

/// Somebody who measures.
pub trait Observer: Send {
    /// A request that was made at `made` was answered at `answered`, whatever its status.
    fn answered(&mut self, made: Instant, answered: Instant);
}

/// Makes requests of a library.
///
/// A request whose answer did not come in time stays under way: the library may still be at it. No
/// other is made before it is answered, because an answer names its request by its number alone,
/// and because its buffer is in use.
pub struct Requester {
    library: Arc<dyn CameraAlgorithm>,
    answers: Arc<Answers>,
    patience: Patience,
    observer: Option<Box<dyn Observer>>,
    under_way: Option<UnderWay>,
    requests: u64,
    unanswered: u64,
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    command: Command,
    buffer_handle: i32,
    made: Instant,
}

impl fmt::Debug for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requester")
            .field("requests", &self.requests)
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

/// Why a request, or what its answer was needed for, failed.
#[derive(Debug)]
pub struct RequestError {
    /// What was requested.
    pub command: Command,
    /// Why it failed.
    pub cause: Cause,
}

/// Causes of a failed request.
#[derive(Debug)]
pub enum Cause {
    /// The library announced that the other process is gone.
    Lost,
    /// No answer came in time.
    NoAnswer,
    /// The answer was not success.
    Status(u32),
    /// The answer has a value that cannot be.
    Answer(BadAnswer),
    /// The buffer could not be read or written.
    Buffer(io::Error),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = format!("{} ({})", self.command.name(), self.command.number());
        match &self.cause {
            Cause::Lost => {
                write!(f, "{command} got no answer: the vendor process is gone (IPC_ERROR)")
            }
            Cause::NoAnswer => {
                write!(f, "{command} got no answer in time")
            }
            Cause::Status(status) => write!(f, "{command} was answered with status {status}"),
            Cause::Answer(bad) => write!(f, "{command} was answered with nonsense: {bad}"),
            Cause::Buffer(error) => write!(f, "the buffer of {command} cannot be used: {error}"),
        }
    }
}

impl std::error::Error for RequestError {}

impl Requester {
    /// Makes requests of `library`, whose callbacks go to `answers`.
    #[must_use]
    pub fn new(
        library: Arc<dyn CameraAlgorithm>,
        answers: Arc<Answers>,
        patience: Patience,
    ) -> Self {
        Self {
            library,
            answers,
            patience,
            observer: None,
            under_way: None,
            requests: 0,
            unanswered: 0,
        }
    }

    /// Lets somebody measure.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observer = Some(observer);
    }

    /// Says how long answers are waited for from now on.
    pub fn be_patient(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// The library, for all but requests.
    #[must_use]
    pub fn library(&self) -> &Arc<dyn CameraAlgorithm> {
        &self.library
    }

    /// Where the callbacks go.
    #[must_use]
    pub fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// How many requests were made.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.requests
    }

    /// How many requests were not answered in time.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// Since when the request has been made that is not answered yet.
    #[must_use]
    pub fn under_way_since(&self) -> Option<Instant> {
        self.under_way.map(|request| request.made)
    }

    /// Whether this very request is not answered yet.
    #[must_use]
    pub fn awaits(&self, command: Command, buffer_handle: i32) -> bool {
        self.under_way.is_some_and(|request| {
            request.command == command && request.buffer_handle == buffer_handle
        })
    }

    /// Forgets what is under way: the library starts anew.
    pub fn forget(&mut self) {
        self.under_way = None;
        self.answers.forgive();
    }

    /// Waits for the answer of the request that is under way, if there is one; what it says no
    /// longer matters.
    ///
    /// # Errors
    /// [`Cause::NoAnswer`] or [`Cause::Lost`].
    pub fn settle(&mut self) -> Result<(), RequestError> {
        match self.settle_with_success() {
            Err(RequestError { cause: Cause::Status(_), .. }) => Ok(()),
            settled => settled,
        }
    }

    /// The same, and the answer must be success.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn settle_with_success(&mut self) -> Result<(), RequestError> {
        match self.under_way {
            Some(request) => self.wait(request, self.patience.deadline()),
            None => Ok(()),
        }
    }

    /// Makes a request and waits for success.
    ///
    /// # Errors
    /// [`RequestError`]; it names the request under way if that is what was waited for.
    pub fn request(&mut self, command: Command, buffer_handle: i32) -> Result<(), RequestError> {
        let deadline = self.patience.deadline();
        self.settle()?;
        self.answers.expect(command.number(), buffer_handle);
        self.requests += 1;
        let request = UnderWay { command, buffer_handle, made: Instant::now() };
        self.library.request(command.number(), &HEADER, buffer_handle);
        let answered = self.wait(request, deadline);
        if let Err(RequestError { cause: Cause::Lost | Cause::NoAnswer, .. }) = answered {
            self.unanswered += 1;
        }
        answered
    }

    fn wait(&mut self, request: UnderWay, deadline: Instant) -> Result<(), RequestError> {
        let UnderWay { command, made, .. } = request;
        let failed = |cause| Err(RequestError { command, cause });
        self.under_way = None;
        match self.answers.wait(deadline) {
            Ok(answer) => {
                if let Some(observer) = &mut self.observer {
                    observer.answered(made, answer.at);
                }
                if answer.status == STATUS_OK {
                    Ok(())
                } else {
                    failed(Cause::Status(answer.status))
                }
            }
            Err(NoAnswer::Lost) => failed(Cause::Lost),
            Err(NoAnswer::TimedOut) => {
                self.under_way = Some(request);
                failed(Cause::NoAnswer)
            }
        }
    }
}

/// Makes an error of a bad answer.
///
/// # Errors
/// [`Cause::Answer`].
pub fn checked<T>(command: Command, answer: Result<T, BadAnswer>) -> Result<T, RequestError> {
    answer.map_err(|bad| RequestError { command, cause: Cause::Answer(bad) })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use cami_abi::Callbacks;
    use cami_link::sync::Mutex;
    use std::os::fd::OwnedFd;

    /// What it does with a request, from inside `request`.
    #[derive(Clone, Copy)]
    enum Behaviour {
        Answers(u32),
        Dies,
        Waits,
    }

    struct Inline {
        answers: Arc<Answers>,
        behaviour: Mutex<Behaviour>,
        asked: Mutex<Vec<u32>>,
    }

    impl CameraAlgorithm for Inline {
        fn initialize(&self, _: Arc<dyn Callbacks>) -> i32 {
            0
        }
        fn register_buffer(&self, _: OwnedFd) -> i32 {
            1
        }
        fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
            assert_eq!(header, HEADER);
            self.asked.lock().push(req_id);
            match *self.behaviour.lock() {
                Behaviour::Answers(status) => self.answers.returned(req_id, status, buffer_handle),
                Behaviour::Dies => self.answers.notify(1),
                Behaviour::Waits => {}
            }
        }
        fn deregister_buffers(&self, _: &[i32]) {}
        fn update_return(&self, _: u32, _: u32, _: Option<OwnedFd>) {}
        fn deinitialize(&self) {}
    }

    #[derive(Clone, Default)]
    struct Count(Arc<Mutex<u32>>);

    impl Observer for Count {
        fn answered(&mut self, made: Instant, answered: Instant) {
            assert!(answered >= made);
            *self.0.lock() += 1;
        }
    }

    fn requester(behaviour: Behaviour) -> (Requester, Arc<Inline>, Count) {
        let answers = Answers::new();
        let library = Arc::new(Inline {
            answers: Arc::clone(&answers),
            behaviour: Mutex::new(behaviour),
            asked: Mutex::default(),
        });
        let patience = Patience::Each(Duration::from_millis(1));
        let mut requester = Requester::new(library.clone(), answers, patience);
        let count = Count::default();
        requester.observe(Box::new(count.clone()));
        (requester, library, count)
    }

    #[test]
    fn an_answer_is_timed_and_its_status_counts() {
        let (mut requester, _, count) = requester(Behaviour::Answers(0));
        assert!(requester.request(Command::AeRun, 5).is_ok());
        assert_eq!((requester.count(), *count.0.lock()), (1, 1));
        let (mut requester, ..) = super::tests::requester(Behaviour::Answers(1));
        let text = requester.request(Command::AeRun, 5).expect_err("a failure").to_string();
        assert_eq!(text, "AIQ_AE_RUN (8) was answered with status 1");
    }

    #[test]
    fn a_loss_is_named() {
        let (mut requester, _, count) = requester(Behaviour::Dies);
        let error = requester.request(Command::AeRun, 5).expect_err("a loss");
        assert!(matches!(error.cause, Cause::Lost));
        assert!(error.to_string().contains("IPC_ERROR"), "{error}");
        assert_eq!((*count.0.lock(), requester.unanswered()), (0, 1));
    }

    #[test]
    fn no_other_request_is_made_before_a_late_one_is_answered() {
        let (mut requester, library, _) = requester(Behaviour::Waits);
        let error = requester.request(Command::AeRun, 5).expect_err("late");
        assert!(matches!(error.cause, Cause::NoAnswer));
        assert!(requester.awaits(Command::AeRun, 5) && !requester.awaits(Command::AeRun, 6));
        let error = requester.request(Command::GbceRun, 6).expect_err("still late");
        assert_eq!(error.command, Command::AeRun);
        assert_eq!(*library.asked.lock(), [8]);

        requester.answers().returned(8, 1, 5);
        *library.behaviour.lock() = Behaviour::Answers(0);
        assert!(requester.request(Command::GbceRun, 6).is_ok(), "a late failure is no matter");
        assert_eq!(*library.asked.lock(), [8, 11]);
        assert!(requester.under_way_since().is_none());
    }
}
