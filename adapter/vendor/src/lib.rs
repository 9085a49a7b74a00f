//! What runs in the vendor process beside the vendor library, which may end it at any moment.
//!
//! Two threads of ours. The main thread receives from the link and calls the library itself
//! (`dispatch`), so that a request is handed over without a change of threads and the library is
//! called from one thread in the order of arrival. The other (`watch`) sees the client hang up
//! while the first is stuck in the library, and sends what the link did not take at once. The
//! library's own threads come in through `callbacks`.
//!
//! It ends by `_exit`, never by `exit` or `dlclose`: vendor libraries have threads that still run
//! and destructors that crash (platform2 163c5ff83f, be3eb5cc41).

pub mod activity;
mod buffers;
mod callbacks;
mod dispatch;
mod lent_fds;
pub mod own_log;
mod watch;

use std::convert::Infallible;
use std::fmt;
use std::io::IoSlice;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cami_link::{Framing, Link, SendError, Sent, Waker};

use crate::activity::{Activity, ExitReason};
use crate::dispatch::Dispatcher;

/// Callbacks that may wait for the client to read. ChromeOS's services queue without a bound; a
/// client that is this far behind is not coming back.
const MAX_WAITING_CALLBACKS: usize = 4096;
/// Bytes that may wait with them: 4096 answers, or 64 updates with the largest headers.
const MAX_WAITING_BYTES: usize = 4 << 20;

/// What all threads of the vendor process share.
struct Shared {
    link: Link,
    waker: Waker,
    activity: Activity,
}

impl Shared {
    /// Sends one message to the client without blocking the caller, which may be any thread of the
    /// library.
    fn send(&self, parts: &[IoSlice<'_>], fds: &[BorrowedFd<'_>]) {
        match self.link.send(parts, fds, Duration::ZERO) {
            Ok(Sent::Now) => {}
            Ok(Sent::Queued) => self.waker.wake(),
            Err(SendError::Full) => self.end(ExitReason::ClientDoesNotRead),
            // The watching thread sees the same and ends the process; the library's thread goes on
            // until then as if the message had been taken.
            Err(SendError::Closed) => {}
            Err(error) => log::error!("cannot send to the client: {error}"),
        }
    }

    /// Ends the process, now, on any thread.
    fn end(&self, reason: ExitReason) -> ! {
        self.activity.exits(reason);
        let code = match reason {
            ExitReason::HangUp => 0,
            _ => 1,
        };
        // SAFETY: _exit has no preconditions; nothing of ours needs an orderly end.
        unsafe { libc::_exit(code) }
    }
}

type SharedRef = Arc<Shared>;

/// Why a link cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeError(String);

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServeError {}

/// What is to be done once, right after the library's first successful `initialize`, on the thread
/// that calls it. Where it fails the process ends: what it is to do was promised.
pub type OnInitialized = Box<dyn FnOnce() -> Result<(), String>>;

/// Serves `link` with the vendor library at `library`, which is loaded when the client's `init`
/// asks for it, until the process ends. The caller has built the sandbox.
///
/// `needs_st_size` is the profile's: a buffer without `st_size` is refused.
///
/// # Errors
/// Only before the library was loaded.
pub fn serve(
    link: OwnedFd,
    activity: Activity,
    library: &Path,
    needs_st_size: bool,
    on_initialized: OnInitialized,
) -> Result<Infallible, ServeError> {
    let link = Link::with_backlog(link, MAX_WAITING_CALLBACKS, MAX_WAITING_BYTES)
        .map_err(|error| ServeError(format!("the link: {error}")))?;
    serve_link(link, activity, library, needs_st_size, on_initialized)
}

/// [`serve`] on a stream, in a process whose system calls are restricted
/// ([`cami_link::restrict_system_calls`]).
///
/// # Errors
/// As [`serve`].
pub fn serve_stream(
    stream: OwnedFd,
    activity: Activity,
    library: &Path,
    needs_st_size: bool,
) -> Result<Infallible, ServeError> {
    let (messages, bytes) = (MAX_WAITING_CALLBACKS, MAX_WAITING_BYTES);
    let link = Link::of_known_type(stream, Framing::TwoWrites, messages, bytes)
        .map_err(|error| ServeError(format!("the stream: {error}")))?;
    // The sandbox there is somebody else's, and stands already.
    serve_link(link, activity, library, needs_st_size, Box::new(|| Ok(())))
}

fn serve_link(
    link: Link,
    activity: Activity,
    library: &Path,
    needs_st_size: bool,
    on_initialized: OnInitialized,
) -> Result<Infallible, ServeError> {
    let waker = Waker::new().map_err(|errno| ServeError(format!("eventfd: {errno}")))?;
    let shared = Arc::new(Shared { link, waker, activity });
    watch::start(shared.clone())
        .map_err(|error| ServeError(format!("the watching thread: {error}")))?;
    let _ = nix::sys::prctl::set_name(c"cami-vendor");
    Dispatcher::new(shared, library, needs_st_size, on_initialized).run()
}
