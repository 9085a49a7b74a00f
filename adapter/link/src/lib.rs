//! The link between a client and the vendor process: sockets, fd passing, deadlines, death.
//!
//! One message is `u32 command, u32 cookie, body` (spec/libcamera-ipa.md, 2.2) plus file
//! descriptors. Three framings carry it; [`Link::from_fd`] tells them apart by `SO_TYPE`:
//!
//! | socket | framing | used by |
//! |---|---|---|
//! | `SOCK_SEQPACKET` | one packet | our own link: end of file on death, one system call, atomic from any thread |
//! | `SOCK_DGRAM` | two datagrams | libcamera's socketpair |
//! | `SOCK_STREAM` | two writes | ChromeOS's named socket; short reads and writes happen |
//!
//! What a peer sends is hostile. Every descriptor is owned from the first instruction after
//! `recvmsg`, a wrong length or a foreign control message is a typed error, and no length claimed
//! by a peer is ever allocated. Sending never raises SIGPIPE and never blocks: what a socket does
//! not take at once waits in a bounded backlog that the owner's polling thread drains.
//!
//! This crate is the only one that makes socket system calls; its `unsafe` is those calls.

mod backlog;
mod control_data;
mod deadline;
mod epoll;
mod error;
mod fds;
mod file;
mod framing;
mod inbox;
mod link;
mod listener;
mod packet;
mod peer;
mod process_fd;
mod receive;
mod restrict;
mod send;
mod standard;
pub mod sync;
mod wait;
mod waker;

pub use control_data::peek;
pub use deadline::{Deadline, monotonic_ns};
pub use epoll::Waiter;
pub use error::{LinkError, Malformed, ReceiveError, SendError};
pub use fds::Fds;
pub use file::{sealed_memory, sought_size, write_all_at, write_with_seek};
pub use framing::{Framing, MESSAGE_HEADER_BYTES};
pub use inbox::{Inbox, Received};
pub use link::{Link, connect_seqpacket, send_datagram, seqpacket_pair};
pub use listener::{ListenError, Listener};
pub use packet::{Packet, receive_packet, send_packet};
pub use peer::Peer;
pub use process_fd::ProcessFd;
pub use restrict::{restrict_system_calls, system_calls_are_restricted};
pub use send::Sent;
pub use standard::closed_standard_streams;
pub use wait::{Event, Interest, MAX_WAIT, wait};
pub use waker::Waker;

/// The most descriptors that one message can carry: the kernel's `SCM_MAX_FD`
/// (linux `include/net/scm.h`); a `sendmsg` with more fails with `EINVAL`.
pub const MAX_FDS: usize = 253;
