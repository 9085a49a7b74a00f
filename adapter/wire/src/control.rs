//! The messages between the client and the monitor, on a socket of their own.
//!
//! The same message layer and argument packing as the link. Both directions are numbered apart,
//! nothing is answered, the cookie is always [`EVENT_COOKIE`], and no message carries file
//! descriptors but [`from_monitor::LINK`].
//!
//! A client that starts its monitor itself has made both sockets. One that connects to the service
//! (`cami-ipa serve`) says [`Hello`] on the connection, gets the link with [`from_monitor::LINK`],
//! and the connection becomes its control socket.

mod recovery;

use crate::WireError;
use crate::arguments::{Argument, join, split, word};
use crate::cros::decode_empty;
use crate::message::{EVENT_COOKIE, Header};
use crate::reader::{Reader, text};

pub use recovery::{CommandRule, Recovery, Role, command_of};

/// Numbers of the monitor's messages to the client.
pub mod from_monitor {
    /// [`super::Ready`].
    pub const READY: u32 = 1;
    /// [`super::Refused`].
    pub const REFUSED: u32 = 2;
    /// [`super::Died`].
    pub const DIED: u32 = 3;
    /// The client's end of the link, as the message's one file descriptor. From the service, once,
    /// before all others.
    pub const LINK: u32 = 4;
    /// [`super::Recovery`].
    pub const RECOVERY: u32 = 5;
    /// [`super::Standby`], with the descriptors that came with it. Sent before [`super::Died`].
    pub const STANDBY: u32 = 6;
}

/// Numbers of the client's messages to the monitor.
pub mod from_client {
    /// [`super::Kill`].
    pub const KILL: u32 = 1;
    /// [`super::Hello`].
    pub const HELLO: u32 = 2;
    /// The client leaves: end the host. Says what closing the socket says, for a client that cannot
    /// close it at once.
    pub const LEAVE: u32 = 3;
    /// [`super::Restarts`].
    pub const RESTARTS: u32 = 5;
    /// [`super::Standby`], with its link, its control socket and perhaps its monitor's pidfd: the
    /// monitor keeps them until its vendor process has died.
    pub const KEEP: u32 = 6;
    /// [`super::Resumed`].
    pub const RESUMED: u32 = 7;
}

/// The most bytes that [`Hello::module`] may have: a file name's (linux `NAME_MAX`).
pub const MAX_MODULE_BYTES: usize = 255;

/// The configuration is good and the vendor process exists. Sent once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The host's [`crate::cros::PROTOCOL_VERSION`].
    pub protocol: u32,
    /// Process id of the monitor.
    pub monitor_pid: i32,
    /// Process id of the vendor process.
    pub vendor_pid: i32,
    /// Deadline of `init` and `start` in milliseconds; 0 for none.
    pub initialize_ms: u32,
    /// Deadline of `registerBuffer` in milliseconds; 0 for none.
    pub register_ms: u32,
    /// Deadline of a request in milliseconds; 0 for none.
    pub request_ms: u32,
    /// Status with which the client answers a request that the link had no room for.
    pub overflow_status: u32,
    /// Path of the vendor library.
    pub library: String,
}

/// The configuration is wrong; the monitor exits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// A negative errno.
    pub errno: i32,
    /// One line for the log.
    pub reason: String,
}

/// The vendor process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Died {
    /// The signal that ended it; 0 if it exited.
    pub signal: i32,
    /// Its exit code, if it exited.
    pub exit_code: i32,
    /// One line for the log.
    pub cause: String,
}

/// A deadline passed: kill the vendor process and name the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// One line for the log.
    pub reason: String,
}

/// A second host, whose descriptors the first one's monitor keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standby {
    /// Process id of its monitor, in the client's eyes; 0 where that is the service's child.
    pub pid: i32,
}

/// Who a client of the service is. Its first message there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The client's [`crate::cros::PROTOCOL_VERSION`].
    pub protocol: u32,
    /// The name of the file that the client was loaded from: the section of the configuration that
    /// holds for it.
    pub module: String,
}

