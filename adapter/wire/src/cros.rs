//! The `cros` interface (`include/ipa/cros.mojom`): ChromeOS's `CAMI` calls between the client and
//! the vendor process.
//!
//! `encode` returns whole messages, header included; `decode` takes the body that
//! [`crate::Header::decode`] leaves. Messages of the hot path are encoded without touching the
//! heap.

mod buffers;
mod init;
mod request;
mod update;

pub use buffers::{DeregisterBuffers, RegisterBuffer};
pub use init::{Init, InitReply, LibraryInfo, Settings};
pub use request::{Request, RequestParts, Returned};
pub use update::{UpdateReturn, Updated, UpdatedParts};

use crate::WireError;
use crate::message::Header;
use crate::reader::Reader;

/// Command numbers, in the order of the interface file.
pub mod command {
    /// Loads and checks the vendor library; answered by [`super::InitReply`].
    pub const INIT: u32 = 1;
    /// `CAMI` `initialize`; no arguments, answered by a [`super::ReturnValue`].
    pub const START: u32 = 2;
    /// `CAMI` `deinitialize`; no arguments, answered by an empty body.
    pub const STOP: u32 = 3;
    /// `CAMI` `register_buffer`; answered by a [`super::ReturnValue`].
    pub const REGISTER_BUFFER: u32 = 4;
    /// `CAMI` `deregister_buffers`; answered by an empty body.
    pub const DEREGISTER_BUFFERS: u32 = 5;
    /// `CAMI` `request`; not answered.
    pub const REQUEST: u32 = 6;
    /// `CAMI` `update_return`; not answered.
    pub const UPDATE_RETURN: u32 = 7;
}

/// Event numbers, in the order of the interface file.
pub mod event {
    /// The vendor library called `return_callback`.
    pub const RETURNED: u32 = 1;
    /// The vendor library called `update`.
    pub const UPDATED: u32 = 2;
}

/// Version of this interface. `init` carries it both ways, and a mismatch is `-EPROTO`.
pub const PROTOCOL_VERSION: u32 = 1;

/// Largest request or update header in bytes. The largest that is known of a shipped library is
/// far below; a `SOCK_SEQPACKET` packet takes it without raising any socket buffer.
pub const MAX_HEADER_BYTES: usize = 65536;

/// Refuses a header that is longer than [`MAX_HEADER_BYTES`].
fn check_header(header: &[u8]) -> Result<&[u8], WireError> {
    if header.len() > MAX_HEADER_BYTES {
        Err(WireError::TooLong { limit: MAX_HEADER_BYTES, length: header.len() })
    } else {
        Ok(header)
    }
}

/// The answer of `start` (what `initialize` returned) and of `registerBuffer` (the library's buffer
/// handle, or a negative errno): one bare `i32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnValue(pub i32);

impl ReturnValue {
    /// The whole answer; `header` repeats the command and the cookie of the call.
    #[must_use]
    pub fn encode(self, header: Header) -> [u8; 12] {
        crate::writer::words([header.command, header.cookie, self.0.cast_unsigned()])
    }

    /// The answer's body.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let value = reader.i32()?;
        reader.finish()?;
        Ok(Self(value))
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}

/// Checks the body of a message without arguments (`start`, `stop`, and the answers of `stop` and
/// `deregisterBuffers`); such a message is encoded by [`Header::encode`].
///
/// # Errors
/// [`WireError::TrailingBytes`].
pub const fn decode_empty(body: &[u8]) -> Result<(), WireError> {
    Reader::new(body).finish()
}
