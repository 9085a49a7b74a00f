//! Sockets: the link, and pairs within the process.
//!
//! The link comes connected, so nothing needs to connect, bind, listen or accept; ChromeOS's lists
//! have them for the service around the library. Where no mount namespace hides them, sockets such
//! as D-Bus's would be in reach of whoever may connect. `syslog` loses its lines by that.

use nix::errno::Errno;

use super::{CHROMEOS, HARMLESS, OURS, Of, int};
use crate::rule::{Intent, Limit, Named, Rule, Test};

const OF: Of = Of(Intent::Sockets);

/// EAFNOSUPPORT is what a kernel without that family says: whoever looks for an interface or a
/// host name has met it.
const UNIX_ONLY: &[Limit] = &[int(
    0,
    "domain",
    Test::OneOf(&[Named("AF_UNIX", 1)]),
    Errno::EAFNOSUPPORT,
    "no 3A library needs a network, and the other families are where the kernel is attacked",
)];

const OPTIONS: &[Limit] = &[int(
    2,
    "optname",
    Test::NoneOf(&[
        Named("SO_ATTACH_FILTER", 26),
        Named("SO_ATTACH_BPF", 50),
        Named("SO_ATTACH_REUSEPORT_CBPF", 51),
        Named("SO_ATTACH_REUSEPORT_EBPF", 52),
    ]),
    Errno::EPERM,
    "programs in the kernel are no library's to bring",
)];

const CONNECTED: &str = "the link comes connected, and other services are nobody's to reach";

pub(super) const RULES: &[Rule] = &[
    OF.limited("socket", UNIX_ONLY, "of this machine only", CHROMEOS),
    OF.limited("socketpair", UNIX_ONLY, "threads talk to each other", CHROMEOS),
    OF.allow("sendmsg", "our messages to the client", OURS),
    OF.allow("recvmsg", "our messages from the client", OURS),
    OF.allow("sendto", "send", CHROMEOS),
    OF.allow("recvfrom", "recv", CHROMEOS),
    OF.allow("sendmmsg", "several messages at once", HARMLESS),
    OF.allow("recvmmsg", "several messages at once", HARMLESS),
    OF.allow("shutdown", "ends one direction of a pair", CHROMEOS),
    OF.allow("getsockopt", "what a socket is; we ask for its type", OURS),
    OF.limited("setsockopt", OPTIONS, "buffer sizes and timeouts", OURS),
    OF.allow("getsockname", "a socket's own name", CHROMEOS),
    OF.allow("getpeername", "a socket's other end", HARMLESS),
    OF.refuse("connect", Errno::EACCES, CONNECTED, CHROMEOS),
    OF.refuse("bind", Errno::EACCES, CONNECTED, CHROMEOS),
    OF.refuse("listen", Errno::EACCES, CONNECTED, CHROMEOS),
    OF.refuse("accept", Errno::EACCES, CONNECTED, CHROMEOS),
    OF.refuse("accept4", Errno::EACCES, CONNECTED, CHROMEOS),
];
