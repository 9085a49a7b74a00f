//! The host's process as its client sees it: the control socket and the monitor's pidfd.

use std::fmt;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use cami_link::sync::Mutex;
use cami_link::{Deadline, Event, Inbox, Interest, Link, ProcessFd, ReceiveError, wait};
use cami_wire::control::{
    Died, FromClient, FromMonitor, Kill, Ready, Recovery, Refused, Standby, from_monitor,
};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

use crate::standby;

/// Largest control message: two paths of 4096 bytes and a sentence.
pub(crate) const CONTROL_BYTES: usize = 16 << 10;
/// How long a monitor that was hung up on may take before it is killed. It ends at once; what it
/// may have to do first is to end what the vendor process left behind.
pub(crate) const END_PATIENCE: Duration = Duration::from_millis(100);
/// A process that SIGKILL does not end within this time sits in the kernel; it is left alone.
const KILL_PATIENCE: Duration = Duration::from_secs(1);

/// Control socket and monitor of one host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) control: Link,
    /// `None` if the monitor is the service's child, or had ended and was reaped by the HAL before
    /// its pidfd was opened.
    monitor: Option<ProcessFd>,
    /// Whether the monitor is the service's child.
    of_service: bool,
    /// A second host that the monitor kept for us, and has sent back.
    standby: Mutex<Option<(Standby, Vec<OwnedFd>)>>,
}

impl Host {
    /// Takes over the child `pid`.
    ///
    /// A HAL that ignores SIGCHLD or reaps all children may have made the number free again; a
    /// pidfd of a process that is not our child is dropped, so that nobody else is ever killed.
    pub(crate) fn adopt(pid: Pid, control: Link) -> Result<Self, Errno> {
        let monitor = match ProcessFd::open(pid.as_raw()) {
            Ok(monitor) if is_child(&monitor) => Some(monitor),
            Ok(_) | Err(Errno::ESRCH) => None,
            Err(errno) => {
                end_by_number(pid);
                return Err(errno);
            }
        };
        Ok(Self { control, monitor, of_service: false, standby: Mutex::default() })
    }

    /// A host that the service keeps; `control` is the connection to it.
    pub(crate) fn of_service(control: Link) -> Self {
        Self { control, monitor: None, of_service: true, standby: Mutex::default() }
    }

    /// A child whose pidfd has been away.
    pub(crate) fn of_process(monitor: ProcessFd, control: Link) -> Self {
        let monitor = is_child(&monitor).then_some(monitor);
        Self { control, monitor, of_service: false, standby: Mutex::default() }
    }

    /// The monitor's number, if it is our child.
    pub(crate) fn monitor_pid(&self) -> Option<Pid> {
        self.monitor.as_ref().map(|monitor| Pid::from_raw(monitor.pid()))
    }

