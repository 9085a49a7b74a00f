//! One connection, from the moment at which it was accepted.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use cami_link::{Deadline, Link, Peer, ProcessFd, SendError, seqpacket_pair};
use cami_spawn::{Command, spawn};
use cami_wire::control::{Died, FromMonitor, Refused};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

/// A client.
#[derive(Debug)]
pub struct Client {
    pub peer: Peer,
    /// It is the control socket of the client's monitor, once there is one.
    pub connection: Link,
    /// The client's process, to see its end though others hold copies of its connection.
    pub process: Option<ProcessFd>,
    pub state: State,
}

/// How far it has come.
#[derive(Debug)]
pub enum State {
    /// It has to say who it is until then.
    Greeting(Deadline),
    /// It has a host.
    Served(Host),
}

/// The host of one client.
#[derive(Debug)]
pub struct Host {
    pub monitor: ProcessFd,
    /// The client has left, and the monitor has to end until then.
    pub ends_by: Option<Deadline>,
    /// We killed it, and have said why.
    pub killed: bool,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client ({})", self.peer)
    }
}

impl Client {
    /// Its host, if it has one.
    pub fn host(&mut self) -> Option<&mut Host> {
        match &mut self.state {
            State::Served(host) => Some(host),
            State::Greeting(_) => None,
        }
    }

    /// Sends what the socket takes at once. A client that does not read, or is gone, is not told.
    pub fn tell(&self, message: &FromMonitor, fd: Option<&OwnedFd>) -> bool {
        let fd = fd.map(AsFd::as_fd);
        let bytes = message.encode();
        match self.connection.send(&[IoSlice::new(&bytes)], fd.as_slice(), Duration::ZERO) {
            Ok(_) => true,
            Err(SendError::Closed) => false,
            Err(error) => {
                log::warn!("{self}: cannot be told: {error}");
                false
            }
        }
    }

    /// Says why it is not served: to itself, and where `logged` to the log.
    pub fn refuse(&self, errno: Errno, reason: &str, logged: bool) {
        log::log!(
            if logged { log::Level::Warn } else { log::Level::Debug },
            "{self}: refused: {reason}"
        );
        let refused = Refused { errno: -(errno as i32), reason: reason.to_owned() };
        self.tell(&FromMonitor::Refused(refused), None);
    }

    /// Kills its host and tells it why: its link ends with the vendor process.
    pub fn end(&mut self, reason: &str) {
        let State::Served(host) = &mut self.state else { return };
        if host.killed {
            return;
        }
        host.killed = true;
        let died = Died { signal: SIGKILL, exit_code: 0, cause: reason.to_owned() };
        self.tell(&FromMonitor::Died(died), None);
        if let State::Served(host) = &self.state {
            host.monitor.kill();
        }
        log::info!("{self}: its host is ended: {reason}");
    }

    /// Makes the link and starts its host. The client's end of the link is on its way before the
    /// monitor can say a word.
    ///
    /// # Errors
    /// What is to be said to the client.
    pub fn start(&mut self, executable: &Path, module: &str) -> Result<(), (Errno, String)> {
        let lacking = |what: &str| {
            let what = what.to_owned();
            move |errno: Errno| (errno, format!("the service cannot make {what}: {}", errno.desc()))
        };
        let (near, far) = seqpacket_pair().map_err(lacking("the link"))?;
        if !self.tell(&FromMonitor::Link, Some(&near)) {
            return Err((Errno::ECONNRESET, "it left before it was served".to_owned()));
        }
        drop(near);
        let command = Command {
            host: executable,
            module: Path::new(module),
            link: far.as_fd(),
            control: self.connection.as_fd(),
            environment: &cami_spawn::environment(true),
        };
        let pid = spawn(&command).map_err(|errno| {
            (errno, format!("{} cannot be started: {}", executable.display(), errno.desc()))
        })?;
        // It is our child and nobody but us reaps: the number is its own.
        let monitor = ProcessFd::open(pid.as_raw()).map_err(|errno| {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            let _ = nix::sys::wait::waitpid(pid, None);
            lacking("a pidfd of the host")(errno)
        })?;
        log::info!("{self}: {module}, served by process {pid}");
        self.state = State::Served(Host { monitor, ends_by: None, killed: false });
        Ok(())
    }

    /// Reaps a monitor that has ended. A death without a word of its own is told to the client.
    pub fn bury(&self) {
        let State::Served(host) = &self.state else { return };
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
        match waitid(Id::PIDFd(host.monitor.as_fd()), flags) {
            Ok(WaitStatus::Signaled(_, signal, _)) if !host.killed => {
                let cause = format!("the monitor was killed by {}", signal.as_str());
                log::error!("{self}: {cause}");
                let died = Died { signal: signal as i32, exit_code: 0, cause };
                self.tell(&FromMonitor::Died(died), None);
            }
            Ok(WaitStatus::Exited(_, code)) => {
                log::info!("{self}: its host ended with exit code {code}");
            }
            _ => log::info!("{self}: its host ended"),
        }
    }
}

const SIGKILL: i32 = nix::sys::signal::Signal::SIGKILL as i32;
