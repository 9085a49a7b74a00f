//! How a message's bytes are laid on a socket.

use std::os::fd::BorrowedFd;

use nix::sys::socket::{
    AddressFamily, SockType, SockaddrLike, SockaddrStorage, getsockname, sockopt,
};

use crate::LinkError;

/// `u32 command, u32 cookie` (spec/libcamera-ipa.md, 2.2).
pub const MESSAGE_HEADER_BYTES: usize = 8;

/// `u32 data_len, u8 nfds, 3 bytes padding` before the data (spec/libcamera-ipa.md, 2.1).
pub(crate) const FRAME_HEADER_BYTES: usize = 8;

/// The three framings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `SOCK_SEQPACKET`: one packet is one message.
    OnePacket,
    /// `SOCK_DGRAM`: a datagram with the frame header, then one with the message.
    TwoDatagrams,
    /// `SOCK_STREAM`: the same two parts as bytes of a stream.
    TwoWrites,
}

impl Framing {
    /// The framing that belongs to a socket.
    pub(crate) fn of(fd: BorrowedFd<'_>) -> Result<Self, LinkError> {
        use std::os::fd::AsRawFd;
        let address: SockaddrStorage =
            getsockname(fd.as_raw_fd()).map_err(|_| LinkError::NotUnixSocket)?;
        if address.family() != Some(AddressFamily::Unix) {
            return Err(LinkError::NotUnixSocket);
        }
        match nix::sys::socket::getsockopt(&fd, sockopt::SockType).map_err(LinkError::Os)? {
            SockType::SeqPacket => Ok(Self::OnePacket),
            SockType::Datagram => Ok(Self::TwoDatagrams),
            SockType::Stream => Ok(Self::TwoWrites),
            other => Err(LinkError::UnknownSocketType(other as i32)),
        }
    }
}

impl Framing {
    /// The most bytes that one message can have on this socket.
    pub(crate) fn largest_message(self, fd: BorrowedFd<'_>) -> Result<usize, LinkError> {
        /// What the kernel keeps of `SO_SNDBUF` for itself: 212,992 let 212,960 through
        /// (spec/libcamera-ipa.md, section 0; linux net/unix/af_unix.c, unix_dgram_sendmsg).
        const KEPT: usize = 32;
        match self {
            Self::OnePacket | Self::TwoDatagrams => {
                nix::sys::socket::getsockopt(&fd, sockopt::SndBuf)
                    .map(|bytes| bytes.saturating_sub(KEPT))
                    .map_err(LinkError::Os)
            }
            Self::TwoWrites => Ok(usize::try_from(u32::MAX).unwrap_or(usize::MAX)),
        }
    }
}

/// The frame header of the two-part framings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) data_len: usize,
    pub(crate) fds: usize,
}

impl FrameHeader {
    pub(crate) fn encode(self) -> Option<[u8; FRAME_HEADER_BYTES]> {
        let len = u32::try_from(self.data_len).ok()?;
        let fds = u8::try_from(self.fds).ok()?;
        let [a, b, c, d] = len.to_le_bytes();
        Some([a, b, c, d, fds, 0, 0, 0])
    }

    /// The padding is whatever libcamera's stack held: not looked at.
    pub(crate) fn decode(bytes: [u8; FRAME_HEADER_BYTES]) -> Self {
        let [a, b, c, d, fds, ..] = bytes;
        let len = u32::from_le_bytes([a, b, c, d]);
        Self { data_len: usize::try_from(len).unwrap_or(usize::MAX), fds: usize::from(fds) }
    }
}