    /// The monitor's pidfd, if it is our child.
    pub(crate) fn monitor_fd(&self) -> Option<BorrowedFd<'_>> {
        self.monitor.as_ref().map(ProcessFd::as_fd)
    }

    /// Whether our monitor has ended, or does until then. One that is not ours has nobody to ask.
    pub(crate) fn is_gone(&self, deadline: Deadline) -> bool {
        self.monitor.as_ref().is_none_or(|monitor| {
            let mut polled = [(monitor.as_fd(), Interest::Message, Event::default())];
            wait(&mut polled, Some(deadline)).is_ok_and(|events| events > 0)
        })
    }

    /// The second host, if the monitor has sent one back.
    pub(crate) fn take_standby(&self) -> Option<standby::Returned> {
        let (standby, fds) = self.standby.lock().take()?;
        standby::Returned::from_parts(standby, fds)
    }

    /// The pidfd to poll; `otherwise`, and [`Interest::None`], where there is none.
    pub(crate) fn polled<'a>(
        &'a self,
        otherwise: BorrowedFd<'a>,
    ) -> (BorrowedFd<'a>, Interest, Event) {
        match &self.monitor {
            Some(monitor) => (monitor.as_fd(), Interest::Message, Event::default()),
            None => (otherwise, Interest::None, Event::default()),
        }
    }

    /// SIGKILL to the monitor, which takes the vendor process with it. False where the monitor is
    /// the service's, which does it when we have left.
    pub(crate) fn kill(&self) -> bool {
        if let Some(monitor) = &self.monitor {
            monitor.kill();
        }
        !self.of_service
    }

    /// Whether a signal has stopped the monitor, as far as nobody else has waited for that.
    pub(crate) fn is_stopped(&self) -> bool {
        let Some(monitor) = &self.monitor else { return false };
        let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        matches!(waitid(Id::PIDFd(monitor.as_fd()), flags), Ok(WaitStatus::Stopped(..)))
    }

    /// Tells the monitor to kill the vendor process for `reason`, without waiting. A monitor that
    /// does not read is killed soon after by whoever asked for it.
    pub(crate) fn condemn(&self, reason: &str) {
        let message = Kill { reason: reason.to_owned() }.encode();
        if let Err(error) =
            self.control.send(&[std::io::IoSlice::new(&message)], &[], Duration::ZERO)
        {
            log::debug!("the monitor cannot be told to kill the vendor process: {error}");
        }
    }

    /// The next control message. Messages that make no sense are skipped: the monitor is ours, and
    /// a newer one may know more.
    pub(crate) fn listen(
        &self,
        inbox: &mut Inbox,
        deadline: Option<Deadline>,
    ) -> Result<FromMonitor, ReceiveError> {
        loop {
            let received = self.control.receive(inbox, deadline)?;
            let message = match received.command {
                from_monitor::READY => Ready::decode(received.body).map(FromMonitor::Ready),
                from_monitor::REFUSED => Refused::decode(received.body).map(FromMonitor::Refused),
                from_monitor::RECOVERY => {
                    Recovery::decode(received.body).map(FromMonitor::Recovery)
                }
                from_monitor::DIED => Died::decode(received.body).map(FromMonitor::Died),
                from_monitor::STANDBY => {
                    if let Ok(standby) = Standby::decode(received.body) {
                        *self.standby.lock() = Some((standby, received.fds.into_vec()));
                    }
                    continue;
                }
                other => Err(cami_wire::WireError::UnknownCommand(other)),
            };
            match message {
                Ok(message) => return Ok(message),
                Err(error) => log::warn!("control message of the monitor skipped: {error}"),
            }
        }
    }

    /// The monitor's word on the vendor process's death, if it comes until `deadline`.
    pub(crate) fn last_words(&self, inbox: &mut Inbox, deadline: Deadline) -> Option<Died> {
        loop {
            match self.listen(inbox, Some(deadline)) {
                Ok(FromMonitor::Died(died)) => return Some(died),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// Reaps the monitor if it has ended, or does within `patience`, without doing anything to it.
    pub(crate) fn reap_if_ended(&self, patience: Duration) {
        if let Some(monitor) = self.monitor.as_ref().filter(|monitor| ended(monitor, patience)) {
            let _ = reap(monitor);
        }
    }

    /// Ends the monitor and reaps it: asks by hanging up, waits for `patience`, then kills. It ends
    /// the vendor process before it exits, and the kernel does so if it is killed.
    pub(crate) fn end(&self, patience: Duration) -> Ending {
        if self.of_service {
            // The socket closes with the session, which a thread of the HAL may still hold.
            let leave = FromClient::Leave.encode();
            let _ = self.control.send(&[std::io::IoSlice::new(&leave)], &[], Duration::ZERO);
        }
        self.control.shutdown();
        if self.of_service {
            return Ending::OfService;
        }
        let Some(monitor) = &self.monitor else { return Ending::Unknown };
        if !ended(monitor, patience) {
            monitor.kill();
            if !ended(monitor, KILL_PATIENCE) {
                log::warn!("the host (process {}) does not end on SIGKILL", monitor.pid());
                return Ending::Unknown;
            }
        }
        reap(monitor)
    }
}

/// How the monitor's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With an exit code.
    Exited(i32),
    /// By a signal.
    Signalled(&'static str),
    /// Somebody else reaped it.
    Unknown,
    /// It is the service's child, and its log says how.
    OfService,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Signalled(name) => write!(f, "killed by {name}"),
            Self::Unknown => f.write_str("its exit status was collected by somebody else"),
            Self::OfService => f.write_str("the log of the service says how"),
        }
    }
}

/// For want of a pidfd. The number is used only as long as it is an unreaped child's.
fn end_by_number(pid: Pid) {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    if waitid(Id::Pid(pid), flags).is_ok() {
        // Errors say that it is gone already.
        let _ = kill(pid, Signal::SIGKILL);
        let _ = waitpid(pid, None);
    }
}

fn ended(process: &ProcessFd, patience: Duration) -> bool {
    let mut polled = [(process.as_fd(), Interest::Message, Event::default())];
    let deadline = Some(Deadline::after(patience));
    wait(&mut polled, deadline).is_ok_and(|events| events > 0)
}

fn is_child(process: &ProcessFd) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    waitid(Id::PIDFd(process.as_fd()), flags).is_ok()
}

fn reap(process: &ProcessFd) -> Ending {
    match waitid(Id::PIDFd(process.as_fd()), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
        Ok(WaitStatus::Exited(_, code)) => Ending::Exited(code),
        Ok(WaitStatus::Signaled(_, signal, _)) => Ending::Signalled(signal.as_str()),
        _ => Ending::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_monitor_is_gone_when_it_has_ended() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let (control, _other) = UnixDatagram::pair().unwrap();
        let control = Link::from_fd(control.into()).unwrap();
        let host = Host::adopt(Pid::from_raw(i32::try_from(child.id()).unwrap()), control).unwrap();
        assert!(!host.is_gone(Deadline::now()));
        host.kill();
        assert!(host.is_gone(Deadline::after(KILL_PATIENCE)));
        child.wait().unwrap();
    }
}
