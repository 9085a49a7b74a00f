//! One request after the other, each with its answer.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::CameraAlgorithm;
use cami_ipu3::sequence::BadAnswer;
use cami_ipu3::{Command, HEADER, STATUS_OK};

use super::answers::{Answers, NoAnswer};
use super::kills::KillClock;
use crate::latency::Latencies;

/// How long the HAL waits for an answer (the same section).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes requests of a library.
pub struct Requester {
    library: Box<dyn CameraAlgorithm>,
    answers: Arc<Answers>,
    /// From request to callback.
    pub latencies: Latencies,
    /// Kills that the answers are to tell of.
    pub kills: Arc<KillClock>,
    requests: u64,
    unanswered: u64,
}

impl fmt::Debug for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requester").field("requests", &self.requests).finish_non_exhaustive()
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
    /// No answer came.
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
                write!(f, "{command} got no answer in {} s", ANSWER_TIMEOUT.as_secs())
            }
            Cause::Status(status) => write!(f, "{command} was answered with status {status}"),
            Cause::Answer(bad) => write!(f, "{command} was answered with nonsense: {bad}"),
            Cause::Buffer(error) => write!(f, "the buffer of {command} cannot be used: {error}"),
        }
    }
}

impl Requester {
    /// Makes requests of `library`, whose callbacks go to `answers`.
    pub fn new(library: Box<dyn CameraAlgorithm>, answers: Arc<Answers>) -> Self {
        Self {
            library,
            answers,
            latencies: Latencies::default(),
            kills: Arc::default(),
            requests: 0,
            unanswered: 0,
        }
    }

    /// The library, for all but requests.
    pub fn library(&self) -> &dyn CameraAlgorithm {
        &*self.library
    }

    /// Where the callbacks go.
    pub fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// How many requests were made.
    pub fn count(&self) -> u64 {
        self.requests
    }

    /// How many requests were never answered.
    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// Makes a request and waits for success.
    pub fn request(&mut self, command: Command, buffer_handle: i32) -> Result<(), RequestError> {
        let failed = |cause| Err(RequestError { command, cause });
        self.answers.expect(command.number(), buffer_handle);
        self.requests += 1;
        let start = Instant::now();
        self.library.request(command.number(), &HEADER, buffer_handle);
        match self.answers.wait(ANSWER_TIMEOUT) {
            Ok(answer) => {
                self.latencies.push(answer.at.saturating_duration_since(start));
                self.kills.answered(start, answer.at);
                if answer.status == STATUS_OK {
                    Ok(())
                } else {
                    failed(Cause::Status(answer.status))
                }
            }
            Err(no_answer) => {
                self.unanswered += 1;
                failed(match no_answer {
                    NoAnswer::Lost => Cause::Lost,
                    NoAnswer::TimedOut => Cause::NoAnswer,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cami_abi::Callbacks;
    use std::os::fd::OwnedFd;

    /// Calls back from inside `request` with a status, or announces its end.
    struct Inline {
        answers: Arc<Answers>,
        status: Option<u32>,
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
            match self.status {
                Some(status) => self.answers.returned(req_id, status, buffer_handle),
                None => self.answers.notify(1),
            }
        }
        fn deregister_buffers(&self, _: &[i32]) {}
        fn update_return(&self, _: u32, _: u32, _: Option<OwnedFd>) {}
        fn deinitialize(&self) {}
    }

    fn request(status: Option<u32>) -> (Requester, Result<(), RequestError>) {
        let answers = Answers::new();
        let library = Inline { answers: Arc::clone(&answers), status };
        let mut requester = Requester::new(Box::new(library), answers);
        let result = requester.request(Command::AeRun, 5);
        (requester, result)
    }

    #[test]
    fn an_answer_is_timed_and_its_status_counts() {
        let (requester, result) = request(Some(0));
        assert!(result.is_ok());
        assert_eq!((requester.count(), requester.latencies.len()), (1, 1));
        let (_, result) = request(Some(1));
        let text = result.expect_err("a failure").to_string();
        assert_eq!(text, "AIQ_AE_RUN (8) was answered with status 1");
    }

    #[test]
    fn a_loss_is_named() {
        let (requester, result) = request(None);
        let error = result.expect_err("a loss");
        assert!(matches!(error.cause, Cause::Lost));
        assert!(error.to_string().contains("IPC_ERROR"), "{error}");
        assert_eq!(requester.latencies.len(), 0);
    }
}
