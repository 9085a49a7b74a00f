//! The socket between monitor and vendor process while the sandbox is built.
//!
//! | message | from | is |
//! |---|---|---|
//! | plan | monitor | the sandbox to build, as JSON |
//! | account | vendor process | what came of each layer, as JSON; its number comes with it |
//! | go | monitor | one byte: it has seen the sandbox stand, and traces us, or knows that it cannot |
//! | end | first process of the PID namespace | the vendor process's wait status, four bytes |
//!
//! The vendor process closes its end before anything of the vendor's runs.

use std::io::{IoSliceMut, Result};
use std::os::fd::{AsRawFd, OwnedFd};

use cami_sandbox::Plan;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials, recv,
    recvmsg, setsockopt, socketpair, sockopt,
};

/// Ten layers with a sentence each fit many times over.
const MAX_ACCOUNT_BYTES: usize = 16 << 10;

/// What the monitor hears.
#[derive(Debug)]
pub enum Heard {
    /// What came of each layer, and the vendor process's number in our PID namespace.
    Account(Vec<u8>, i32),
    /// The vendor process has ended, with this wait status.
    End(i32),
    /// Nobody is left at the other end.
    Closed,
}

/// Both ends: the monitor's and the vendor process's.
///
/// # Errors
/// What `socketpair` says.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let (monitor, vendor) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    // The kernel says who speaks, by the number that we know them by.
    setsockopt(&monitor, sockopt::PassCred, &true)?;
    Ok((monitor, vendor))
}

/// The monitor's: sends the plan.
///
/// # Errors
/// What `write` says, and a plan that does not fit.
pub fn send_plan(line: &OwnedFd, plan: &Plan) -> Result<()> {
    let json = serde_json::to_vec(plan).map_err(std::io::Error::other)?;
    nix::unistd::write(line, &json)?;
    Ok(())
}

/// The vendor process's: waits for the plan.
///
/// # Errors
/// What `recv` says, `ESRCH` if the monitor is gone, and a plan that is none.
pub fn receive_plan(line: &OwnedFd) -> Result<Plan> {
    // The size first; the monitor is trusted, and the kernel's buffer bounds it.
    let look = MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC;
    let mut json = vec![0; recv(line.as_raw_fd(), &mut [], look)?];
    match recv(line.as_raw_fd(), &mut json, MsgFlags::empty())? {
        0 => Err(Errno::ESRCH.into()),
        _ => serde_json::from_slice(&json).map_err(std::io::Error::other),
    }
}

/// The vendor process's: gives its account and waits until the monitor has looked.
///
/// # Errors
/// What `write` and `read` say, `ESRCH` if the monitor is gone.
pub fn give_account(line: &OwnedFd, json: &[u8]) -> Result<()> {
    nix::unistd::write(line, json)?;
    match nix::unistd::read(line, &mut [0])? {
        0 => Err(Errno::ESRCH.into()),
        _ => Ok(()),
    }
}

/// The monitor's: lets the vendor process go on.
///
/// # Errors
/// What `write` says.
pub fn go(line: &OwnedFd) -> Result<()> {
    nix::unistd::write(line, &[1])?;
    Ok(())
}

/// The monitor's: what is there, without waiting; `EAGAIN` if nothing is.
///
/// # Errors
/// What `recvmsg` says.
pub fn hear(line: &OwnedFd) -> Result<Heard> {
    let mut bytes = vec![0; MAX_ACCOUNT_BYTES];
    let mut space = nix::cmsg_space!(UnixCredentials);
    let (count, sender) = {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(line.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
        let sender = message.cmsgs().ok().and_then(|mut messages| {
            messages.find_map(|message| match message {
                ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
                _ => None,
            })
        });
        (message.bytes, sender)
    };
    bytes.truncate(count);
    if let Ok(status) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Ok(Heard::End(i32::from_ne_bytes(status)));
    }
    match (count, sender) {
        (0, _) => Ok(Heard::Closed),
        (_, Some(pid)) if pid > 0 => Ok(Heard::Account(bytes, pid)),
        _ => Err(Errno::EPROTO.into()),
    }
}
