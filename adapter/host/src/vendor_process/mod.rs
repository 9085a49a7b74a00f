//! The vendor process: it loads the vendor library, calls it, and may die at any moment.
//!
//! Two threads of ours. The main thread receives from the link and calls the library itself
//! (`dispatch`), so that a request is handed over without a change of threads and the library is
//! called from one thread in the order of arrival. The other (`watch`) sees the client hang up
//! while the first is stuck in the library, and sends what the link did not take at once. The
//! library's own threads come in through `callbacks`.
//!
//! It ends by `_exit`, never by `exit` or `dlclose`: vendor libraries have threads that still run
//! and destructors that crash (platform2 163c5ff83f, be3eb5cc41).

mod buffers;
mod callbacks;
mod dispatch;
mod filter;
mod lent_fds;
mod start;
mod watch;

use std::io::IoSlice;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use cami_link::{Link, SendError, Sent, Waker};

pub use start::{StartError, VendorArguments, close_all_but, default_signals, inherited, run};

use crate::activity::{Activity, ExitReason};

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
