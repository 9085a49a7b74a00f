//! `SCM_RIGHTS` in both directions.
//!
//! nix's iterator reports a truncated control buffer as an error and leaves the descriptors that
//! did arrive open; here each is owned at once, and truncation is a fact beside them.

use std::io::{IoSlice, IoSliceMut};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;

use crate::{Fds, MAX_FDS};

const FD_BYTES: usize = size_of::<RawFd>();

/// Control data that holds a descriptor although nobody sent one: a socket with `SO_PASSPIDFD` gets
/// it with every message (linux `include/linux/socket.h`).
const SCM_PIDFD: i32 = 4;

/// `CMSG_SPACE(MAX_FDS * sizeof(int))` is 1032 on LP64 and 1024 on ILP32; more does no harm.
const CONTROL_BYTES: usize = 1088;

/// Room for the control data of one message, aligned as `cmsghdr` must be.
#[repr(C, align(8))]
pub(crate) struct ControlBuffer([MaybeUninit<u8>; CONTROL_BYTES]);

impl ControlBuffer {
    pub(crate) fn new() -> Self {
        Self([MaybeUninit::uninit(); CONTROL_BYTES])
    }
}

/// What `recvmsg` brought besides the bytes.
pub(crate) struct Arrived {
    /// Bytes in the buffers; for a truncated datagram still only those that fit.
    pub(crate) bytes: usize,
    pub(crate) fds: Fds,
    /// `MSG_TRUNC`: the packet was larger than the buffers.
    pub(crate) bytes_lost: bool,
    /// `MSG_CTRUNC`: some descriptors found no free slot in this process.
    pub(crate) fds_lost: bool,
    /// Control data other than `SCM_RIGHTS` and the time came along.
    pub(crate) foreign: bool,
    /// When it got into the socket ([`Link::ask_for_times`](crate::Link::ask_for_times)).
    pub(crate) stamp: Option<Duration>,
}

fn empty_message() -> libc::msghdr {
    // SAFETY: msghdr is a C struct of integers and pointers, for which all zero bytes are valid.
    unsafe { std::mem::zeroed() }
}

