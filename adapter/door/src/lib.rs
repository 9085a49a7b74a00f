//! libcamera's door: the `ipu3` interface, served to any libcamera from 0.0.3 on.
//!
//! [`serve`] owns the socket and everything that libcamera can see: the wire's dialect and its
//! tables of control maps, the buffers, and when what is answered. What the answers are comes from
//! an [`Ipa`](cami_ipu3_ipa::Ipa), which lives on a thread of its own and may wait for a vendor
//! library there.
//!
//! # Promises (DESIGN.md, "libcamera's door: duties")
//!
//! * The thread that serves libcamera waits for nothing but its descriptors and its deadlines.
//! * Every synchronous call is answered within [`limits::CALL`], never later and never twice: what the
//!   IPA says after that is not sent. libcamera takes a late reply for an event, which aborts the
//!   application (spec/libcamera-ipa.md, section 5, number 5). The time runs from the instant at which
//!   the call got into the socket; where this process was kept from running until libcamera has given
//!   up ([`limits::LATEST`]), nothing is sent at all.
//! * Every `computeParams` gets one `paramsComputed` and every `processStats` one `metadataReady`
//!   within [`limits::FRAME`]: with what was last good where the IPA is late, broken or gone.
//! * No event but between the call and the answer of `start`, and from there to the answer of `stop`.
//!   None inside `init`, whose cookie is that of events (number 6).
//!
//! # Threads
//!
//! | thread | does |
//! |---|---|
//! | that of [`serve`] | receives, sends, maps, keeps the deadlines; sends all events (number 10) |
//! | `cami-ipu3` | calls the IPA, one job after the other |
//!
//! Between them: a queue of jobs and a list of what became of them (`engine`). No lock is held while
//! the IPA runs or a system call is made.

mod arrival;
mod buffers;
mod calls;
mod controls;
mod door;
mod engine;
mod frames;
pub mod limits;
mod memory;
mod metadata;
mod parent;
mod peer;
mod queue;
mod seldom;

pub use door::{Door, End, IpaMaker, serve};
pub use memory::{Memory, MemoryError};
pub use parent::Parent;
