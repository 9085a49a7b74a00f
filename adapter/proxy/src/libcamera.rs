//! libcamera's interface on ChromeOS's stream.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use cami_config::Config;
use cami_door::limits::Limits;
use cami_door::{Door, End, serve as serve_libcamera};
use cami_link::{Framing, Link};
use nix::errno::Errno;

use crate::door::Refusal;
use crate::ipa::{self, Behind};

/// Answers that may wait for a libcamera that does not read: the door itself stops long before.
const BACKLOG: (usize, usize) = (4096, 8 << 20);

/// Serves libcamera until it leaves, which ends the process. The library runs in this process, as for
/// `cros`, or, without one here, in a host that the service keeps.
///
/// # Errors
/// Only before anything was received. A library that cannot be loaded is an error of `init`.
pub fn serve(
    stream: OwnedFd,
    config: Config,
    library: Option<PathBuf>,
) -> Result<Infallible, Refusal> {
    let (messages, bytes) = BACKLOG;
    let link = Link::of_known_type(stream, Framing::TwoWrites, messages, bytes)
        .map_err(|error| Refusal::new(Errno::EBADF, format!("the stream: {error}")))?;
    let behind = match library {
        Some(library) => {
            without_mremap();
            log::info!("serving libcamera with {}", library.display());
            Behind::Library(Box::new(config), library)
        }
        None => Behind::Host(Box::new(config)),
    };
    // A stream has an end of file: there is no parent to watch.
    let end = serve_libcamera(Door {
        link,
        parent: None,
        ipa: ipa::maker(behind),
        limits: Limits::PROMISED,
    });
    log::debug!("it is over: {end:?}");
    let code = i32::from(matches!(end, End::Broken(_)));
    // SAFETY: _exit has no preconditions; nothing of ours needs an orderly end.
    unsafe { libc::_exit(code) }
}

/// Has the allocator grow its blocks without `mremap`, which ChromeOS's filter forbids on amd64
/// (spec/cami-abi.md, 3.2): it does so only with blocks that have a mapping of their own, and a tuning
/// file is as large as that.
fn without_mremap() {
    /// The most that glibc takes, half of an arena (malloc/malloc.c, `HEAP_MAX_SIZE`).
    const LARGEST: libc::c_int = 32 << 20;
    // SAFETY: two numbers; it changes where blocks come from that are allocated later.
    if unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST) } != 1 {
        log::warn!("the allocator may use mremap");
    }
}
