//! The thread that sees the client hang up, and sends what the link did not take at once.

use cami_link::{Event, Interest, SendError, wait};

use crate::activity::ExitReason;
use crate::{Shared, SharedRef};

/// Starts the thread.
///
/// # Errors
/// What `pthread_create` says.
pub fn start(shared: SharedRef) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("cami-watch".to_owned())
        .stack_size(64 << 10)
        .spawn(move || watch(&shared))
        .map(drop)
}

/// Polls the link for its end only, with an empty event mask: its messages belong to the thread
/// that calls the library, which may be inside it for ever.
fn watch(shared: &Shared) -> ! {
    loop {
        let interest =
            if shared.link.has_backlog() { Interest::RoomToSend } else { Interest::HangUp };
        let mut fds = [
            (shared.link.as_fd(), interest, Event::default()),
            (shared.waker.as_fd(), Interest::Message, Event::default()),
        ];
        if wait(&mut fds, None).is_err() {
            shared.end(ExitReason::LinkClosed);
        }
        let [(_, _, link), (_, _, waker)] = fds;
        if link.hung_up {
            // A library that closed the descriptor makes it look the same as a client that left;
            // fstat tells them apart.
            let closed = nix::sys::stat::fstat(shared.link.as_fd()).is_err();
            shared.end(if closed { ExitReason::LinkClosed } else { ExitReason::HangUp });
        }
        if waker.readable {
            shared.waker.drain();
        }
        if shared.link.has_backlog() && shared.link.flush() == Err(SendError::Closed) {
            shared.end(ExitReason::HangUp);
        }
    }
}