/// One `sendmsg` with `MSG_NOSIGNAL | MSG_DONTWAIT`. Returns the bytes taken.
pub(crate) fn send_message(
    socket: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    fds: &[BorrowedFd<'_>],
) -> Result<usize, Errno> {
    if fds.len() > MAX_FDS {
        return Err(Errno::EINVAL);
    }
    let mut message = empty_message();
    message.msg_iov = parts.as_ptr().cast::<libc::iovec>().cast_mut();
    message.msg_iovlen = parts.len() as _;
    let mut control = ControlBuffer::new();
    if !fds.is_empty() {
        let data_bytes = u32::try_from(fds.len() * FD_BYTES).map_err(|_| Errno::EINVAL)?;
        // SAFETY: pure arithmetic on its argument.
        let space = unsafe { libc::CMSG_SPACE(data_bytes) };
        message.msg_control = ptr::from_mut(&mut control).cast();
        message.msg_controllen = space as _;
        // SAFETY: msg_control points to CONTROL_BYTES >= `space` bytes (fds.len() <= MAX_FDS).
        let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
        // SAFETY: pure arithmetic on its argument.
        let length = unsafe { libc::CMSG_LEN(data_bytes) };
        let value = libc::cmsghdr {
            cmsg_len: length as _,
            cmsg_level: libc::SOL_SOCKET,
            cmsg_type: libc::SCM_RIGHTS,
        };
        // SAFETY: CMSG_FIRSTHDR is not null, since msg_controllen holds at least one header, and
        // points into `control`, which is aligned for cmsghdr.
        unsafe { header.write(value) };
        // SAFETY: `header` is a valid header inside `control`.
        let mut data = unsafe { libc::CMSG_DATA(header) }.cast::<RawFd>();
        for fd in fds {
            // SAFETY: the data area holds fds.len() descriptors and `data` advances by one each.
            unsafe { data.write_unaligned(fd.as_raw_fd()) };
            // SAFETY: one past the last element at most.
            data = unsafe { data.add(1) };
        }
    }
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    loop {
        // SAFETY: the iovecs are those of `parts` (IoSlice has iovec's layout) and are only read;
        // the control pointer is null or `control`, which lives until the end of this function.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) };
        match usize::try_from(sent) {
            Ok(bytes) => return Ok(bytes),
            Err(_) if Errno::last() == Errno::EINTR => {}
            Err(_) => return Err(Errno::last()),
        }
    }
}

/// One `recvmsg` with `MSG_CMSG_CLOEXEC`; waits only if the socket blocks and `flags` allow it.
pub(crate) fn receive_message(
    socket: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    flags: i32,
) -> Result<Arrived, Errno> {
    let mut control = ControlBuffer::new();
    let mut message = empty_message();
    message.msg_iov = buffers.as_mut_ptr().cast();
    message.msg_iovlen = buffers.len() as _;
    message.msg_control = ptr::from_mut(&mut control).cast();
    message.msg_controllen = CONTROL_BYTES as _;
    // SAFETY: the iovecs are those of `buffers` (IoSliceMut has iovec's layout), exclusively
    // borrowed; the control area is `control`, of the stated size, alive to the end.
    let received = unsafe {
        libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags | libc::MSG_CMSG_CLOEXEC)
    };
    let bytes = usize::try_from(received).map_err(|_| Errno::last())?;
    let mut arrived = Arrived {
        bytes,
        fds: Fds::new(),
        bytes_lost: message.msg_flags & libc::MSG_TRUNC != 0,
        fds_lost: message.msg_flags & libc::MSG_CTRUNC != 0,
        foreign: false,
        stamp: None,
    };
    // SAFETY: the kernel filled msg_control and set msg_controllen to what it wrote.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: CMSG_FIRSTHDR/CMSG_NXTHDR return pointers to complete headers only.
        let found = unsafe { header.read() };
        let rights = found.cmsg_level == libc::SOL_SOCKET && found.cmsg_type == libc::SCM_RIGHTS;
        let pidfd = found.cmsg_level == libc::SOL_SOCKET && found.cmsg_type == SCM_PIDFD;
        let time = found.cmsg_level == libc::SOL_SOCKET && found.cmsg_type == libc::SCM_TIMESTAMPNS;
        arrived.foreign |= !rights && !time;
        if time {
            // SAFETY: `header` is a valid header inside `control`.
            let data = unsafe { libc::CMSG_DATA(header) }.cast::<libc::timespec>();
            // SAFETY: the kernel writes a timespec behind a header of this type, and nobody but the
            // kernel (linux net/core/scm.c, put_cmsg_scm_timestampns).
            let time = unsafe { data.read_unaligned() };
            let seconds = u64::try_from(time.tv_sec).ok();
            let nanoseconds = u32::try_from(time.tv_nsec).ok();
            arrived.stamp = seconds.zip(nanoseconds).map(|(s, ns)| Duration::new(s, ns));
        }
        if rights || pidfd {
            // SAFETY: `header` is a valid header inside `control`.
            let mut data = unsafe { libc::CMSG_DATA(header) }.cast::<RawFd>();
            let offset = data.addr() - header.addr();
            #[allow(clippy::unnecessary_cast, reason = "cmsg_len is a u32 on some targets")]
            let count = (found.cmsg_len as usize).saturating_sub(offset) / FD_BYTES;
            for _ in 0..count {
                // SAFETY: the kernel wrote `count` descriptors after the header.
                let raw = unsafe { data.read_unaligned() };
                // A pidfd that could not be made is a negative errno.
                if raw >= 0 {
                    // SAFETY: recvmsg installed `raw` in this process; nobody else owns it yet.
                    let fd = unsafe { OwnedFd::from_raw_fd(raw) };
                    if rights {
                        arrived.fds.push(fd);
                    }
                }
                // SAFETY: one past the last element at most.
                data = unsafe { data.add(1) };
            }
        }
        // SAFETY: `message` and `header` describe the control data that the kernel wrote.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    Ok(arrived)
}

/// The first bytes that wait on a socket, which stay there. Does not wait itself. Descriptors that come
/// with them are not taken either.
///
/// # Errors
/// `EAGAIN` where nothing is there yet, and what the kernel says.
pub fn peek(socket: BorrowedFd<'_>, into: &mut [u8]) -> Result<usize, Errno> {
    let mut parts = [IoSliceMut::new(into)];
    let mut message = empty_message();
    message.msg_iov = parts.as_mut_ptr().cast();
    message.msg_iovlen = parts.len() as _;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: `message` describes `parts`, which live across the call; no control data is asked for.
    let count = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
    usize::try_from(count).map_err(|_| Errno::last())
}
