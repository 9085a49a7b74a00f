//! A second host that is kept warm (`standby = true`): its library is loaded and sandboxed, not
//! initialised.
//!
//! It is a child of this process like any other host, but its sockets are in the keeping of the
//! first host's monitor, so that it costs the HAL no descriptor: the monitor sends them back when
//! its vendor process has died. Where the monitor itself dies, the second host sees its sockets
//! close and ends, and one is started from scratch.

use std::fs;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use cami_link::{Inbox, Link, ProcessFd, seqpacket_pair};
use cami_wire::control::{FromClient, Standby};
use cami_wire::cros::{Init, PROTOCOL_VERSION, Settings};
use nix::errno::Errno;
use nix::unistd::Pid;

use crate::host::{END_PATIENCE, Host};
use crate::journal::Journal;
use crate::reader::Reader;
use crate::session::{FIRST_COOKIE, Session};
use crate::source::{Launched, own_control, own_link};

/// Descriptors of a standby: link, control, and the monitor's pidfd, which a host of the service
/// does not have.
pub(crate) const STANDBY_FDS: usize = 3;

/// A standby that its keeper has sent back.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) link: Link,
    pub(crate) host: Host,
}

impl Returned {
    /// The descriptors in the order in which they were given away.
    pub(crate) fn from_parts(standby: Standby, fds: Vec<OwnedFd>) -> Option<Self> {
        let mut fds = fds.into_iter();
        let (link, control) = (fds.next()?, fds.next()?);
        let link = own_link(link).ok()?;
        let control = own_control(control).ok()?;
        let host = match fds.next() {
            Some(monitor) => Host::of_process(ProcessFd::from_fd(monitor, standby.pid), control),
            None => Host::of_service(control),
        };
        Some(Self { link, host })
    }
}

impl Reader {
    /// Starts a second host, tells it to load its library, and gives it away.
    pub(crate) fn stand_by(&self, session: &Session, journal: &Journal) {
        let Launched { link, host } = match journal.source.launch_now() {
            Ok(launched) => launched,
            Err(error) => return log::warn!("there is no second host to stand by: {}", error.line),
        };
        // Its answers wait in the sockets until it is needed.
        let client = self.options.module.file_name().unwrap_or_default().to_string_lossy();
        let settings = Settings { protocol_version: PROTOCOL_VERSION, client: client.into_owned() };
        let init = Init { settings }.encode(FIRST_COOKIE);
        let sent = link.send(&[IoSlice::new(&init)], &[], Duration::ZERO);
        let pid = host.monitor_pid();
        let mut fds = vec![link.as_fd(), host.control.as_fd()];
        fds.extend(host.monitor_fd());
        let keep = FromClient::Keep(Standby { pid: pid.map_or(0, Pid::as_raw) }).encode();
        let given = session.host.control.send(&[IoSlice::new(&keep)], &fds, Duration::ZERO);
        if let Some(pid) = pid {
            journal.set_standby(pid);
        }
        drop(fds);
        drop((link, host));
        if session.is_over() {
            // Whoever ended it may have looked for a standby before there was one.
            session.reap_standby();
        }
        match (sent, given) {
            (Ok(_), Ok(_)) => log::debug!("a second host stands by"),
            (Err(error), _) | (_, Err(error)) => {
                log::warn!("there is no second host to stand by: {error}");
            }
        }
    }
}

/// Reaps a standby that was not needed: it ends when its keeper does.
pub(crate) fn reap(pid: Pid) {
    reap_by(Path::new("/proc"), pid);
}

/// Its number was never given back while it is our child. A HAL that reaps all children may have made
/// it free for another, which is not called like a host; where no /proc says how it is called, it is
/// not killed, but reaped if it has ended.
fn reap_by(proc: &Path, pid: Pid) {
    let comm = fs::read_to_string(proc.join(pid.to_string()).join("comm"));
    if comm.as_ref().is_ok_and(|comm| !comm.starts_with("cros_ipa")) {
        return;
    }
    // The control socket is not ours any more: an unconnected one takes its place.
    let Ok((control, _)) = seqpacket_pair() else { return };
    let Ok(control) = own_control(control) else { return };
    match Host::adopt(pid, control) {
        Ok(host) if comm.is_ok() => drop(host.end(END_PATIENCE)),
        Ok(host) => host.reap_if_ended(END_PATIENCE),
        Err(Errno::ECHILD | Errno::ESRCH) => {}
        Err(errno) => log::debug!("the second host cannot be reaped: {errno}"),
    }
}

/// A receive buffer for control messages that may bring a standby.
pub(crate) fn control_inbox() -> Inbox {
    Inbox::new(crate::host::CONTROL_BYTES, STANDBY_FDS)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use nix::errno::Errno;
    use nix::sys::wait::waitpid;
    use nix::unistd::Pid;

    use super::reap_by;

    fn child(program: &str) -> (Pid, std::process::Child) {
        let child = Command::new(program).stdin(std::process::Stdio::piped()).spawn().unwrap();
        (Pid::from_raw(i32::try_from(child.id()).unwrap()), child)
    }

    #[test]
    fn standby_that_ended_is_reaped_though_there_is_no_proc() {
        let (pid, _child) = child("true");
        reap_by(Path::new("/nonexistent"), pid);
        assert_eq!(waitpid(pid, None), Err(Errno::ECHILD));
    }

    #[test]
    fn process_that_is_no_host_is_left_alone() {
        // With /proc it is seen by its name, without it lives on.
        for proc in ["/proc", "/nonexistent"] {
            let (pid, mut child) = child("cat");
            reap_by(Path::new(proc), pid);
            assert_eq!(child.try_wait().unwrap(), None);
            drop(child.stdin.take());
            assert!(child.wait().unwrap().success());
        }
    }
}
