//! The supervisor in the HAL's process: start the host, watch it, notify or resume.
//!
//! [`Supervisor`] implements [`cami_abi::CameraAlgorithm`] for the HAL's door and gives it
//! ChromeOS's meaning: when the host dies the HAL hears `notify(IPC_ERROR)` once, its calls fail
//! fast, and its next `initialize` starts afresh. Or, where the configuration says `resume`, another
//! host is brought to where the dead one was (`resume`, with the `journal`), and the HAL hears nothing. This code is a guest in somebody else's process:
//! it installs no signal handler, never forks, keeps one thread, and contains its panics.
//!
//! # Threads
//!
//! * **The HAL's threads**, any number, send on the link themselves, without a lock and without a
//!   hand-off. Those in a synchronous call (`register_buffer`, `deregister_buffers`,
//!   `initialize`, `deinitialize`) wait on a condition variable for their cookie's answer.
//! * **The reader** (`cami-ipa`) is started by the first `initialize` and lasts as long as the
//!   process, with all signals blocked. It alone receives, and it delivers every `return_callback`,
//!   `update` and `notify`, with no lock held. It polls the link, the control socket, the monitor's
//!   pidfd and a waker.
//! * **A call made from inside a callback** is on the reader, so nobody else would receive its
//!   answer: the caller receives itself until the answer is there, and queues the events that come
//!   meanwhile (4096 and 8 MiB at most) for delivery after the callback has returned.
//!
//! A HAL callback that blocks also blocks the answers of other threads' calls, as ChromeOS's own
//! bridge does (platform2 `common/camera_algorithm_bridge_impl.cc`: callbacks and replies share one
//! thread). A call whose deadline passes because of that returns `-ETIMEDOUT`, but the host, which
//! may be well, is not killed for it.
//!
//! # File descriptors
//!
//! Four beyond the HAL's own: waker (from the first `initialize` on), and per session link, control
//! and pidfd. One more while a host is being started. All are close-on-exec. A session's three are
//! closed before `notify` is called, and before `initialize` or `deinitialize` returns, unless a
//! thread of the HAL is just then in a call or a callback of that session: then when it returns.
//!
//! With `resume` a buffer's descriptor, which the HAL gave away with `register_buffer`, stays open until
//! it deregisters the buffer. While a session is resumed there are the new session's three beside the
//! dead one's, and one memory file for each request that is done again.
//!
//! With `CAMI_IPA_SOCKET` it is waker, what the reader waits with (epoll), and per session link and
//! control; one more while a host is being started, and while a thread waits for room on the link.
//!
//! # Locks, in the order in which they are taken
//!
//! 1. `Supervisor::life`: who starts and ends sessions. A callback only tries it (`-EBUSY`).
//! 2. `Reader::nested`: the buffer of calls made from inside a callback; the reader's alone.
//! 3. `Journal`: which host the HAL's calls go to, and all that the next one will need.
//! 4. Leaves, of which a thread holds one at a time: the desk (which session is current), a
//!    session's table of calls, the queue of pending events, a session's sentence, the link's
//!    backlog, and what the reader waits with.
//!
//! No lock is held while the HAL's code runs, nor, but for the link's own backlog, over a system
//! call on the request path; with `resume` the journal's is, over `pread` and `pwrite` of single words of
//! the request's own buffer.
//!
//! # fork
//!
//! A child of the HAL inherits the sockets but not the reader. Every entry compares the process id
//! with that of the first `initialize` before it touches anything else: in a child, calls fail with
//! `-EPIPE` or are dropped, and the parent's session does not notice.
#![forbid(unsafe_code)]

mod buffer_calls;
mod bury;
mod calls;
mod deliver;
mod desk;
mod durable;
mod error;
mod host;
mod journal;
mod pending;
mod pump;
mod reader;
mod replay;
mod restarts;
mod resume;
mod seldom;
mod session;
mod source;
mod standby;
mod start;
mod supervisor;

pub use supervisor::{Options, Supervisor};
