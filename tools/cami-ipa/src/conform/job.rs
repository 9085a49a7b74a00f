//! One rule, looked at in a process of its own: this program again, which is then the client of a host.
//!
//! The library never runs in this program: it runs in the host's vendor process, in its sandbox. The
//! program between is there because a host's configuration is its client's environment, and because
//! whatever a library does to its client ends with it.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use cami_conform::{Ask, Profile, Rule, Seen, VARIABLE, Verdict};
use serde::{Deserialize, Serialize};

use super::options::Surroundings;
use super::{ipu3, outside};
use crate::failure::Failure;
use crate::outputs::Output;
use crate::status::human::printable;

/// The command behind which a [`Job`] stands; not for people.
pub const COMMAND: &str = "conform-one";

/// Lines of the log that are kept with a result.
const MAX_LOG_LINES: usize = 40;
/// Bytes of it that are read: a library may print as much as it likes.
const MAX_LOG_BYTES: usize = 1 << 20;
/// What a rule may take beyond its library's deadlines: some make a host three times.
const ALLOWANCE: u32 = 6;

/// What the process is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// What the guest is asked; its rule is the job's.
    pub ask: Ask,
    /// `libcam_algo_conform.so`.
    pub guest: PathBuf,
    /// The tuning file, for a session.
    pub tuning: Option<PathBuf>,
    /// The deadline of each of the library's calls.
    pub deadline: Duration,
}

/// What it says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Done {
    /// The result.
    Verdict(Verdict),
    /// There is none, and it is not the library's fault.
    Environment(String),
}

/// A result with its circumstances.
#[derive(Debug)]
pub struct Looked {
    /// The result.
    pub done: Done,
    /// The last lines of the log: the host's, and what the library printed.
    pub log: Vec<String>,
}

impl Job {
    /// Does it in a process of its own.
    pub fn look(&self, rule: &Rule, surroundings: &Surroundings) -> Result<Looked, Failure> {
        let failed = |error: std::io::Error| {
            Failure::environment(format!("this program cannot be started again: {error}"))
        };
        let job = serde_json::to_string(self)
            .map_err(|error| Failure::environment(format!("the job: {error}")))?;
        let program = std::env::current_exe().map_err(failed)?;
        let mut process = Process::new(program);
        process.args([COMMAND, &job]).stdin(Stdio::null());
        process.stdout(Stdio::piped()).stderr(Stdio::piped());
        let variables = (rule.seen == Seen::Beside).then(|| (VARIABLE, self.ask.encode()));
        surroundings.configure(&mut process, self.deadline, variables);
        let mut child = process.spawn().map_err(failed)?;
        let (said, log) = self.follow(&mut child);
        let _ = child.wait();
        let done = match said {
            Some(said) => serde_json::from_slice(&said).unwrap_or_else(|_| {
                let last = log.last().map_or("it said nothing", String::as_str);
                Done::Environment(format!("the process that looked at {} ended: {last}", rule.id))
            }),
            None => Done::Environment(format!("looking at {} did not come to an end", rule.id)),
        };
        Ok(Looked { done, log })
    }

    /// What it says, and the log; `None` where it takes too long, and is ended.
    fn follow(&self, child: &mut Child) -> (Option<Vec<u8>>, Vec<String>) {
        let (sender, receiver) = mpsc::channel();
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for (index, pipe) in pipes.into_iter().enumerate() {
            let Some(mut pipe) = pipe else { continue };
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut kept = Vec::new();
                let _ = pipe.by_ref().take(MAX_LOG_BYTES as u64).read_to_end(&mut kept);
                // Whatever comes more is read, so that nobody waits for us.
                let _ = std::io::copy(&mut pipe, &mut std::io::sink());
                let _ = sender.send((index, kept));
            });
        }
        drop(sender);
        let limit = self.deadline.saturating_mul(ALLOWANCE).saturating_add(Duration::from_secs(30));
        let (mut said, mut log) = (None, Vec::new());
        // Standard error is open for as long as the host lives, and so its end is the end of all.
        for _ in 0..2 {
            match receiver.recv_timeout(limit) {
                Ok((0, bytes)) => said = Some(bytes),
                Ok((_, bytes)) => log = lines(&bytes),
                Err(_) => {
                    // The host sees its client's end, and ends.
                    let _ = child.kill();
                    return (None, log);
                }
            }
        }
        (said, log)
    }
}

/// The last lines, without what a terminal would obey.
fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let all: Vec<String> = text.lines().map(printable).collect();
    all.into_iter().rev().take(MAX_LOG_LINES).rev().collect()
}

/// The process's own part: looks at the job's rule and says what was seen.
pub fn run(job: &str) -> Result<(), Failure> {
    let job: Job = serde_json::from_str(job)
        .map_err(|error| Failure::usage(format!("{COMMAND} is not for people: {error}")))?;
    super::log::install();
    let done = match cami_conform::find(&job.ask.rule) {
        None => Done::Environment(format!("there is no rule {}", job.ask.rule)),
        Some(rule) if rule.profile == Profile::IntelIpu3 => ipu3::look(&job),
        Some(rule) => match rule.seen {
            Seen::Beside => super::beside::look(&job),
            Seen::Outside => outside::look(&job),
            Seen::File => Done::Environment(format!("{} is seen without a process", rule.id)),
        },
    };
    let text = serde_json::to_string(&done)
        .map_err(|error| Failure::environment(format!("the result: {error}")))?;
    Output::print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_its_last_lines_without_control_characters() {
        let mut text = String::new();
        for number in 0..100 {
            text.push_str(&format!("\x1b[31mline {number}\n"));
        }
        let lines = lines(text.as_bytes());
        assert_eq!(lines.len(), MAX_LOG_LINES);
        assert_eq!(lines.last().map(String::as_str), Some("\u{fffd}[31mline 99"));
    }
}
