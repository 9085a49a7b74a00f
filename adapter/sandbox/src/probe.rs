//! The trial: a short-lived child builds the whole sandbox, and we look at it.
//!
//! For where the vendor process itself could not build all of it (it is started with all layers, and
//! is expendable until its library is opened), and for `cami-ipa doctor`.
//!
//! One child is enough where everything engages. A layer that fails, or that the child dies of, is
//! left out with its reason, and another child tries the rest: layers depend on each other, so what
//! engaged before must be seen to do so without it. The child is what an outer filter kills, not
//! the caller.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe2};

use crate::apply::{Outcomes, Step};
use crate::layer::{Layer, LayerError};
use crate::plan::Plan;
use crate::reason;
use crate::report::Report;
use crate::system::network_is_down;
use crate::verify::{Subject, check};

/// How long one child may take: it is done within two milliseconds, and a file system that does not
/// answer must not hold the host up for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// Finds out which layers of `plan` engage here, and why the others do not. The caller has one
/// thread; its memory, descriptors and privileges stay as they are.
#[must_use]
pub fn probe(plan: &Plan) -> Report {
    let mut plan = plan.clone();
    let mut report = Report::expected(plan.layers);
    // Each round but the last takes a layer away.
    for _ in 0..=Layer::ALL.len() {
        match round(&plan, &mut report) {
            Ok(()) => break,
            Err(Failed { layer, why }) => {
                plan.layers = plan.layers.without(layer);
                report.fail(layer, why);
                // As libcamera's worker does it before it starts us.
                if layer == Layer::Net && network_is_down() {
                    report.inherit(layer, "inherited: no interface is up");
                }
            }
        }
    }
    report
}

struct Failed {
    layer: Layer,
    why: String,
}

/// One child. Fails with the first layer that does; a report with other layers marked as missing is
/// complete all the same.
fn round(plan: &Plan, report: &mut Report) -> Result<(), Failed> {
    let mut child = match Child::start(plan) {
        Ok(child) => child,
        // Without a child nothing was tried, and nothing may be claimed.
        Err(errno) => {
            for layer in plan.layers.iter() {
                report.fail(layer, format!("no trial could be made: {}", errno.desc()));
            }
            return Ok(());
        }
    };
    let mut outcomes = Outcomes::new();
    let mut trying = None;
    while let Some(step) = child.next() {
        match step {
            Step::Trying(layer) => trying = Some(layer),
            Step::Done(layer, Err(error)) => {
                return Err(Failed { layer, why: reason::explain(layer, &error) });
            }
            Step::Done(layer, outcome) => {
                trying = None;
                outcomes.push(layer, outcome);
            }
            Step::Ready => {
                check(child.pid.as_raw(), Subject::Trial, &outcomes, report);
                return Ok(());
            }
        }
    }
    // It ended, or said nothing for too long.
    let layer = trying.or_else(|| plan.layers.iter().find(|layer| outcomes.of(*layer).is_none()));
    let Some(layer) = layer else { return Ok(()) };
    let why = match child.end() {
        Some(WaitStatus::Signaled(_, Signal::SIGSYS, _)) => reason::killed_for(layer),
        Some(WaitStatus::Signaled(_, Signal::SIGKILL, _)) => {
            "trying it does not end (or an outer filter kills for it)".to_owned()
        }
        other => format!("the process that tried it ended ({other:?})"),
    };
    Err(Failed { layer, why })
}

/// A child that builds the sandbox and then waits to be looked at.
struct Child {
    pid: Pid,
    steps: BufReader<File>,
    deadline: Instant,
    /// Its end is the child's.
    _leash: OwnedFd,
    reaped: bool,
}

impl Child {
    fn start(plan: &Plan) -> Result<Self, Errno> {
        let (steps, witness) = pipe2(OFlag::O_CLOEXEC)?;
        let (leash_end, leash) = pipe2(OFlag::O_CLOEXEC)?;
        // SAFETY: the caller has one thread, and the child ends by `_exit`.
        match unsafe { fork() }? {
            ForkResult::Child => {
                drop((steps, leash));
                let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
                try_all(plan, witness, leash_end);
                // SAFETY: _exit has no preconditions.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => Ok(Self {
                pid: child,
                steps: BufReader::new(File::from(steps)),
                deadline: Instant::now() + PATIENCE,
                _leash: leash,
                reaped: false,
            }),
        }
    }

    /// What it says next; `None` at its end, or when it takes too long.
    fn next(&mut self) -> Option<Step> {
        if self.steps.buffer().is_empty() && !self.is_readable() {
            return None;
        }
        let mut line = String::new();
        // A step is one write of less than a pipe's atomic size: no line comes in halves.
        self.steps.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }

    fn is_readable(&self) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let mut fds = [PollFd::new(self.steps.get_ref().as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, timeout).is_ok_and(|ready| ready > 0)
    }

    /// How it ended; it is killed if it has not.
    fn end(&mut self) -> Option<WaitStatus> {
        if self.reaped {
            return None;
        }
        self.reaped = true;
        if !self.has_ended() {
            let _ = kill(self.pid, Signal::SIGKILL);
        }
        waitpid(self.pid, Some(WaitPidFlag::__WALL)).ok()
    }

    /// Its end of the pipe is closed by its death alone, which then takes no time.
    fn has_ended(&self) -> bool {
        let mut fds = [PollFd::new(self.steps.get_ref().as_fd(), PollFlags::empty())];
        let waited = poll(&mut fds, PollTimeout::ZERO);
        let [found] = fds;
        waited.is_ok_and(|_| {
            found.revents().is_some_and(|events| events.contains(PollFlags::POLLHUP))
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// In the child: everything, in the vendor process's order.
fn try_all(plan: &Plan, witness: OwnedFd, leash: OwnedFd) {
    let mut outcomes = Outcomes::witnessed(File::from(witness));
    plan.enter(&mut outcomes);
    if outcomes.check().is_err() {
        return;
    }
    if plan.layers.has(Layer::Pid) {
        // The namespace lives as soon as it has a first process.
        // SAFETY: this process has one thread, and the child ends at once.
        match unsafe { fork() } {
            // SAFETY: _exit has no preconditions.
            Ok(ForkResult::Child) => unsafe { libc::_exit(0) },
            Ok(ForkResult::Parent { child }) => drop(waitpid(child, None)),
            Err(errno) => {
                return outcomes.told(Layer::Pid, Err(LayerError::new("fork", errno)));
            }
        }
    }
    plan.confine(&mut outcomes);
    outcomes.tell(&Step::Ready);
    // Until we have been looked at.
    let _ = File::from(leash).read(&mut [0]);
}
