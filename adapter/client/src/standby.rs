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
///
/// Its number was never given back while it is our child; a HAL that reaps all children may have
/// made it free for another, which is not called like a host.
pub(crate) fn reap(pid: Pid) {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if !comm.starts_with("cros_ipa") {
        return;
    }
    // The control socket is not ours any more: an unconnected one takes its place.
    let Ok((control, _)) = seqpacket_pair() else { return };
    let Ok(control) = own_control(control) else { return };
    match Host::adopt(pid, control) {
        Ok(host) => drop(host.end(END_PATIENCE)),
        Err(Errno::ECHILD | Errno::ESRCH) => {}
        Err(errno) => log::debug!("the second host cannot be reaped: {errno}"),
    }
}

/// A receive buffer for control messages that may bring a standby.
pub(crate) fn control_inbox() -> Inbox {
    Inbox::new(crate::host::CONTROL_BYTES, STANDBY_FDS)
}
