//! How long, and how much.

use std::time::Duration;

/// A synchronous call is answered by then. libcamera gives up after 2000 ms and takes what comes
/// later for an event (libcamera `src/libcamera/ipc_pipe_unixsocket.cpp`, `sendSync`).
pub const CALL: Duration = Duration::from_millis(1500);
/// After this time a synchronous call is not answered any more, because this process did not run: what
/// is left of libcamera's 2000 ms is for an answer that is on its way.
pub const LATEST: Duration = Duration::from_millis(1900);
/// The answers to `computeParams` and `processStats` are sent by then.
pub const FRAME: Duration = Duration::from_millis(50);

/// How long the IPA may take to end after `Exit`: libcamera does not wait for it, and kills the worker
/// soon (spec/libcamera-ipa.md, section 5, number 14).
pub(crate) const END: Duration = Duration::from_millis(300);

/// When the door stops waiting for the IPA, and the IPA for its library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The door, over a synchronous call.
    pub call: Duration,
    /// The IPA, so that its own answer is in time.
    pub call_ipa: Duration,
    /// The door, over a frame.
    pub frame: Duration,
    /// The IPA.
    pub frame_ipa: Duration,
}

impl Limits {
    /// Those that keep [`CALL`] and [`FRAME`]: what is left of a frame is for the scheduler.
    pub const PROMISED: Self = Self {
        call: CALL,
        call_ipa: Duration::from_millis(1400),
        frame: Duration::from_millis(42),
        frame_ipa: Duration::from_millis(36),
    };
}

/// Buffers at a time. The pipeline has two for each buffer of the largest stream.
pub(crate) const BUFFERS: usize = 1024;
/// Frames that wait for the IPA at a time. The pipeline has at most as many as buffers, four.
pub(crate) const FRAMES: usize = 64;
/// Requests whose controls wait for the IPA; older ones are merged.
pub(crate) const REQUESTS: usize = 64;
/// Bytes of all their controls; a request that is alone may have more, as much as a message holds.
pub(crate) const REQUEST_BYTES: usize = 128 << 10;
/// Messages that are received before anything is answered: more than a socket holds by default
/// (linux `net.unix.max_dgram_qlen`: 10 datagrams, two for a message).
pub(crate) const AT_ONCE: usize = 64;
/// Synchronous calls that wait at a time. libcamera makes one.
pub(crate) const CALLS: usize = 16;
/// Messages that may wait for a libcamera that does not read, until calls are not read either.
pub(crate) const UNSENT: usize = 128;
/// The largest message that a datagram pair with the default buffer takes
/// (spec/libcamera-ipa.md, section 0).
pub(crate) const MESSAGE_BYTES: usize = 212_960;