/// How often the client has started a host anew after a death. Sent once a host is ready, by a
/// client that counts; a cause of death then says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// Restarts before this host; 0 for a first one.
    pub count: u32,
}

/// The client has told this host again what the one before it had been told. Sent before the requests
/// that it died with are sent again. For a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// When, in nanoseconds of the monotonic clock.
    pub at_ns: u64,
}

/// Any message of the monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromMonitor {
    /// See [`Ready`].
    Ready(Ready),
    /// See [`Refused`].
    Refused(Refused),
    /// See [`Died`].
    Died(Died),
    /// See [`from_monitor::LINK`].
    Link,
    /// See [`Recovery`].
    Recovery(Recovery),
    /// See [`Standby`].
    Standby(Standby),
}

/// Any message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromClient {
    /// See [`Kill`].
    Kill(Kill),
    /// See [`Hello`].
    Hello(Hello),
    /// See [`from_client::LEAVE`].
    Leave,
    /// See [`Standby`].
    Keep(Standby),
    /// See [`Restarts`].
    Restarts(Restarts),
    /// See [`Resumed`].
    Resumed(Resumed),
}

fn message(command: u32, arguments: &[Argument<'_>]) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend_from_slice(&Header { command, cookie: EVENT_COOKIE }.encode());
    join(arguments, &mut message);
    message
}

impl FromMonitor {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ready(ready) => ready.encode(),
            Self::Refused(refused) => refused.encode(),
            Self::Died(died) => died.encode(),
            Self::Link => message(from_monitor::LINK, &[]),
            Self::Recovery(recovery) => recovery.encode(),
            Self::Standby(standby) => standby.encode(from_monitor::STANDBY),
        }
    }

    /// A whole message, header included.
    ///
    /// # Errors
    /// [`WireError::UnknownCommand`], or any [`WireError`] that names a wrong size.
    pub fn decode(message: &[u8]) -> Result<Self, WireError> {
        let (header, body) = Header::decode(message)?;
        match header.command {
            from_monitor::READY => Ready::decode(body).map(Self::Ready),
            from_monitor::REFUSED => Refused::decode(body).map(Self::Refused),
            from_monitor::DIED => Died::decode(body).map(Self::Died),
            from_monitor::LINK => decode_empty(body).map(|()| Self::Link),
            from_monitor::RECOVERY => Recovery::decode(body).map(Self::Recovery),
            from_monitor::STANDBY => Standby::decode(body).map(Self::Standby),
            other => Err(WireError::UnknownCommand(other)),
        }
    }
}

impl FromClient {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Kill(kill) => kill.encode(),
            Self::Keep(standby) => standby.encode(from_client::KEEP),
            Self::Hello(hello) => hello.encode(),
            Self::Leave => message(from_client::LEAVE, &[]),
            Self::Restarts(restarts) => restarts.encode(),
            Self::Resumed(resumed) => resumed.encode(),
        }
    }

    /// A whole message, header included.
    ///
    /// # Errors
    /// [`WireError::UnknownCommand`], or any [`WireError`] that names a wrong size.
    pub fn decode(message: &[u8]) -> Result<Self, WireError> {
        let (header, body) = Header::decode(message)?;
        match header.command {
            from_client::KILL => Ok(Self::Kill(Kill::decode(body))),
            from_client::KEEP => Standby::decode(body).map(Self::Keep),
            from_client::HELLO => Hello::decode(body).map(Self::Hello),
            from_client::LEAVE => decode_empty(body).map(|()| Self::Leave),
            from_client::RESTARTS => Restarts::decode(body).map(Self::Restarts),
            from_client::RESUMED => Resumed::decode(body).map(Self::Resumed),
            other => Err(WireError::UnknownCommand(other)),
        }
    }
}

impl Ready {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        message(
            from_monitor::READY,
            &[
                Argument::plain(&self.protocol.to_le_bytes()),
                Argument::plain(&self.monitor_pid.to_le_bytes()),
                Argument::plain(&self.vendor_pid.to_le_bytes()),
                Argument::plain(&self.initialize_ms.to_le_bytes()),
                Argument::plain(&self.register_ms.to_le_bytes()),
                Argument::plain(&self.request_ms.to_le_bytes()),
                Argument::plain(&self.overflow_status.to_le_bytes()),
                Argument::plain(self.library.as_bytes()),
            ],
        )
    }

    /// The message's body.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let [
            protocol,
            monitor_pid,
            vendor_pid,
            initialize_ms,
            register_ms,
            request_ms,
            overflow_status,
            library,
        ] = split(body, [false; 8])?.bytes;
        Ok(Self {
            protocol: u32::from_le_bytes(word(protocol)?),
            monitor_pid: i32::from_le_bytes(word(monitor_pid)?),
            vendor_pid: i32::from_le_bytes(word(vendor_pid)?),
            initialize_ms: u32::from_le_bytes(word(initialize_ms)?),
            register_ms: u32::from_le_bytes(word(register_ms)?),
            request_ms: u32::from_le_bytes(word(request_ms)?),
            overflow_status: u32::from_le_bytes(word(overflow_status)?),
            library: text(library),
        })
    }
}

impl Refused {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        message(
            from_monitor::REFUSED,
            &[Argument::plain(&self.errno.to_le_bytes()), Argument::plain(self.reason.as_bytes())],
        )
    }

    /// The message's body.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let [errno, reason] = split(body, [false; 2])?.bytes;
        Ok(Self { errno: i32::from_le_bytes(word(errno)?), reason: text(reason) })
    }
}

impl Died {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        message(
            from_monitor::DIED,
            &[
                Argument::plain(&self.signal.to_le_bytes()),
                Argument::plain(&self.exit_code.to_le_bytes()),
                Argument::plain(self.cause.as_bytes()),
            ],
        )
    }

    /// The message's body.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let [signal, exit_code, cause] = split(body, [false; 3])?.bytes;
        Ok(Self {
            signal: i32::from_le_bytes(word(signal)?),
            exit_code: i32::from_le_bytes(word(exit_code)?),
            cause: text(cause),
        })
    }
}

impl Kill {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        message(from_client::KILL, &[Argument::plain(self.reason.as_bytes())])
    }

    /// The message's body: a single argument, so nothing but the text. Every body is valid.
    #[must_use]
    pub fn decode(body: &[u8]) -> Self {
        Self { reason: text(body) }
    }
}

impl Restarts {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        message(from_client::RESTARTS, &[Argument::plain(&self.count.to_le_bytes())])
    }

    /// The message's body: a single argument, so nothing but the number.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        Ok(Self { count: u32::from_le_bytes(word(body)?) })
    }
}

impl Resumed {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        message(from_client::RESUMED, &[Argument::plain(&self.at_ns.to_le_bytes())])
    }

    /// The message's body: a single argument, so nothing but the number.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let at_ns = reader.u64()?;
        reader.finish()?;
        Ok(Self { at_ns })
    }
}

impl Standby {
    /// The whole message, as one of the two that hold it.
    fn encode(self, command: u32) -> Vec<u8> {
        message(command, &[Argument::plain(&self.pid.to_le_bytes())])
    }

    /// The message's body.
    ///
    /// # Errors
    /// Any [`WireError`] that names a wrong size.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        Ok(Self { pid: i32::from_le_bytes(word(body)?) })
    }
}

impl Hello {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        message(
            from_client::HELLO,
            &[
                Argument::plain(&self.protocol.to_le_bytes()),
                Argument::plain(self.module.as_bytes()),
            ],
        )
    }

    /// The message's body. Whether `module` can be a file's name is the caller's to look at.
    ///
    /// # Errors
    /// [`WireError::TooLong`] for a name of more than [`MAX_MODULE_BYTES`], or any [`WireError`]
    /// that names a wrong size.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let [protocol, module] = split(body, [false; 2])?.bytes;
        if module.len() > MAX_MODULE_BYTES {
            return Err(WireError::TooLong { limit: MAX_MODULE_BYTES, length: module.len() });
        }
        Ok(Self { protocol: u32::from_le_bytes(word(protocol)?), module: text(module) })
    }
}
